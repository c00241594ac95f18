"""Estimates the arithmetic and the processor time of a training, from its plan and data; measures and decides nothing.

A frozen part runs once where its features can be kept, else in every epoch; what learns costs its forward pass again
for each gradient that is needed: twice under adapters (through the frozen weights, none for them), thrice where
weights learn. What the trainer does beside the network (sound, spectra, the head) is counted on a processor.
`benchmarks/time_estimate.py` holds estimates against real runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.cards import BackboneCard, Shape

from .memory import TOP_SHARE, Method, forward_gflop_per_second

VALIDATION_SHARE = 0.15
"""Of the clips, scored after each epoch; the plan's default."""
_FACTOR = {"frozen": 1.0, "adapters": 2.0, "top": 3.0, "full": 3.0}
"""Forward passes that one training step costs in the layers that learn."""
_STEM_LAYERS = (3 / 2, 3 / 4, 3 / 8, 3 / 16, 2 / 32, 2 / 64)
"""Of the convolutions of wav2vec 2.0 over the waveform after the first: width of the kernel times the vectors that it
gives for each vector of the first."""

# Seconds of one core, as FSDD and ESC-10 took on the machine of benchmarks/time_estimate.py.
_START_SECONDS = 6.0
"""Imports, the model, the first batch and the last checkpoint."""
_READ_SECONDS_KHZ = 0.13e-3
"""Of a second of audio, for each kHz of its rate: decoding and resampling, once."""
_SPECTRUM_SECONDS, _SPECTRUM_SECONDS_KHZ = 0.8e-3, 0.04e-3
"""Of a second of audio, and for each kHz: log-mel bands or MFCC, whose frames are as many at any rate."""
_VARY_CLIP_SECONDS, _VARY_SECONDS_KHZ = 1.1e-3, 0.055e-3
"""An epoch: what augmentation does to waveforms, for each clip, and for a second of audio and each kHz."""
_CLIP_SECONDS = 0.05e-3
"""Of a clip, an epoch: the step of a head on kept vectors, and what is logged."""
_FRAMES_SECONDS = 2.6e-3
"""Of a second of audio, an epoch: a temporal head, which reads every frame; on a GPU it is lost in the rest."""
_WEIGHT_SECONDS = 0.1e-6
"""Of a weight of the backbone that learns, an epoch: the optimizer, and the checkpoint with its averages."""


@dataclass(frozen=True, slots=True)
class Training:
    """What is trained on what, as far as its duration goes."""

    clips: int
    audio_seconds: float
    """Of all clips, as they reach the backbone: cropped, or filled up to its window."""
    epochs: int
    method: Method
    learning_share: float | None = None
    """Of the layers, where not all of them, or a usual part, learn."""
    rate_khz: float = 16.0
    varied: bool = False
    """Whether clips are varied anew in each epoch, so that nothing can be kept."""
    recomputed: bool = False
    """Whether activations are computed a second time to save memory."""
    trainings: int = 1
    """How often all of it is done: once for each group that is left out in turn."""


def gflop(card: BackboneCard, training: Training) -> float | None:
    """Return 10^9 multiplications and additions in the backbone; None where the card has no shape."""
    layers = forward_gflop_per_second(card)
    if layers is None or card.shape is None:
        return None
    usual = {"frozen": 0.0, "top": TOP_SHARE}.get(training.method, 1.0)
    share = usual if training.learning_share is None else training.learning_share
    stem = _stem_gflop(card.shape)
    below, above = stem + layers * (1 - share), layers * share
    validated = training.audio_seconds * VALIDATION_SHARE
    trained = training.audio_seconds - validated
    factor = _FACTOR[training.method] + training.recomputed
    each = training.epochs * above * (factor * trained + validated)
    if training.varied:
        return training.trainings * (each + below * (training.epochs * trained + validated))
    return (
        training.trainings * each + below * training.audio_seconds
    )  # what is kept serves every group that is left out


def learning_weights(card: BackboneCard, training: Training) -> float:
    """Return how many weights of the backbone learn; those of adapters are few enough to be none."""
    usual = {"full": 1.0, "top": TOP_SHARE}.get(training.method, 0.0)
    share = usual if training.learning_share is None or not usual else training.learning_share
    return share * float(card.parameters or 0)


def beside_seconds(training: Training, *, spectral: bool, reads_frames: bool, weights: float = 0.0) -> float:
    """Return seconds of one core for all but the backbone: sound, spectra where they are read, the head, the weights.

    `weights` are those of the backbone that learn.
    """
    seconds, epochs, times, khz = training.audio_seconds, training.epochs, training.trainings, training.rate_khz
    passes = epochs * times if training.varied else 1
    vary = _VARY_CLIP_SECONDS * training.clips + _VARY_SECONDS_KHZ * khz * seconds
    varying = passes * vary if training.varied else 0.0
    spectra = passes * (_SPECTRUM_SECONDS + khz * _SPECTRUM_SECONDS_KHZ) if spectral else 0.0
    reading = khz * _READ_SECONDS_KHZ
    frames = _FRAMES_SECONDS * seconds if reads_frames else 0.0
    heads = times * epochs * (_CLIP_SECONDS * training.clips + frames + _WEIGHT_SECONDS * weights)
    return times * _START_SECONDS + seconds * (reading + spectra) + varying + heads


def _stem_gflop(shape: Shape) -> float:
    """Of one second of sound, in the convolutions over the waveform."""
    return 2 * shape.stem_channels**2 * shape.stem_rate_hz * sum(_STEM_LAYERS) / 1e9
