"""What a person sees who wrote a rulebook wrong: the file, the line, and what to do; as his own, and as a folder."""

from pathlib import Path

import pytest

from expert.verification import verify
from knowledge.errors import KnowledgeError, TonmeisterError
from knowledge.loader import load_knowledge
from knowledge.own import Layer
from tests.knowledge.folder import folder
from tonmeister.cli.main import main

GOOD = """\
- rule: ours.few
  title: Few clips stay frozen
  when: [{dataset.clips: "< 50"}]
  then: {recommend: {adaptation.method: frozen}}
  because: "{dataset.clips} clips are few."
  certainty: 0.9
  source: experience
  since: "0.4"
  examples:
    - {given: {dataset.clips: 49}, fires: true}
    - {given: {dataset.clips: 50}, fires: false}
"""
WITHOUT_EXAMPLES = GOOD[: GOOD.index("  since")]
BOMB = "".join(
    f"- &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

BAD = [
    ("fact", GOOD.replace("dataset.clips:", "dataset.clip:"), 3, "unknown fact 'dataset.clip'", "dataset.clips?"),
    ("fact-first", WITHOUT_EXAMPLES.replace("clips:", "clip:"), 3, "unknown fact 'dataset.clip'", "dataset.clips?"),
    ("decision-first", WITHOUT_EXAMPLES.replace("n.method", "n.metod"), 4, "'adaptation.metod'", "adaptation.method?"),
    ("in-any", WITHOUT_EXAMPLES.replace('{dataset.clips: "< 50"}', "{any: [{known: dataset.clip}]}"), 3,
     "unknown fact 'dataset.clip'", "dataset.clips?"),
    ("example", GOOD.replace("clips: 49", "clip: 49"), 9, "unknown fact 'dataset.clip'", "dataset.clips?"),
    ("key", GOOD.replace("when:", "wehn:"), 3, "unknown key `wehn`", "Did you mean when?"),
    ("missing", WITHOUT_EXAMPLES, 1, "is missing", "Add `"),
    ("unit", GOOD.replace('"< 50"', '"< 50 clips"'), 3, "got '50 clips', expected", "Numbers stand without a unit"),
    ("source", GOOD.replace("source: experience", "source: SMITH2031"), 1, "'SMITH2031'", "Add `- source: SMITH2031`"),
    ("near-source", GOOD.replace("source: experience", "source: experiense"), 1, "'experiense'", "Did you mean exper"),
    ("duplicate", GOOD + GOOD, 12, "before in", ""),
    ("aliases", "- &a [x, x, x]\n" + BOMB, 1, "`&a`: a rulebook holds no anchors or aliases", "Write the value out."),
    ("alias-within", GOOD.replace("title: Few", "title: &a Few"), 2, "no anchors or aliases", "Write the value out."),
    ("tag", GOOD.replace("Few clips", "!!python/object/apply:os.system ['touch pwned']"), 2, "holds no tags", "plain"),
    ("lines", GOOD + "\n" * 1_000_000, 0, "lines, expected at most", "Divide it"),
    ("bytes", GOOD * 10_000, 0, "larger than 2 MiB", "divide"),
    ("no-yaml", GOOD.replace("title: Few", 'title: "Few'), 3, "is not YAML", "quotes"),
]  # fmt: skip


@pytest.mark.parametrize("own", [True, False], ids=["own", "folder"])
@pytest.mark.parametrize(("text", "line", "says", "remedy"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_it_is_refused_with_file_line_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: bool, text: str, line: int, says: str, remedy: str
) -> None:
    monkeypatch.chdir(tmp_path)
    package, mine = folder(tmp_path / "package"), tmp_path / "mine"
    target = mine / "ours.yaml" if own else package / "rules" / "plan" / "ours.yaml"
    target.parent.mkdir(exist_ok=True)
    target.write_text(text, "utf-8")
    layers = (Layer("project", mine, shown="mine/"),) if own else ()

    with pytest.raises(TonmeisterError) as refused:
        load_knowledge(package, layers)

    place = "mine/ours.yaml" if own else "rules/plan/ours.yaml"
    assert refused.value.message.startswith(f"{place}:{line}" if line else place)
    assert says in refused.value.message
    assert remedy in refused.value.hint
    assert not (tmp_path / "pwned").exists()


def test_a_circle_through_absences_names_both_rules_and_what_to_do(tmp_path: Path) -> None:
    one = GOOD.replace("ours.few", "ours.a").replace("[{dataset.clips", "[{none: finding.b}, {dataset.clips")
    one = one.replace("{recommend: {adaptation.method: frozen}}", "{finding: a, severity: note}")
    two = one.replace("ours.a", "ours.b").replace("finding.b", "finding.a").replace("finding: a,", "finding: b,")
    knowledge = load_knowledge(folder(tmp_path, rules__plan__ours=one + two))

    (circle,) = (problem for problem in verify(knowledge, ["plan"]) if problem.kind == "circle")
    assert "finding.a -> finding.b" in circle.message
    assert "ours.a (rules/plan/ours.yaml:1), ours.b (rules/plan/ours.yaml:12)" in circle.message
    assert "Let one of these rules read the facts" in circle.message


MOVED = """\
- override: size.tiny
  reason: Ours are long.
  threshold: {dataset.clips: "< 150"}
  fires: [149]
  rests: [150]
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (MOVED, "ERROR overlap: .tonmeister/knowledge/ours.yaml:1 (size.tiny): decides beside size.small"),
        (MOVED.replace("150", "50").replace("149", "49"), "ERROR gap: dataset-size: no row decides when dataset.clips"),
        (MOVED.replace("size.tiny", "size.tyny"), "Did you mean size.tiny?"),
        (MOVED.replace("{dataset.clips", "{dataset.clip"), "Did you mean dataset.clips?"),
    ],
)
def test_an_override_that_does_not_fit_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".tonmeister" / "knowledge").mkdir(parents=True)
    (tmp_path / ".tonmeister" / "knowledge" / "ours.yaml").write_text(text, "utf-8")

    assert main(["rules", "check"]) == 2
    out = capsys.readouterr()
    assert told in out.out + out.err
    if "ERROR" in told:
        assert "Move the neighbouring row's bound as well" in out.out
        counts = "0 gaps (0 more justified) and 1 overlaps" if "overlap" in told else "1 gaps"
        assert counts in " ".join(out.err.split())


def test_what_is_missing_is_told_when_nothing_is_misspelt(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="the key `since` is missing") as refused:
        load_knowledge(folder(tmp_path, rules__plan__ours=WITHOUT_EXAMPLES))
    assert refused.value.hint.startswith("Add `since:`")
