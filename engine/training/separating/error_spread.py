"""Answer every training clip by a model that did not see it: do the errors lie near the label, or anywhere?

A hard task errs toward classes that sound alike; a wrong label is as likely any class as any other.
"""

from __future__ import annotations

import numpy as np

from engine.evidence.class_shares import error_rank
from engine.metrics import bootstrap_interval
from engine.separating import Outcome

from ..items import Item
from .bench import UNREGULARISED, Bench
from .modes import answers
from .short_runs import trained_job

_FOLDS = 3
_FEWEST_CLASSES = 4
_FACTS = ("test.error_rank", "test.error_rank_low", "test.unseen_error_share", "test.unseen_skill")


def error_spread(bench: Bench) -> Outcome:
    """Train on two thirds of the training clips and answer the last, three times; speakers may stand on both sides."""
    classes = bench.prepared.corpus.classes
    if bench.plan.answer != "class" or len(classes) < _FEWEST_CLASSES:
        reason = f"clips have no class, or there are fewer than {_FEWEST_CLASSES}"
        return Outcome("error-spread", {}, (), dict.fromkeys(_FACTS, reason))
    items = bench.parts.train
    turn = np.random.default_rng(bench.plan.training.seed).permutation(len(items)) % _FOLDS
    labels, shares = [], []
    for fold in range(_FOLDS):
        seen = [item for item, place in zip(items, turn, strict=True) if place != fold]
        unseen: tuple[Item, ...] = tuple(item for item, place in zip(items, turn, strict=True) if place == fold)
        job = trained_job(bench, f"fold-{fold + 1}", seen, {**UNREGULARISED, **_LEARNING})
        job.model.eval()
        shares.append(answers(job, unseen).double().softmax(1).numpy())
        labels.append(np.array([int(item.target) for item in unseen]))
    given, answered = np.concatenate(labels), np.concatenate(shares)
    wrong = float((answered.argmax(1) != given).mean())
    ranks = error_rank(given, answered)
    facts = {_FACTS[2]: wrong, _FACTS[3]: 1 - wrong * len(classes) / (len(classes) - 1)}
    gone = dict.fromkeys(_FACTS[:2], "hardly any unseen clip is answered wrong") if len(ranks) < 10 else {}
    shown = [f"{wrong:.0%} of {len(given)} unseen training clips are answered wrong"]
    if not gone:
        low, high = bootstrap_interval(lambda values: float(np.mean(values)), ranks, samples=400)
        facts |= {_FACTS[0]: float(ranks.mean()), _FACTS[1]: low}
        told = f"their labels stand at {ranks.mean():.2f} [{low:.2f}, {high:.2f}] of the other classes"
        shown.append(f"{told}; 0 is the runner-up, 0.5 is anywhere")
    return Outcome("error-spread", dict(facts), tuple(shown), gone, len(given))


_LEARNING = {"training.class_balance": "as-they-come", "training.clips_per_class": 0, "training.epochs": 15}
"""Enough epochs that the errors are those of the task and not of a beginning."""
