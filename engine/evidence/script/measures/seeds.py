"""Which random generators a script seeds, and when; says what is there, no more."""

from __future__ import annotations

import re

from knowledge.records import Evidence, Measured

from ..calls import Call
from ..places import Place
from ..script import Script
from ..settings import OFF, profiles_of, settings
from ..training import training_of
from ..values import Class, External, Instance, constant
from .answers import TRAINING_FILE, absent, doubt, there, unknown

_NETWORKS = ("torch.nn.Module", "lightning.pytorch.LightningModule", "transformers.PreTrainedModel", "torch.nn.*")
_NEW_HEAD = re.compile(r"For(Sequence|Audio|AudioFrame)?Classification\.from_pretrained$")


def measure_seeds(script: Script) -> Measured:
    """Return which generators are seeded: `script.seed_framework`, `_cuda`, `_numpy`, `_python`, and `_order`."""
    everything = [*script.calls("seeds-everything"), *_by_framework(script)]
    framework = [*script.calls("seeds-framework"), *everything]
    found = _framework(script, framework) + _cuda(script, everything) + _order(script, framework)
    found += _global(script, "numpy", everything) + _global(script, "python", everything)
    return found


def _by_framework(script: Script) -> list[Call]:
    return [call for _, call in profiles_of(script, "seeds")]


def _seen(script: Script, calls: list[Call]) -> list[Evidence]:
    silent = {id(call) for call in _by_framework(script)}
    return [script.of(call, via="default" if id(call) in silent else None) for call in calls]


def where_nothing(script: Script) -> list[Evidence]:
    """Return where a seed would stand: before the first thing that the entry file makes."""
    training = training_of(script)
    calls = [*training.arguments, *_networks(script)[:2], *training.optimizers[:1]]
    first = [call for call in script.trace if call.main and call.place.path == script.project.entry][:1]
    own = [call for call in script.trace if call.main and call.stack[-1:] and call.place.path == script.project.entry]
    last = max((call.place.last for call in own if len(call.stack) <= 2), default=1)
    whole = Place(script.project.entry, min((call.place.line for call in own), default=1), last)
    return [script.of(call, "made without a seed") for call in calls] + [
        script.evidence(whole, "no call seeds here")
    ] * bool(first)


def _framework(script: Script, seeds: list[Call]) -> Measured:
    name = "script.seed_framework"
    if seeds:
        return there(script, name, True, *_seen(script, seeds))
    if why := doubt(script):
        return unknown(script, name, why, TRAINING_FILE)
    return there(script, name, False, *where_nothing(script))


def _cuda(script: Script, everything: list[Call]) -> Measured:
    name = "script.seed_cuda"
    if not _uses(script, "torch") and _uses(script, "tensorflow", "keras"):
        return there(script, name, "no-cuda-generator")
    seeds = [*script.calls("seeds-every-device"), *everything]
    if seeds:
        return there(script, name, "seeded", *_seen(script, seeds))
    if why := doubt(script):
        return unknown(script, name, why, TRAINING_FILE)
    return there(script, name, "unseeded", *where_nothing(script))


def _uses(script: Script, *packages: str) -> bool:
    return any(call.main and call.name.partition(".")[0] in packages for call in script.trace)


def _global(script: Script, package: str, everything: list[Call]) -> Measured:
    """Return whether the global generator of numpy or Python is seeded, left alone, or drawn from without a seed."""
    name = f"script.seed_{package}"
    seeds = [*script.calls(f"seeds-{package}"), *everything]
    own = [call for call in script.calls(f"seeded-{package}", main=True) if call.arguments or call.keywords]
    draws = script.calls(f"draws-{package}")
    if package == "numpy":
        told = ("random_state", "seed")
        draws += [
            call
            for call in script.calls("draws-numpy-unless-told")
            if call.complete and not any(map(call.argument, told))
        ]
        draws = [call for call in draws if not _local(call)]
    draws = _before_the_end(script, draws)
    if seeds or (own and not draws):
        return there(script, name, "seeded", *_seen(script, [*seeds, *own]))
    if not draws:
        return there(script, name, "unused")
    return absent(script, name, "unseeded", f"draws from the generator of {package}, which nothing seeds", draws)


def _before_the_end(script: Script, draws: list[Call]) -> list[Call]:
    """Return the draws that the training can depend on: those that do not come after it."""
    training = training_of(script)
    last = max((call.order for call in (*training.steps, *training.starts)), default=None)
    return draws if last is None else [call for call in draws if call.order <= last or call.hook or _in_worker(call)]


def _local(call: Call) -> bool:
    """Return whether a draw comes from a generator of its own."""
    return isinstance(call.receiver, Instance) and "Random" in call.receiver.type


def _networks(script: Script) -> list[Call]:
    """Return where networks are made whose weights are drawn, in order."""
    own = [call for call in script.constructions if call.main and _is_network(call)]
    heads = [call for call in script.trace if call.main and _draws_a_head(script, call)]
    return sorted((*own, *heads), key=lambda call: call.order)


def _draws_a_head(script: Script, call: Call) -> bool:
    """Return whether a pretrained network gets a new last layer: for classes, or where its checkpoint has none."""
    if not call.name.endswith("ForCTC.from_pretrained"):
        return _NEW_HEAD.search(call.name) is not None
    name = constant(call.argument("pretrained_model_name_or_path", 0))
    return isinstance(name, str) and script.says("checkpoint-without-a-head", name)


def _is_network(call: Call) -> bool:
    cls = call.result.cls if isinstance(call.result, Instance) else None
    bases = cls.outside() if isinstance(cls, Class) else ()
    return any(base.startswith("torch.nn") or base in _NETWORKS or base.endswith("PreTrainedModel") for base in bases)


def _order(script: Script, seeds: list[Call]) -> Measured:
    name = "script.seed_order"
    if not seeds:
        return there(script, name, "no-seed")
    first = min(seeds, key=lambda call: call.order)
    splits = [call for call in script.calls("random-split") if call.argument("generator") is None]
    splits += [call for call in script.calls("draws-numpy-unless-told") if call.argument("random_state") is None
               and call.name.startswith("sklearn.model_selection")]  # fmt: skip
    late = [
        call
        for call in (*_networks(script), *splits)
        if call.order < first.order and not call.name.startswith("torch.nn.modules.loss")
    ]
    late = [call for call in late if not _is_loss(script, call)]
    if any(call.argument("model_init") is not None for call in _by_framework(script)):
        late = [call for call in late if call in splits]
    if late:
        return there(
            script, name, "after", *(script.of(call, "drawn before the first seed") for call in late), script.of(first)
        )
    return there(script, name, "before", script.of(first))


def _is_loss(script: Script, call: Call) -> bool:
    return script.says("loss-module", call.name)


def measure_determinism(script: Script) -> Measured:
    """Return `script.deterministic`: whether operations are told to give the same result at each run."""
    name = "script.deterministic"
    calls = [call for call in script.calls("deterministic") if constant(call.argument("mode", 0), True) not in OFF]
    calls += [
        call for call in script.trace.named("=.deterministic", main=True)
        if isinstance(call.receiver, External) and constant(call.arguments[0]) in (True, 1)
    ]  # fmt: skip
    told = settings(script, "deterministic")
    on = [each for each in told if each.on]
    if calls or on:
        return there(script, name, True, *(script.of(call) for call in calls), *(script.of(each.call) for each in on))
    if any(each.on is None for each in told):
        return unknown(script, name, "the launch may ask for it", "the command that launches the training")
    if why := doubt(script):
        return unknown(script, name, why, TRAINING_FILE)
    return there(script, name, False, *where_nothing(script))


def measure_workers(script: Script) -> Measured:
    """Return `script.worker_seed`: whether random numbers drawn by the workers of a loader follow from a seed."""
    name = "script.worker_seed"
    loaders = [call for call in script.trace.named(*script.reading.loaders, main=True) if _works(call)]
    draws = [call for call in script.calls("draws-python", "draws-numpy", "draws-in-workers") if _in_worker(call)]
    if not loaders or not draws:
        return there(script, name, "nothing-to-seed")
    told = [call for call in loaders if call.argument("worker_init_fn") is not None]
    seeds = [*script.calls("seeds-framework", "seeds-everything"), *_by_framework(script)]
    if told or seeds:
        return there(script, name, "seeded", *(script.of(call) for call in (*told, *seeds)))
    return absent(script, name, "unseeded", "its workers draw random numbers that no seed decides", [*loaders, *draws])


def _works(loader: Call) -> bool:
    workers = constant(loader.argument("num_workers", 5), 0)
    return not isinstance(workers, (int, float)) or workers > 0


def _in_worker(call: Call) -> bool:
    return any("__getitem__" in name or "collate" in name.lower() for name in call.stack)
