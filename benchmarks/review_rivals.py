"""What a text search, and one with a table of framework defaults, reach on the projects of `benchmarks.review`.

    python -m benchmarks.review_rivals PROJECTS

The search looks for the words by which each practice is usually written, in the entry file; the second looks in every
Python, YAML, JSON and shell file, leaves comments out, and knows what transformers, Lightning, Keras and SpeechBrain do
by themselves. What is not found is called missing. Both were written for this comparison, with the labels out of sight.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

WORDS = {
    "problem.output_range": r"sigmoid|tanh|clamp",
    "problem.loss_match": r"loss",
    "data.val_split": r"val(id)?_|dev_|validation|eval_dataset",
    "data.group_disjoint": r"GroupShuffleSplit|GroupKFold|LeaveOneGroupOut|speaker_disjoint",
    "data.stratified": r"stratif",
    "data.test_clean": r"test_",
    "data.resample": r"resampl|librosa\.load|Audio\(sampling_rate",
    "data.padding_mask": r"attention_mask|padding_mask|pack_padded|lengths",
    "data.augmentation": r"augment|SpecAug|TimeMask|FrequencyMask|mixup|add_noise",
    "data.aug_train_only": r"augment",
    "data.train_shuffle": r"shuffle\s*=\s*True|RandomSampler|random\.shuffle",
    "backbone.multi_layer": r"output_hidden_states|weighted_layer_sum|hidden_states",
    "backbone.freeze_policy": r"freeze|requires_grad|LoraConfig",
    "backbone.frozen_eval": r"\.eval\(\)|no_grad",
    "backbone.input_norm": r"FeatureExtractor|Processor|normalize|BatchNorm",
    "arch.pooling_learned": r"attention_?pool|AttentiveStat|cls_token|max_pool|statistics_pool",
    "arch.mask_aware_pooling": r"mask|lengths",
    "arch.dropout": r"[Dd]ropout",
    "train.grad_clip": r"clip_grad|max_grad_norm|gradient_clip|clipnorm|clipvalue",
    "train.lr_warmup": r"warm_?up",
    "train.lr_schedule": r"scheduler|schedule|ReduceLROnPlateau|LearningRate",
    "train.sched_step_ok": r"scheduler\.step|lr_scheduler",
    "train.weight_decay": r"weight_decay|AdamW",
    "train.differential_lr": r"['\"]params['\"]\s*:",
    "train.mixed_precision": r"fp16|bf16|autocast|GradScaler|precision\s*=\s*16",
    "train.zero_grad_ok": r"zero_grad",
    "train.epochs_15": r"epochs?\s*['\"]?\s*[=:,]\s*.*?(1[5-9]|[2-9]\d|\d{3,})",
    "train.early_stopping": r"[Ee]arly_?[Ss]top|patience",
    "train.selection_metric": r"metric_for_best_model|monitor\s*=\s*['\"](?!.*loss)|best_acc|best_f1",
    "eval.task_metric": r"accuracy|f1_score|wer|pearson|spearman|compute_metrics|roc_auc",
    "eval.eval_mode": r"\.eval\(\)",
    "eval.no_grad": r"no_grad|inference_mode",
    "eval.per_group": r"classification_report|confusion|average=None|groupby",
    "repro.seed_framework": r"manual_seed|set_seed|seed_everything|set_random_seed",
    "repro.seed_numpy": r"np\.random\.seed|set_seed|seed_everything",
    "repro.seed_python": r"random\.seed|set_seed|seed_everything",
    "repro.seed_cuda": r"manual_seed|set_seed|seed_everything",
    "repro.seed_order": r"seed",
    "repro.worker_seed": r"worker_init_fn|generator\s*=|manual_seed",
    "repro.config_saved": r"save_pretrained|json\.dump|yaml\.dump|wandb\.init|save_hyperparameters|log_params",
    "repro.versions_pinned": r"==\d",
    "life.best_ckpt": r"best",
    "life.optim_state": r"optimizer\.state_dict|optimizer_state|Trainer\(|ModelCheckpoint",
    "life.resume": r"resume|load_checkpoint|start_epoch",
    "interp.scatter": r"scatter",
    "interp.confusion": r"confusion",
}
_LOOP = ("train.zero_grad_ok", "eval.eval_mode", "eval.no_grad")
_SEEDS = ("repro.seed_framework", "repro.seed_numpy", "repro.seed_python", "repro.seed_cuda", "repro.seed_order")
_TRAINER = ("train.grad_clip", "train.lr_schedule", "train.sched_step_ok", "data.train_shuffle", "life.optim_state")
BY_ITSELF = {
    r"\bTrainer\(|Seq2SeqTrainer\(": (*_LOOP, *_SEEDS, *_TRAINER, "repro.worker_seed"),
    r"pl\.Trainer|lightning|LightningModule": (*_LOOP, "life.optim_state", "train.sched_step_ok"),
    r"keras": (*_LOOP, "data.train_shuffle"),
    r"speechbrain": (*_LOOP, "train.grad_clip", "repro.config_saved"),
}
_LINE_COMMENT = re.compile(r"(?m)#.*$")
_READ = (".py", ".yaml", ".yml", ".json", ".sh", ".txt", ".ipynb")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", type=Path)
    options = parser.parse_args()
    labels = Path(os.environ["TONMEISTER_TEST_DATA"]) / "review"
    units = [json.loads(line) for line in (labels / "labels.jsonl").read_text("utf-8").splitlines()]
    for title, whole in (("text search of the entry file", False), ("all files, defaults of frameworks", True)):
        print(title)
        rows = [row for unit in units for row in _rows(unit, options.projects / unit["dir"], whole=whole)]
        _score(labels, rows)


def _rows(unit: dict[str, str], folder: Path, *, whole: bool) -> list[dict[str, str]]:
    text = _text(folder, unit["path"].replace(".flat.py", ".ipynb"), whole=whole)
    there = {check for check, words in WORDS.items() if re.search(words, text)}
    if whole:
        there |= {check for mark, checks in BY_ITSELF.items() if re.search(mark, text) for check in checks}
    return [
        {"unit": unit["unit"], "check": check, "state": "present" if check in there else "missing"} for check in WORDS
    ]


def _text(folder: Path, entry: str, *, whole: bool) -> str:
    files = [file for file in folder.rglob("*") if file.suffix in _READ] if whole else [folder / entry]
    texts = [file.read_text("utf-8", "replace") for file in files if file.is_file()]
    return _LINE_COMMENT.sub("", "\n".join(texts)) if whole else "\n".join(texts)


def _score(labels: Path, rows: list[dict[str, str]]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
        file.flush()
        command = [sys.executable, str(labels / "score.py"), file.name]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    print("\n".join(told.splitlines()[:3]))


if __name__ == "__main__":
    main()
