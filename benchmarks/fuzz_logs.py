"""Mutates logs of every format and diagnoses them: no traceback, no hang, no code run, nothing said to the terminal.

    python -m benchmarks.fuzz_logs [COUNT] [SEED]

Real logs are the seeds where TONMEISTER_TEST_DATA is set, made ones elsewhere. A log may be refused (exit 3) or be read
in part; anything else than an answer or an InputError is a fault, and so is an answer after more than a few seconds.
The whole are 20,000; it may be run in slices of 1,000 or more, each with a seed of its own. The result keeps every
slice that ran on the tree it is committed with: a slice with the seed of an earlier one takes that one's place.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from engine.evidence.run.formats import columns
from expert.consultation.diagnose import diagnose_run
from expert.report.diagnosis import diagnosis_document, diagnosis_record
from expert.report.html import render_html
from expert.report.text import render_text
from knowledge.errors import InputError
from knowledge.loader import load_knowledge
from knowledge.rulebook import Knowledge

LIMIT_SECONDS = 5.0
_LARGEST_SEED = 60_000
"""Bytes of a real log that are mutated; what is longer takes another reader and is measured by benchmarks.reading."""
_SHORT_LONG = 2_000
"""Bytes from which every other log goes to the readers of long logs, which otherwise see none."""
_RECORDED = 1_000
"""The smallest slice that is kept."""
RESULT = Path(__file__).parent / "results" / "fuzz_logs.json"
HOSTILE = (
    "\x1b]0;owned\x07loss", "\x1b[2Jval_loss", "<script>alert(1)</script>", "val_loss\"onload='x'", "[bold]loss[/bold]",
    "loss\u202egnp.exe", "../../etc/passwd", "__import__('os').system('true')", "${loss}", "a" * 5000, "損失", "\0",
    "NaN", "Infinity", "-Infinity", "1e999", "-1e308", "9" * 400, "0x10", "1_000", "٣", "null", "true", "{}", "[]",
)  # fmt: skip


def made_logs() -> list[tuple[str, bytes]]:
    """One small log of each kind of reader."""
    rows = [{"step": i, "epoch": i / 10, "loss": 2 / i, "val_loss": 3 / i, "lr": 1e-3} for i in range(1, 40)]
    history = [{**row, "eval_loss": 3 / row["step"]} for row in rows]
    table = "epoch,loss,val_loss\n" + "".join(f"{i},{2 / i},{3 / i}\n" for i in range(1, 40))
    console = "".join(f"Epoch {i}/40: train loss: {2 / i:.4f}, valid loss: {3 / i:.4f}\n" for i in range(1, 40))
    events: list[dict[str, Any]] = [{"kind": "start", "task": "classification"}]
    events += [{"kind": "step", "step": i, "epoch": i / 9, "loss": 1 / i, "lr": {"head": 1e-3}} for i in range(1, 40)]
    gpu = "timestamp, utilization.gpu [%], memory.used [MiB]\n" + "1, 90 %, 1000 MiB\n" * 120
    scalar = b"\x09" + bytes(8) + b"\x10\x01\x2a\x0d\x0a\x0b\x0a\x04loss\x15" + struct.pack("<f", 1.0)
    event = struct.pack("<Q", len(scalar)) + bytes(4) + scalar + bytes(4)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    state = {"log_history": history, "max_steps": 40, "global_step": 40}
    return [
        ("log.jsonl", lines.encode()), ("trainer_state.json", json.dumps(state).encode()),
        ("log.csv", table.encode()), ("log.txt", console.encode()), ("gpu.csv", gpu.encode()),
        ("events.jsonl", "".join(json.dumps(one) + "\n" for one in events).encode()),
        ("events.out.tfevents.1", event * 30), ("run.wandb", _tracked(rows)),
    ]  # fmt: skip


def _tracked(rows: list[dict[str, float]]) -> bytes:
    """A run file of Weights & Biases: a header, and one fragment for each row."""
    out = bytearray(struct.pack("<4sHB", b":W&B", 0xBEE1, 0))
    for row in rows:
        items = [
            _field(1, _field(1, name.encode()) + _field(16, json.dumps(value).encode())) for name, value in row.items()
        ]
        message = _field(2, b"".join(items))
        out += bytes(4) + struct.pack("<HB", len(message), 1) + message
    return bytes(out)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80, value >> 7])


def real_logs(data: Path) -> list[tuple[str, bytes]]:
    """The collected logs, the long ones cut."""
    files = sorted(path for path in (data / "logs").rglob("*") if path.is_file() and path.name != "INDEX.tsv")
    return [(path.name, path.read_bytes()[:_LARGEST_SEED]) for path in files]


def mutated(content: bytes, dice: random.Random) -> bytes:
    """Break a log in one to four ways, mostly one; half of the time in a way that leaves most of it readable."""
    for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 4))):
        content = dice.choice(MUTATIONS if dice.random() < 0.5 else MILD)(content, dice)
    return content


def _flip(content: bytes, dice: random.Random) -> bytes:
    raw = bytearray(content)
    for _ in range(dice.randint(1, 20)):
        if raw:
            raw[dice.randrange(len(raw))] = dice.randrange(256)
    return bytes(raw)


def _cut(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randint(0, len(content))]


def _repeat(content: bytes, dice: random.Random) -> bytes:
    lines = content.split(b"\n")
    at = dice.randrange(len(lines))
    return b"\n".join(lines[:at] + lines[at : at + 3] * dice.randint(2, 20) + lines[at:])


def _shuffle(content: bytes, dice: random.Random) -> bytes:
    lines = content.split(b"\n")
    dice.shuffle(lines)
    return b"\n".join(lines)


def _insert(content: bytes, dice: random.Random) -> bytes:
    at = dice.randint(0, len(content))
    return content[:at] + dice.choice(HOSTILE).encode() + content[at:]


def _rename(content: bytes, dice: random.Random) -> bytes:
    word = dice.choice((b"loss", b"epoch", b"step", b"val", b"lr", b"accuracy"))
    return content.replace(word, dice.choice(HOSTILE).encode(), dice.choice((1, 3, -1)))


def _number(content: bytes, dice: random.Random) -> bytes:
    digit = dice.choice(b"0123456789").to_bytes(1, "big")
    return content.replace(digit, dice.choice(HOSTILE).encode(), dice.randint(1, 5))


def _recode(content: bytes, dice: random.Random) -> bytes:
    return content.decode("utf-8", "replace").encode(dice.choice(("utf-16", "utf-16-le", "utf-8-sig", "utf-32")))


def _nest(content: bytes, dice: random.Random) -> bytes:
    deep = dice.choice((50, 2000, 100_000))
    return dice.choice((b"[" * deep + content, b'{"a":' * deep + content, b"[" + content + b"]"))


MUTATIONS = (_flip, _cut, _repeat, _shuffle, _insert, _rename, _number, _recode, _nest)
MILD = (_flip, _repeat, _insert, _rename, _number)
_FORBIDDEN = ("\x1b", "\x07", "\x00", "\u202e")


class HangError(Exception):
    """An answer took too long."""


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise HangError


def main(count: int = 20_000, seed: int = 0) -> int:
    """Diagnose mutated logs; print what came of them and every fault."""
    data = os.environ.get("TONMEISTER_TEST_DATA")
    seeds = made_logs() + (real_logs(Path(data)) if data else [])
    knowledge, dice, outcomes = load_knowledge(), random.Random(seed), Counter[str]()
    ran: list[str] = []
    warm_up(knowledge)
    sys.addaudithook(lambda event, arguments: ran.append(event) if runs_code(event, arguments) else None)
    signal.signal(signal.SIGALRM, _too_long)
    ran.clear()
    slowest, began = 0.0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            name, content = seeds[number % len(seeds)]
            columns.LONG_BYTES = _SHORT_LONG if number // len(seeds) % 2 else 1 << 20
            path = Path(folder) / name
            path.write_bytes(mutated(content, dice))
            start = time.process_time()
            signal.setitimer(signal.ITIMER_REAL, LIMIT_SECONDS * 4)
            try:
                outcome = answer(knowledge, path, with_report=number % 10 == 0)
            except HangError:
                outcome = "HANG"
            except Exception:
                outcome = "TRACEBACK"
                traceback.print_exc(limit=-4)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            seconds = time.process_time() - start
            slowest = max(slowest, seconds)
            outcome = "HANG" if seconds > LIMIT_SECONDS else outcome
            outcomes[outcome] += 1
            if outcome.isupper():
                print(f"{outcome}: mutation {number} of {name}")
            path.unlink()
    print(f"{count} mutated logs of {len(seeds)} seeds, {time.monotonic() - began:.0f} s: {dict(outcomes)}")
    print(f"slowest {slowest:.2f} CPU seconds; programs started or code run: {sorted(set(ran)) or 'none'}")
    if count >= _RECORDED:
        record(
            {
                "seed": seed, "mutations": count, "seeds": len(seeds), "outcomes": dict(outcomes),
                "code_run": sorted(set(ran)), "slowest_cpu_seconds": round(slowest, 2),
                "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )  # fmt: skip
    return int(bool(ran) or any(name.isupper() for name in outcomes))


def record(found: dict[str, Any]) -> None:
    """Add a slice to the result, and sum all."""
    known = json.loads(RESULT.read_text("utf-8")).get("slices", []) if RESULT.is_file() else []
    slices = [one for one in known if one["seed"] != found["seed"]] + [found]
    outcomes: Counter[str] = Counter()
    for one in slices:
        outcomes.update(one["outcomes"])
    whole = {
        "mutations": sum(one["mutations"] for one in slices), "outcomes": dict(outcomes),
        "tracebacks": outcomes["TRACEBACK"], "hangs": outcomes["HANG"], "dirty": outcomes["DIRTY"],
        "code_run": sorted({event for one in slices for event in one["code_run"]}),
        "slowest_cpu_seconds": max(one["slowest_cpu_seconds"] for one in slices),
        "peak_memory_mb": max(one["peak_memory_mb"] for one in slices), "slices": slices,
    }  # fmt: skip
    RESULT.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")


def runs_code(event: str, arguments: tuple[object, ...]) -> bool:
    """Whether an audit event starts a program, unpickles, or runs code that stands in no file of ours."""
    if event == "exec":
        name = str(getattr(arguments[0], "co_filename", ""))
        return name.startswith("<") and not name.startswith("<frozen")
    return event in ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "pickle.find_class")


def warm_up(knowledge: Knowledge) -> None:
    """Import everything that is imported late: running a module's code is an event as well."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in made_logs():
            path = Path(folder) / name
            path.write_bytes(content)
            answer(knowledge, path, with_report=True)


def answer(knowledge: Knowledge, path: Path, *, with_report: bool) -> str:
    """Diagnose one file and render it; say what came of it."""
    try:
        diagnosis = diagnose_run(knowledge, path)
    except InputError as error:
        return "refused" if not _dirty(error.render()) else "DIRTY"
    if with_report:
        document = diagnosis_document(diagnosis)
        text, page = render_text(document), render_html(document)
        json.dumps(diagnosis_record(diagnosis))
        if _dirty(text) or "<script" in page.lower():
            return "DIRTY"
    return "read"


def _dirty(text: str) -> bool:
    return any(mark in text for mark in _FORBIDDEN)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
