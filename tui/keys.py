"""Every key of the interface in one table, from which footer and help are made. Acts on nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

Place = Literal["everywhere", "plan", "audit", "review", "diagnose", "loop", "rules", "dialog"]


@dataclass(frozen=True, slots=True)
class Key:
    """One key and what it does."""

    where: Place
    keys: str
    action: str
    label: str
    """One or two words for the footer."""
    help: str
    show: bool = True
    """Whether the footer shows it, where it is valid."""
    priority: bool = False
    """Whether it works while a field has the focus that would take it."""


KEYS: tuple[Key, ...] = (
    Key("everywhere", "f1,question_mark", "app.help", "help", "This page."),
    Key("everywhere", "f2", "app.show('plan')", "Plan", "Interview and plan.", show=False),
    Key("everywhere", "f3", "app.show('audit')", "Audit", "What is wrong with a data set.", show=False),
    Key("everywhere", "f4", "app.show('review')", "Review", "What a training script lacks.", show=False),
    Key("everywhere", "f6", "app.show('diagnose')", "Diagnose", "What is wrong with a run.", show=False),
    Key("everywhere", "f7", "app.show('loop')", "Loop", "Train, diagnose, remedy, again.", show=False),
    Key("everywhere", "f8", "app.show('rules')", "Rules", "What the expert knows, to read and to try.", show=False),
    Key("everywhere", "ctrl+y", "app.show_command", "command", "Show and copy the whole command line.", show=False),
    Key("everywhere", "ctrl+q", "app.quit", "quit", "Quit; a training run is stopped and stays resumable."),
    Key("everywhere", "ctrl+p", "app.command_palette", "palette", "Search for what can be done.", show=False),
    Key("plan", "ctrl+e", "why", "why?", "Why this is asked, or how this line of the plan follows.", priority=True),
    Key("plan", "ctrl+s", "save", "save", "Write the plan to a new file."),
    Key("plan", "ctrl+r", "train", "train", "Save the plan and go to the loop with it."),
    Key("plan", "escape", "back", "back", "Leave a revised answer as it was; stop an audit."),
    Key("audit", "ctrl+r", "plan", "plan", "Plan with what the audit measured; nothing of it is asked again."),
    Key("audit", "s", "split", "split", "The proposed split before and after; a applies it to a new manifest."),
    Key("audit", "p", "play", "play", "Show and copy the command that plays the selected clip."),
    Key("audit", "c", "columns", "columns", "Correct which column is the label, the group, the split ..."),
    Key("audit", "m", "measured", "facts", "Every measurement, and what could not be told."),
    Key("audit", "w", "report", "report", "Write the report to a new file."),
    Key("audit", "o", "open", "open", "Audit another data set."),
    Key("audit", "escape", "back", "back", "Stop an audit; show what was audited before."),
    Key("review", "f", "fix", "patch", "Show what a patch would change, and apply it."),
    Key("review", "q", "answer", "answer", "Answer what reading does not tell."),
    Key("review", "a", "everything", "all", "Show what is there as well, or only findings and questions."),
    Key("review", "p", "plan", "plan", "What the expert would have planned instead, beside what the script does."),
    Key("review", "e", "entry", "entry", "Choose which file starts the training."),
    Key("review", "r", "again", "again", "Read the script again, as it stands now.", show=False),
    Key("review", "w", "report", "report", "Write the report to a new file."),
    Key("review", "o", "open", "open", "Review another script."),
    Key("review", "escape", "back", "back", "Go back to the list, or to what was reviewed before."),
    Key("diagnose", "c", "curve", "curve", "Show the next curve beside the losses."),
    Key("diagnose", "n", "next_run", "next run", "Read the next of several runs that were written to one log."),
    Key("diagnose", "f", "follow", "follow", "Follow the log while it grows, or stop."),
    Key("diagnose", "a", "apply", "apply", "Write the plan with a remedy of this finding, and go to the loop with it."),
    Key("diagnose", "t", "test", "test", "Run a test that tells the causes apart, with the run's own plan and clips."),
    Key("diagnose", "w", "report", "report", "Write the report to a new file."),
    Key("diagnose", "o", "open", "open", "Diagnose another run."),
    Key("diagnose", "escape", "back", "back", "Show what was diagnosed before; leave the page."),
    Key("loop", "ctrl+r", "train", "run", "Train the next round; resume a stopped one."),
    Key("loop", "x", "stop", "stop", "Stop training; the last checkpoint is kept and the run can be resumed."),
    Key("loop", "space", "mark", "mark", "Mark a remedy, to apply several together."),
    Key("loop", "a", "apply", "apply", "Apply the marked remedies, or the one under the cursor, and run again."),
    Key("loop", "l", "log", "log", "Show what the training process prints, or the rounds again."),
    Key("loop", "p", "whole_plan", "plan", "Show the whole plan of the round."),
    Key("loop", "o", "open", "open", "Open a plan.yaml."),
    Key("rules", "slash", "search", "search", "Search rules by words: what they say, read, conclude or cite."),
    Key("rules", "e", "example", "example", "Try the next example of the rule; on a table, of its next row."),
    Key("rules", "i", "mine", "mine", "Try what the plan's interview knows by now: why did this rule (not) fire?"),
    Key("rules", "x", "forget", "forget", "Forget all values that are tried."),
    Key("rules", "g", "related", "go to", "Go to a rule that it beats, loses to, builds on or feeds, or to its table."),
    Key("rules", "escape", "back", "back", "Leave a search; go back to where one came from."),
    Key("dialog", "escape", "close", "back", "Close."),
)


def bindings(where: Place) -> list[BindingType]:
    """Return the bindings of one place."""
    return [
        Binding(key.keys, key.action, key.label, show=key.show, priority=key.priority, tooltip=key.help)
        for key in KEYS
        if key.where == where
    ]


def keys_of(where: Place) -> list[Key]:
    """Return the keys that are valid in a place."""
    return [key for key in KEYS if key.where in ("everywhere", where)]


def spell_keys(keys: str) -> str:
    """Return keys as people write them."""
    names = (name.replace("question_mark", "?") for name in keys.split(","))
    return " or ".join(name.upper() if len(name) == 2 else name for name in names)
