"""Names that nothing defines: small scripts of our own writing, most of which define them in some way or other."""

from __future__ import annotations

from pathlib import Path

import pytest

from .reviewed import fact, loop


@pytest.mark.parametrize(("text", "count"), [
    ("print(never)", 1),
    ("print(never, never, nor)", 2),
    (loop(setup="def unused():\n    print(never)", end="print(validate)"), 1),
    ("from helpers import *\nprint(maybe)", 0),
    ("exec('known = 1')\nprint(known)", 0),
    ("try:\n    print(unicode_of_old)\nexcept NameError:\n    pass", 0),
    ("import os.path as path\nprint(path, [x for x in (1,)], __file__, (y := 2), y)", 0),
    ("def f(a, *b, c=1, **d):\n    print(a, b, c, d)\nf(1)", 0),
    ("for i, (j, *k) in ():\n    pass\nprint(i, j, k)", 0),
    ("try:\n    pass\nexcept ValueError as error:\n    print(error)\nprint(1)", 0),
    ("match input():\n    case {'a': a, **rest}:\n        print(a, rest)\n    case [first, *others] as whole:\n"
     "        print(first, others, whole)", 0),
])  # fmt: skip
def test_names_without_a_value_are_counted(tmp_path: Path, text: str, count: int) -> None:
    assert fact(tmp_path, "undefined_names", text) == count


def test_magic_of_notebooks_defines_names_that_reading_does_not_see(tmp_path: Path) -> None:
    assert fact(tmp_path, "undefined_names", "get_ipython().run_line_magic('matplotlib', 'inline')\ndisplay(1)") == 0
