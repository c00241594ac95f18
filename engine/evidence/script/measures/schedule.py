"""How the learning rate changes while training: schedule, warm-up, and whether it moves on; judges nothing."""

from __future__ import annotations

import re

from knowledge.records import Measured

from ..calls import Call, sources
from ..functions import code_of, text_around
from ..script import Script
from ..settings import Setting, made, profiles_of, settings
from ..training import Training, first_on, step_loops, training_of
from ..values import Const, Function, Instance, Items, Member, Table, constants
from .answers import NO_TRAINING, TRAINING_FILE, absent, of_setting, there, unknown, untold

_FLAT = ("constant",)


def measure_schedule(script: Script) -> Measured:
    """Return `script.schedule`: whether anything changes the learning rate while training."""
    name = "script.lr_schedule"
    training = training_of(script)
    if not training.found:
        return unknown(script, name, NO_TRAINING, TRAINING_FILE)
    on, _, open_ones = first_on(script, "schedule")
    on = [each for each in on if each.options is None or not all(str(option) in _FLAT for option in each.options)]
    on += first_on(script, "schedule-decay")[0]
    found = [script.of(call) for call in schedules(script)] + [of_setting(script, each) for each in on]
    found += [script.of(call, "the learning rate is set here") for call in assignments(script)]
    if found:
        return there(script, name, True, *found)
    if open_ones:
        return untold(script, name, open_ones[0])
    return absent(script, name, False, "a learning rate that stays as it is", training.optimizer_anchor)


def schedules(script: Script) -> list[Call]:
    """Return where schedules are made, of packages and of the project itself."""
    found = made(script, script.symbols["schedule"])
    return [call for call in found if not call.name.endswith(".__init__")]


def assignments(script: Script) -> list[Call]:
    """Return where the script itself gives the optimizer another learning rate in a loop."""
    named = script.trace.named(
        "=.lr", "=.learning_rate", "*.lr.assign", "*.learning_rate.assign", "keras.backend.set_value"
    )
    groups = [call for call in script.trace.named("=[]") if _sets_rate(script, call)]
    steps = [call for call in named if _of_optimizer(call)]
    return [call for call in (*groups, *steps) if len(call.loops) > 1 or len(call.stack) > 1 or call.hook]


def _sets_rate(script: Script, call: Call) -> bool:
    held = any(isinstance(each, Member) and each.name == "param_groups" for each in sources(call.receiver))
    return held and bool(re.search(r"\[\s*[\"']lr[\"']\s*\]", text_around(script, call.place)))


def _of_optimizer(call: Call) -> bool:
    names = [each.type for each in sources(call.receiver) if isinstance(each, Instance)]
    return any("optim" in name.lower() for name in names)


def measure_warm_up(script: Script) -> Measured:
    """Return `script.lr_warmup`: whether the learning rate rises at first."""
    name = "script.lr_warmup"
    training = training_of(script)
    if not training.found:
        return unknown(script, name, NO_TRAINING, TRAINING_FILE)
    on, off, open_ones = first_on(script, "warm-up")
    on = [each for each in on if not _falls(each)]
    own = [call for call in (*schedules(script), *assignments(script)) if _says_warm(script, call)]
    own = [call for call in own if not any(each.call is call for each in off)]
    if on or own:
        return there(script, name, True, *(of_setting(script, each) for each in on), *(script.of(call) for call in own))
    if open_ones:
        return untold(script, name, open_ones[0])
    return absent(
        script, name, False, "a learning rate without a warm-up", (*training.optimizer_anchor, *schedules(script))
    )


def _falls(setting: Setting) -> bool:
    """Return whether a linear schedule goes down, or stays, instead of up."""
    if not setting.call.name.endswith(".LinearLR"):
        return False
    start = constants(setting.call.argument("start_factor", 1) or Const(0.0))
    end = constants(setting.call.argument("end_factor", 2) or Const(1.0))
    return bool(start and end) and max(map(float, start or ())) >= max(map(float, end or ()))


def _says_warm(script: Script, call: Call) -> bool:
    """Return whether the project's own code behind a schedule speaks of a warm-up that is not switched off."""
    functions = [each for value in call.values() for each in sources(value, deepest=3) if isinstance(each, Function)]
    held = [value for value in call.values() if isinstance(value, Instance)]
    kinds = [each.cls for each in (call.result, *held) if isinstance(each, Instance) and each.cls is not None]
    code = [code_of(script, each.module, each.node) for each in functions]
    code += [code_of(script, each.module, each.node) for kind in kinds for each in kind.lineage()]
    if call.name.startswith("="):
        code.append(text_around(script, call.place, 8))
    warm = [value for name, value in call.keywords.items() if script.says("warm-up", name)]
    off = any(isinstance(value, Const) and value.value in (0, None, False) for value in warm)
    made = [each.call.attribute for value in call.values() for each in sources(value, deepest=2)
            if isinstance(each, Instance) and each.call is not None and each.cls is None]  # fmt: skip
    return any(script.says("warm-up", text) for text in (*code, *made)) and not off


def measure_stepping(script: Script) -> Measured:
    """Return `script.schedule_stepping`: whether the schedule is moved on, and in the unit that it counts in."""
    name = "script.schedule_stepping"
    training = training_of(script)
    if not training.found:
        return unknown(script, name, NO_TRAINING, TRAINING_FILE)
    by_loop = [call for _, call in profiles_of(script, "steps-schedule")]
    steps = [*script.calls("schedule-step"), *_own_steps(script)]
    held = schedules(script)
    if by_loop and not steps and not held and not assignments(script) and first_on(script, "schedule")[0] == []:
        return there(script, name, "no-schedule", *(script.of(call) for call in training.optimizer_anchor))
    if by_loop and not steps:
        started = list(training.starts) or by_loop
        wrong = [call for call in held if call.hook == "configure_optimizers" and _per_step_handed_bare(script, call)]
        if wrong and not script.cut:
            return there(
                script,
                name,
                "wrong-unit",
                *(script.of(call, "counts steps, and is moved on once an epoch") for call in wrong),
            )
        return there(script, name, "framework", *(script.of(call, via="framework") for call in started))
    if not held:
        value = "by-hand" if assignments(script) else "no-schedule"
        return there(
            script, name, value, *(script.of(call) for call in assignments(script) or training.optimizer_anchor)
        )
    if not steps:
        return _never(script, name, held)
    return _moved(script, name, held, steps, training)


def _own_steps(script: Script) -> list[Call]:
    """Return steps of schedules whose class is the project's."""
    kinds = {call.result.type for call in schedules(script) if isinstance(call.result, Instance) and call.result.cls}
    return [call for call in script.trace.named("*.step") if call.main and isinstance(call.receiver, Instance)
            and call.receiver.type in kinds]  # fmt: skip


def _never(script: Script, name: str, held: list[Call]) -> Measured:
    doubtful = [
        call for call in script.trace.named("*.step") if call.main and call.name.startswith(("?", "speechbrain"))
    ]
    if doubtful or script.calls("optimizer-step") == [] or any(_handed_on(script, call) for call in held):
        return unknown(
            script, name, "a schedule is handed to something that may move it on", "the code that calls its step"
        )
    return absent(script, name, "never", "a schedule that nothing moves on", held)


def _handed_on(script: Script, made_here: Call) -> bool:
    """Return whether a schedule is an argument of something outside the project that is no schedule itself."""
    taken = [
        call
        for call in script.trace
        if call.main and call.order > made_here.order and not call.name.startswith(("=", "print"))
    ]
    outside = [call for call in taken if ":" not in call.name and "lr_scheduler" not in call.name]
    return any(value is made_here.result for call in outside for value in (*call.arguments, *call.keywords.values()))


def _moved(script: Script, name: str, held: list[Call], steps: list[Call], training: Training) -> Measured:
    loops = step_loops(training)
    for step in steps:
        maker = next(
            (
                each.call
                for each in sources(step.receiver, deepest=3)
                if isinstance(each, Instance) and each.call in held
            ),
            None,
        )
        if maker is None:
            continue
        if "ReduceLROnPlateau" in maker.name and not step.arguments and not step.keywords:
            return there(script, name, "no-metric", script.of(step, "moved on without the metric that it watches"))
        if loops and _unit(script, maker) == "step" and len(step.loops) < len(loops) and step.loops:
            return there(
                script, name, "wrong-unit", script.of(maker, "counts steps"), script.of(step, "moved on once an epoch")
            )
        if loops and _unit(script, maker) == "epoch" and len(step.loops) >= len(loops):
            return there(
                script, name, "wrong-unit", script.of(maker, "counts epochs"), script.of(step, "moved on at each step")
            )
    return there(script, name, "moved-on", *(script.of(call) for call in (*steps, *held)))


def _unit(script: Script, maker: Call) -> str:
    """Return what the horizon counts: `step` from the length of a loader, `epoch` from epochs alone, else nothing."""
    horizon = next((each.value for each in settings(script, "horizon") if each.call is maker and each.given), None)
    if horizon is None:
        return ""
    parts = list(sources(horizon))
    if any(isinstance(each, Instance) and each.call is not None and each.call.name == "len" for each in parts):
        return "step"
    names = text_around(script, maker.place)
    plain = all(isinstance(each, (Const, Instance, Items, Table)) for each in parts)
    return "epoch" if plain and re.search(r"T_max\s*=\s*[\w.\[\]\"']*epochs?\b[\w.\[\]\"']*\s*[,)]", names) else ""


def _per_step_handed_bare(script: Script, call: Call) -> bool:
    """Return whether a schedule that counts steps goes to Lightning without `interval: step`."""
    counts_steps = any(each is call for _, each in profiles_of(script, "schedules-by-step"))
    module = text_around(script, call.place, 25)
    return counts_steps and not re.search(r"[\"']interval[\"']|optimizer_step|lr_scheduler_step|interval\s*=", module)
