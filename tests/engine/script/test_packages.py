"""Facts about known defects of packages: compliant and noncompliant scripts of our own writing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.evidence.script.measures.adapters import measure_adapters
from engine.evidence.script.measures.batches import measure_batches
from engine.evidence.script.measures.halves import measure_halves
from engine.evidence.script.measures.masking import measure_masking
from engine.evidence.script.measures.reach import measure_reach
from engine.evidence.script.measures.unreached import measure_unreached
from knowledge.records import Measured

from .projects import script_of

SPEECH = """
    import torch, librosa
    from torch.utils.data import DataLoader
    from torch.nn.utils.rnn import pad_sequence
    from transformers import {kind}, Wav2Vec2FeatureExtractor
    extractor = Wav2Vec2FeatureExtractor.from_pretrained("{name}")
    net = {kind}.from_pretrained("{name}"{options})
    {made}
    def collate(clips):
        waves = [librosa.load(each{cut})[0] for each in clips]
        return {joined}
    loader = DataLoader(["a.wav"], batch_size={batch}, collate_fn=collate, shuffle=True)
    optimizer = torch.optim.AdamW({weights}, lr={rate})
    for epoch in range(20):
        for number, waves in enumerate(loader):
            {run}
            loss = given.logits.sum()
            loss.backward()
            {clip}
            {condition}
            optimizer.step()
            optimizer.zero_grad()
"""
USUAL = {
    "kind": "Wav2Vec2ForSequenceClassification", "name": "facebook/wav2vec2-base", "options": "", "made": "", "cut": "",
    "joined": "pad_sequence(waves)", "batch": "16", "weights": "net.parameters()", "rate": "3e-5",
    "run": "given = net(waves)", "clip": "", "condition": "",
}  # fmt: skip


def told(folder: Path, text: str) -> dict[str, Any]:
    script = script_of(folder, text)
    found = Measured()
    for measure in (
        measure_masking, measure_batches, measure_adapters, measure_halves, measure_reach, measure_unreached,
    ):  # fmt: skip
        found += measure(script)
    return {fact.name.removeprefix("script."): fact.value for fact in found.facts}


def speech(folder: Path, **changes: str) -> dict[str, Any]:
    return told(folder, SPEECH.format(**{**USUAL, **changes}))


@pytest.mark.parametrize(("changes", "expected"), [
    ({}, True),
    ({"options": ", apply_spec_augment=False"}, False),
    ({"options": ", mask_time_prob=0.0"}, False),
    ({"made": "net.config.apply_spec_augment = False"}, False),
    ({"name": "someone/wav2vec2-finetuned"}, None),
    ({"kind": "ASTForAudioClassification", "name": "MIT/ast-finetuned-audioset-10-10-0.4593"}, None),
])  # fmt: skip
def test_a_checkpoint_masks_unless_told(tmp_path: Path, changes: dict[str, str], expected: bool | None) -> None:
    assert speech(tmp_path, **changes).get("spec_augment") is expected


@pytest.mark.parametrize(("cut", "expected"), [(", duration=1.0", 1.0), ("", None), (", duration=seconds()", None)])
def test_how_long_clips_are(tmp_path: Path, cut: str, expected: float | None) -> None:
    assert speech(tmp_path, cut=cut).get("clip_seconds") == expected


def test_an_extractor_cuts_at_samples(tmp_path: Path) -> None:
    joined = "extractor(waves, sampling_rate=16000, max_length=16000, truncation=True)"
    assert speech(tmp_path, joined=joined)["clip_seconds"] == 1.0
    (tmp_path / "b").mkdir()
    joined = "extractor(waves, sampling_rate=16000, max_length=16000)"
    assert "clip_seconds" not in speech(tmp_path / "b", joined=joined)


@pytest.mark.parametrize(("changes", "expected"), [
    ({}, True),
    ({"joined": "torch.stack(waves)"}, None),
    ({"joined": "extractor(waves, padding=True)"}, True),
    ({"joined": "extractor(waves, padding='max_length', max_length=16000)"}, None),
    ({"batch": "1"}, None),
    ({"name": "facebook/wav2vec2-large-xlsr-53"}, None),
])  # fmt: skip
def test_padding_meets_a_norm_over_time(tmp_path: Path, changes: dict[str, str], expected: bool | None) -> None:
    assert speech(tmp_path, **changes).get("padded_group_norm") is expected


WAVLM = {"name": "microsoft/wavlm-base", "kind": "WavLMForSequenceClassification"}


@pytest.mark.parametrize(("changes", "expected"), [
    (WAVLM | {"options": ", use_weighted_layer_sum=True"}, True),
    (WAVLM | {"options": ", use_weighted_layer_sum=True, layerdrop=0.0"}, None),
    (WAVLM, None),
    ({"options": ", use_weighted_layer_sum=True"}, None),
])  # fmt: skip
def test_layers_are_dropped_under_a_sum(tmp_path: Path, changes: dict[str, str], expected: bool | None) -> None:
    assert speech(tmp_path, **changes).get("dropped_layers") is expected


@pytest.mark.parametrize(("changes", "expected"), [
    ({}, None),
    ({"condition": "if number % 4 == 0: optimizer.step()"}, True),
])  # fmt: skip
def test_a_step_every_few_batches_accumulates(tmp_path: Path, changes: dict[str, str], expected: bool | None) -> None:
    assert speech(tmp_path, **changes).get("accumulates") is expected


GROUPS = "[{'params': net.wav2vec2.parameters(), 'lr': 1e-5}, {'params': net.classifier.parameters()}]"


@pytest.mark.parametrize(("weights", "clipped", "expected"), [
    (GROUPS, "optimizer.param_groups[0]['params']", "first"),
    (GROUPS, "net.parameters()", None),
    ("net.parameters()", "optimizer.param_groups[0]['params']", None),
])  # fmt: skip
def test_the_first_group_alone_is_clipped(tmp_path: Path, weights: str, clipped: str, expected: str | None) -> None:
    clip = f"torch.nn.utils.clip_grad_norm_({clipped}, 1.0)"
    assert speech(tmp_path, weights=weights, clip=clip).get("clipped_groups") == expected


@pytest.mark.parametrize(("run", "expected"), [
    ("given = net(waves)", None),
    ("with torch.inference_mode(): given = net(waves)", True),
    ("with torch.no_grad(): given = net(waves)", None),
])  # fmt: skip
def test_features_of_inference_mode(tmp_path: Path, run: str, expected: bool | None) -> None:
    assert speech(tmp_path, run=run).get("inference_features") is expected


@pytest.mark.parametrize(("changes", "expected"), [
    ({}, 3e-5),
    ({"weights": GROUPS}, None),
    ({"rate": "chosen()"}, None),
])  # fmt: skip
def test_the_one_learning_rate(tmp_path: Path, changes: dict[str, str], expected: float | None) -> None:
    assert speech(tmp_path, **changes).get("learning_rate") == expected


@pytest.mark.parametrize(("network", "name", "targets", "expected"), [
    ("ASTModel", "MIT/ast-finetuned-audioset-10-10-0.4593", '["query", "value"]', "not-there"),
    ("ASTModel", "MIT/ast-finetuned-audioset-10-10-0.4593", '["q_proj", "v_proj"]', "found"),
    ("AutoModel", "facebook/w2v-bert-2.0", '["q_proj", "v_proj"]', "not-there"),
    ("AutoModel", "facebook/w2v-bert-2.0", '["linear_q", "linear_v"]', "found"),
    ("AutoModel", "facebook/w2v-bert-2.0", '"all-linear"', None),
    ("HubertModel", "facebook/hubert-base-ls960", '["q_proj"]', None),
])  # fmt: skip
def test_adapters_want_layers_by_name(
    tmp_path: Path, network: str, name: str, targets: str, expected: str | None
) -> None:
    text = f"""
        from transformers import {network}
        from peft import LoraConfig, get_peft_model
        net = {network}.from_pretrained("{name}")
        net = get_peft_model(net, LoraConfig(r=8, target_modules={targets}))
    """
    found = told(tmp_path, text)
    assert found.get("adapter_targets") == expected
    assert found["adapter_breadth"] == ("all-linear" if "all" in targets else "chosen")


@pytest.mark.parametrize(("more", "expected"), [("", True), ("net.freeze_feature_encoder()", None)])
def test_adapters_leave_the_front_end_asking_for_gradients(tmp_path: Path, more: str, expected: bool | None) -> None:
    text = f"""
        from transformers import AutoModelForAudioClassification
        from peft import LoraConfig, get_peft_model
        net = AutoModelForAudioClassification.from_pretrained("facebook/wav2vec2-base")
        {more}
        net = get_peft_model(net, LoraConfig(target_modules=["q_proj"]))
    """
    assert told(tmp_path, text).get("gradient_through_adapted") is expected


def test_an_older_transformers_has_the_older_names(tmp_path: Path) -> None:
    text = """
        from transformers import ASTModel
        from peft import LoraConfig, get_peft_model
        net = get_peft_model(ASTModel.from_pretrained("MIT/ast"), LoraConfig(target_modules=["query"]))
    """
    (tmp_path / "requirements.txt").write_text("transformers==4.40.0\n")
    assert "adapter_targets" not in told(tmp_path, text)


@pytest.mark.parametrize(("call", "expected"), [
    ("freeze_feature_encoder", {"absent_methods": 1}), ("freeze_base_model", {}),
    ("enable_input_require_grads", {"idle_methods": 1}),
])  # fmt: skip
def test_methods_of_another_network(tmp_path: Path, call: str, expected: dict[str, int]) -> None:
    text = f"""
        from transformers import Wav2Vec2BertForSequenceClassification
        net = Wav2Vec2BertForSequenceClassification.from_pretrained("facebook/w2v-bert-2.0")
        net.{call}()
    """
    assert told(tmp_path, text) == expected


LOSS = """
    import torch
    from torch.utils.data import DataLoader
    def ccc_loss(x, y):
        return 1 - 2 * ((x - x.mean()) * (y - y.mean())).mean() / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    net = torch.nn.Sequential({layers})
    optimizer = torch.optim.AdamW(net.parameters())
    for x, y in DataLoader([1], batch_size=4):
        loss = {loss}
        loss.backward()
        optimizer.step()
        print({watched})
"""


@pytest.mark.parametrize(("loss", "watched", "expected"), [
    ("ccc_loss(net(x), y)", "1", "concordance"),
    ("0.5 * ccc_loss(net(x), y) + 0.5", "1", "concordance"),
    ("torch.nn.functional.mse_loss(net(x), y)", "ccc_loss(net(x), y)", None),
])  # fmt: skip
def test_a_concordance_that_is_trained_on(tmp_path: Path, loss: str, watched: str, expected: str | None) -> None:
    found = told(tmp_path, LOSS.format(loss=loss, watched=watched, layers="torch.nn.Linear(4, 1)"))
    assert found.get("batch_loss") == expected
    assert found["batch_size"] == 4


@pytest.mark.parametrize(("layers", "expected"), [("torch.nn.BatchNorm1d(4)", True), ("torch.nn.LayerNorm(4)", None)])
def test_a_norm_over_the_batch(tmp_path: Path, layers: str, expected: bool | None) -> None:
    found = told(tmp_path, LOSS.format(loss="net(x).sum()", watched="1", layers=layers))
    assert found.get("batch_norm") is expected


TRAINER = """
    from transformers import AutoModelForAudioClassification, Trainer, TrainingArguments
    net = AutoModelForAudioClassification.from_pretrained("facebook/wav2vec2-large-xlsr-53")
    arguments = TrainingArguments("out"{arguments})
    Trainer(model=net, args=arguments).train({resumed})
"""


@pytest.mark.parametrize(("arguments", "resumed", "expected"), [
    ("", "", {"nan_filter": True}),
    (", fp16=True", "", {"nan_filter": True, "half_type": "float16"}),
    (", bf16=True, logging_nan_inf_filter=False", "", {"nan_filter": False}),
    (", gradient_accumulation_steps=4", "", {"nan_filter": True, "accumulates": True}),
    ("", "resume_from_checkpoint=True", {"nan_filter": True, "resume_within_epoch": True}),
    (", save_strategy='epoch'", "resume_from_checkpoint=True", {"nan_filter": True}),
])  # fmt: skip
def test_what_the_trainer_is_told(tmp_path: Path, arguments: str, resumed: str, expected: dict[str, Any]) -> None:
    found = told(tmp_path, TRAINER.format(arguments=arguments, resumed=resumed))
    wanted = ("nan_filter", "half_type", "accumulates", "resume_within_epoch")
    assert {name: value for name, value in found.items() if name in wanted} == expected


def test_who_asks_the_card_for_bfloat16_is_not_told(tmp_path: Path) -> None:
    text = (
        TRAINER.format(arguments=", fp16=True", resumed="") + "    import torch\n    torch.cuda.is_bf16_supported()\n"
    )
    assert "half_type" not in told(tmp_path, text)


@pytest.mark.parametrize(("objective", "margin", "expected"), [
    ("return 1.0", "    ", True), ("return 1.0", "", None), ("pass", "    ", None),
])  # fmt: skip
def test_a_study_behind_a_return(tmp_path: Path, objective: str, margin: str, expected: bool | None) -> None:
    lines = ["import optuna", "def objective(trial):", f"    {objective}", f"{margin}study = optuna.create_study()",
             f"{margin}study.optimize(objective, n_trials=5)"]  # fmt: skip
    assert told(tmp_path, "\n".join(lines)).get("unreachable_search") is expected


@pytest.mark.parametrize(("end", "expected"), [("        return False\n", None), ("", True)])
def test_a_stopper_that_falls_out(tmp_path: Path, end: str, expected: bool | None) -> None:
    text = f"from ray import tune\nclass Stop(tune.Stopper):\n    def __call__(self, trial, result):\n        if result['wer'] > 1:\n            return True\n{end}"  # noqa: E501
    assert told(tmp_path, text).get("silent_stopper") is expected


def test_pretraining_is_told_by_what_it_is_given(tmp_path: Path) -> None:
    text = """
        from transformers import Wav2Vec2Config, Wav2Vec2ForPreTraining
        net = Wav2Vec2ForPreTraining(Wav2Vec2Config(mask_time_prob=0.065))
        net(x, mask_time_indices=m, sampled_negative_indices=n).loss.backward()
    """
    assert told(tmp_path, text)["pretrains"] is True
    assert told(tmp_path, text)["mask_share"] == 0.065
