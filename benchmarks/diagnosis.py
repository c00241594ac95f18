"""Scores the diagnosis on the labelled logs of the test data; `tonmeister bench diagnose LOGS` does it on any folder.

    TONMEISTER_TEST_DATA=/path/to/data python -m benchmarks.diagnosis

The labels were at hand when the rules were written: these figures are a regression test, no promise for other runs.
"""

from __future__ import annotations

import os
import sys

from tonmeister.cli.main import main as tonmeister


def main() -> int:
    """Print the scorecard."""
    folder = os.environ.get("TONMEISTER_TEST_DATA")
    if not folder:
        print("TONMEISTER_TEST_DATA is not set: no real logs to score on", file=sys.stderr)
        return 2
    return tonmeister(["bench", "diagnose", f"{folder}/logs"])


if __name__ == "__main__":
    sys.exit(main())
