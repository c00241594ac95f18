"""The part of a script that reads the list of clips and pads them; it reads none itself."""

from __future__ import annotations

from engine.plan import Answer, Plan

from .clips import clips_part
from .head import is_paired
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
    rows = [SimpleNamespace(**row, number=int(row["row"]), target={target}) for row in rows]{references}
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
_REFERENCES = """
    for row in rows:  # the clean signal of each clip, a file of its own
        whole = {"start_seconds": "", "stop_seconds": "", "channel": ""}
        row.reference = SimpleNamespace(file=row.reference, number=row.number, **whole)"""
_COLLATE = '''
def padded(clips: list[np.ndarray]) -> dict[str, Tensor]:
    """Return signals of unequal length as one, and how far each goes."""
    {padded}


def collate(examples: list[dict[str, Any]]) -> dict[str, Tensor]:
    """Return one padded batch."""
    inputs = padded([example["clip"] for example in examples])
{references}    inputs["labels"] = torch.tensor([example["label"] for example in examples]{kind})
{keys}    return inputs
'''
_PADDED = """\
tensors, lengths = [torch.from_numpy(clip) for clip in clips], torch.tensor([len(clip) for clip in clips])
    return {"waveforms": nn.utils.rnn.pad_sequence(tensors, batch_first=True), "lengths": lengths}"""
_EXTRACTED = 'return dict(EXTRACTOR(clips, sampling_rate=SAMPLE_RATE_HZ, padding=True, return_tensors="pt"))'
_SECOND = """\
    references = padded([example["reference"] for example in examples])
    inputs |= {f"reference_{name}": value for name, value in references.items()}
"""
_KINDS = {"score": ", dtype=torch.float32", "events": ", dtype=torch.float64"}
"""What labels are made of, where it does not follow from them."""
_KEYS = '    inputs["keys"] = torch.tensor([example["key"] for example in examples])\n'
_TARGETS: dict[Answer, str] = {
    "class": 'CLASSES.index(row["label"])',
    "tags": '[float(name in tags_of(row["label"], SEPARATOR)) for name in CLASSES]',
    "symbols": '[CLASSES.index(char) for char in transcript_of(row["label"], PLAIN)]',
    "score": 'float(row["label"])',
    "vector": 'CLASSES.index(row["label"])',
    "events": 'events_of_text(row["label"], CLASSES)',
}
"""What a clip's answer is compared with, from its row of the list."""
_WHOLE = '[row for row in rows if part != "train" or length_of(row) <= round(MAX_SECONDS * SAMPLE_RATE_HZ)]'
"""Half a clip does not say what its transcript says."""


def data_part(plan: Plan, normalises_input: bool) -> str:
    """Return what reads, orders and pads the clips."""
    extracts, answer = plan.backbone.name in SPEECH, plan.answer
    kept = _WHOLE if answer == "symbols" and plan.data.max_seconds is not None else "rows"
    varied, paired = plan.augmentation.strength != "none", is_paired(plan)
    collate = _COLLATE.format(
        padded=_EXTRACTED if extracts else _PADDED,
        references=_SECOND * paired,
        kind=_KINDS.get(answer, ""),
        keys=_KEYS * varied,
    )
    parts = [
        f"AUGMENTATION = {_variation(plan)}" if varied else "",
        _EXTRACTOR.format(normalises=normalises_input) if extracts else "",
        _READING.format(target=_TARGETS[answer], kept=kept, references=_REFERENCES * paired),
        clips_part(plan),
        order_part(plan),
        collate,
    ]
    return "\n\n\n".join(part.strip("\n") for part in parts if part)


def _variation(plan: Plan) -> str:
    """Return how clips are varied; another speed makes another class only where a clip has one."""
    chosen = plan.augmentation
    named = chosen.speed != "new-class" or plan.answer in ("class", "vector")
    chosen = chosen if named else chosen.model_copy(update={"speed": "avoid"})
    return namespace(chosen, *chosen.model_dump())
