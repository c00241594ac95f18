"""What a training computes over a batch: its size, accumulation, batch norm, losses over pairs; no judgement."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.records import Measured

from ..calls import Call, sources
from ..feeds import feeds, loaders_of
from ..networks import is_of
from ..script import Script
from ..settings import Setting, settings
from ..training import training_of, within
from ..values import constant
from .answers import of_setting, there
from .layers import used_backbones
from .padding import _pads

_FIRST = 2
"""Places that are shown of each kind."""


def measure_batches(script: Script) -> Measured:
    """Return `script.{batch_size, accumulates, batch_norm, batch_loss, padded_group_norm}`, where reading tells."""
    return _size(script) + _accumulation(script) + _norm(script) + _loss(script) + _padded(script)


def _size(script: Script) -> Measured:
    """Return how many clips are in a batch of the training, where all its loaders agree."""
    found = [each for each in settings(script, "batch-size") if "batch_sampler" not in each.call.keywords]
    train = {id(call) for feed in feeds(script) if feed.use == "train" for call in loaders_of(script, feed.value)}
    chosen = [each for each in found if id(each.call) in train or "Arguments" in each.call.name] or found
    values = {option for each in chosen for option in each.options or (None,)}
    value = next(iter(values), None)
    if len(values) != 1 or not isinstance(value, int) or isinstance(value, bool) or value < 1:
        return Measured()
    return there(script, "script.batch_size", value, *(of_setting(script, each) for each in chosen))


def _accumulation(script: Script) -> Measured:
    """Return whether gradients of several batches are added up before a step."""
    set_so = [each for each in settings(script, "gradient-accumulation") if _several(each)]
    by_hand = [call for call in training_of(script).steps if any("%" in guard.text for guard in call.guards)]
    if not set_so and not by_hand:
        return Measured()
    shown = [of_setting(script, each) for each in set_so] + [script.of(call) for call in by_hand[:_FIRST]]
    return there(script, "script.accumulates", True, *shown)


def _several(setting: Setting) -> bool:
    value = constant(setting.value)
    return setting.given and isinstance(value, int) and not isinstance(value, bool) and value > 1


def _norm(script: Script) -> Measured:
    """Return whether a network of the script has layers that normalise over the batch."""
    layers = script.calls("normalises-over-batch")
    return there(script, "script.batch_norm", True, *map(script.of, layers[:_FIRST])) if layers else Measured()


def _loss(script: Script) -> Measured:
    """Return whether the trained loss is a statistic of the batch, and which."""
    for kind in ("concordance", "contrastive"):
        trained = [call for call in script.calls(f"{kind}-loss") if _is_trained(script, call)]
        if trained:
            return there(script, "script.batch_loss", kind, *(script.of(call) for call in trained))
    return Measured()


def _is_trained(script: Script, call: Call) -> bool:
    """Return whether gradients flow back from what a call returns."""
    if call.hook in ("training_step", "compute_loss", "compute_objectives"):
        return True
    if call.result is None:
        return False
    return any(
        each is call.result
        for back in script.calls("backward")
        if back.order > call.order and within(call, back.loops)
        for value in back.values()
        for each in sources(value)
    )


def _padded(script: Script) -> Measured:
    """Return whether clips of different length are padded for a network that normalises over each clip's time."""
    heard = [each for each in used_backbones(script) if each.call.main]  # what is stored was padded elsewhere, or not
    networks = [each for each in heard if is_of(script, each.call, "group-norm-checkpoint")]
    pads = list(_longest(script)) if networks else []
    alone = [each for each in settings(script, "batch-size") if each.options == (1,)]
    if not networks or not pads or alone:
        return Measured()
    return there(script, "script.padded_group_norm", True, *(script.of(call) for call in pads[:_FIRST]),
                 *(script.of(each.call) for each in networks))  # fmt: skip


def _longest(script: Script) -> Iterator[Call]:
    """Yield what brings clips to the length of the longest in their batch, unless a fixed length is asked for."""
    for call in _pads(script):
        if call.main and constant(call.keywords.get("padding")) != "max_length":
            yield call
