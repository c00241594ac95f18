"""The set-ups that people use instead: transformers' Trainer as in its audio-classification example, with and without
peft. They get decoded clips, no evaluation and no checkpoints; only training itself is on their bill.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Clips = list[tuple[NDArray[np.float32], int]]
"""Waveforms at 16 kHz and their class."""


def classifier(checkpoint: Path, classes: int) -> Any:
    """Return the stock classifier of a wav2vec 2.0 checkpoint."""
    import transformers

    return transformers.Wav2Vec2ForSequenceClassification.from_pretrained(checkpoint, num_labels=classes)


def with_adapter(network: Any, *, rank: int) -> Any:
    """Return the classifier with peft's LoRA on query and value, as peft's documentation sets it up."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules=["q_proj", "v_proj"], modules_to_save=["projector", "classifier"]
    )
    return get_peft_model(network, config)


def train_stock(network: Any, clips: Clips, folder: Path, *, epochs: int, batch: int, by_length: bool) -> float:
    """Train with transformers' Trainer and return the seconds of processor time that it took."""
    import transformers

    extractor = transformers.Wav2Vec2FeatureExtractor()
    columns = [
        {"input_values": extractor(wave, sampling_rate=16000)["input_values"][0], "labels": label}
        for wave, label in clips
    ]
    settings = transformers.TrainingArguments(
        str(folder),
        num_train_epochs=epochs,
        per_device_train_batch_size=batch,
        learning_rate=5e-4,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        logging_steps=50,
        remove_unused_columns=False,
    )
    trainer_class: Any = _by_length(columns, batch) if by_length else transformers.Trainer
    trainer = trainer_class(
        network, settings, train_dataset=_Clips(columns), data_collator=transformers.DataCollatorWithPadding(extractor)
    )
    began = time.process_time()
    trainer.train()
    return time.process_time() - began


def _by_length(columns: list[dict[str, Any]], batch: int) -> Any:
    """Return a Trainer that groups by length; its own setting wants `input_ids`, which audio has not."""
    import transformers
    from transformers.trainer_pt_utils import LengthGroupedSampler

    class Grouped(transformers.Trainer):
        def _get_train_sampler(self, _dataset: Any = None) -> Any:
            return LengthGroupedSampler(batch, lengths=[len(one["input_values"]) for one in columns])

    return Grouped


class _Clips:
    """A data set for the Trainer."""

    def __init__(self, columns: list[dict[str, Any]]) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.columns[index]
