"""Writes small projects in which every practice has one form, and reviews them; judges nothing."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import indent

from expert.consultation.review import review_script
from knowledge.loader import load_knowledge
from tests.expert.form_pieces import HEAD, SCALE, SCALE_SCRIPT, SPEECH, SPEECH_SCRIPT, Piece

STORIES = {"speech": (SPEECH, SPEECH_SCRIPT), "scale": (SCALE, SCALE_SCRIPT)}
FORMS = ("present", "missing", "helper", "configuration", "dead switch", "undecidable")
_PLAIN = 'settings = {"lr": 1e-4, "epochs": 20}'
_CONFIGURED = 'settings = yaml.safe_load(open("settings.yaml"))'
_LAUNCHED = "settings = json.load(open(sys.argv[1]))"
_SWITCHED = "parser = argparse.ArgumentParser()\n{}\nsettings = vars(parser.parse_args())"


def project(story: str, form: str, changed: tuple[tuple[str, str], ...] = ()) -> dict[str, str]:
    """Return the files of a project in one form; `changed` names pieces with a form or code of their own."""
    pieces, script = STORIES[story]
    code = {name: _code(name, piece, "present" if piece.alone else form) for name, piece in pieces.items()}
    for name, other in changed:
        code[name] = (
            _code(name, pieces[name], form if other == "form" else other) if other in ("form", *FORMS) else other
        )
    settings = {"configuration": _CONFIGURED, "undecidable": _LAUNCHED, "dead switch": _switches(pieces)}.get(form)
    head = f"{HEAD}import helpers\nstopper = helpers.Stopper()\n" if form == "helper" else HEAD
    text = head + (settings or _PLAIN) + "\n" + _filled(script, code)
    files = {"train.py": text}
    if form == "helper":
        files["helpers.py"] = HEAD + "\n\n".join(_helper(name, piece) for name, piece in pieces.items())
        if story == "scale":
            files["train.py"] = text.replace("stopper = helpers.Stopper()\n", "")
    if form == "configuration":
        files["settings.yaml"] = "lr: 0.0001\nepochs: 20\n" + "".join(f"{name}: true\n" for name in pieces)
    return files


def _code(name: str, piece: Piece, form: str) -> str:
    if form in ("present", "missing"):
        return piece.good if form == "present" else piece.bad
    if form == "helper":
        plain = f"helpers.{name}({piece.needs})"
        return piece.called or (f"{piece.gives} = {plain}" if piece.gives else plain)
    return f'if settings["{name}"]:\n{indent(piece.good, "    ")}\nelse:\n{indent(piece.bad, "    ")}'


def _helper(name: str, piece: Piece) -> str:
    given = f"    return {piece.gives}\n" if piece.gives else ""
    return piece.helper or f"def {name}({piece.needs}):\n{indent(piece.good, '    ')}\n{given}"


def _switches(pieces: dict[str, Piece]) -> str:
    return _SWITCHED.format("\n".join(f'parser.add_argument("--{name}", action="store_true")' for name in pieces))


def _filled(script: str, code: dict[str, str]) -> str:
    """Return a script with the code of every piece at the depth of its place."""
    return re.sub(r"^( *)\{(\w+)\}$", lambda at: indent(code.get(at[2], "pass"), at[1]), script, flags=re.MULTILINE)


@cache
def states(story: str, form: str, changed: tuple[tuple[str, str], ...] = ()) -> dict[str, str]:
    """Return the states of all checks of one project."""
    return states_of(tuple(project(story, form, changed).items()))


@cache
def states_of(files: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return the states of all checks of a project of these files."""
    with TemporaryDirectory() as folder:
        for name, text in files:
            (Path(folder) / name).write_text(text, "utf-8")
        return {each.id: each.state for each in review_script(load_knowledge(), Path(folder), entry="train.py").checks}
