"""How long a script trains, and whether gradients are cleared between steps; says what is there, no more."""

from __future__ import annotations

from knowledge.records import Measured

from ..calls import reasons
from ..loops import Rounds, around_one_epoch, rounds_of
from ..script import Script
from ..settings import Setting, profiles_of
from ..training import first_on, step_loops, training_of, within
from .answers import NO_TRAINING, TRAINING_FILE, absent, of_setting, there, unknown, untold


def measure_rounds(script: Script) -> Measured:
    """Return `script.epochs`, or `script.step_budget` when the training counts steps instead."""
    training = training_of(script)
    if not training.found:
        return unknown(script, "script.epochs", NO_TRAINING, TRAINING_FILE)
    if training.frameworks or training.starts:
        return _of_framework(script)
    rounds = rounds_of(script, training)
    anchors = [script.evidence(rounds.loop.place, "the loop over epochs")] if rounds.loop else []
    anchors += [script.evidence(place, "the number of epochs") for place in rounds.places]
    anchors += [script.of(call) for call in training.steps[:2]]
    if rounds.count:
        return there(script, "script.epochs", min(rounds.count), *anchors) + there(
            script, "script.step_budget", False, *anchors
        )
    if rounds.budget:
        return there(script, "script.step_budget", True, *anchors)
    why = next(iter(reasons(rounds.why)), "the number of epochs is computed")
    return unknown(script, "script.epochs", why, "the command or file that launches the training")


def _of_framework(script: Script) -> Measured:
    budgets, _, _ = first_on(script, "step-budget")
    budgets = [each for each in budgets if each.given and not _negative(each)]
    if budgets:
        return there(script, "script.step_budget", True, *(of_setting(script, each) for each in budgets))
    on, _, open_ones = first_on(script, "epochs")
    given = [each for each in on if each.given] or on
    known = [float(option) for each in given for option in each.options or () if isinstance(option, (int, float))]
    if known == [1.0] and (rounds := around_one_epoch(script, given[0].call.loops)) is not None:
        return _one_each(script, given[0], rounds)
    if known:
        found = [of_setting(script, each) for each in given]
        return there(script, "script.epochs", min(known), *found) + there(script, "script.step_budget", False, *found)
    if open_ones:
        return untold(script, "script.epochs", open_ones[0])
    return unknown(
        script, "script.epochs", "the framework's loop takes its epochs from something that is computed", "the launch"
    )


def _one_each(script: Script, setting: Setting, rounds: Rounds) -> Measured:
    """Return the epochs of a loop that has a framework train one epoch in each round."""
    if not rounds.count:
        why = next(iter(reasons(rounds.why)), "the number of epochs is computed")
        return unknown(script, "script.epochs", why, "the command or file that launches the training")
    found = [script.evidence(place, "the number of epochs") for place in rounds.places]
    found.append(of_setting(script, setting))
    return there(script, "script.epochs", min(rounds.count), *found) + there(
        script, "script.step_budget", False, *found
    )


def _negative(setting: Setting) -> bool:
    return any(isinstance(option, (int, float)) and option < 0 for option in setting.options or ())


def measure_clearing(script: Script) -> Measured:
    """Return `script.gradient_clearing`: whether gradients are cleared between steps, by whom."""
    name = "script.gradient_clearing"
    training = training_of(script)
    by_loop = [call for _, call in profiles_of(script, "clears-gradients")]
    clears = [*script.calls("gradient-clearing"), *script.trace.named("=.grad", main=True)]
    tape = script.trace.named("tensorflow.GradientTape", main=True)
    if by_loop and not clears:
        return there(
            script, name, "framework", *(script.of(call, via="framework") for call in training.starts or by_loop)
        )
    loops = step_loops(training)
    inside = [call for call in clears if not loops or within(call, loops) or any(loop in call.loops for loop in loops)]
    if inside or tape or by_loop:
        return there(script, name, "cleared", *(script.of(call) for call in (*inside, *tape)))
    if not training.steps:
        return unknown(script, name, NO_TRAINING, TRAINING_FILE)
    return absent(script, name, "never", "a step on gradients that nothing clears", training.steps)
