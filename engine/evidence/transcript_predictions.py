"""Measures prediction files of transcripts: how many words and characters are wrong, in which way and where, what is
answered with nothing or with the same text, and which characters are never written. Decides nothing.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.records import Evidence, Measured, Value

from .. import metrics
from .alignment import Aligned, aligned
from .prediction_facts import known, unknown
from .prediction_rows import Predictions
from .run.limits import Limits

NAMES = (
    "predictions.word_error_rate", "predictions.word_error_rate_low", "predictions.word_error_rate_high",
    "predictions.character_error_rate", "predictions.character_error_rate_low",
    "predictions.character_error_rate_high", "predictions.empty_share", "predictions.same_text_excess",
    "predictions.omission_share", "predictions.insertion_share", "predictions.edge_omission_excess",
    "predictions.edge_omission_excess_low", "predictions.form_error_share", "predictions.near_word_share",
    "predictions.looping_share", "predictions.unwritten_symbols",
)  # fmt: skip
_SAMPLES = 400
_MOST_CLIPS = 2000
"""Clips drawn of a longer file; an error rate over so many is known to a percent or two."""
_LONGEST = 3000
"""Characters of a clip that are compared; a table of both texts is kept while their steps are found."""
_EDGE = 0.15
"""Share of a text at its beginning, and at its end, in which omissions are counted apart."""
_LONGEST_PHRASE = 6
"""Words of what is said over and over."""
_PLAIN = frozenset("' ")


@dataclass(frozen=True)
class Transcript:
    """One clip."""

    group: str
    said: str
    heard: str


@dataclass(frozen=True)
class _Compared:
    """One clip with the steps between what was said and what was heard."""

    clip: Transcript
    characters: Aligned
    words: Aligned


def transcripts_of(rows: Predictions, plain_text: bool) -> list[Transcript]:
    """Return the clips of a prediction file in which something is said.

    Args:
        rows: labels and predictions as text.
        plain_text: whether capital letters and marks are taken off first.
    """
    form = plain if plain_text else lambda text: " ".join(text.split())
    texts = zip(rows.groups.tolist(), rows.labels.tolist(), rows.predictions.tolist(), strict=True)
    clips = (Transcript(group, form(said), form(heard)) for group, said, heard in texts)
    return [clip for clip in clips if clip.said]


def measure_transcripts(path: Path, clips: list[Transcript], limits: Limits) -> Measured:
    """Return the facts `predictions.*` of transcripts.

    Args:
        path: the file they were read from.
        clips: those in which something is said; at least one.
        limits: how often a character has to be said, and words have to be repeated, to tell something.
    """
    random = np.random.default_rng(0)
    drawn = clips if len(clips) <= _MOST_CLIPS else [clips[i] for i in random.permutation(len(clips))[:_MOST_CLIPS]]
    compared = [_compare(clip) for clip in drawn]
    measured = _rates(path, compared) + _nothing(path, compared) + _kinds(path, compared)
    return (
        measured
        + _edges(path, compared)
        + _words(path, compared)
        + _loops(path, compared, limits)
        + _symbols(path, compared, limits)
    )


def character_errors(clips: list[Transcript]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return characters wrong and characters said of each clip, `(clips,)` each."""
    errors = [aligned(one.said[:_LONGEST], one.heard[:_LONGEST]).errors for one in clips]
    return np.array(errors, dtype=float), np.array([len(one.said[:_LONGEST]) for one in clips], dtype=float)


def plain(text: str) -> str:
    """Return small letters and digits alone, single blanks between words: what is left when form does not count."""
    kept = (
        char if char in _PLAIN or unicodedata.category(char)[0] in "LNM" else " "
        for char in unicodedata.normalize("NFKC", text).lower()
    )
    return " ".join("".join(kept).split())


def _compare(clip: Transcript) -> _Compared:
    said, heard = clip.said[:_LONGEST], clip.heard[:_LONGEST]
    return _Compared(Transcript(clip.group, said, heard), aligned(said, heard), aligned(said.split(), heard.split()))


def error_rate(wrong: NDArray[np.float64], said: NDArray[np.float64]) -> float:
    """Return the errors of all clips over what was said in all of them."""
    return float(wrong.sum() / said.sum()) if said.sum() else float("nan")


def _rates(path: Path, compared: list[_Compared]) -> Measured:
    measured = Measured()
    for unit, length in (("word", lambda text: len(text.split())), ("character", len)):
        steps = [one.words if unit == "word" else one.characters for one in compared]
        wrong = np.array([one.errors for one in steps], dtype=float)
        said = np.array([length(one.clip.said) for one in compared], dtype=float)
        value = error_rate(wrong, said)
        low, high = metrics.bootstrap_interval(error_rate, wrong, said, samples=_SAMPLES)
        counts = [
            sum(map(len, column)) for column in zip(*((s.replaced, s.omitted, s.inserted) for s in steps), strict=True)
        ]
        text = (
            f"{unit} error rate {value:.3f} [{low:.3f}, {high:.3f}]: of {said.sum():.0f} {unit}s {counts[0]} replaced, "
            f"{counts[1]} left out, {counts[2]} put in"
        )
        names = [f"predictions.{unit}_error_rate{end}" for end in ("", "_low", "_high")]
        measured += _known(dict(zip(names, (value, low, high), strict=True)), len(compared), Evidence(text, str(path)))
    return measured


def _nothing(path: Path, compared: list[_Compared]) -> Measured:
    """Clips that are answered with nothing, and those that are answered with the same words as others."""
    heard = [plain(one.clip.heard) for one in compared]
    empty = sum(not text for text in heard)
    measured = _known(
        {"predictions.empty_share": empty / len(heard)}, len(heard),
        Evidence(f"{empty} of {len(heard)} clips in which something is said are answered with nothing", str(path)),
    )  # fmt: skip
    texts = Counter(text for text in heard if text)
    if not texts:
        return measured + unknown("nothing was heard in any clip", "predictions.same_text_excess")
    text, count = texts.most_common(1)[0]
    said = sum(plain(one.clip.said) == text for one in compared)
    return measured + _known(
        {"predictions.same_text_excess": (count - said) / len(heard)}, len(heard),
        Evidence(f"{text[:60]!r} is heard in {count} of {len(heard)} clips and said in {said}", str(path)),
    )  # fmt: skip


def _kinds(path: Path, compared: list[_Compared]) -> Measured:
    """Shares of all wrong characters that were left out, and that were put in."""
    omitted = sum(len(one.characters.omitted) for one in compared)
    inserted = sum(len(one.characters.inserted) for one in compared)
    wrong = sum(one.characters.errors for one in compared)
    names = ("predictions.omission_share", "predictions.insertion_share")
    if not wrong:
        return unknown("no character is wrong", *names)
    text = f"of {wrong} wrong characters {omitted} were left out and {inserted} put in"
    return _known(dict(zip(names, (omitted / wrong, inserted / wrong), strict=True)), wrong, Evidence(text, str(path)))


def _edges(path: Path, compared: list[_Compared]) -> Measured:
    """How much more is left out at the worse end of texts than in their middle."""
    names = ("predictions.edge_omission_excess", "predictions.edge_omission_excess_low")
    answered = [one for one in compared if one.clip.heard.strip()]
    if not answered:
        return unknown("nothing was heard in any clip", *names)
    table = np.array([_omitted_by_part(one) for one in answered], dtype=float)
    parts = ("beginning", "middle", "end")
    rates = [error_rate(table[:, 0, part], table[:, 1, part]) for part in range(3)]
    worse = 0 if rates[0] > rates[2] else 2
    columns = [table[:, kind, part] for part in (worse, 1) for kind in (0, 1)]

    def excess(*drawn: NDArray[np.float64]) -> float:
        return error_rate(*drawn[:2]) - error_rate(*drawn[2:])

    low, _ = metrics.bootstrap_interval(excess, *columns, samples=_SAMPLES)
    told = ", ".join(f"{rate:.1%} in the {part}" for rate, part in zip(rates, parts, strict=True))
    text = f"left out of texts: {told}; beginning and end are {_EDGE:.0%} of a text each"
    return _known(dict(zip(names, (excess(*columns), low), strict=True)), len(answered), Evidence(text, str(path)))


def _omitted_by_part(one: _Compared) -> tuple[list[int], list[int]]:
    """Characters left out in the beginning, the middle and the end of a text, and how many there are in each."""
    length = len(one.clip.said)
    edge = max(round(_EDGE * length), 1)
    bounds = (0, min(edge, length), max(length - edge, edge), length)
    omitted = [sum(low <= place < high for place in one.characters.omitted) for low, high in pairwise(bounds)]
    return omitted, [max(high - low, 0) for low, high in pairwise(bounds)]


def _words(path: Path, compared: list[_Compared]) -> Measured:
    """Wrong words that differ in form alone, or by one character."""
    wrong = sum(one.words.errors for one in compared)
    names = ("predictions.form_error_share", "predictions.near_word_share")
    if not wrong:
        return unknown("no word is wrong", *names)
    left = sum(aligned(plain(one.clip.said).split(), plain(one.clip.heard).split()).errors for one in compared)
    pairs = [(one.clip.said.split()[a], one.clip.heard.split()[b]) for one in compared for a, b in one.words.replaced]
    near = Counter((said, heard) for said, heard in pairs if aligned(said, heard).errors == 1)
    shown = ", ".join(f"{said!r} heard as {heard!r}" for (said, heard), _ in near.most_common(3))
    form = Evidence(f"{wrong} words are wrong as written, {left} without capitals and marks", str(path))
    close = Evidence(f"{near.total()} of {wrong} wrong words differ by one character: {shown}", str(path))
    form_share = _known({names[0]: max(wrong - left, 0) / wrong}, wrong, form)
    return form_share + _known({names[1]: near.total() / wrong}, wrong, close)


def _loops(path: Path, compared: list[_Compared], limits: Limits) -> Measured:
    """Clips in which words are heard over and over that nobody said so."""
    times = int(limits.loop_times)
    looping = [
        one for one in compared if loops(plain(one.clip.heard), times) and not loops(plain(one.clip.said), times)
    ]
    shown = f", such as {looping[0].clip.heard[:60]!r}" if looping else ""
    text = f"the same words {times} times in a row in {len(looping)} of {len(compared)} clips{shown}"
    share = {"predictions.looping_share": len(looping) / len(compared)}
    return _known(share, len(compared), Evidence(text, str(path)))


def loops(text: str, times: int) -> bool:
    """Say whether the same words stand there so many times in a row."""
    words = text.split()
    for length in range(1, min(_LONGEST_PHRASE, len(words) // times) + 1):
        run = 0
        for place in range(length, len(words)):
            run = run + 1 if words[place] == words[place - length] else 0
            if run >= (times - 1) * length:
                return True
    return False


def _symbols(path: Path, compared: list[_Compared], limits: Limits) -> Measured:
    """Characters that are often said and never heard."""
    said = Counter(char for one in compared for char in one.clip.said if not char.isspace())
    heard = {char for one in compared for char in one.clip.heard}
    usual = {char: count for char, count in said.items() if count >= limits.symbol_count}
    if not usual:
        return unknown(f"no character is said {limits.symbol_count:g} times", "predictions.unwritten_symbols")
    missing = {char: count for char, count in usual.items() if char not in heard}
    shown = ", ".join(
        f"{char!r} ({missing[char]} times said)" for char in sorted(missing, key=missing.__getitem__)[:-6:-1]
    )
    text = f"never heard: {shown}" if missing else "every character that is often said is heard somewhere"
    return _known({"predictions.unwritten_symbols": len(missing)}, len(compared), Evidence(text, str(path)))


def _known(values: Mapping[str, Value], n: int, evidence: Evidence) -> Measured:
    return sum((known(name, value, n, evidence) for name, value in values.items()), Measured())
