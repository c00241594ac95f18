"""What settings are called in other frameworks: names that exist, Python that parses, YAML that loads."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from pathlib import Path

import pytest
import yaml

from knowledge.errors import KnowledgeError
from knowledge.loader import load_knowledge
from knowledge.translations import SettingTranslation, TranslationDocument

TRANSLATIONS = load_knowledge().translations
VALUE = "3"


def written(document: TranslationDocument) -> list[tuple[str, str]]:
    """Every line that a document can write, with where it goes."""
    found = [(one.at, text) for one in document.settings.values() for text in (one.write, *one.values.values()) if text]
    return [
        (at, text.replace("{value}", VALUE))
        for at, text in (*found, *((one.at, one.write) for one in document.remedies.values()))
    ]


def parses(text: str) -> bool:
    """Whether a line is Python: statements, an argument, or the head of a block."""
    for form in ("{}", "f({})", "def f():\n  {}", "{}\n    pass", "class A:\n  {}", "for _ in ():\n  {}", "[{}]"):
        try:
            ast.parse(form.format(text.replace("\n", "\n  ") if "\n  {" in form else text))
        except SyntaxError:
            continue
        return True
    return False


@pytest.mark.parametrize("name", [name for name, one in TRANSLATIONS.items() if one.language == "python"])
def test_what_is_written_in_python_parses(name):
    broken = [text for at, text in written(TRANSLATIONS[name]) if not parses(text)]
    assert not broken


@pytest.mark.parametrize("name", [name for name, one in TRANSLATIONS.items() if one.language == "yaml"])
def test_what_is_written_in_yaml_loads(name):
    told = [text for at, text in written(TRANSLATIONS[name]) if at.endswith(".yaml") or "arguments" in at]
    assert told
    assert all(yaml.safe_load(text) for text in told)


def test_what_is_written_in_json_loads():
    told = [text for at, text in written(TRANSLATIONS["coqui"]) if at.endswith(".json")]
    assert all(json.loads("{" + text.rstrip(",") + "}") for text in told)


def test_the_names_of_transformers_exist():
    """In the version that is installed, which is read and not imported; older names stand in comments."""
    package = Path(importlib.util.find_spec("transformers").origin).parent
    fields = names_in(package / "training_args.py", "TrainingArguments")
    lines = [text for at, text in written(TRANSLATIONS["transformers"]) if at == "TrainingArguments"]
    used = {word for text in lines for word in re.findall(r"(\w+)=", text.partition("#")[0])}
    assert used
    assert used <= fields
    assert "early_stopping_patience" in names_in(package / "trainer_callback.py", "EarlyStoppingCallback")
    assert "num_items_in_batch" in names_in(package / "trainer.py", "Trainer")


def names_in(file: Path, name: str) -> set[str]:
    """Fields and arguments of a class."""
    found = next(one for one in ast.walk(ast.parse(file.read_text())) if getattr(one, "name", "") == name)
    fields = {one.target.id for one in ast.walk(found) if isinstance(one, ast.AnnAssign) and hasattr(one.target, "id")}
    return fields | {one.arg for one in ast.walk(found) if isinstance(one, ast.arg)}


def test_the_run_log_that_is_advised_exists():
    advised = TRANSLATIONS["pytorch"].remedies["evaluation.collect-evidence"].write
    module, names = re.search(r"from ([\w.]+) import (\w+)", advised).groups()
    assert hasattr(__import__(module, fromlist=[names]), names)


def test_a_setting_writes_one_way():
    with pytest.raises(ValueError, match="either"):
        SettingTranslation(write="a={value}", values={"x": "y"})
    with pytest.raises(ValueError, match="value"):
        SettingTranslation(write="a=3")


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no pattern"):
        TranslationDocument(
            translation="x", title="x", language="yaml", versions="1", texts=("(",), source=("experience",)
        )


def test_an_unknown_line_of_the_plan_is_refused(tmp_path):
    (tmp_path / "x.yaml").write_text(
        "- translation: x\n  title: x\n  language: yaml\n  versions: '1'\n  source: experience\n"
        "  settings: {training.lerning_rate: {write: 'lr: {value}'}}\n"
    )
    with pytest.raises(KnowledgeError, match="lerning_rate"):
        load_knowledge(tmp_path)
