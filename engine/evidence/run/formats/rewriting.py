"""Brings lines in which a name and its number stand apart into `name: number`; decides nothing about them.

Each form is that of many scripts, and looked for only where a part of it stands in the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..series import direction_of
from ..words import splits
from .names import is_metric

_Form = tuple[tuple[str, ...], re.Pattern[str], str | Callable[[re.Match[str]], str]]
"""Parts of which one is in every line of the form, the form, and what is put in its place."""
_NUMBER = r"(?>[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|nan|inf))"
_OF_A_SPLIT = r"train(?:ing)?|val(?:id(?:ation)?)?|dev|test|eval(?:uation)?"
_SCALAR = re.compile(
    rf"(?:tensor|(?:np|numpy|jnp)\.\w+|array|Array)\(\s*({_NUMBER})\s*(?:,(?:[^()]|\([^()]{{0,80}}\)){{0,120}})?\)"
)
"""`tensor(0.25, device='cuda:0')`, `np.float64(0.25)`: a number that knows where it lives."""
_RIGHT_OF_ALL = re.compile(
    r"(?P<name>\b[A-Za-z]*(?:acc(?:uracy)?|correct)\s*[:=]\s*)(?P<right>\d+)\s*/\s*(?P<all>\d+)\b"
    r"(?:\s*\(\s*[\d.]+\s*%\s*\))?",
    re.IGNORECASE,
)
"""`Accuracy: 9800/10000 (98%)`, of which the fraction has more digits than the percentage."""
_OF_IMAGES = re.compile(
    rf"\baccuracy of the \w+ on the [\d,]* ?({_OF_A_SPLIT})(?:ing)? [a-z]+\s*[:=]?\s*({_NUMBER})", re.IGNORECASE
)
"""`Accuracy of the network on the 10000 test images: 54 %`, as the tutorials of PyTorch print."""
_SPLIT_BEHIND = re.compile(
    rf"\b([A-Za-z][\w@-]*)\s*(?:\(({_OF_A_SPLIT})\)|\[({_OF_A_SPLIT})\])(?=\s*[:=]?\s*[-+.\d])", re.IGNORECASE
)
"""`loss (train): 0.5`, `acc[val]=0.9`."""
_AVERAGED = re.compile(r"\s*\((?:micro|macro|weighted)(?:[ -]av(?:era)?g(?:e)?)?\.?\)", re.IGNORECASE)
_BOTH_SPLITS = re.compile(
    rf"\b(loss|acc(?:uracy)?)\b\s*:?\s*(train(?:ing)?):?\s*=?\s*({_NUMBER})\s*[,;|/]?\s*(val(?:id(?:ation)?)?|test)"
    rf":?\s*=?\s*({_NUMBER}|n/a)", re.IGNORECASE)  # fmt: skip
"""`loss train: 0.5, val: 0.6`, where one name speaks for two numbers."""
_OF = re.compile(rf"\b([A-Za-z][\w@-]*)\s+of\s+(?={_NUMBER})")
"""`a loss of 0.5`."""
_ON_A_SPLIT = re.compile(
    rf"\b([A-Za-z][\w@-]*)\s+(?:on|for|over)\s+(?:the\s+)?({_OF_A_SPLIT})\b(?:[ _-]?(?:set|data|split|samples))?"
    rf"(?=\s*[:=]?\s*{_NUMBER})", re.IGNORECASE)  # fmt: skip
"""`loss on the training set 0.5`, `WER for dev: 12`."""
_OF_BOTH = re.compile(
    rf"\b([A-Za-z]\w*)\s*[(\[]?\b({_OF_A_SPLIT})\s*[/|,]\s*({_OF_A_SPLIT})\b[)\]]?\s*[:=]?\s*[(\[]?({_NUMBER})\s*[/|,]"
    rf"\s*({_NUMBER})", re.IGNORECASE)  # fmt: skip
"""`Loss (train/val): 0.5/0.6`."""
_SPLITS_BEHIND = re.compile(
    rf"\b([A-Za-z]\w*)\s*[:(]\s*((?:{_OF_A_SPLIT})\s*[:=]\s*{_NUMBER}"
    rf"(?:[\s,;|/]+(?:{_OF_A_SPLIT})\s*[:=]\s*{_NUMBER})*)", re.IGNORECASE)  # fmt: skip
"""`loss: train=0.5 val=0.6, acc: val=0.9`, where a name stands before the splits that it is told of."""
_SPLIT_AND_NUMBER = re.compile(rf"({_OF_A_SPLIT})\s*[:=]\s*({_NUMBER})", re.IGNORECASE)
_ARROW = re.compile(rf"(?<=[A-Za-z_)\]])\s*(?:->|=>|→|>>)\s*(?={_NUMBER})")
"""`val loss -> 0.5`."""
_IS = re.compile(rf"(?<=[a-z])(?<!\d epoch)\s+(?:is|was)(?:\s+now)?\s*:?\s+(?={_NUMBER})", re.IGNORECASE)
"""`the loss is 0.5`; but `1 epoch is 500 iterations` tells no place in the run."""
_SAVED_SCORES = re.compile(r"\bSaving dict for global step (\d+):\s*")
"""`Saving dict for global step 100: accuracy = 0.5, loss = 0.6`, by which Estimators tell an evaluation."""
_DARKNET = re.compile(rf"^\s*(\d+)(?:, \d+\.\d+)?:\s*{_NUMBER},\s*({_NUMBER}) avg(?: loss)?,")
_OF_VITS = {
    7: ("loss_disc", "loss_gen", "loss_fm", "loss_mel", "loss_kl", "step", "lr"),
    8: ("loss_disc", "loss_gen", "loss_fm", "loss_mel", "loss_dur", "loss_kl", "step", "lr"),
}
"""What VITS and so-vits-svc print in brackets without a name, by how many numbers there are."""
_BARE_LIST = re.compile(rf"^\s*\[((?:{_NUMBER},\s*){{6,7}}{_NUMBER})\]\s*$")
_STEP_AND_RATE = re.compile(r"^\s*\[(\d{1,9}), (0\.00\d{1,20}|\d(?:\.\d{1,20})?e-\d{1,2})\]\s*$")
"""`[200, 0.0001]`, the step and the rate, which retrieval-based voice conversion prints above its losses."""
_OF_SVC = {
    5: ("loss_disc", "loss_gen", "loss_fm", "loss_mel", "loss_kl"),
    6: ("loss_disc", "loss_gen", "loss_fm", "loss_mel", "loss_kl", "loss_lf0"),
}
_LISTED_LOSSES = re.compile(
    rf"\bloss(?:es)?\s*:\s*\[((?:{_NUMBER},\s*){{4,5}}{_NUMBER})\](?=\s*,\s*step\s*:)", re.IGNORECASE
)
"""`Losses: [2.7, 2.7, 7.3, 30.2, 3.6], step: 0, lr: 0.0001`, as so-vits-svc prints."""
_TOTAL = re.compile(r"\bepoch\b[^|]{0,80}?\btotal: (?=\d{1,9}\.\d{2,12}(?:\s|,|$))", re.IGNORECASE)
"""`[epoch: 1/200, iter: 25/489] total: 1.640443`: behind the place in a training a bare total is that of the losses."""
_COST = re.compile(rf"\bUp\.\s*(\d+)\s*:(.{{0,80}}?)\bCost\s+({_NUMBER})(?=\s*[:*])")
"""`Ep. 1 : Up. 1000 : Sen. 64,000 : Cost 5.12 : Time 60s`, as Marian prints."""
_ABBREVIATED = re.compile(
    rf"(?P<words>\b[A-Za-z][\w-]*(?: [A-Za-z][\w-]*){{0,5}})"
    rf" ?\((?P<name>[A-Za-z][\w@/-]{{0,19}})\)(?=\s*[:=]\s*{_NUMBER})"
)
"""`Word Error Rate (WER): 40.1`, where the name by which a metric goes stands behind the words it is short for."""
_SCORE_OF_SPLIT = re.compile(
    rf"\b({_OF_A_SPLIT}) at (step|epoch|iteration) (\d+)\s*[:=]\s*(?={_NUMBER})", re.IGNORECASE
)
"""`dev at step 1000: 0.8`: a score without a name."""
_EPOCH_AND_BATCH = re.compile(rf"^\s*\[\s*(\d{{1,6}}),\s*(\d{{1,9}})\s*\](?=\s*[A-Za-z][\w ]{{0,40}}[:=]\s*{_NUMBER})")
"""`[1,  2000] loss: 2.2`, as the tutorials of PyTorch print."""
_REACHED = re.compile(rf"(['\"]?)\b([A-Za-z][\w/@.-]{{0,59}})\1 reached (?={_NUMBER}[^%\d])")
"""`val_loss reached 0.5 (best 0.5), saving model`, as Lightning prints of what its checkpoints go by."""
_OF_SORT = re.compile(r"(?<=[a-z]) ?<[a-z_ ]{1,20}>(?=\s?[=:])")
"""`validation accuracy <score>=0.5`, as SageMaker tells its metrics."""
_DECIBELS = re.compile(r"(?<=\d) ?dB\b")
_ASIDE = re.compile(r"\s?[(\[](?:[^()\[\]]{0,12}\b)?best\b[^()\[\]]{0,60}[)\]]", re.IGNORECASE)
"""`(best 0.5 @ 12)` behind a number tells what stood elsewhere."""
_GLUED_EPOCH = re.compile(r"\b(epoch)_?(\d{1,6})(?![\w.])-?", re.IGNORECASE)
"""`epoch012-loss 0.5`, `epoch_12:`."""
_LOSS_OF_STEP = re.compile(rf"\b({_OF_A_SPLIT}) loss (\d+)\s*:?\s+({_NUMBER})(?=\s|$)", re.IGNORECASE)
"""`Train loss 100 0.56 Grad Norm 1.2`, `Validation loss 100:  0.61`, as Tacotron 2 of NVIDIA prints."""
_SPEAKS_FIRST = re.compile(
    rf"\b({_OF_A_SPLIT}) ([A-Za-z]\w*) (?:at|after|for|in|of) (step|epoch|iteration) (\d+)\s*[:=]\s*({_NUMBER})",
    re.IGNORECASE,
)
"""`dev acc at step 1000: 0.8`, as s3prl prints; `Training loss after epoch 3: 0.5`."""
_BARE_SHARES = re.compile(
    rf"\bloss: ({_NUMBER})((?:, (?:train|val|test): (?>[01]?\.\d{{1,9}})){{2,3}})(?![\d.])", re.IGNORECASE
)
"""`Epoch: 003, Loss: 1.9, Train: 0.2, Val: 0.1, Test: 0.1`: shares behind a loss, as PyTorch Geometric prints."""
_QUOTED = re.compile(rf"([\"'])([A-Za-z][\w@/. -]{{0,59}})\1\s*[:,]\s*(?={_NUMBER})")
"""`"train_loss": 0.5,` on a line of its own, as a dump that was cut off holds it; `('loss', 0.5)` of old Python."""
_BARE_SPLITS = re.compile(
    r"(?<![\w/.-])tr(?:ain)?\s*[:=]?\s*(?P<train>-?\d{1,6}\.\d{1,12})(?![\w.%])(?P<between>[^A-Za-z\d]{1,12})"
    r"(?P<split>va|val(?:id)?|dev|test|cv)\s*[:=]?\s*(?P<held>-?\d{1,6}\.\d{1,12})(?![\w.%])",
    re.IGNORECASE)  # fmt: skip
"""`train 0.5 | valid 0.6`: whether the numbers are losses shows in their course."""
_LOSS_THEN_SPLIT = re.compile(
    r"(?<![\w/.-])(?:train\s)?loss\s*[:=]?\s*(\d{1,6}\.\d{1,12})([^A-Za-z\d]{1,12})(?:val(?:id)?|dev)\s*[:=]?\s*"
    r"(\d{1,6}\.\d{1,12})(?![\w.%])", re.IGNORECASE)  # fmt: skip
"""`loss 0.5 val 0.6`: the loss is that of the training, and what the other number is shows in its course."""
_SHARE_OF_SPLIT = re.compile(r"(train|val|test): ", re.IGNORECASE)


def rewritten(line: str) -> str:
    """Return a line with each number behind its name, as far as a known form stands in it."""
    if ('"' in line or "'" in line) and "{" not in line:  # an object in one line has readers of its own
        line = _QUOTED.sub(r"\2: ", line)
    low = line.lower()
    if "(" in low or "[" in low:
        line = _with(_BRACKETED, line, low)
    if "/" in low and ("acc" in low or "correct" in low):
        line = _RIGHT_OF_ALL.sub(_fraction, line)
    return _with(_SPOKEN, line, low)


def _with(forms: tuple[_Form, ...], line: str, low: str) -> str:
    for parts, form, put in forms:
        for part in parts:
            if part in low:
                line = form.sub(put, line)
                break
    return line


def _fraction(found: re.Match[str]) -> str:
    whole = int(found["all"])
    return f"{found['name']}{int(found['right']) / whole:.6g}" if whole else found[0]


def _of_vits(found: re.Match[str]) -> str:
    values = [value.strip() for value in found[1].split(",")]
    names = _OF_VITS[len(values)]
    like_it = values[-2].isdigit() and 0 < float(values[-1]) < _HIGHEST_RATE
    return " ".join(f"{name}: {value}" for name, value in zip(names, values, strict=True)) if like_it else found[0]


def _of_svc(found: re.Match[str]) -> str:
    values = [value.strip() for value in found[1].split(",")]
    return " ".join(f"{name}: {value}" for name, value in zip(_OF_SVC[len(values)], values, strict=True))


def _named_shares(found: re.Match[str]) -> str:
    return f"train loss: {found[1]}{_SHARE_OF_SPLIT.sub(lambda one: f'{one[1]} accuracy: ', found[2])}"


def _scores_of_splits(found: re.Match[str]) -> str:
    split = "val" if found["split"].lower() == "va" else found["split"]
    return f"train score: {found['train']}{found['between']}{split} score: {found['held']}"


def _of_losses(found: re.Match[str]) -> str:
    return f"{found[0].removesuffix('total: ')}total loss: "


_HIGHEST_RATE = 0.01
"""Of the last number of such a list; VITS begins at 2e-4."""


def _named_by_split(found: re.Match[str]) -> str:
    return f"{found[2] or found[3]} {found[1]}"


def _by_short_name(found: re.Match[str]) -> str:
    """What stands in brackets is the name where it is one of a metric, and the words before it may tell a split."""
    if not direction_of(found["name"]) or found["name"].lower() in splits():
        return found[0]
    told = [word for word in found["words"].split() if word.lower() in splits()]
    return " ".join([*told[-1:], found["name"]])


def _of_a_step(found: re.Match[str]) -> str:
    """A loss has digits behind its point; `train loss 3 4` is something else."""
    return f"step {found[2]} {found[1]} loss: {found[3]}" if "." in found[3] else found[0]


def _of_a_metric(found: re.Match[str]) -> str:
    """`epoch 3 of 20` names no metric."""
    return f"{found[1]}: " if is_metric(found[1]) else found[0]


def _each_split(found: re.Match[str]) -> str:
    pairs = _SPLIT_AND_NUMBER.findall(found[2])
    return ", ".join(f"{split} {found[1]}: {value}" for split, value in pairs)


_OPENED = tuple(f"{mark}{split}" for mark in "([" for split in ("train", "val", "dev", "test", "eval"))
_BRACKETED: tuple[_Form, ...] = (
    (("tensor(", "array(", "np.", "numpy."), _SCALAR, r"\1"),
    (("best",), _ASIDE, ""),
    (("avg", "average", "micro", "macro", "weighted"), _AVERAGED, ""),
    (_OPENED, _SPLIT_BEHIND, _named_by_split),
    (("):", ") :", ")=", ") ="), _ABBREVIATED, _by_short_name),
    (("[",), _EPOCH_AND_BATCH, r"epoch \1 step \2"),
    (("loss",), _LISTED_LOSSES, _of_svc),
    (("[",), _BARE_LIST, _of_vits),
    (("[",), _STEP_AND_RATE, r"step: \1 lr: \2"),
)
_BEHIND = tuple(
    f"{mark}{split}{sign}"
    for mark in (": ", ":", "(")
    for split in ("train", "val", "valid", "dev", "test", "eval")
    for sign in "=:"
)
_SPOKEN: tuple[_Form, ...] = (
    (("of the ",), _OF_IMAGES, r"\1 accuracy: \2"),
    (("loss train", "loss: train", "accuracy train", "acc train"), _BOTH_SPLITS, r"\2 \1: \3, \4 \1: \5"),
    ((" is", " was"), _IS, ": "),
    ((" of ",), _OF, _of_a_metric),
    ((" on ", " for ", " over "), _ON_A_SPLIT, r"\2 \1"),
    (("->", "=>", "→", ">>"), _ARROW, ": "),
    (("train/", "train|", "training/", "train /", "train,", "training,"), _OF_BOTH, r"\2 \1: \4, \3 \1: \5"),
    (_BEHIND, _SPLITS_BEHIND, _each_split),
    (("saving dict for",), _SAVED_SCORES, r"eval step \1: "),
    ((" avg",), _DARKNET, r"iteration \1 train loss: \2,"),
    (("cost ",), _COST, r"step \1 :\2 train loss: \3"),
    (("train loss ", "validation loss "), _LOSS_OF_STEP, _of_a_step),
    ((" step ", " epoch ", " iteration "), _SPEAKS_FIRST, r"\3 \4 \1 \2: \5"),
    ((" reached ",), _REACHED, r"\2: "),
    (("db",), _DECIBELS, ""),
    ((">=", ">:"), _OF_SORT, ""),
    (("epoch",), _GLUED_EPOCH, r"\1 \2 "),
    ((" at step ", " at epoch ", " at iteration "), _SCORE_OF_SPLIT, r"\2 \3 \1 score: "),
    ((", train: ", ", val: "), _BARE_SHARES, _named_shares),
    (("total: ",), _TOTAL, _of_losses),
    (("train", "tr ", "tr:", "tr="), _BARE_SPLITS, _scores_of_splits),
    (("loss",), _LOSS_THEN_SPLIT, r"train loss: \1\2val score: \3"),
)
