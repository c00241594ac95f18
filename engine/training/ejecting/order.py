"""The part of a script that says which clips an epoch shows and in which batches; it orders none itself."""

from __future__ import annotations

from engine.plan import Plan

from ..losses import adds_up
from .writing import namespace

_ORDER = '''
class BatchOrder:
    """The batches of each epoch: clips of similar length together; what comes when follows from seed and epoch."""

    def __init__(self, rows: list[Any], lengths: list[int]) -> None:
        self.lengths, self.epoch = lengths, 0
{sampler}
    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer before each epoch."""
        self.epoch = epoch

    def batches(self, epoch: int) -> list[list[int]]:
        """Return the passes of an epoch; ACCUMULATION of them make one step."""
        order = {order}
        return [part.tolist() for batch in order for part in np.array_split(batch, ACCUMULATION)]

    def __len__(self) -> int:
        {length}

    def total_steps(self) -> int:
        """Return the steps of the whole training, which the rates follow."""
        {total}

    def __iter__(self) -> Any:
        for batch in self.batches(self.epoch):
            yield [(self.epoch, place) for place in batch]
'''
_EVEN = "return len(self.batches(0))"
_UNEVEN = '''"""Return the passes of the longest epoch; the Trainer notices by itself where a shorter one ends."""
        return max(len(self.batches(epoch)) for epoch in range(EPOCHS))'''
_TOTAL = "return EPOCHS * len(self) // ACCUMULATION"
_ADDED = "return sum(len(self.batches(epoch)) for epoch in range(EPOCHS)) // ACCUMULATION"
_SAMPLED = (
    "batch_size",
    "batch_seconds",
    "seed",
    "epochs",
    "class_balance",
    "clips_per_class",
    "curriculum_epochs",
    "best_epochs",
    "best_share",
)
"""What the sampler reads of `training`."""


def has_own_sampler(plan: Plan) -> bool:
    """Say whether an epoch shows other clips than all of them once."""
    training = plan.training
    return training.class_balance == "balanced-sampling" or bool(training.curriculum_epochs or training.best_epochs)


def has_uneven_epochs(plan: Plan) -> bool:
    """Say whether epochs differ in their number of steps."""
    training = plan.training
    return bool(training.batch_seconds or training.curriculum_epochs or training.best_epochs)


def passes_of(plan: Plan, clips: int) -> int:
    """Return the passes of a step: one where the loss compares the whole batch, or a batch may have fewer clips."""
    training = plan.training
    uneven = training.batch_seconds or training.clips_per_class
    fewest = min(clips, (training.batch_size + 1) // 2)  # the batches of an epoch differ by one clip at most
    return training.accumulation if adds_up(training.loss) and not uneven and training.accumulation <= fewest else 1


def reads_rarest(plan: Plan) -> bool:
    """Say whether the order follows the rarest of a clip's classes."""
    return plan.answer in ("tags", "events") and plan.training.class_balance == "balanced-sampling"


def reads_quality(plan: Plan) -> bool:
    """Say whether the order follows how good each clip is."""
    return plan.data.quality_column is not None and has_own_sampler(plan)


def order_part(plan: Plan) -> str:
    """Return the class that orders the clips of every epoch."""
    uneven = has_uneven_epochs(plan)
    length, total = (_UNEVEN, _ADDED) if uneven else (_EVEN, _TOTAL)
    if not has_own_sampler(plan):
        longest = round(plan.training.batch_seconds * plan.data.sample_rate_hz)
        limit = f", {longest}" if longest else ""
        order = f"epoch_order(self.lengths, BATCH_SIZE, SEED, epoch{limit})"
        return _ORDER.format(sampler="", order=order, length=length, total=total)
    sampler = "".join(f"        {line}\n" for line in _sampler(plan))
    return _ORDER.format(sampler=sampler, order="self.sampler.order(epoch)", length=length, total=total)


def _sampler(plan: Plan) -> list[str]:
    balanced = plan.training.class_balance == "balanced-sampling"
    of_a_class = "row.target" if plan.answer in ("class", "vector") else "0"
    known = "int(row.rarest)" if reads_rarest(plan) else of_a_class if balanced else "0"
    rated = ", [float(row.quality) for row in rows]" if reads_quality(plan) else ""
    return [
        f"training = {namespace(plan.training, *_SAMPLED, indent=8)}",
        "plan = SimpleNamespace(training=training, data=SimpleNamespace(sample_rate_hz=SAMPLE_RATE_HZ))",
        f"self.sampler = Sampler(plan, self.lengths, [{known} for row in rows]{rated})",
    ]
