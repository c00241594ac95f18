"""Rulebooks that are no rulebooks: refused at their line, with a remedy, before they cost time or memory."""

import re
import tracemalloc
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import TonmeisterError
from knowledge.folder import read_file, read_folder
from knowledge.loader import BUILT_IN, assemble, load_knowledge
from knowledge.overrides import Layered
from knowledge.own import Layer
from knowledge.reading import MOST_BYTES, parse_documents, read_documents

from .folder import RULE, folder

EXPLODING = "- a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"  {after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


def refused(content: str | bytes) -> TonmeisterError:
    with pytest.raises(TonmeisterError) as caught:
        parse_documents(content.encode() if isinstance(content, str) else content, "mine.yaml")
    assert caught.value.hint, "says what to do"
    return caught.value


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (EXPLODING, 1, "no anchors or aliases"),
        ("- rule: a.b\n  when: *other\n", 2, "no anchors or aliases"),
        ('- rule: a.b\n  when: !!python/object/apply:os.system ["touch pwned"]\n', 2, "no tags"),
        ("- !!python/name:os.system rule: a.b\n", 1, "no tags"),
        ("- rule: !thing a.b\n", 1, "no tags"),
        ("!!set\n- rule: a.b\n", 1, "no tags"),
        ("- rule: a.b\n  <<: {x: 1}\n", 2, "merge keys"),
        ("- rule: a.b\n  title: x\n  title: y\n", 3, "stands twice"),
        ("- rule: a.b\n  then: {set: 1, set: 2}\n", 2, "stands twice"),
        ("- rule: a.b\n  when: " + "[" * 200 + "]" * 200, 2, "nested deeper"),
        ("- rule: a.b\n  when: " + "[" * 100_000, 2, "nested deeper"),
        ("- rule: a.b\n" + "".join(" " * n + "- \n" for n in range(2, 60)), 2, "not YAML"),
        ("- rule: a.b\n  x:\n" + "".join("  " * n + "y:\n" for n in range(2, 60)), 18, "nested deeper"),
        ("- rule: a.b\n  yes: 1\n", 2, "a key is a text"),
        ("- rule: a.b\n  3: 1\n", 2, "a key is a text"),
        ("- rule: a.b\n  ? [a]\n  : 1\n", 2, "a key is a text"),
        ("- rule: a.b\n\twhen: 1\n", 2, "not YAML"),
        ("- rule: a.b\n  because: more: less\n", 2, "not YAML"),
        ("- rule: [a\n", 2, "not YAML"),
        ("- rule: a.b\n---\n- rule: a.c\n", 2, "second YAML document"),
        ("rule: a.b\n", 1, "a list of documents"),
        ("- a\n- b\n", 1, "starts with a key"),
        ("- rule: a.b\n  certainty: .inf\n", 2, "not a finite number"),
        ("- rule: a.b\n  certainty: .nan\n", 2, "not a finite number"),
        ("- rule: a.b\n  certainty: " + "9" * 5000 + "\n", 2, "digits"),
        ("- rule: a.b\n  title: " + "x" * 30_000 + "\n", 2, "letters"),
        ("- rule: a.b\n  title: \x00\n", 2, "control character"),
        (b"- rule: a.b\n  title: Gr\xfc\xdfe\n", 2, "not UTF-8"),
        ("- rule: a.b\n".encode("utf-16"), 1, "not UTF-8"),
        (b"\x7fELF\x02\x01\x01\x00", 1, "control character"),
    ],
)  # fmt: skip
def test_what_no_rulebook_needs_is_refused_at_its_line(content: str | bytes, line: int, message: str) -> None:
    error = refused(content)

    assert error.message.startswith(f"mine.yaml:{line}:")
    assert message in error.message


@pytest.mark.parametrize("line", ["- rule: a.b\n", "\n", "- a\n", "# nothing\n", "  - &a [*a]\n"])
def test_a_million_lines_cost_nothing(tmp_path: Path, line: str) -> None:
    file = tmp_path / "large.yaml"
    file.write_text(line * 1_000_000)
    tracemalloc.start()

    with pytest.raises(TonmeisterError) as caught:
        read_documents(file, "large.yaml")

    assert tracemalloc.get_traced_memory()[1] < 4 * MOST_BYTES
    tracemalloc.stop()
    assert caught.value.hint


def test_a_tab_is_named() -> None:
    assert "tab" in refused("- rule: a.b\n\twhen: 1\n").hint


def test_no_tag_is_looked_up(tmp_path: Path) -> None:
    victim = tmp_path / "pwned"
    text = f'- rule: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ["{victim}"]]\n'

    refused(text)

    assert not victim.exists()


@pytest.mark.parametrize(
    ("written", "meant"),
    [("1:30", "1:30"), ("2024-01-31", "2024-01-31"), ("yes", True), ("0.5", 0.5), ("1e-3", "1e-3"), ("~", None)],
)
def test_a_plain_text_means_what_a_reader_takes_it_for(written: str, meant: object) -> None:
    (document,) = parse_documents(f"- rule: a.b\n  x: {written}\n".encode(), "mine.yaml")

    assert document.body["x"] == meant
    assert type(document.body["x"]) is type(meant)


def test_shipped_files_read_as_any_yaml_reader_reads_them() -> None:
    for file in sorted(BUILT_IN.rglob("*.yaml")):
        bodies = [document.body for document in read_documents(file, file.name)]
        assert bodies == (yaml.load(file.read_text("utf-8"), Loader=yaml.CSafeLoader) or []), file


@pytest.mark.parametrize("kind", ["folder", "link to nowhere"])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    folder(tmp_path)
    odd = tmp_path / "odd.yaml"
    odd.mkdir() if kind == "folder" else odd.symlink_to(tmp_path / "nowhere")

    with pytest.raises(TonmeisterError, match=r"odd\.yaml is no file"):
        load_knowledge(tmp_path)


def test_another_suffix_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    (folder(tmp_path) / "mine.yml").write_text(RULE)

    with pytest.raises(TonmeisterError, match=r"expected the suffix \.yaml"):
        load_knowledge(tmp_path)


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("dataset.hours: '> 30 min'", "expected a number", "Numbers stand without a unit"),
        ("dataset.clips: '< 0'", "never or always holds", "fractions"),
        ("dataset.hour: '> 3'", "unknown fact 'dataset.hour'", "Did you mean dataset.hours?"),
        ("task.type: clasification", "expected one of", "Did you mean classification?"),
        ("dataset.clips: [many]", "expected a whole number", ""),
        ("dataset.clips: {a: b}", "expected a whole number", ""),
        ("machine.gpu: '> 3'", "compares numbers only", ""),
    ],
)
def test_a_wrong_condition_is_refused_with_a_suggestion(tmp_path: Path, written: str, message: str, hint: str) -> None:
    text = RULE.replace('{dataset.clips: "< 100"}', f"{{{written}}}", 1)

    with pytest.raises(TonmeisterError) as caught:
        load_knowledge(folder(tmp_path, text))

    assert re.match(r"rules/plan/rules\.yaml:\d+ \(adaptation\.frozen\)", caught.value.message)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_misspelt_key_is_suggested_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(TonmeisterError) as caught:
        load_knowledge(folder(tmp_path, RULE.rstrip() + "\n  strenght: must\n"))

    assert caught.value.message.startswith("rules/plan/rules.yaml:12 (adaptation.frozen)")
    assert caught.value.hint == "Did you mean strength?"


PACKAGE = Layer("package", BUILT_IN)
GROUND = [
    item
    for file in [
        *sorted((BUILT_IN / "vocabulary").glob("*.yaml")),
        *sorted((BUILT_IN / "backbones").glob("*.yaml")),
        BUILT_IN / "sources.yaml",
    ]
    for item in read_file(file, PACKAGE)
]
TEXTS = [
    text
    for place in ("rules/plan/4-architecture.yaml", "tables/regularisation.yaml", "checks/levels.yaml",
                  "rules/remedies/diagnose.yaml", "rules/audit/1-files.yaml")
    for text in (BUILT_IN / place).read_text("utf-8").split("\n\n")
    if text.strip()
]  # fmt: skip
SPLINTERS = [
    *("\t", " ", "\n", ":", "- ", "[", "]", "{", "}", '"', "'", "#", "%", "|\n", "? ", "---\n", "\x00", "\ud7ff"),
    *("&a ", "*a", "!!python/name:os.system ", "<<: ", "1e999", "-1", "9" * 40, "null", "yes", "finding.", "..", "> "),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Some shipped documents, in which pieces were deleted, doubled, or replaced by what has a meaning in YAML."""
    text = "\n".join(draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from((0, 0, 1, 3, 20, 200))))
        piece = draw(st.sampled_from([*SPLINTERS, text[start:end] * 2, ""]))
        text = text[:start] + piece + text[end:]
    content = text.encode("utf-8")
    cut = draw(st.integers(0, len(content)))
    return content[:cut] + draw(st.sampled_from((b"", b"", b"", b"\xff", b"\xc3"))) + content[cut:]


@settings(max_examples=250, deadline=None)
@given(mutated())
def test_a_mutated_rulebook_loads_or_is_refused_with_its_file(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    root = tmp_path_factory.mktemp("mutant", numbered=True)
    file = root / "mutant.yaml"
    file.write_bytes(content)
    try:
        read = list(read_file(file, Layer("package", root)))
        assemble(Layered([*GROUND, *read]), "mutant")
    except TonmeisterError as error:
        assert "mutant.yaml" in error.message
    finally:
        file.unlink()
        root.rmdir()


def test_shipped_documents_are_what_is_mutated() -> None:
    assert len(TEXTS) > 50
    assert len(read_folder(PACKAGE)) > len(GROUND)
