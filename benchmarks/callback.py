"""Times what the callback costs a training step, beside a step of a small model.

python -m benchmarks.callback [STEPS]
"""

from __future__ import annotations

import sys
import tempfile
import time

from tonmeister.integrations.callback import RunLog

STEP_SECONDS = 0.01
"""A short step: a head on cached features takes about this long on two cores, a backbone a hundred times as long."""
MOST_SHARE = 0.01


def main(steps: int = 100_000) -> int:
    """Print the mean cost of one logged step; fail when it is more than a hundredth of a short step."""
    with tempfile.TemporaryDirectory() as folder, RunLog(folder, epochs=1, total_steps=steps) as log:
        began = time.perf_counter()
        for step in range(1, steps + 1):
            log.step(step, loss=1 / step, lr=1e-3, grad_norm=1.0, epoch=step / steps)
        cost = (time.perf_counter() - began) / steps
    share = cost / STEP_SECONDS
    from benchmarks.data import keep

    figures = {"steps": steps, "microseconds_a_step": round(1e6 * cost, 1), "share_of_a_step": round(share, 5)}
    keep("callback", {**figures, "step_milliseconds": 1e3 * STEP_SECONDS})
    return int(share > MOST_SHARE)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
