"""One cause planted into a healthy run of our own trainer on real audio: is the symptom seen, is the cause named first?

    TONMEISTER_TEST_DATA=../shared/data python -m benchmarks.planted_runs [--seeds 0-5] [--cases leak,nan-batch]
        [--kept ROWS.jsonl --seconds 420]

Each case is trained in a child process that forgets its patches, diagnosed with the audit of its data and its plan at
hand, then diagnosed again after the tests that the first diagnosis asked for. About 7 minutes of one core for each
seed; `--kept` lets slices add up.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import math
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data import keep
from benchmarks.planted_causes import CASES, CONTROLS, Case
from benchmarks.planted_controls import CORPORA as OTHERS
from benchmarks.planted_controls import control_plan
from benchmarks.planted_corpora import CORPORA, healthy_content, write_manifest
from benchmarks.planted_figures import Result, append_row, by_case, read_rows, summary
from engine.plan import make_plan, patched, plan_yaml, write_atomically
from knowledge.records import Measured

TRUE_OF_THE_DATA = {"group-gap"}
"""Findings about the clips and not the training: an interval says that one speaker is answered worse than others."""
_AT_ONCE = 3
"""Tests that are run before the causes are weighed anew."""


def diagnosed_case(case: Case, seed: int, folder: Path) -> Result:
    """Plant a case, train it and say what the diagnosis makes of it."""
    began = time.process_time()
    if case.component is not None:
        case.component()
    run = _trained(case, seed, folder)
    audit = _audited(run)
    before = _diagnosed(run, audit)
    from expert.differential import causes_of_run

    after, done = _tested(run, audit, before)
    ranked = causes_of_run(after)
    ids = {finding.id for finding in after.findings}
    return Result(
        case.name,
        seed,
        tuple(f.id for f in after.findings if f.severity != "note" and not _of_the_data(f)),
        bool(ids & set(case.symptoms)),
        ranked[0].cause.id if ranked else "",
        ranked[0].standing if ranked else "",
        _rank(ranked, case),
        _rank(causes_of_run(before), case),
        done,
        round(time.process_time() - began, 2),
        tuple(f"{one.cause.id}={one.standing}" for one in ranked[:4]),
    )


def _rank(ranked: Iterable[Any], case: Case) -> int:
    places = [place for place, one in enumerate(ranked, 1) if one.cause.id in case.causes]
    return places[0] if places else 0


def _of_the_data(finding: Any) -> bool:
    return finding.rule.startswith("audit.") or finding.id in TRUE_OF_THE_DATA


def _trained(case: Case, seed: int, folder: Path) -> Path:
    from engine.training.run import train_run
    from engine.training.stopping import Stop
    from knowledge.errors import TonmeisterError

    clips = {**CORPORA, **OTHERS}[case.corpus](seed)
    if case.data is not None:
        clips = case.data(clips, np.random.default_rng(seed), folder)
    manifest = write_manifest(folder / "manifest.csv", clips)
    healthy = healthy_content(case.corpus, manifest, seed)
    healthy = control_plan(healthy, case.corpus, folder) if case.corpus in OTHERS else healthy
    plan = patched(make_plan(healthy, case.corpus), case.plan)
    run = folder / "run"
    write_atomically(run / "plan.yaml", plan_yaml(plan))
    with contextlib.suppress(TonmeisterError):  # the run ended as many planted ones do; its log says how
        train_run(run / "plan.yaml", run, resume=False, test=False, stop=Stop())
    return run


def _audited(run: Path) -> Measured:
    from engine.plan import read_plan
    from expert.consultation.loop import audit_plan_data
    from knowledge.loader import load_knowledge

    return audit_plan_data(load_knowledge(), read_plan(run / "plan.yaml")).measured


def _diagnosed(run: Path, audit: Measured) -> Any:
    from expert.consultation.diagnose import diagnose_run
    from knowledge.loader import load_knowledge

    return diagnose_run(load_knowledge(), run, extra_facts=audit.facts, extra_unknown=audit.unknown).session


def _tested(run: Path, audit: Measured, before: Any) -> tuple[Any, tuple[str, ...]]:
    """Run what the diagnosis asks for, a few at a time, until the causes of what it found are shown or nothing is left.

    Returns:
        The diagnosis after the last test, and the tests in their order.
    """
    from expert.differential import telling_tests

    session = before
    done: tuple[str, ...] = ()
    while wanted := tuple(name for name in telling_tests(session) if name not in done)[:_AT_ONCE]:
        _test(run, wanted)
        session, done = _diagnosed(run, audit), (*done, *wanted)
    return session, done


def _test(run: Path, names: Iterable[str]) -> None:
    from engine.training.separating.running import run_test
    from engine.training.stopping import Stop
    from knowledge.errors import TonmeisterError

    for name in names:
        try:
            run_test(run, name, Stop())
        except TonmeisterError as error:
            print(f"{run.parent.name}: {name}: {error.message}", file=sys.stderr)


def _child(case: Case, seed: int, path: Path) -> None:
    import torch

    torch.set_num_threads(1)
    path.mkdir(parents=True)
    result = diagnosed_case(case, seed, path)
    append_row(path / "result.json", result)


def in_a_child(case: Case, seed: int, root: Path) -> Result:
    """Run a case in a process of its own, so that what it patches is gone with it."""
    path = root / f"{case.name}-{seed}"
    child = multiprocessing.get_context("fork").Process(target=_child, args=(case, seed, path))
    child.start()
    child.join()
    if child.exitcode:
        return Result(case.name, seed, (), False, "", "", 0, 0, (), 0.0, (f"the child ended with {child.exitcode}",))
    return read_rows(path / "result.json")[0]


def run_cases(
    cases: Iterable[Case], seeds: Iterable[int], root: Path, kept: Path | None = None, seconds: float = math.inf
) -> list[Result]:
    """Run every case with every seed, one after the other, tell each, and keep it at once.

    Args:
        cases: what is planted.
        seeds: which clips and speakers.
        root: where the runs are written.
        kept: a file of results; what stands in it is not run again.
        seconds: after which no further case is begun, so that a long measurement goes in slices.
    """
    import engine.training.separating.running  # noqa: F401  # here, so that every child has it already
    from knowledge.loader import load_knowledge

    load_knowledge()
    began = time.monotonic()
    results = read_rows(kept) if kept else []
    there = {(row.case, row.seed) for row in results}
    for seed, case in itertools.product(seeds, tuple(cases)):
        if (case.name, seed) in there or time.monotonic() - began > seconds:
            continue
        row = in_a_child(case, seed, root)
        results.append(row)
        if kept:
            append_row(kept, row)
        print(_told(row, case), file=sys.stderr, flush=True)
    return results


def _told(row: Result, case: Case) -> str:
    mark = "ok" if (row.symptom and row.rank == 1) or (case in CONTROLS and not row.findings) else "<<"
    said = f"{', '.join(row.findings)} | {', '.join(row.notes)}"
    told = f"{mark} {row.case} {row.seed} {row.cpu_seconds:.1f} s: {said}"
    return f"{told} | before {row.rank_before} | {','.join(row.tests)}"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-5", help="such as 0-5 or 3")
    parser.add_argument("--cases", default="", help="names, separated by commas; default: all, with the healthy twins")
    parser.add_argument("--kept", type=Path, help="a file to which each result is added; what it has is not run again")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no case after these")
    parser.add_argument("--folder", type=Path, help="where the runs are left to be looked at; default: a temporary one")
    parser.add_argument("--record", action="store_true", help="write the figures to benchmarks/results")
    given = parser.parse_args()
    low, _, high = given.seeds.partition("-")
    seeds = range(int(low), int(high or low) + 1)
    names = set(given.cases.split(",")) if given.cases else set()
    cases = [case for case in (*CASES, *CONTROLS) if not names or case.name in names]
    with contextlib.ExitStack() as stack:
        root = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="planted-runs-")))
        results = run_cases(cases, seeds, root, given.kept, given.seconds)
    figures = {"seeds": sorted({row.seed for row in results}), **summary(results), "by_cause": by_case(results)}
    if given.record:
        keep("planted_runs", figures)
    else:
        print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
