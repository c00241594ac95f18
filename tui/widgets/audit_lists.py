"""The clips of the selected finding of an audit. Assesses nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

from knowledge.records import Evidence

from .rows import Row, Rows, fit_path, rule_heading, wrap

MOST_CLIPS = 1000
"""A list of more takes a second to build; the reports hold all."""
CLIP = "clip:"
"""Prefix of the ids of rows that stand for a clip; an index into `ClipList.clips` follows."""


class ClipList(Rows):
    """The evidence of a finding, then every clip that it counts."""

    def __init__(self, **arguments: str) -> None:
        super().__init__(enter="row", empty="This finding is about the set as a whole.", **arguments)
        self.clips: tuple[str, ...] = ()

    def show(self, evidence: Sequence[Evidence], paths: Sequence[str]) -> None:
        """Show telling examples first, then the other clips, as far as a list can be read."""
        told = [item for item in evidence if item.path]
        texts = {item.path: item.text for item in reversed(told) if item.path}
        examples = list(dict.fromkeys(item.path for item in told if item.path))
        others = [path for path in dict.fromkeys(paths) if path not in texts]
        self.clips = (*examples, *others)[:MOST_CLIPS]
        count = len(examples) + len(others)
        self.border_title = f"{count} clip{'s' * (count != 1)}" if count else "clips"
        rows = [Row(f"note:{number}", _note(item.text)) for number, item in enumerate(evidence) if not item.path]
        rows += [Row(f"{CLIP}{n}", _clip(path, texts.get(path, ""))) for n, path in enumerate(self.clips)]
        if count > MOST_CLIPS:
            more = f"{count - MOST_CLIPS} more: the report lists all "
            rows.append(Row("more", rule_heading(more), heading=True))
        self.set_rows(rows, current=f"{CLIP}0")

    @property
    def clip(self) -> str:
        """The clip under the cursor, as written in the manifest; empty when there is none."""
        return self.clips[int(self.current.removeprefix(CLIP))] if self.current.startswith(CLIP) else ""


def _note(text: str) -> Callable[[int], Content]:
    return lambda width: Content(wrap(text, width))


def _clip(path: str, text: str) -> Callable[[int], Content]:
    why = text.removeprefix(path).removeprefix(": ")  # the line above names the clip already

    def build(width: int) -> Content:
        name = fit_path(path, width)
        return (
            Content.assemble(name, "\n", (wrap(why, width, indent="  "), "$foreground-muted")) if why else Content(name)
        )

    return build
