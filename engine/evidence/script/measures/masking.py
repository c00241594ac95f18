"""What a speech network masks of its own input while it trains, and how long clips are; says what is there, no more."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.records import Measured

from ..calls import Call
from ..networks import configured, is_of, is_off, value_given
from ..script import Script
from ..training import training_of
from ..values import constant, truth
from .answers import there
from .layers import used_backbones


def measure_masking(script: Script) -> Measured:
    """Return `script.{spec_augment, mask_share, pretrains, clip_seconds}`, each only where reading tells it."""
    return _active(script) + _share(script) + _length(script)


def _active(script: Script) -> Measured:
    """Return whether a checkpoint that masks frames is trained with nothing said against it."""
    networks = [each for each in used_backbones(script) if is_of(script, each.call, "masks-own-input")]
    if not networks or not training_of(script).found:
        return Measured()
    masked = not is_off(script, "apply_spec_augment") and not is_off(script, "mask_time_prob")
    aside = all(each.runs and all(run.contexts or not run.main for run in each.runs) for each in networks)
    return there(script, "script.spec_augment", masked and not aside, *(script.of(each.call) for each in networks))


def _share(script: Script) -> Measured:
    """Return the share of frames that the script asks transformers to mask, and whether it pretrains."""
    said = {call: constant(value_given(call, "mask_time_prob")) for call in configured(script, "mask_time_prob")}  # type: ignore[arg-type]
    known = {call: value for call, value in said.items() if isinstance(value, float) and 0 < value <= 1}
    if len(set(known.values())) != 1 or len(known) != len(said):
        return Measured()
    shown = [script.of(call) for call in known]
    pretrains = any("sampled_negative_indices" in call.keywords for call in script.trace)
    if not pretrains and script.calls("pretrains"):
        return there(script, "script.mask_share", next(iter(known.values())), *shown)
    return there(script, "script.mask_share", next(iter(known.values())), *shown) + there(
        script, "script.pretrains", pretrains, *shown
    )


def _length(script: Script) -> Measured:
    """Return how long a clip is at most, where every call that limits it says the same."""
    found = {call: seconds for call, seconds in _limits(script) if seconds > 0}
    if len(set(found.values())) != 1:
        return Measured()
    return there(script, "script.clip_seconds", next(iter(found.values())), *(script.of(call) for call in found))


def _limits(script: Script) -> Iterator[tuple[Call, float]]:
    for call in script.calls("loads-seconds"):
        seconds = constant(call.argument("duration"))
        if isinstance(seconds, (int, float)) and not isinstance(seconds, bool):
            yield call, float(seconds)
    for call in script.calls("feature-extractor-run"):
        most, rate = constant(call.argument("max_length")), constant(call.argument("sampling_rate"))
        cuts = call.argument("truncation")
        numbers = isinstance(most, (int, float)) and isinstance(rate, (int, float)) and rate
        if numbers and cuts is not None and truth(cuts) is True:
            yield call, round(most / rate, 3)
