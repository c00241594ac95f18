"""Makes the demo corpus: spoken nonsense words of synthetic speakers, with planted faults; reads nothing.

Source and filter (Klatt 1980): pulses and noise pass through resonances that move from sound to sound. Speakers differ
in pitch, length of the vocal tract, vowels, speaking rate and microphone, so that a model can recognise them instead of
the words; some words differ in one sound only.
"""

from __future__ import annotations

import csv
import io
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.plan import write_atomically
from knowledge.errors import UsageError

SAMPLE_RATE_HZ = 16000
_FRAME = 512
_HOP = 256
_STEP_SECONDS = _HOP / SAMPLE_RATE_HZ
_BANDWIDTHS_HZ = np.array([80.0, 100.0, 140.0, 220.0])
_FOURTH_FORMANT_HZ = 3500.0
_ACCENT = 0.15
"""How far speakers differ in one sound (standard deviation of the logarithm); the takes of a speaker differ by 0.02."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Sound:
    """One speech sound: three resonances, and how much voice and noise excite them."""

    formants_hz: tuple[float, float, float]
    seconds: float
    voice: float = 1.0
    noise: float = 0.0
    noise_hz: float = 4000.0
    """Where the noise of a fricative or burst is strongest."""


# Vowels after Peterson and Barney 1952, consonants after Klatt 1980, both rounded.
_SOUNDS = {
    "a": _Sound((740, 1180, 2550), 0.12),
    "e": _Sound((480, 1850, 2550), 0.11),
    "i": _Sound((290, 2250, 3000), 0.10),
    "o": _Sound((510, 880, 2450), 0.12),
    "u": _Sound((330, 800, 2300), 0.11),
    "l": _Sound((350, 1050, 2800), 0.06, voice=0.6),
    "m": _Sound((270, 1000, 2200), 0.07, voice=0.4),
    "n": _Sound((270, 1600, 2600), 0.07, voice=0.4),
    "f": _Sound((400, 1200, 2400), 0.08, voice=0.0, noise=0.15, noise_hz=3000),
    "s": _Sound((400, 1600, 2600), 0.09, voice=0.0, noise=0.5, noise_hz=6200),
    "S": _Sound((400, 1700, 2500), 0.09, voice=0.0, noise=0.5, noise_hz=3600),
    "t": _Sound((400, 1700, 2700), 0.05, voice=0.0, noise=0.35, noise_hz=4800),
    "z": _Sound((300, 1600, 2600), 0.08, voice=0.35, noise=0.3, noise_hz=6200),
}
WORDS = {
    "sami": "sami",
    "shami": "Sami",
    "nola": "nola",
    "nula": "nula",
    "tilo": "tilo",
    "telo": "telo",
    "fuma": "fuma",
    "zuma": "zuma",
}
"""Each word and its sounds; neighbours are told apart by one sound."""


@dataclass(frozen=True, slots=True)
class _Speaker:
    """What stays the same in all clips of one speaker."""

    name: str
    pitch_hz: float
    tract: float
    """Factor on all resonances; short vocal tracts have high ones."""
    accent: dict[str, Floats]
    """For each sound, factors on its three resonances and on its noise frequency, `(4,)`."""
    rate: float
    breath: float
    tilt_db: float
    """Slope of the microphone, per octave above 500 Hz."""
    notch_hz: float


def make_corpus(folder: Path, *, speakers: int = 10, words: int = 8, takes: int = 7, seed: int = 0) -> Path:
    """Write the clips and `manifest.csv` (path, label, speaker, split) into a new folder and return the manifest.

    The split is by take, so every speaker stands on all sides of it. Two test and validation clips are exact copies of
    training clips, one training file is cut off, and one training row has no file.

    Raises:
        UsageError: the folder holds something already, or a number is out of range.
    """
    _check(folder, speakers, words, takes)
    voices = [_speaker(number, speakers, seed) for number in range(speakers)]
    rows: list[tuple[str, str, str, str]] = []
    for number, voice in enumerate(voices):
        (folder / "clips" / voice.name).mkdir(parents=True)
        for place, word in enumerate(list(WORDS)[:words]):
            for take in range(takes):
                path = f"clips/{voice.name}/{word}-{take + 1}.wav"
                rng = np.random.default_rng((seed, number, place, take))
                _write_wav(folder / path, _clip(voice, WORDS[word], rng))
                rows.append((path, word, voice.name, _split(take, takes)))
    rows = _with_faults(folder, rows, seed)
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("path", "label", "speaker", "split"))
    writer.writerows(rows)
    write_atomically(folder / "manifest.csv", stream.getvalue())
    return folder / "manifest.csv"


def _check(folder: Path, speakers: int, words: int, takes: int) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} exists already and is not empty, expected a new folder", hint="Name another folder."
        )
    for name, value, low, high in (
        ("speakers", speakers, 2, 99),
        ("words", words, 2, len(WORDS)),
        ("takes", takes, 3, 99),
    ):
        if not low <= value <= high:
            raise UsageError(f"{name} is {value}, expected {low} to {high}")


def _split(take: int, takes: int) -> str:
    """The last take is for test, the one before for validation, of many takes a seventh each."""
    held = max(1, takes // 7)
    return "test" if take >= takes - held else "val" if take >= takes - 2 * held else "train"


def _speaker(number: int, speakers: int, seed: int) -> _Speaker:
    """Spread pitch and tract over the speakers, so that none resembles all others, and draw the rest."""
    rng = np.random.default_rng((seed, number))
    place = (number + 0.5) / speakers
    shuffled = (0.5 + 0.618034 * number) % 1  # golden ratio: even, and not in the order of pitch
    return _Speaker(
        name=f"s{number + 1:02d}",
        pitch_hz=90 * 2 ** (1.5 * place) * rng.uniform(0.95, 1.05),
        tract=0.84 + 0.36 * (0.6 * place + 0.4 * shuffled),
        accent={name: np.exp(rng.normal(0, _ACCENT, 4)) for name in _SOUNDS},
        rate=0.7 + 0.6 * shuffled,
        breath=rng.uniform(0.01, 0.12),
        tilt_db=rng.uniform(-7, 4),
        notch_hz=rng.uniform(700, 5000),
    )


def _clip(voice: _Speaker, sounds: str, rng: np.random.Generator) -> npt.NDArray[np.int16]:
    """Speak one word: tracks over time, source, filter, microphone, noise, level."""
    formants, voicing, noise, noise_hz = _tracks(voice, sounds, rng)
    steps = len(voicing)
    samples = (steps - 1) * _HOP + _FRAME
    pulses = _pulses(voice, samples, rng)
    hiss = rng.standard_normal(samples)
    frequencies = _bins(2 * _FRAME)
    resonance = _resonances(frequencies, formants)
    fricative = np.exp(-(((frequencies - noise_hz[:, None]) / 1400) ** 2)) * noise[:, None]
    voiced = resonance * voicing[:, None]
    speech = _filtered(pulses + voice.breath * hiss, voiced) + _filtered(hiss, fricative)
    speech = np.fft.irfft(np.fft.rfft(speech) * _microphone(voice, len(speech)), len(speech))
    speech += _background(len(speech), rng) * np.sqrt(np.mean(speech**2)) * 10 ** (-rng.uniform(6, 28) / 20)
    level = 10 ** (rng.uniform(-9, -1.5) / 20)
    clip: npt.NDArray[np.int16] = np.rint(speech / np.abs(speech).max() * level * 32767).astype(np.int16)
    return clip


def _bins(samples: int) -> Floats:
    """Return the frequency of each bin of a real FFT, in Hz."""
    return np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ).astype(np.float64)


def _tracks(voice: _Speaker, sounds: str, rng: np.random.Generator) -> tuple[Floats, Floats, Floats, Floats]:
    """Return formants `(steps, 4)`, voicing, noise and noise frequency `(steps,)`, gliding from sound to sound."""
    centres, rows, now = [0.0], [], rng.uniform(0.02, 0.06)
    for name in sounds:
        sound = _SOUNDS[name]
        seconds = sound.seconds / voice.rate * rng.uniform(0.85, 1.2)
        own = voice.tract * voice.accent[name] * rng.normal(1, 0.02, 4)
        formants = np.array(sound.formants_hz) * own[:3]
        centres.append(now + seconds / 2)
        rows.append((*formants, _FOURTH_FORMANT_HZ * voice.tract, sound.voice, sound.noise, sound.noise_hz * own[3]))
        now += seconds
    end = now + rng.uniform(0.03, 0.07)
    table = np.array([rows[0], *rows, rows[-1]])
    table[[0, -1], 4:6] = 0  # silence before and after
    times = np.arange(0, end, _STEP_SECONDS)
    columns = [np.interp(times, [*centres, end], table[:, column]) for column in range(table.shape[1])]
    return np.stack(columns[:4], axis=1), columns[4], columns[5], columns[6]


def _pulses(voice: _Speaker, samples: int, rng: np.random.Generator) -> Floats:
    """Return glottal pulses: falling pitch with slow and fast wobble, smoothed above 500 Hz."""
    time = np.arange(samples) / SAMPLE_RATE_HZ
    fall = np.linspace(1.08, 0.88, samples) * rng.uniform(0.92, 1.08)
    vibrato = 1 + 0.02 * np.sin(2 * np.pi * rng.uniform(3, 6) * time + rng.uniform(0, 6))
    phase = np.cumsum(voice.pitch_hz * fall * vibrato / SAMPLE_RATE_HZ)
    pulses = np.diff(np.floor(phase), prepend=0.0) * rng.normal(1, 0.05, samples)
    smooth = 12 / np.sqrt(1 + (_bins(samples) / 500) ** 2)
    return np.fft.irfft(np.fft.rfft(pulses) * smooth, samples)


def _resonances(frequencies: Floats, formants: Floats) -> npt.NDArray[np.complex128]:
    """Return the transfer function of the cascade of resonances at each step, `(steps, bins)`."""
    response = np.ones((len(formants), len(frequencies)), dtype=np.complex128)
    for place, bandwidth in enumerate(_BANDWIDTHS_HZ):
        centre = formants[:, place, None]
        response /= 1 - (frequencies / centre) ** 2 + 1j * frequencies * bandwidth / centre**2
    return response


def _filtered(source: Floats, response: npt.NDArray[np.complex128] | Floats) -> Floats:
    """Filter `source` with a response that changes every step, `(steps, bins)`: weighted overlap-add."""
    window = np.hanning(_FRAME + 1)[:-1] / (_FRAME / _HOP / 2)
    steps = len(response)
    frames = np.lib.stride_tricks.sliding_window_view(source, _FRAME)[::_HOP][:steps] * window
    shaped = np.fft.irfft(np.fft.rfft(frames, 2 * _FRAME) * response, 2 * _FRAME)
    out = np.zeros((steps - 1) * _HOP + 2 * _FRAME)
    for step in range(steps):
        out[step * _HOP : step * _HOP + 2 * _FRAME] += shaped[step]
    return out[:-_FRAME]


def _microphone(voice: _Speaker, samples: int) -> Floats:
    """Return the gain of the speaker's microphone at each frequency: a slope and a notch."""
    frequencies = _bins(samples)
    octaves = np.log2(np.maximum(frequencies, 500) / 500)
    notch = 1 - 0.7 * np.exp(-(((frequencies - voice.notch_hz) / 300) ** 2))
    high_pass = np.minimum(1, frequencies / 80)
    gain: Floats = 10 ** (voice.tilt_db * octaves / 20) * notch * high_pass
    return gain


def _background(samples: int, rng: np.random.Generator) -> Floats:
    """Return noise between white and pink, of unit power."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    frequencies = np.maximum(_bins(samples), 50)
    noise = np.fft.irfft(spectrum / frequencies ** rng.uniform(0, 0.5), samples)
    unit: Floats = noise / np.sqrt(np.mean(noise**2))
    return unit


def _write_wav(path: Path, samples: npt.NDArray[np.int16]) -> None:
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(SAMPLE_RATE_HZ)
        stream.writeframes(samples.astype("<i2").tobytes())


def _with_faults(folder: Path, rows: list[tuple[str, str, str, str]], seed: int) -> list[tuple[str, str, str, str]]:
    """Copy two training clips into validation and test, cut a training file off, and add a row without a file."""
    rng = np.random.default_rng((seed, 1_000_003))
    training = [row for row in rows if row[3] == "train"]
    first, second, cut, lost = (training[int(place)] for place in rng.choice(len(training), 4, replace=False))
    added = []
    for source, split in ((first, "val"), (second, "test")):
        path = source[0].replace(".wav", "-b.wav")
        (folder / path).write_bytes((folder / source[0]).read_bytes())
        added.append((path, source[1], source[2], split))
    whole = (folder / cut[0]).read_bytes()
    (folder / cut[0]).write_bytes(whole[: len(whole) * 6 // 10])
    added.append((lost[0].replace(".wav", "-c.wav"), lost[1], lost[2], "train"))
    return sorted(rows + added)
