import ast
import json
from pathlib import Path

import pytest

from engine.evidence.script.launches import launches_of
from engine.evidence.script.project import read_project
from engine.evidence.script.sources import Broken, Source, read_source
from knowledge.errors import InputError, UsageError

from .projects import lay, script_of

LOOP = "import torch\nfor x in range(3):\n    loss.backward()\n"


def test_a_notebook_keeps_the_lines_of_its_cells(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# text"]},
        {"cell_type": "code", "source": ["%pip install torch\n", "import torch"]},
        {"cell_type": "code", "source": "x = torch.load('a')"},
    ]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells}))
    source = read_source(tmp_path / "n.ipynb", "n.ipynb")
    assert isinstance(source, Source)
    place = source.place(source.tree.body[1])
    assert (place.line, place.cell) == (5, 3)
    assert source.cell_of(3) == 2


@pytest.mark.parametrize(("data", "line"), [
    (b"def f(:\n    pass\n", 1), (b"x = 1\ny = = 2\n", 2), (b"x\0y", 1), (b"# coding: nonsense\n", 1),
    (b"x = " + b"(" * 400 + b")" * 400, 1), (b"\xff\xfe\x00", 1),
])  # fmt: skip
def test_a_broken_file_is_an_answer_with_its_line(tmp_path: Path, data: bytes, line: int) -> None:
    (tmp_path / "x.py").write_bytes(data)
    broken = read_source(tmp_path / "x.py", "x.py")
    assert isinstance(broken, Broken)
    assert broken.place.line == line
    assert broken.reason


def test_formatted_text_of_python_3_12_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text('name = "a"\nprint(f"{"="*9} {name}")\nlast = 3\n')
    source = read_source(tmp_path / "x.py", "x.py")
    assert isinstance(source, Source)
    assert source.place(source.tree.body[2]).line == 3


def test_the_entry_is_the_file_that_trains_and_is_not_imported(tmp_path: Path) -> None:
    lay(tmp_path, {
        "main.py": f"from lib.train_utils import f\n{LOOP}if __name__ == '__main__':\n    f()\n",
        "lib/train_utils.py": f"def f():\n    pass\n{LOOP}",
        "evaluate.py": f"{LOOP}if __name__ == '__main__':\n    pass\n",
    })  # fmt: skip
    assert read_project(tmp_path).entry == "main.py"


def test_a_launch_script_tells_the_entry(tmp_path: Path) -> None:
    guard = "if __name__ == '__main__':\n    pass\n"
    lay(tmp_path, {"train_a.py": LOOP + guard, "train_b.py": LOOP + guard, "go.sh": "python train_b.py --x 1\n"})
    project = read_project(tmp_path)
    assert (project.entry, project.alternatives) == ("train_b.py", ())
    assert project.launches[0].flags == {"x": "1"}


def test_a_script_belongs_to_the_project_around_it(tmp_path: Path) -> None:
    lay(tmp_path, {"pyproject.toml": "", "src/train.py": "from lib import f\n", "lib.py": "def f(): pass\n"})
    project = read_project(tmp_path / "src" / "train.py")
    assert (project.root, project.entry) == (tmp_path, "src/train.py")


def test_a_launched_file_that_only_reads_results_is_no_entry(tmp_path: Path) -> None:
    lay(tmp_path, {
        "src/run.py": "from loop import fit\nfit()\n", "src/loop.py": f"def fit():\n    {LOOP.splitlines()[0]}\n{LOOP}",
        "egs/collect.py": "print(open('result.csv').read())\n",
        "egs/go.sh": "python ../src/run.py --x 1\npython collect.py\n",
    })  # fmt: skip
    assert read_project(tmp_path).entry == "src/run.py"


def test_a_script_is_named_from_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, {"train.py": LOOP})
    monkeypatch.chdir(tmp_path)
    assert read_project(Path("train.py")).entry == "train.py"


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing is there"):
        read_project(tmp_path / "absent")
    with pytest.raises(InputError, match="no Python file"):
        read_project(tmp_path)
    lay(tmp_path, {"a.py": ""})
    with pytest.raises(UsageError, match=r"b\.py"):
        read_project(tmp_path, "b.py")


def test_commands_of_a_launch_script() -> None:
    command = 'torchrun --nproc 2 run.py --data "$D/x" --layers 1 2 --amp seed=3 && echo'
    text = f"export D=/data\nCUDA_VISIBLE_DEVICES=0 {command}\n"
    (launch,) = launches_of(text, "go.sh")
    assert launch.script == "run.py"
    assert launch.flags == {"data": "/data/x", "layers": ["1", "2"], "amp": "seed=3"}
    assert launch.place.line == 2


def test_a_module_is_found_where_the_search_path_was_changed(tmp_path: Path) -> None:
    files = {
        "pytorch/train.py": "import sys\nsys.path.insert(1, '../utils')\nfrom tools import run\nrun()\n",
        "utils/tools.py": "import torch\ndef run():\n    torch.manual_seed(1)\n",
    }
    assert script_of(tmp_path, files, "pytorch/train.py").trace.named("torch.manual_seed", main=True)


@pytest.mark.parametrize("old", [
    'print "loss", 3\n', "x.cuda(async=True)\n", "try:\n    f()\nexcept ValueError, error:\n    pass\n",
    "if x:\n\ty = 1\n        z = 2\n",
])  # fmt: skip
def test_a_file_for_an_older_python_is_read_and_told(tmp_path: Path, old: str) -> None:
    (tmp_path / "x.py").write_text(f"x = 1\n{old}last = x\n")
    source = read_source(tmp_path / "x.py", "x.py")
    assert isinstance(source, Source)
    assert source.place(source.tree.body[-1]).line == old.count("\n") + 2
    assert len(source.unread) == 1
    assert "older" in source.unread[0].reason or "Python 2" in source.unread[0].reason


def test_a_broken_cell_is_left_out_and_the_others_are_read(tmp_path: Path) -> None:
    code = ["x = 1", "def f(:\n    pass", "%%bash\nrm -r {x", "if x:\n    !wget a\nfiles = !ls", "y = x"]
    cells = [{"cell_type": "code", "source": each} for each in code]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells}))
    source = read_source(tmp_path / "n.ipynb", "n.ipynb")
    assert isinstance(source, Source)
    last = source.place(source.tree.body[-1])
    assert (last.line, last.cell) == (14, 5)
    assert [(each.place.line, each.reason[-9:]) for each in source.unread] == [(4, " left out")]
    assert ast.unparse(source.tree.body[-2]) == "files = None"
