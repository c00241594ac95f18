"""The one error base and its few kinds; standard library only, so that everything may raise and catch them."""

from __future__ import annotations


class TonmeisterError(Exception):
    """A fault that the user can act on; shown without a traceback.

    The message says what was found, what was expected and what to do. `hint` is an optional last line.
    """

    code = "error"
    """Stable kebab-case name of this kind of fault."""
    title = "Tonmeister cannot go on"
    exit_status = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def render(self) -> str:
        """Return the text that the command line prints on standard error."""
        lines = [f"{self.title} [{self.code}]", self.message]
        return "\n".join([*lines, f"Hint: {self.hint}"] if self.hint else lines)


class UsageError(TonmeisterError):
    """An option, column, fact or plan key that does not exist or does not fit (exit status 2)."""

    code = "usage"
    title = "That cannot be used like this"


class PlanError(TonmeisterError):
    """A plan that is not valid, or that this trainer cannot run (exit status 2)."""

    code = "plan"
    title = "The plan cannot be used"


class KnowledgeError(TonmeisterError):
    """A vocabulary entry, rule, remedy or source that is wrong (exit status 2)."""

    code = "knowledge"
    title = "The rulebook is wrong"


class InputError(TonmeisterError):
    """An input that cannot be read or parsed (exit status 3)."""

    code = "input"
    title = "The input cannot be read"
    exit_status = 3


class TrainingError(TonmeisterError):
    """Training ended without a usable result (exit status 4)."""

    code = "training"
    title = "Training failed"
    exit_status = 4


class Interrupted(TonmeisterError):  # noqa: N818 - an event, not a fault
    """The user stopped the job; what was finished is kept (exit status 130)."""

    code = "interrupted"
    title = "Interrupted"
    exit_status = 130
