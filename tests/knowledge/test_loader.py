"""Loading a knowledge folder: what is refused, with which file and line, and what comes out."""

import re
from pathlib import Path

import pytest

from knowledge.errors import InputError, KnowledgeError
from knowledge.loader import load_knowledge

from .folder import RULE, folder

TABLE = """
- table: size
  title: Size
  decides: dataset.regime
  by: dataset.clips
  certainty: 0.9
  source: S000-13
  since: "0.1"
  rows:
    - {id: size.tiny, when: "< 100", then: tiny, because: Few., fires: [99], rests: [100]}
    - id: size.small
      when: ">= 100"
      then: small
      because: More.
      source: S000-13b
      certainty: 0.5
      fires: 100
      rests: 99
"""
REMEDY = """
- remedy: training.fewer
  title: Fewer
  patch: {training.epochs: {multiply: 0.5}}
  expect: Less.
  costs: Nothing.
  source: experience
"""


def refusal(root: Path) -> str:
    with pytest.raises(KnowledgeError) as caught:
        load_knowledge(root)
    return caught.value.message


def changed(old: str, new: str) -> str:
    assert old in RULE
    return RULE.replace(old, new)


def test_a_rule_keeps_file_line_and_pack(tmp_path: Path) -> None:
    (rule,) = load_knowledge(folder(tmp_path, "# comment\n" + RULE.lstrip(), "rules/audit/some.yaml")).rules

    assert (rule.id, rule.file, rule.line, rule.pack) == ("adaptation.frozen", "rules/audit/some.yaml", 2, "audit")
    assert rule.because == "{dataset.clips} clips are few."
    assert rule.strength == "default"


@pytest.mark.parametrize(
    ("path", "pack"),
    [
        ("rules/plan/a.yaml", "plan"),
        ("rules/audit/a.yaml", "audit"),
        ("rules/diagnose/deep/a.yaml", "diagnose"),
    ],
)
def test_the_folder_says_the_pack(tmp_path: Path, path: str, pack: str) -> None:
    assert [rule.pack for rule in load_knowledge(folder(tmp_path, name=path)).rules] == [pack]


def test_every_table_row_is_a_rule(tmp_path: Path) -> None:
    tiny, small = load_knowledge(folder(tmp_path, TABLE, "tables/size.yaml")).rules

    assert (tiny.id, tiny.table, tiny.then.kind, tiny.then.value) == ("size.tiny", "size", "set", "tiny")
    assert (tiny.sources, tiny.certainty) == (("S000-13",), 0.9)
    assert (small.sources, small.certainty) == (("S000-13b",), 0.5)
    assert [(example.given, example.fires) for example in small.examples] == [
        ({"dataset.clips": 100}, True),
        ({"dataset.clips": 99}, False),
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  strength", "  strenght", None),
        ("because:", "becuase:", "unknown key `becuase`"),
        ("  since:", "  sins: x\n  since:", "unknown key `sins`"),
        ("dataset.clips: \"<", "dataset.clip: \"<", "unknown fact 'dataset.clip'"),
        ("  source: S000-13a\n", "", "the key `source` is missing"),
        ("  source: S000-13a\n", "  source: []\n", "cites no source"),
        ("S000-13a", "S009-13a", "the source 'S009-13a' is not in sources.yaml"),
        ("S000-13a", "hearsay", "the source 'hearsay' is not in sources.yaml"),
        ("    - {given: {dataset.clips: 99}, fires: true}\n", "", "at least one firing and one non-firing"),
        ("    - {given: {dataset.clips: 100}, fires: false}\n", "", "at least one firing and one non-firing"),
        ("given: {dataset.clips: 99}", "given: {dataset.clip: 99}", "unknown fact 'dataset.clip'"),
        ("given: {dataset.clips: 99}", "given: {dataset.clips: many}", "expected a whole number"),
        ("adaptation.method: frozen", "adaptation.method: frosen", "expected one of frozen, lora"),
        ("recommend: {adaptation", "set: {adaptation", "`set` concludes a derived, and adaptation.method"),
        ("{recommend: {adaptation.method: frozen}}", "{recommend: {dataset.clips: 3}}", "and dataset.clips is a fact"),
        ("{recommend: {adaptation.method: frozen}}", "{recommend: {}}", "assigns exactly one attribute"),
        ("{recommend: {adaptation.method: frozen}}", "{advise: {adaptation.method: frozen}}", "exactly one of"),
        ("{recommend: {adaptation.method: frozen}}", "{finding: few-clips}", "`finding: ID` with `severity:"),
        ("{dataset.clips} clips", "{dataset.clip} clips", "because: unknown fact 'dataset.clip'"),
        ("certainty: 0.9", "certainty: 1.9", "certainty: Input should be less than or equal to 1"),
        ("certainty: 0.9", "certainty: 0", "certainty: Input should be greater than 0"),
        ("rule: adaptation.frozen", "rule: Frozen", "rule: String should match pattern"),
        ("certainty: 0.9", "certainty: 0.9\n  remedies: [no.such]", "there is no remedy 'no.such'"),
        ("certainty: 0.9", "certainty: 0.9\n  strength: mighty", "strength: Input should be 'must'"),
        ("certainty: 0.9", "certainty: 0.9\n  certainty: 0.8", "a key stands twice"),
        ("- rule:", "- ruel:", "a document starts with one of"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_refused_with_file_and_line(tmp_path: Path, old: str, new: str, message: str | None) -> None:
    if message is None:
        text, message = RULE.rstrip() + "\n  strenght: must\n", "unknown key `strenght`"
    else:
        text = changed(old, new)

    found = refusal(folder(tmp_path, text))

    lines = text.lstrip().splitlines()
    changed_at = next((at for at, line in enumerate(lines) if new.strip() and new.split("\n")[0] in line), 0)
    key_at = max((at for at in range(changed_at + 1) if lines[at][2:3].strip()), default=0)  # the key above it
    told = int(found.removeprefix("rules/plan/rules.yaml:").split(":")[0].split()[0])
    assert told in ({7} if "stands twice" in message else {1, key_at + 1, key_at + 2})
    assert message in found


def test_the_line_is_that_of_the_document(tmp_path: Path) -> None:
    text = (
        RULE.lstrip() + "\n" + changed("adaptation.frozen\n", "adaptation.other\n").lstrip().replace("certainty", "c")
    )

    assert refusal(folder(tmp_path, text)).startswith("rules/plan/rules.yaml:18 (adaptation.other)")


def test_an_id_is_used_once(tmp_path: Path) -> None:
    other = changed("frozen}}", "lora}}")

    found = refusal(folder(tmp_path, RULE, rules__plan__second=other))

    assert found == (
        "rules/plan/second.yaml:1 (adaptation.frozen): defined before in rules/plan/rules.yaml:1 (adaptation.frozen)"
    )


def test_a_row_and_a_rule_share_no_id(tmp_path: Path) -> None:
    found = refusal(folder(tmp_path, RULE, tables__size=TABLE.replace("size.tiny", "adaptation.frozen")))

    assert "the id was used before in rules/plan/rules.yaml:1" in found


def test_a_fact_is_defined_once(tmp_path: Path) -> None:
    again = "- decision: dataset.clips\n  type: integer\n  means: Again.\n"

    assert "dataset.clips is defined twice" in refusal(folder(tmp_path, vocabulary__more=again))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("- fact: clips\n  type: integer\n  means: X.", "name: String should match pattern"),
        ("- fact: a.b\n  type: choice\n  means: X.", "`values` belong to a choice"),
        ("- fact: a.b\n  type: integer\n  values: [x]\n  means: X.", "`values` belong to a choice"),
        ("- fact: a.b\n  type: whole\n  means: X.", "type: Input should be"),
        ("- fact: a.b\n  type: integer\n  meens: X.", "unknown key `meens`"),
    ],
)
def test_a_wrong_entry_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    found = refusal(folder(tmp_path, vocabulary__more=entry))

    assert re.match(r"vocabulary/more\.yaml:[123] ", found)
    assert message in found


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  patch: {training.epochs: {multiply: 0.5}}\n", "", "either a `patch` or an `action`"),
        ("  expect: Less.\n", "", "the key `expect` is missing"),
        ("{multiply: 0.5}", "{from: dataset.clip}", "unknown fact 'dataset.clip'"),
        ("source: experience", "source: nobody", "the source 'nobody'"),
    ],
)
def test_a_wrong_remedy_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    found = refusal(folder(tmp_path, rules__remedies__some=REMEDY.replace(old, new)))

    assert found.startswith("rules/remedies/some.yaml:1")
    assert message in found


def test_a_measured_source_names_its_command(tmp_path: Path) -> None:
    source = "- source: M1\n  kind: measured here\n  citation: Some benchmark\n"

    assert "names the command" in refusal(folder(tmp_path, measured=source))


def test_a_finding_becomes_a_fact_that_others_may_read(tmp_path: Path) -> None:
    finding = changed("{recommend: {adaptation.method: frozen}}", "{finding: few-clips, severity: note}")
    reader = changed("adaptation.frozen\n", "adaptation.other\n").replace(
        '{dataset.clips: "< 100"}', "{none: finding.few-clips}"
    )

    knowledge = load_knowledge(folder(tmp_path, finding + reader))

    assert knowledge.vocabulary.entry("finding.few-clips").type == "boolean"
    assert str(knowledge.rules[1].when[0][0]) == "none finding.few-clips"


@pytest.mark.parametrize("text", ["rule: a.b\n", "- a\n- b\n", "- [1, 2]\n"])
def test_a_file_is_a_list_of_documents(tmp_path: Path, text: str) -> None:
    assert refusal(folder(tmp_path, text)).startswith("rules/plan/rules.yaml:1")


def test_a_file_that_is_not_yaml_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_knowledge(folder(tmp_path, "- rule: [unclosed\n"))

    assert "rules/plan/rules.yaml is not YAML" in caught.value.message
    assert caught.value.exit_status == 3


def test_an_empty_folder_is_no_knowledge(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        load_knowledge(tmp_path)


def test_the_digest_follows_every_byte(tmp_path: Path) -> None:
    first = load_knowledge(folder(tmp_path / "a"))
    same = load_knowledge(folder(tmp_path / "b"))
    other = load_knowledge(folder(tmp_path / "c", RULE + "# remark\n"))

    assert first.digest == same.digest
    assert first.digest != other.digest


def test_a_citation_names_document_and_item(tmp_path: Path) -> None:
    knowledge = load_knowledge(folder(tmp_path))

    assert knowledge.citation("S000-13a") == "The article, item 13a"
    assert knowledge.citation("experience") == "Experience"
