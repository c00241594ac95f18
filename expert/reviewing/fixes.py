"""Patches for findings: each is written in memory, read again, and offered only when its check turns to present."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.evidence.script.project import Project
from engine.evidence.script.sources import Broken, Source, parse_notebook, parse_source
from knowledge.errors import InputError
from knowledge.records import Evidence, Fact

from .records import ReviewFinding
from .suppression import suppressions

if TYPE_CHECKING:
    from ..consultation.review import Review


@dataclass(frozen=True, slots=True)
class Fix:
    """A patch that was tried: with it, the check is there."""

    finding: ReviewFinding
    path: str
    before: str
    """The file as it is."""
    after: str
    shown: tuple[str, str] | None = None
    """Of a notebook: its code before and after, for people to read."""

    @property
    def diff(self) -> str:
        """What it changes, as a unified diff."""
        before, after = self.shown or (self.before, self.after)
        lines = difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True),
            f"a/{self.path}", f"b/{self.path}",
        )  # fmt: skip
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def propose_fixes(
    review: Review, findings: Iterable[ReviewFinding], *, unsafe: bool = False, known: Iterable[Fact] = ()
) -> tuple[Fix, ...]:
    """Return the patches that mend findings, each on top of those before it.

    Args:
        review: what was read.
        findings: what to mend; suppressed ones are not among them.
        unsafe: also those that may change what is learnt.
        known: facts that were joined with the script, so that reading it again starts from the same.
    """
    fixes: list[Fix] = []
    facts = tuple(known)
    for finding in findings:
        allowed = ("safe", "unsafe") if unsafe else ("safe",)
        if finding.fix is None or finding.fix.applicability not in allowed or _mended(review, finding):
            continue
        tried = _tried(review, finding, facts, {fix.path: fix.after for fix in fixes})
        if tried is not None:
            fix, review = tried
            fixes.append(fix)
    return tuple(fixes)


def texts_of(fixes: Iterable[Fix]) -> Mapping[str, tuple[str, str]]:
    """Return the text before the first and after the last patch of each file."""
    found: dict[str, tuple[str, str]] = {}
    for fix in fixes:
        found[fix.path] = (found.get(fix.path, (fix.before, ""))[0], fix.after)
    return found


def apply_fixes(root: Path, fixes: Iterable[Fix]) -> tuple[Path, ...]:
    """Write the patched files, each to a temporary name beside it and renamed.

    Raises:
        InputError: a file is no longer what was read; nothing is written then.
    """
    texts = texts_of(fixes)
    contents = {path: _encoded(root / path, before, after) for path, (before, after) in texts.items()}
    for path, data in contents.items():
        _replace(root / path, data)
    return tuple(root / path for path in contents)


def _mended(review: Review, finding: ReviewFinding) -> bool:
    """Return whether an earlier patch has mended it as well."""
    return _state(review, finding.id) != "missing"


def _state(review: Review, check: str) -> str:
    return next((each.state for each in review.checks if each.id == check), "")


def _tried(
    review: Review, finding: ReviewFinding, known: tuple[Fact, ...], held: Mapping[str, str]
) -> tuple[Fix, Review] | None:
    """Patch in memory and read again; None unless the check is present then and no other got lost.

    `held` has the texts of the files that earlier patches changed.
    """
    from ..consultation.review import review_of

    for path, after in _rewritten(review, finding):
        source = review.script.project.sources[path]
        fix = _fix(review, finding, path, after, held)
        parsed = _parsed(fix, after) if fix is not None else None
        if (
            fix is None
            or not isinstance(parsed, Source)
            or _touches_suppressed(review.script.project, path, source.text, after)
        ):
            continue
        project = replace(review.script.project, sources={**review.script.project.sources, path: parsed})
        again = review_of(review.session.knowledge, project, extra_facts=known)
        lost = {each.id for each in review.checks if each.state == "present"} & {
            each.id for each in again.checks if each.state == "missing"
        }
        if _state(again, finding.id) == "present" and not lost:
            return fix, again
    return None


def _fix(review: Review, finding: ReviewFinding, path: str, after: str, held: Mapping[str, str]) -> Fix | None:
    """Return the patch of a file; of a notebook its cells are written back into its JSON."""
    from engine.patches.notebooks import into_cells

    source = review.script.project.sources[path]
    if not path.endswith(".ipynb"):
        return Fix(finding, path, source.text, after)
    raw = held.get(path) or (review.script.project.root / path).read_bytes().decode("utf-8", "replace")
    written = into_cells(raw, source.text, after, source.cells)
    return Fix(finding, path, raw, written, (source.text, after)) if written is not None else None


def _parsed(fix: Fix, after: str) -> Source | Broken | None:
    """Return the patched file as it reads now; nothing when a notebook does not read as it was patched."""
    if fix.shown is None:
        return parse_source(after, fix.path)
    read = parse_notebook(fix.after, fix.path)
    return read if isinstance(read, Source) and read.text == after else None


def _rewritten(review: Review, finding: ReviewFinding) -> Iterator[tuple[str, str]]:
    """Yield (path, new text) of what the patch of a finding writes; of a notebook, the text of its code."""
    from engine.patches.syntax import read_syntax

    project = review.script.project
    assert finding.fix is not None
    paths = [project.entry] if finding.fix.patch == "seed" else [item.path or "" for item in finding.locations]
    for path in dict.fromkeys(paths):
        source = project.sources.get(path)
        syntax = read_syntax(source.text) if source is not None else None
        if syntax is None:
            continue
        # what the state of the check was read from now, not before an earlier patch moved the lines
        places = tuple(item for item in _current(review, finding) if item.path == path)
        if _write(review, finding, syntax, path, places):
            text = syntax.changed()
            if source is not None and text != source.text:
                yield path, text


def _current(review: Review, finding: ReviewFinding) -> tuple[Evidence, ...]:
    state = next((each for each in review.checks if each.id == finding.id), None)
    return state.evidence if state is not None and state.evidence else finding.locations


def _write(review: Review, finding: ReviewFinding, syntax: object, path: str, places: tuple[Evidence, ...]) -> bool:
    """Ask for what the patch of a finding changes in one file."""
    from engine.patches import audio_rate, clipping, evaluation, learning, seeds, selection
    from engine.patches.syntax import Syntax

    assert isinstance(syntax, Syntax) and finding.fix is not None
    script = review.script
    patch = finding.fix.patch
    if patch == "clip-gradients":
        return clipping.clip_gradients(syntax, script, places)
    if patch == "seed":
        uses_torch = any(call.name.startswith("torch") for call in script.trace)
        return seeds.seed_generators(syntax, finding.id, framework="torch" if uses_torch else "tensorflow")
    if patch == "eval-mode":
        return evaluation.evaluate_in_eval_mode(syntax, places)
    if patch == "no-grad":
        return evaluation.evaluate_without_gradients(syntax, places)
    if patch == "select-best":
        return selection.select_best(syntax, script, path)
    if patch == "cast-audio":
        return audio_rate.cast_audio(syntax, script, places, review.session.knowledge.backbones)
    if patch == "drop-softmax":
        return learning.drop_softmax(syntax, places)
    if patch == "warm-up":
        return learning.warm_up(syntax, script, path)
    return patch == "freeze-eval" and learning.freeze_eval(syntax)


def _touches_suppressed(project: Project, path: str, before: str, after: str) -> bool:
    """Return whether a line that somebody decided to keep as it is would change."""
    old = before.splitlines()
    matcher = difflib.SequenceMatcher(None, old, after.splitlines(), autojunk=False)
    changed = {line for kind, first, last, _, _ in matcher.get_opcodes() if kind in ("replace", "delete")
               for line in range(first + 1, last + 1)}  # fmt: skip
    kept = [each for each in suppressions(project) if each.path == path and each.last - each.first < len(old)]
    return any(each.covers(path, line) for each in kept for line in changed)


def _encoded(file: Path, before: str, after: str) -> bytes:
    """Return the bytes to write, in the encoding of the file.

    Raises:
        InputError: the file has changed since it was read.
    """
    import io
    import tokenize

    data = file.read_bytes()
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    if data.decode(encoding) != before:
        raise InputError(f"{file} has changed since it was read, so it is not patched", hint="Review it again.")
    return after.encode(encoding)


def _replace(file: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).chmod(file.stat().st_mode & 0o7777)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
