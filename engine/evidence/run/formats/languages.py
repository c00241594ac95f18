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
    "потери на обучении": "train loss", "потери на валидации": "val loss", "потери": "loss", "точность": "accuracy",
    "скорость обучения": "lr", "эпоха": "epoch", "шаг": "step", "обучение": "train", "валидация": "val",
}  # fmt: skip
"""German, French, Spanish, Portuguese, Italian and Russian; where a word means two things, such as `précision`, it is
left."""
_UNPARTED = {
    "训练集": "train", "训练": "train", "訓練": "train", "学習": "train", "学習率": "lr", "学习率": "lr",
    "學習率": "lr",
    "验证集": "val", "验证": "val", "驗證": "val", "検証": "val", "测试集": "test", "测试": "test", "測試": "test",
    "损失": "loss", "損失": "loss", "准确率": "accuracy", "準確率": "accuracy", "正确率": "accuracy",
    "正解率": "accuracy", "词错误率": "wer", "字错误率": "cer", "平均": "avg",
    "轮次": "epoch", "輪次": "epoch", "エポック": "epoch", "步数": "step", "ステップ": "step",
    "훈련": "train", "학습률": "lr", "학습": "train", "검증": "val", "손실": "loss", "정확도": "accuracy",
    "에포크": "epoch", "에폭": "epoch", "단계": "step",
    "：": ": ", "，": ", ", "；": "; ", "＝": "= ",
}  # fmt: skip
"""Chinese, Japanese and Korean, which put no spaces between words."""
_UNPARTED_FORM = re.compile("|".join(sorted(_UNPARTED, key=len, reverse=True)))
_ORDINAL = re.compile(r"第\s*(\d+)\s*(/\s*\d+)?\s*(?:个|個)?\s*(?:轮|輪|世代|(?=epoch))")
"""`第 3/20 轮` is the third of twenty epochs."""
_FOREIGN = re.compile(rf"(?<!\w)(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})(?!\w)", re.IGNORECASE)
_COMMA = re.compile(r"(?<![\d,.])(-?\d+),(\d+)(?![\d,.]*\d)")
_AFTER_SIGN = re.compile(r"[:=]\s*-?\d+,\d+")
_AFTER_WORD = re.compile(r"[^\W\d_] -?\d+,\d+(?=\s|$)")
_POINT = re.compile(r"\d\.\d")
_ENOUGH = 5


def normalised(text: str) -> str:
    """Return a log with English words for losses, scores and epochs, and with decimal points."""
    head = text[:_HEAD]
    if _UNPARTED_FORM.search(head):
        text = _ORDINAL.sub(r" epoch \1\2 ", text)
        text = _UNPARTED_FORM.sub(lambda match: f" {_UNPARTED[match[0]]} ", text)
        text = re.sub(r" +(?=[ :,;=])", "", text)
    if _FOREIGN.search(head):
        text = _FOREIGN.sub(lambda match: _WORDS[match[0].lower()], text)
    return _COMMA.sub(r"\1.\2", text) if _has_decimal_commas(head) else text


def _has_decimal_commas(head: str) -> bool:
    """Whether commas stand within numbers: no number has a point, and something else than a comma parts columns."""
    if _POINT.search(head):
        return False
    first = head.split("\n", 1)[0]
    parted = any(mark in first for mark in (";", "\t")) and len(_COMMA.findall(head)) >= _ENOUGH
    return parted or max(len(_AFTER_SIGN.findall(head)), len(_AFTER_WORD.findall(head))) >= _ENOUGH
