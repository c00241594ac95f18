"""The part of a script that decodes, cuts and varies one clip after another; it decodes none itself."""

from __future__ import annotations

from engine.plan import Plan

from ..augmentation import copies_of_classes
from .head import in_time, is_paired

_CLIPS = '''
class Clips(torch.utils.data.Dataset):
    """Clips, decoded when they are asked for; in training by (epoch, place): what is drawn follows from them."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows
        self.lengths = [{length} for row in rows]
{most}
    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int | tuple[int, int]) -> dict[str, Any]:
        """Return one clip; as it is where `place` is a number alone."""
        epoch, place = place if isinstance(place, tuple) else (None, place)
        row = self.rows[place]
{clip}        return {{"clip": clip, "label": {label}{more}}}
{methods}'''
_MOST = "        self.most = max(len(row.target) for row in rows)\n"
_BOTH = "        clip, reference = self.take(row, epoch), self.take(row.reference, epoch)  # varied alike\n"
_TAKE = '''
    def take(self, row: Any, epoch: int | None) -> np.ndarray:
        """Return a signal, in training as the epoch varies it."""
{clip}        return clip
'''
_DECODED = "        clip = decode(row)\n"
_CUT = """\
        longest = round(MAX_SECONDS * SAMPLE_RATE_HZ)
        if len(clip) > longest:  # a random stretch in training, the middle in evaluation
            where = 0.5 if epoch is None else np.random.default_rng([SEED, epoch, row.number, 1]).random()
            start = int(where * (len(clip) - longest + 1))
            clip = clip[start : start + longest]
"""
_AUGMENTED = """\
        if epoch is not None:
            key = (SEED, epoch, row.number)
            clip = augment(torch.from_numpy(clip), SAMPLE_RATE_HZ, AUGMENTATION, key).numpy()
"""
_VOICE = "        voice = 0 if epoch is None else speed_number(AUGMENTATION, (SEED, epoch, row.number))\n"
_EVENTS = "        clip, events, start = decode(row), row.target, 0\n"
_CUT_EVENTS = """\
        beyond = len(clip) - round(MAX_SECONDS * SAMPLE_RATE_HZ)
        if epoch is not None and beyond > 0:  # a random stretch in training
            start = int(np.random.default_rng([SEED, epoch, row.number, 1]).random() * (beyond + 1))
            clip = clip[start : len(clip) - beyond + start]
"""
_AUGMENTED_EVENTS = """\
        if epoch is not None:
            key = (SEED, epoch, row.number)
            factor, later = moved(len(clip), SAMPLE_RATE_HZ, AUGMENTATION, key)
            events = _moved(events, factor, later - factor * start / SAMPLE_RATE_HZ)
            clip = augment(torch.from_numpy(clip), SAMPLE_RATE_HZ, AUGMENTATION, key).numpy()
"""
_MOVED_EVENTS = "        events = _moved(events, 1.0, -start / SAMPLE_RATE_HZ)\n"
_LABELLED = "        label = self.label_of(events, len(clip) / SAMPLE_RATE_HZ)\n"
_EVENT_LABEL = '''
    def label_of(self, events: Any, seconds: float) -> list[list[float]]:
        """Return begin, end and class of the clip itself, which has class -1, of its events, and of filled up rows."""
        rows = [[0.0, seconds, -1.0], *([one.onset_seconds, one.offset_seconds, one.number] for one in events)]
        return rows + [[-1.0, -1.0, -1.0]] * (self.most + 1 - len(rows))
'''
_VIEW = "        view = None if epoch is None else epoch % {}  # so many takes of each clip, which come in turn\n"
_KEY = ', "key": (-1 if epoch is None else epoch, row.number)'


def clips_part(plan: Plan) -> str:
    """Return the data set of clips."""
    varied, limited = plan.augmentation.strength != "none", plan.data.max_seconds is not None
    cut = limited and plan.answer != "symbols"
    clip = _clip(plan, cut, varied)
    drawn = (_BOTH if is_paired(plan) else clip) + _VOICE * makes_voices(plan)
    drawn += _LABELLED if plan.answer == "events" else ""
    if plan.augmentation.views and "epoch" in drawn:
        drawn = _VIEW.format(plan.augmentation.views) + drawn.replace("epoch", "view")
    return _CLIPS.format(
        length="min(length_of(row), round(MAX_SECONDS * SAMPLE_RATE_HZ))" if cut else "length_of(row)",
        most=_MOST if in_time(plan) else "",
        clip=drawn,
        label=_label(plan),
        more=', "reference": reference' * is_paired(plan) + _KEY * varied,
        methods=_TAKE.format(clip=clip) if is_paired(plan) else _EVENT_LABEL if plan.answer == "events" else "",
    )


def makes_voices(plan: Plan) -> bool:
    """Say whether another speed makes another class of a clip."""
    return copies_of_classes(plan.augmentation) > 1 and plan.answer in ("class", "vector")


def moves_events(plan: Plan) -> bool:
    """Say whether events are elsewhere in what training hears."""
    return plan.answer == "events" and (plan.augmentation.strength != "none" or plan.data.max_seconds is not None)


def _clip(plan: Plan, cut: bool, varied: bool) -> str:
    if plan.answer == "events":
        return _EVENTS + _CUT_EVENTS * cut + (_AUGMENTED_EVENTS if varied else _MOVED_EVENTS * cut)
    return _DECODED + _CUT * cut + _AUGMENTED * varied


def _label(plan: Plan) -> str:
    """Return what stands for the label of a clip, as it is varied in an epoch."""
    if plan.answer == "symbols":
        return "row.target + [-1] * (self.most - len(row.target))"
    if plan.answer == "events":
        return "label"
    return "row.target + voice * len(CLASSES)" if makes_voices(plan) else "row.target"
