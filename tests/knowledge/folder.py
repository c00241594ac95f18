"""Writes a knowledge folder for a test: a small vocabulary and source, and whatever the test adds."""

from pathlib import Path
from textwrap import dedent

VOCABULARY = """
- fact: dataset.clips
  type: integer
  range: [0, null]
  means: Clips.
  supplied_by: [user]
- fact: dataset.hours
  type: number
  means: Hours.
- fact: task.type
  type: choice
  values: [classification, regression]
  means: Task.
- fact: machine.gpu
  type: boolean
  means: GPU.
- derived: dataset.regime
  type: choice
  values: [tiny, small]
  means: Size class.
- decision: adaptation.method
  type: choice
  values: [frozen, lora]
  means: What learns.
"""
SOURCES = """
- source: experience
  kind: experience
  citation: Experience
- source: S000
  kind: source document
  citation: The article
"""
RULE = """
- rule: adaptation.frozen
  title: Freeze
  when: [{dataset.clips: "< 100"}]
  then: {recommend: {adaptation.method: frozen}}
  because: "{dataset.clips} clips are few."
  certainty: 0.9
  source: S000-13a
  since: "0.1"
  examples:
    - {given: {dataset.clips: 99}, fires: true}
    - {given: {dataset.clips: 100}, fires: false}
"""


def folder(root: Path, rules: str = RULE, name: str = "rules/plan/rules.yaml", **more: str) -> Path:
    """Write the vocabulary, the sources, one file of rules, and `more` files (`a__b` is a/b.yaml)."""
    files = {"vocabulary/all.yaml": VOCABULARY, "sources.yaml": SOURCES, name: rules}
    files |= {f"{key.replace('__', '/')}.yaml": text for key, text in more.items()}
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(dedent(text).lstrip("\n"), "utf-8")
    return root
