"""The part of a script that reads clips and orders them; it reads none itself."""

from __future__ import annotations

from engine.plan import Answer, Plan

from .model import SPEECH
from .order import order_part
from .writing import namespace

_EXTRACTOR = '''
EXTRACTOR = transformers.Wav2Vec2FeatureExtractor(
    sampling_rate=SAMPLE_RATE_HZ, do_normalize={normalises}, return_attention_mask=True
)
"""As the checkpoint's own preprocessor says; its mask keeps padding out of attention, statistics and mean."""
'''
_READING = '''
def read_rows(part: str) -> list[Any]:
    """Return the clips of `train`, `val` or `test` in the order of the manifest."""
    with CLIPS.open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["part"] == part]
    rows = [SimpleNamespace(**row, number=int(row["row"]), target={target}) for row in rows]
    return {kept}


def place_of(row: Any, rate: int) -> tuple[int, int | None]:
    """Return the first sample of a clip in its file, and the one after its last; None: to the end."""
    stop = round(float(row.stop_seconds) * rate) if row.stop_seconds else None
    return round(float(row.start_seconds or 0) * rate), stop


def length_of(row: Any) -> int:
    """Return the samples that `decode` will give, from the file's head."""
    info = soundfile.info(row.file)
    start, stop = place_of(row, info.samplerate)
    return math.ceil((min(stop or info.frames, info.frames) - start) * SAMPLE_RATE_HZ / info.samplerate)


def decode(row: Any) -> np.ndarray:
    """Return (samples,) float32: the mean of the channels at SAMPLE_RATE_HZ."""
    start, stop = place_of(row, soundfile.info(row.file).samplerate)
    samples, rate = soundfile.read(row.file, start=start, stop=stop, dtype="float32", always_2d=True)
    samples = samples[:, [int(row.channel)]] if row.channel else samples
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    if rate != SAMPLE_RATE_HZ:
        mono = resampled(mono, rate, SAMPLE_RATE_HZ)
    return np.ascontiguousarray(mono)
'''
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
        clip = decode(row)
{changes}        return {{"clip": clip, "label": {label}{key}}}
'''
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
_COLLATE = '''
def collate(examples: list[dict[str, Any]]) -> dict[str, Tensor]:
    """Return one padded batch."""
{inputs}
    inputs["labels"] = torch.tensor([example["label"] for example in examples]{kind})
{keys}    return inputs
'''
_PADDED = """\
    clips = [torch.from_numpy(example["clip"]) for example in examples]
    inputs = {
        "waveforms": nn.utils.rnn.pad_sequence(clips, batch_first=True),
        "lengths": torch.tensor([len(clip) for clip in clips]),
    }"""
_EXTRACTED = """\
    clips = [example["clip"] for example in examples]
    inputs = dict(EXTRACTOR(clips, sampling_rate=SAMPLE_RATE_HZ, padding=True, return_tensors="pt"))"""
_KEYS = '    inputs["keys"] = torch.tensor([example["key"] for example in examples])\n'
_TARGETS: dict[Answer, str] = {
    "class": 'CLASSES.index(row["label"])',
    "tags": '[float(name in tags_of(row["label"], SEPARATOR)) for name in CLASSES]',
    "symbols": '[CLASSES.index(char) for char in transcript_of(row["label"], PLAIN)]',
    "score": 'float(row["label"])',
}
"""What a clip's answer is compared with, from its row of the list."""
_WHOLE = '[row for row in rows if part != "train" or length_of(row) <= round(MAX_SECONDS * SAMPLE_RATE_HZ)]'
"""Half a clip does not say what its transcript says."""
_MOST = "        self.most = max(len(row.target) for row in rows)\n"
_FILLED = "row.target + [-1] * (self.most - len(row.target))"


def data_part(plan: Plan, normalises_input: bool) -> str:
    """Return what reads, orders and pads the clips."""
    answer, varied = plan.answer, plan.augmentation.strength != "none"
    limited = plan.data.max_seconds is not None
    extracts, cut = plan.backbone.name in SPEECH, limited and answer != "symbols"
    parts = [f"AUGMENTATION = {_variation(plan)}"] if varied else []
    parts += [] if not extracts else [_EXTRACTOR.format(normalises=normalises_input)]
    whole = answer == "symbols" and limited
    parts.append(_READING.format(target=_TARGETS[answer], kept=_WHOLE if whole else "rows"))
    parts.append(
        _CLIPS.format(
            length="min(length_of(row), round(MAX_SECONDS * SAMPLE_RATE_HZ))" if cut else "length_of(row)",
            most=_MOST if answer == "symbols" else "",
            label=_FILLED if answer == "symbols" else "row.target",
            changes=_CUT * cut + _AUGMENTED * varied,
            key=', "key": (-1 if epoch is None else epoch, row.number)' * varied,
        )
    )
    parts.append(order_part(plan))
    inputs, kind = _EXTRACTED if extracts else _PADDED, ", dtype=torch.float32" if answer == "score" else ""
    parts.append(_COLLATE.format(inputs=inputs, kind=kind, keys=_KEYS * varied))
    return "\n\n\n".join(part.strip("\n") for part in parts)


def _variation(plan: Plan) -> str:
    """Return how clips are varied; another speed makes another class only where a clip has one."""
    chosen = plan.augmentation
    named = chosen.speed != "new-class" or plan.answer == "class"
    chosen = chosen if named else chosen.model_copy(update={"speed": "avoid"})
    return namespace(chosen, *chosen.model_dump())
