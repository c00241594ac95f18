"""Checkpoints in the forms in which the hub holds them, at tiny sizes: whole models of other tasks, old names, shards.

Each is loaded by ours and by transformers' own AutoModel, and both answer alike to the last bit.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from engine.training.pretrained import Name, load_pretrained
from knowledge.errors import InputError, PlanError

from .corpora import events_of, tone_corpus, tone_plan, train
from .small_models import save_checkpoint

SPEECH = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
    "conv_dim": (16,) * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4,
}  # fmt: skip
LARGE = SPEECH | {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
PLAIN = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
WHISPER = {
    "d_model": 32, "encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_layers": 1,
    "decoder_attention_heads": 4, "decoder_ffn_dim": 64, "vocab_size": 100, "max_source_positions": 100,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1,
}  # fmt: skip
PAIRS = {"proj_codevector_dim": 8, "codevector_dim": 8, "num_codevectors_per_group": 4}
TDNN = {"tdnn_dim": (8,) * 5, "xvector_output_dim": 8}
WAVES = {
    "do_normalize": True, "feature_extractor_type": "Wav2Vec2FeatureExtractor", "feature_size": 1,
    "padding_side": "right", "padding_value": 0.0, "return_attention_mask": False, "sampling_rate": 16000,
}  # fmt: skip
BANDS = {
    "ast": {
        "do_normalize": True, "feature_extractor_type": "ASTFeatureExtractor", "feature_size": 1, "max_length": 128,
        "mean": -4.2677393, "num_mel_bins": 128, "padding_side": "right", "padding_value": 0.0,
        "return_attention_mask": False, "sampling_rate": 16000, "std": 4.5689974,
    },
    "whisper": {
        "chunk_length": 30, "feature_extractor_type": "WhisperFeatureExtractor", "feature_size": 80, "hop_length": 160,
        "n_fft": 400, "n_samples": 480000, "nb_max_frames": 3000, "padding_side": "right", "padding_value": 0.0,
        "processor_class": "WhisperProcessor", "return_attention_mask": False, "sampling_rate": 16000,
    },
    "w2v-bert": {
        "feature_extractor_type": "SeamlessM4TFeatureExtractor", "feature_size": 80, "num_mel_bins": 80,
        "padding_side": "right", "padding_value": 1, "return_attention_mask": True, "sampling_rate": 16000, "stride": 2,
    },
}  # fmt: skip
FORMS: dict[str, tuple[Name, str, dict[str, Any]]] = {
    "facebook/wav2vec2-base": ("wav2vec2", "Wav2Vec2ForPreTraining", SPEECH | PAIRS),
    "facebook/wav2vec2-base-960h": ("wav2vec2", "Wav2Vec2ForCTC", SPEECH | {"vocab_size": 11}),
    "facebook/wav2vec2-xls-r-300m": ("wav2vec2", "Wav2Vec2ForPreTraining", LARGE | PAIRS),
    "facebook/mms-1b-all": ("wav2vec2", "Wav2Vec2ForCTC", LARGE | {"vocab_size": 11, "adapter_attn_dim": 4}),
    "facebook/hubert-base-ls960": ("hubert", "HubertModel", SPEECH),
    "ntu-spml/distilhubert": ("hubert", "HubertModel", SPEECH | {"num_hidden_layers": 1}),
    "facebook/hubert-large-ls960-ft": ("hubert", "HubertForCTC", LARGE | {"vocab_size": 11}),
    "microsoft/wavlm-base-plus": ("wavlm", "WavLMModel", SPEECH),
    "microsoft/wavlm-base-plus-sv": ("wavlm", "WavLMForXVector", SPEECH | TDNN),
    "MIT/ast-finetuned-audioset-10-10-0.4593": ("ast", "ASTForAudioClassification", PLAIN | {"max_length": 128}),
    "openai/whisper-base": ("whisper", "WhisperForConditionalGeneration", WHISPER),
    "facebook/w2v-bert-2.0": ("w2v-bert", "Wav2Vec2BertModel", PLAIN | {"output_hidden_size": 32}),
}
OLD, NEW = ("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1")


def hub_folder(folder: Path, form: str, **changes: Any) -> Path:
    """Write a checkpoint as the hub holds the one of that name, with random weights."""
    import transformers

    kind, architecture, settings = FORMS[form]
    model_class = getattr(transformers, architecture)
    path = folder / form.replace("/", "--")
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = model_class(model_class.config_class(**settings))
        for parameter in network.parameters():
            parameter.data += 0.02 * torch.randn_like(parameter)  # positions and gains start at zero and one
    network.save_pretrained(path, **changes)
    (path / "preprocessor_config.json").write_text(json.dumps(BANDS.get(kind, WAVES)))
    return path


def rename(path: Path, change: Callable[[str], str]) -> list[str]:
    """Call the weights of a checkpoint otherwise, and return their names."""
    file = path / "model.safetensors"
    weights = {change(name): value for name, value in safetensors.torch.load_file(file).items()}
    safetensors.torch.save_file(weights, file, metadata={"format": "pt"})
    return list(weights)


def answers(network: Any, kind: str) -> Tensor:
    """Return what a network says of one input that is the same each time."""
    generator = torch.Generator().manual_seed(7)
    shape = {"ast": (1, 128, 128), "whisper": (1, 80, 200), "w2v-bert": (1, 40, 160)}.get(kind, (1, 9000))
    network = network.get_encoder() if kind == "whisper" and hasattr(network, "get_encoder") else network
    with torch.no_grad():
        answer: Tensor = network.eval()(torch.randn(shape, generator=generator)).last_hidden_state
    return answer


def from_transformers(path: Path) -> Any:
    import transformers

    return transformers.AutoModel.from_pretrained(path, dtype="float32")


@pytest.mark.parametrize("form", FORMS)
def test_every_family_answers_as_transformers_own_class(tmp_path: Path, form: str) -> None:
    kind, architecture, _ = FORMS[form]
    path = hub_folder(tmp_path, form)
    assert json.loads((path / "config.json").read_text())["architectures"] == [architecture]
    loaded = load_pretrained(kind, str(path), 16000)

    expected = answers(from_transformers(path), kind)
    assert float((answers(loaded.network, kind) - expected).abs().max()) == 0
    assert loaded.settings["feature_extractor_type"] == BANDS.get(kind, WAVES)["feature_extractor_type"]
    assert loaded.normalises_input == (kind in ("wav2vec2", "hubert", "wavlm"))
    assert loaded.notes == ()


@pytest.mark.parametrize("form", ["facebook/wav2vec2-base", "facebook/hubert-base-ls960", "microsoft/wavlm-base-plus"])
def test_both_names_of_a_normalised_weight_are_understood(tmp_path: Path, form: str) -> None:
    kind, path = FORMS[form][0], hub_folder(tmp_path, form)
    said = []
    for names, others in ((OLD, NEW), (NEW, OLD)):

        def changed(name: str, names: tuple[str, str] = names, others: tuple[str, str] = others) -> str:
            for one, other in zip(names, others, strict=True):
                name = name.replace(other, one)
            return name

        assert sum(name.endswith(names) for name in rename(path, changed)) == 2
        said.append(answers(load_pretrained(kind, str(path), 16000).network, kind))
    assert torch.equal(*said)


@pytest.mark.parametrize("form", ["openai/whisper-base", "facebook/wav2vec2-xls-r-300m"])
def test_shards_are_put_together_and_a_lost_one_is_told(tmp_path: Path, form: str) -> None:
    kind = FORMS[form][0]
    whole = answers(load_pretrained(kind, str(hub_folder(tmp_path / "whole", form)), 16000).network, kind)
    path = hub_folder(tmp_path / "parted", form, max_shard_size="60KB")
    shards = sorted(path.glob("model-*.safetensors"))
    assert len(shards) >= 2 and (path / "model.safetensors.index.json").exists()

    assert torch.equal(answers(load_pretrained(kind, str(path), 16000).network, kind), whole)
    shards[1].unlink()
    with pytest.raises(InputError, match=r"cannot be loaded"):
        load_pretrained(kind, str(path), 16000)


def test_half_precision_weights_become_single(tmp_path: Path) -> None:
    path = hub_folder(tmp_path, "facebook/hubert-base-ls960")
    file = path / "model.safetensors"
    halves = {name: value.half() for name, value in safetensors.torch.load_file(file).items()}
    safetensors.torch.save_file(halves, file, metadata={"format": "pt"})

    network = load_pretrained("hubert", str(path), 16000).network
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32}
    assert torch.equal(answers(network, "hubert"), answers(from_transformers(path), "hubert"))


@pytest.mark.parametrize("form", ["facebook/wav2vec2-base", "microsoft/wavlm-base-plus", "openai/whisper-base"])
def test_a_pickle_is_refused_with_the_way_out(tmp_path: Path, form: str) -> None:
    kind, path = FORMS[form][0], hub_folder(tmp_path, form)
    file = path / "model.safetensors"
    torch.save(safetensors.torch.load_file(file), path / "pytorch_model.bin")
    load_pretrained(kind, str(path), 16000)  # beside safetensors it is passed over
    file.unlink()

    with pytest.raises(InputError, match=r"pytorch_model\.bin alone, a pickle") as caught:
        load_pretrained(kind, str(path), 16000)
    command = caught.value.hint.partition('-c "')[2].partition('"')[0].replace("NEW_FOLDER", str(tmp_path / "new"))
    exec(command, {})
    assert torch.equal(
        answers(load_pretrained(kind, str(tmp_path / "new"), 16000).network, kind),
        answers(from_transformers(path), kind),
    )


def test_layers_that_the_config_leaves_out_are_told_in_the_log(tmp_path: Path) -> None:
    """People cut a network by its config; they are to see that it was cut."""
    path = Path(save_checkpoint(tmp_path, num_hidden_layers=3))
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 1}))
    plan = tone_plan(
        tone_corpus(tmp_path / "data", clips=12), training__epochs=1, data__sample_rate_hz=16000,
        backbone__name="wav2vec2", backbone__checkpoint=str(path),
    )  # fmt: skip

    (start,) = events_of(train(plan, tmp_path / "run"), "start")
    assert start["warnings"] == [
        f"backbone.checkpoint {path} has weights of 3 layers, and its config.json names 1: the others are not run"
    ]


@pytest.mark.parametrize("form", ["openai/whisper-base", "MIT/ast-finetuned-audioset-10-10-0.4593"])
def test_a_missing_weight_of_the_encoder_is_told_by_its_name(tmp_path: Path, form: str) -> None:
    kind, path = FORMS[form][0], hub_folder(tmp_path, form)
    file = path / "model.safetensors"
    weights = safetensors.torch.load_file(file)
    gone = next(name for name in sorted(weights) if ".1." in name and "decoder" not in name and "bias" in name)
    del weights[gone]
    safetensors.torch.save_file(weights, file, metadata={"format": "pt"})

    with pytest.raises(InputError, match=r"lacks 1 weights of \w+, among them layers\.1\."):
        load_pretrained(kind, str(path), 16000)


def test_the_hub_out_of_reach_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="facebook/wav2vec2-base cannot be loaded") as caught:
        load_pretrained("wav2vec2", "facebook/wav2vec2-base", 16000)
    assert "give the folder" in caught.value.hint
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr("engine.training.pretrained.os.environ", {})
    with pytest.raises(InputError, match="facebook/wav2vec2-base cannot be loaded") as caught:
        load_pretrained("wav2vec2", "facebook/wav2vec2-base", 16000)
    assert "connection, or give a local folder" in caught.value.hint


def test_another_kind_than_the_plan_names_is_told(tmp_path: Path) -> None:
    path = hub_folder(tmp_path, "microsoft/wavlm-base-plus")
    with pytest.raises(PlanError, match=r"backbone\.name is hubert, but .* is a wavlm model"):
        load_pretrained("hubert", str(path), 16000)
