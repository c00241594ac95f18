"""Stands in for the training child: writes the events of a short run, stops when asked, goes on where it stopped."""

import json
import math
import signal
import sys
import time
from pathlib import Path
from types import FrameType


def main(run: Path, steps: int, seconds_per_step: float, status: str) -> int:
    stopped = []

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.append(True)

    signal.signal(signal.SIGTERM, stop)
    events = run / "events.jsonl"
    done = (
        sum('"step"' in line and '"kind": "step"' in line for line in events.read_text().splitlines())
        if events.exists()
        else 0
    )
    with events.open("a") as stream:

        def write(kind: str, **values: object) -> None:
            stream.write(json.dumps({"v": 1, "t": 0.0, "kind": kind, **values}) + "\n")
            stream.flush()

        write("start", name="demo", device="cpu", epochs=steps // 4, total_steps=steps, fold=None)
        print("fold 1: 12 clips", file=sys.stderr, flush=True)
        for step in range(done + 1, steps + 1):
            loss = 0.2 + 2.3 * math.exp(-step / 9) + 0.05 * math.sin(step)
            write("step", step=step, epoch=step / 4, loss=loss, grad_norm=1.25, samples_per_second=412.0)
            if step % 4 == 0:
                score = 0.9 - 0.8 * math.exp(-step / 12)
                write("eval", step=step, epoch=step // 4, split="val", loss=loss + 0.1, metrics={"val/accuracy": score})
                write("telemetry", cpu_percent=87.0, memory_used_gib=2.5)
            time.sleep(seconds_per_step)
            if stopped:
                write("end", status="interrupted")
                return 130
        if status in ("2", "3"):
            print("The plan cannot be used [plan]\ntraining.epochs: got 0, expected at least 1", file=sys.stderr)
            write(
                "end", status="failed", error={"code": "plan", "message": "training.epochs: got 0, expected at least 1"}
            )
            return int(status)
        write("end", status=status, seconds=1.5, best_epoch=steps // 4)
    return 0 if status == "completed" else 4


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]))
