"""Brings logs of other languages into the words and numbers that the readers know; interprets nothing."""

from __future__ import annotations

import re

_HEAD = 64 << 10
"""Characters by whose look the whole log is judged."""
_WORDS = {
    "trainingsverlust": "train loss", "validierungsverlust": "val loss", "testverlust": "test loss",
    "trainingsgenauigkeit": "train accuracy", "validierungsgenauigkeit": "val accuracy", "genauigkeit": "accuracy",
    "verlust": "loss", "lernrate": "lr", "epoche": "epoch", "schritt": "step", "validierung": "val",
    "perte": "loss", "époque": "epoch", "exactitude": "accuracy", "apprentissage": "train",
    "pérdida": "loss", "perdida": "loss", "época": "epoch", "epoca": "epoch", "exactitud": "accuracy",
    "perda": "loss", "acurácia": "accuracy", "acuracia": "accuracy", "treino": "train", "validação": "val",
    "perdita": "loss", "accuratezza": "accuracy",
}  # fmt: skip
"""German, French, Spanish, Portuguese and Italian; where a word means two things, such as `précision`, it is left."""
_FOREIGN = re.compile(rf"(?<!\w)(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})(?!\w)", re.IGNORECASE)
_COMMA = re.compile(r"(?<![\d,.])(-?\d+),(\d+)(?![\d,.]*\d)")
_AFTER_SIGN = re.compile(r"[:=]\s*-?\d+,\d+")
_POINT = re.compile(r"\d\.\d")
_ENOUGH = 5


def normalised(text: str) -> str:
    """Return a log with English words for losses, scores and epochs, and with decimal points."""
    head = text[:_HEAD]
    if _FOREIGN.search(head):
        text = _FOREIGN.sub(lambda match: _WORDS[match[0].lower()], text)
    return _COMMA.sub(r"\1.\2", text) if _has_decimal_commas(head) else text


def _has_decimal_commas(head: str) -> bool:
    """Whether commas stand within numbers: no number has a point, and something else than a comma parts columns."""
    if _POINT.search(head):
        return False
    first = head.split("\n", 1)[0]
    parted = any(mark in first for mark in (";", "\t")) and len(_COMMA.findall(head)) >= _ENOUGH
    return parted or len(_AFTER_SIGN.findall(head)) >= _ENOUGH
