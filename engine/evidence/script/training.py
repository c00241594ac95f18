"""The training of a script: its optimizers, its steps, the loops around them, and the framework that runs them."""

from __future__ import annotations

from dataclasses import dataclass

from .calls import Call, Loop
from .script import Script
from .settings import Setting, made, profiles_of, settings


@dataclass(frozen=True)
class Training:
    """What a launch reaches of a training."""

    steps: tuple[Call, ...]
    """Steps of optimizers in the script's own code."""
    optimizers: tuple[Call, ...]
    """Where optimizers are made."""
    frameworks: tuple[Call, ...]
    """Objects that run a loop of their own, such as a Trainer."""
    starts: tuple[Call, ...]
    """Calls that start such a loop."""
    arguments: tuple[Call, ...]
    """Calls that hold the settings of such a loop."""
    compiled: tuple[Call, ...] = ()
    """Of Keras: where a model is told its optimizer."""

    @property
    def found(self) -> bool:
        """Whether the launch trains at all, as far as was read."""
        return bool(self.steps or self.frameworks or self.starts)

    @property
    def settings_anchor(self) -> tuple[Call, ...]:
        """Where settings of the loop stand: a framework's arguments, else the optimizer, else its step."""
        return (*self.arguments, *self.frameworks) or self.optimizers or self.steps or self.starts

    @property
    def step_anchor(self) -> tuple[Call, ...]:
        """Where weights change: the step, else the framework's arguments."""
        return (*self.compiled, *self.steps) or (*self.arguments, *self.frameworks) or self.starts

    @property
    def optimizer_anchor(self) -> tuple[Call, ...]:
        """Where the optimizer is made, else the framework's arguments, else the step."""
        return (*self.compiled, *self.optimizers) or (*self.arguments, *self.frameworks) or self.steps or self.starts


def training_of(script: Script) -> Training:
    """Return the training that the launch of a script reaches."""
    if "training" not in script.shelf:
        script.shelf["training"] = _training(script)
    found: Training = script.shelf["training"]
    return found


def _training(script: Script) -> Training:
    frameworks = tuple(call for _, call in profiles_of(script, "trains"))
    held = [profile for profile in script.profiles if {"epochs", "evaluation"} & set(profile.settings)]
    arguments = tuple(
        call for profile in held if "runs-training" not in profile.does for call in made(script, profile.calls)
    )
    starts = tuple(call for _, call in profiles_of(script, "runs-training"))
    optimizers = tuple(call for _, call in profiles_of(script, "optimizes"))
    optimizers += tuple(call for _, call in profiles_of(script, "optimizes-keras"))
    steps = tuple(call for call in script.calls("optimizer-step"))
    compiled = tuple(script.calls("compiled")) if any("keras" in call.name for call in starts) else ()
    return Training(steps, _constructed(optimizers), frameworks, starts, arguments, compiled)


def _constructed(calls: tuple[Call, ...]) -> tuple[Call, ...]:
    """Return those that make an object, not those that call one of its methods."""
    return tuple(call for call in calls if call.attribute[:1].isupper() or call.attribute == "?")


def step_loops(training: Training) -> tuple[Loop, ...]:
    """Return the loops around the first step that stands in any, outermost first."""
    return max((call.loops for call in training.steps), key=len, default=())


def within(call: Call, loops: tuple[Loop, ...]) -> bool:
    """Return whether a call stands in the innermost of `loops`, on whatever reading of it."""
    return bool(loops) and any(each.place == loops[-1].place for each in call.loops)


def first_on(script: Script, name: str) -> tuple[list[Setting], list[Setting], list[Setting]]:
    """Return the settings `name` that are on, those that are off, and those of which reading does not tell."""
    found = [each for each in settings(script, name) if _takes_settings(each.call)]
    return (
        [each for each in found if each.on is True],
        [each for each in found if each.on is False],
        [each for each in found if each.on is None],
    )


def _takes_settings(call: Call) -> bool:
    """Return whether a call makes or starts something, rather than asks an object that was made."""
    started = call.attribute in ("?", "fit", "fit_generator", "run", "train")
    return started or call.attribute[:1].isupper() or call.attribute.startswith(("get_", "from_", "create_"))
