"""Recall and false alarms of the audit on planted faults: `python -m benchmarks.planted [--seeds 1-5]`.

Plants faults into the three real sets with the shared planter (kept under /tmp/planted), audits them with every fault
and with none, and compares with the planter's truth. Writes benchmarks/results/planted.json; judges nothing itself.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from expert.consultation.audit import Audit, audit_dataset
from knowledge.loader import load_knowledge

SHARED = Path(__file__).parents[2] / "shared"
CACHE = Path("/tmp/planted")
RESULT = Path(__file__).parent / "results" / "planted.json"
COLUMNS = {"fsdd": ("label", "speaker"), "esc10": ("label", "group"), "speechocean762": ("score", "speaker")}
LIMITS = {"fsdd": 900}
KINDS = {
    "clipping": ["clipped", "clipped_low"],
    "silence": ["silent", "near_silent"],
    "mostly-silent": ["mostly_silent"],
    "dropouts": ["dropouts"],
    "dc-offset": ["dc_offset"],
    "hum": ["hum"],
    "low-snr": ["low_snr"],
    "upsampled": ["upsampled"],
    "mixed-sample-rate": ["mixed_rate"],
    "wrong-sample-rate": ["wrong_rate"],
    "dead-channel": ["stereo_dead"],
    "dual-mono": ["stereo_dual"],
    "antiphase": ["stereo_anti"],
    "too-long": ["too_long"],
    "too-short": ["too_short"],
    "nonfinite-samples": ["nonfinite"],
    "over-full-scale": ["over_full_scale"],
    "low-bit-depth": ["low_bits"],
    "truncated-file": ["truncated"],
    "unreadable-file": ["corrupt", "zero_bytes", "no_frames", "lfs_pointer", "html_page"],
    "missing-file": ["missing_file"],
    "orphan-file": ["orphan_file"],
    "duplicate-row": ["dup_row", "dup_row_split"],
    "path-mismatch": ["unicode_nfd", "case_ext", "backslash"],
    "empty-label": ["label_nan"],
    "label-spelling": ["label_spelling"],
    "label-out-of-range": ["score_range"],
    "group-alias": ["group_alias"],
    "group-missing": ["group_missing"],
    "group-overlap": ["group_overlap"],
    "exact-duplicate": ["exact_dup", "pcm_dup"],
    "near-duplicate": ["near_gain", "near_codec", "near_trim", "near_rate", "near_noise", "near_pad"],
    "conflicting-labels": ["dup_conflict"],
}
"""Planted kinds by the finding that covers them."""
SET_LEVEL = {
    "class-imbalance": "class_imbalance",
    "sparse-extremes": "sparse_extremes",
    "label-drift": "label_drift",
    "confound": "condition_leak",
    "group-overlap": "group_overlap",
}
NAMED_IN_README = {
    "fsdd": {"dc-offset": "nicolas"},
    "esc10": {"mostly-silent": "", "upsampled": "", "over-full-scale": "", "confound": ""},
    "speechocean762": {"sparse-extremes": ""},
}
"""True faults of the published sets, by finding: they are no false alarms. A name: of that group only."""


def planted(name: str, seed: int, faults: str, shared: Path, cache: Path) -> Path:
    """Return the folder of a planted set, planting it if it is not there yet."""
    folder = cache / f"{name}-{seed}-{faults}"
    manifest = shared / "data/audio" / name / "manifest.csv"
    return plant(manifest, folder, COLUMNS[name], seed, faults, shared, LIMITS.get(name, 0))


def plant(
    manifest: Path, folder: Path, columns: tuple[str, str], seed: int, faults: str, shared: Path, limit: int = 0
) -> Path:
    """Plant faults into the clips of a manifest, if that was not done yet; label and group are its `columns`."""
    if not (folder / "truth.json").is_file():
        draft = folder.with_name(f"{folder.name}.draft")
        command = [sys.executable, str(shared / "tools/plant.py"), "--manifest", str(manifest)]
        command += ["--target", columns[0], "--group", columns[1], "--seed", str(seed), "--faults", faults]
        command += ["--limit", str(limit), "--out", str(draft)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        draft.rename(folder)
    return folder


def audited(name: str, seed: int, faults: str, shared: Path, cache: Path) -> tuple[Audit, dict[str, Any]]:
    """Audit one planted set; the columns are named, since that is what the truth is about."""
    folder = planted(name, seed, faults, shared, cache)
    label, group = COLUMNS[name]
    audit = audit_dataset(load_knowledge(), folder / "manifest.csv", label=label, group=group)
    return audit, json.loads((folder / "truth.json").read_text("utf-8"))


def same(path: str) -> str:
    """Return a form in which the manifest's and the planter's spelling of one path are equal."""
    import unicodedata

    return unicodedata.normalize("NFC", path.replace("\\", "/")).casefold()


def reported(audit: Audit) -> dict[str, set[str]]:
    """Return the paths of every finding."""
    found: dict[str, set[str]] = defaultdict(set)
    for finding in audit.session.findings:
        found[finding.id] |= {same(path) for path in finding.paths}
    return found


def recall(audit: Audit, truth: dict[str, Any]) -> dict[str, tuple[int, int, list[str]]]:
    """Return found, planted and missed by kind."""
    found, scores = reported(audit), {}
    planted_paths: dict[str, list[list[str]]] = defaultdict(list)
    for fault in truth["faults"]:
        planted_paths[fault["fault"]].append([same(path) for path in fault.get("paths", [])])
    for finding, kinds in KINDS.items():
        for kind in kinds:
            cases = planted_paths.get(kind, [])
            missed = [paths[-1] for paths in cases if paths and not set(paths) & found[finding]]
            scores[kind] = (len(cases) - len(missed), len(cases), missed)
    return scores


def alarms(audit: Audit, name: str) -> dict[str, tuple[int, int]]:
    """Return alarms, and clips, for each finding on a control."""
    clips = len(audit.dataset.rows)
    named = NAMED_IN_README.get(name, {})
    group_of = {same(row.path): row.group for row in audit.dataset.rows}
    found = {}
    for finding, paths in reported(audit).items():
        wrong = {path for path in paths if finding not in named or named[finding] not in group_of.get(path, "")}
        if finding in KINDS:
            found[finding] = (len(wrong), clips)
    return found


def set_level(audit: Audit, truth: dict[str, Any]) -> dict[str, tuple[bool, bool]]:
    """Return (planted, reported) for each fault of the whole set."""
    there = {fault["fault"] for fault in truth["faults"]}
    ids = {finding.id for finding in audit.session.findings}
    return {finding: (kind in there, finding in ids) for finding, kind in SET_LEVEL.items()}


def run(names: list[str], seeds: list[int], shared: Path, cache: Path) -> dict[str, Any]:
    """Audit everything and add up."""
    totals: dict[str, Any] = {}
    for name in names:
        kinds: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        checks: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        sets: dict[str, list[str]] = defaultdict(list)
        missed: list[str] = []
        clips = 0
        for seed in seeds:
            audit, truth = audited(name, seed, "all", shared, cache)
            for kind, (hit, there, lost) in recall(audit, truth).items():
                kinds[kind][0] += hit
                kinds[kind][1] += there
                missed += [f"{kind} seed {seed} {path}" for path in lost]
            for finding, (there_is, said) in set_level(audit, truth).items():
                if there_is != said and not (said and finding == "group-overlap"):
                    sets[finding].append(f"seed {seed} all: planted {there_is}, reported {said}")
            control, truth = audited(name, seed, "none", shared, cache)
            for finding, (count, _) in alarms(control, name).items():
                checks[finding][0] += count
            clips += len(control.dataset.rows)
            for finding, (_, said) in set_level(control, truth).items():
                if said and finding not in NAMED_IN_README.get(name, {}):
                    sets[finding].append(f"seed {seed} none: reported")
        totals[name] = {
            "recall": {kind: counts for kind, counts in kinds.items() if counts[1]},
            "alarms": {finding: [counts[0], clips] for finding, counts in checks.items() if counts[0]},
            "set_level_errors": dict(sets),
            "missed": missed,
        }
        show(name, totals[name])
    return totals


def show(name: str, result: dict[str, Any]) -> None:
    """Print one set."""
    print(f"== {name}")
    for kind, (hit, there) in result["recall"].items():
        print(f"  {kind:16s} {hit:3d}/{there:3d} {'' if hit == there else '<<' if hit / there < 0.95 else '<'}")
    for finding, (count, clips) in sorted(result["alarms"].items()):
        mark = " <<" if count > 0.02 * clips else ""
        print(f"  alarms {finding:20s} {count:4d}/{clips} = {count / max(clips, 1):.2%}{mark}")
    for finding, errors in result["set_level_errors"].items():
        print(f"  {finding}: {'; '.join(errors)}")
    for line in result["missed"]:
        print(f"  missed {line}")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1-5")
    parser.add_argument("--sets", default=",".join(COLUMNS))
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--cache", type=Path, default=CACHE)
    given = parser.parse_args()
    low, _, high = given.seeds.partition("-")
    seeds = list(range(int(low), int(high or low) + 1))
    given.cache.mkdir(parents=True, exist_ok=True)
    result = run(given.sets.split(","), seeds, given.shared, given.cache)
    if seeds == [1, 2, 3, 4, 5] and set(given.sets.split(",")) == set(COLUMNS):
        RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
