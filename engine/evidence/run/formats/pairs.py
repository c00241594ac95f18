"""Finds the numbers of a line that stand behind names of losses, metrics and rates; guesses nothing from prose."""

from __future__ import annotations

import re
from functools import lru_cache

from ..series import direction_of
from ..words import splits, words
from .names import is_metric, meaning

NUMBER = r"(?>[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|nan|NaN|inf|Infinity))"
"""Whole or not at all: part of a long row of digits is no number, and trying each part would take their cube."""
_PAIR = re.compile(
    rf"(?<![A-Za-z])(?P<name>[A-Za-z_][\w@./]{{0,59}}(?:[ -][A-Za-z_@][\w@./]{{0,59}}){{0,3}}?)"
    rf"\s*(?P<sign>[:=]\s*[(\[]?\s*|\s+|\s*\(\s*)"
    rf"(?P<value>{NUMBER})(?![\w/:.-]*[A-Za-z_/])(?:\s*\((?P<mean>(?![-+]){NUMBER})\))?"
)
_SECONDS = re.compile(r"\s?s(?:ec(?:onds)?)?\b")
_DECIMAL = re.compile(r"\s+\d+\.\d")
_MANY = 10
"""Numbers in a list that are no classes any more."""


def pairs_of(line: str) -> list[tuple[str, float]]:
    """Return the names in a line that are known, each with its number."""
    found = []
    for pair in _PAIR.finditer(line):
        told = pair["sign"].strip()[:1] in (":", "=") or (
            "_" in pair["name"] and (_is_of_split(pair["name"]) or _is_part_of_loss(pair))
        )
        name = ("ce" if pair["name"] == "ce" else _identifier(pair["name"])) if told else ""
        name = name or _name(pair["name"]) or _among_columns(pair["name"], line)
        if pair["sign"].strip() == ":" and line[pair.end() : pair.end() + 1] == "]" and pair["value"].isdigit():
            continue  # `module:231]` is a line of code
        if pair["sign"].rstrip()[-1:] == "[" and line[pair.end() :].partition("]")[0].count(",") >= _MANY:
            continue  # a score at each of many thresholds
        if not pair["sign"].strip() and pair["value"].isdigit() and _DECIMAL.match(line, pair.end("value")):
            continue  # `top 5 0.93`, `class 0 0.81`: the first number belongs to the name
        if pair["name"].lower().endswith("cost") and _SECONDS.match(line, pair.end()):
            continue  # `cost 112.1 s` is what the epoch took
        mean = pair["mean"] if "." in (pair["mean"] or "") or "." not in pair["value"] else None
        if mean and float(mean) == 0 and pair["sign"].strip() != "(":
            mean = None  # `1.609 (0.000)` is a deviation or a penalty: no mean of what is told
        if name and not (pair["sign"].strip() == "(" and mean):
            found.append((name, float(mean or pair["value"])))
    return found


@lru_cache(maxsize=4096)
def _is_of_split(text: str) -> bool:
    """Whether a name tells a split, or is that of a score that is held out by nature, as `EER_a` is."""
    one = meaning(text)
    return bool(one.split or (one.role == "curve" and words("held-out-by-nature") & set(one.metric.split("_")[:1])))


def _is_part_of_loss(pair: re.Match[str]) -> bool:
    """Whether `loss_cls 0.5` tells a loss: its name has the word, and its number a point."""
    return "." in pair["value"] and "loss" in pair["name"].lower().rpartition(" ")[2].split("_")


def _among_columns(text: str, line: str) -> str:
    """A cross entropy by its two letters, which are a French word as well, where bars part what is told."""
    return "ce" if text == "ce" and line.count("|") > 1 else ""


@lru_cache(maxsize=4096)
def _identifier(text: str) -> str:
    """A name in the way of programs, such as `avg_loss_mel`, may hold the word for a loss or metric anywhere."""
    before, _, last = text.rpartition(" ")
    if "_" not in last or meaning(last).role != "curve" or not direction_of(meaning(last).metric):
        return ""
    split = before.rpartition(" ")[2]
    return f"{split} {last}" if split.lower().rstrip("_0123456789") in splits() else last


@lru_cache(maxsize=4096)
def _name(text: str) -> str:
    """The words before a number that name something logged; empty when they are prose."""
    role = meaning(text).role
    if role in ("rate", "gradient"):
        return text
    if role == "curve" and is_metric(text):
        words = text.split(" ")
        told = [index for index, word in enumerate(words) if word.lower() in splits()]
        return " ".join(words[told[-1] :]) if told and told[-1] < len(words) - 1 else text
    last = text.rsplit(" ", 1)[-1]
    return _name(last) if last != text else ""
