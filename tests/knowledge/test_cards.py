"""Backbone cards: their numbers against transformers, and the rules that name the same backbones."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from expert.chaining import consult
from expert.proof import how
from expert.report.backbones import backbones_document
from expert.report.markdown import render_markdown
from knowledge.errors import KnowledgeError
from knowledge.loader import load_knowledge
from tests.knowledge.folder import folder
from tonmeister.cli.rules import command

KNOWLEDGE = load_knowledge()
CARDS = {card.backbone: card for card in KNOWLEDGE.backbones}
PAGE = Path(__file__).parents[2] / "docs" / "backbones.md"


@pytest.mark.parametrize("name", [name for name, card in CARDS.items() if card.model])
def test_the_configuration_has_the_weights_of_the_card(name: str) -> None:
    import torch
    import transformers
    from transformers.models.whisper import modeling_whisper

    card = CARDS[name]
    network: Any = getattr(transformers, card.model, None) or getattr(modeling_whisper, card.model)
    with torch.device("meta"):
        built = network(network.config_class(**card.config))

    assert sum(parameter.numel() for parameter in built.parameters()) == card.parameters
    if card.shape and "hidden_size" in card.config:
        assert card.shape.layers == card.config["num_hidden_layers"]
        assert card.shape.hidden == card.config["hidden_size"]


def test_kernels_are_those_of_transformers() -> None:
    import transformers

    for card in KNOWLEDGE.backbones:
        network: Any = getattr(transformers, card.model, None) if card.model else None
        if network is not None:
            assert ("sdpa" in card.attention) == bool(network._supports_sdpa), card.backbone
            assert ("flash" in card.attention) == bool(network._supports_flash_attn), card.backbone


def test_there_are_enough_cards_and_each_backbone_of_a_rule_has_one() -> None:
    assert len(CARDS) >= 25
    assert set(KNOWLEDGE.vocabulary.entries["backbone.recommended"].values) <= set(CARDS)


def test_rules_load_the_checkpoint_of_the_card() -> None:
    """A row whose `when` names one backbone and that gives its own weights gives those of the card."""
    for table in [f"checkpoint-{name}" for name in ("wav2vec2", "hubert", "wavlm", "ast", "whisper", "w2v-bert")]:
        for rule in KNOWLEDGE.table(table):
            card = next((card for card in KNOWLEDGE.backbones if card.checkpoint == rule.then.value), None)
            assert card is not None, rule.id
            assert card.runs == table.removeprefix("checkpoint-"), rule.id


def test_rules_tell_the_licence_of_the_card() -> None:
    told = {
        checkpoint: rule.then.value
        for rule in KNOWLEDGE.table("backbone-licence")
        for example in rule.examples
        if example.fires and (checkpoint := example.given["backbone.checkpoint"])
    }

    loaded = {card.checkpoint: card.commercial for card in KNOWLEDGE.backbones if card.runs and card.checkpoint}
    assert told == loaded


def test_the_estimates_rest_on_the_backbones_of_their_size() -> None:
    sizes = [(str(tuple(rule.conditions)), rule.then.value) for rule in KNOWLEDGE.table("backbone-size")]
    for entry in KNOWLEDGE.vocabulary.entries.values():
        if entry.fits:
            size = entry.name.split("_")[1]
            checkpoint = CARDS[entry.fits.card].checkpoint
            assert any(size == value and checkpoint in given for given, value in sizes), entry.name


@pytest.mark.parametrize(
    ("gib", "longest", "allowed"), [(24, 10.0, True), (6, 10.0, False), (11, 10.0, True), (11, 15.0, False)]
)
def test_the_longest_clip_decides_beside_the_memory(gib: float, longest: float, allowed: bool) -> None:
    given = {"machine.gpu": True, "machine.gpu_memory_gib": gib, "dataset.duration_max_seconds": longest}
    facts = [KNOWLEDGE.vocabulary.user_fact(name, value, "test") for name, value in given.items()]
    fixed = {"backbone.name": "wav2vec2", "backbone.checkpoint": "facebook/wav2vec2-large-robust"}
    session = consult(KNOWLEDGE, facts, packs=("plan",), fixed=fixed)

    assert session.facts["machine.allows_full_finetuning"].value is allowed


def test_a_length_that_is_assumed_is_said() -> None:
    facts = [KNOWLEDGE.vocabulary.user_fact("machine.gpu_memory_gib", 24, "test")]
    fact = consult(KNOWLEDGE, facts, packs=("plan",)).facts["memory.full_large_clips"]

    assert "assumed" in fact.evidence[0].text
    assert "25%" in fact.evidence[0].text


def test_an_estimate_of_an_unknown_backbone_does_not_load(tmp_path: Path) -> None:
    entry = (
        "- {fact: memory.some_clips, type: integer, means: Clips., supplied_by: [machine], fits: {card: nobody, "
        "method: full, memory: dataset.clips, longest: dataset.clips, assumed_seconds: 1, cropped_seconds: 1, "
        "share: 1}}\n"
    )
    with pytest.raises(KnowledgeError, match=r"memory\.some_clips\): `fits` names a backbone or a fact"):
        load_knowledge(folder(tmp_path, vocabulary__memory=entry))


def test_the_page_is_generated() -> None:
    told = "run: tonmeister rules backbones --format md > docs/backbones.md"

    assert PAGE.read_text("utf-8") == render_markdown(backbones_document(KNOWLEDGE)), told


def test_the_command_lists_every_card() -> None:
    result = CliRunner().invoke(command, ["backbones", "--format", "json"])

    assert result.exit_code == 0
    assert '"tonmeister.backbones/1"' in result.stdout
    assert all(f'"{name}"' in result.stdout for name in CARDS)


def test_an_estimate_from_what_does_not_exist_is_refused(tmp_path: Path) -> None:
    text = (
        "- {fact: time.some_hours, type: number, means: Hours., supplied_by: [rule], "
        "estimated: {what: training-hours, needs: [dataset.clip]}}\n"
    )
    (folder(tmp_path, "") / "vocabulary" / "time.yaml").write_text(text)

    with pytest.raises(KnowledgeError, match=r"time\.some_hours\): unknown fact 'dataset\.clip'") as refused:
        load_knowledge(tmp_path)
    assert refused.value.hint == "Did you mean dataset.clips?"


_BUNDLES = {
    "wav2vec2-base": "WAV2VEC2_BASE",
    "wav2vec2-large": "WAV2VEC2_LARGE",
    "wav2vec2-large-lv60": "WAV2VEC2_LARGE_LV60K",
    "xls-r-300m": "WAV2VEC2_XLSR_300M",
    "xls-r-1b": "WAV2VEC2_XLSR_1B",
    "xls-r-2b": "WAV2VEC2_XLSR_2B",
    "hubert-base": "HUBERT_BASE",
    "hubert-large": "HUBERT_LARGE",
    "hubert-xlarge": "HUBERT_XLARGE",
    "wavlm-base": "WAVLM_BASE",
    "wavlm-base-plus": "WAVLM_BASE_PLUS",
    "wavlm-large": "WAVLM_LARGE",
}
"""What torchaudio publishes of the same checkpoints."""


def test_what_is_checked_against_torchaudio_is_what_torchaudio_says() -> None:
    from torchaudio import pipelines

    against = {name for name, card in CARDS.items() if card.checked.get("shape") == "TORCHAUDIO-BUNDLES"}
    assert against == set(_BUNDLES)
    for name, bundle_name in _BUNDLES.items():
        card, bundle = CARDS[name], getattr(pipelines, bundle_name)
        assert card.shape is not None
        told = (bundle._params["encoder_num_layers"], bundle._params["encoder_embed_dim"])
        assert (card.shape.layers, card.shape.hidden) == told, name
        assert card.shape.heads == bundle._params["encoder_num_heads"], name
        assert card.shape.feed_forward == bundle._params["encoder_ff_interm_features"], name
        assert card.sample_rate_hz == bundle.sample_rate, name


@pytest.mark.parametrize(
    ("name", "millions"), [("tiny", 39), ("base", 74), ("small", 244), ("medium", 769), ("large-v2", 1550)]
)
def test_the_shapes_of_whisper_give_the_weights_of_its_model_card(name: str, millions: int) -> None:
    import torch
    import transformers

    encoder = CARDS[f"whisper-{name}"].config
    decoder = {key.replace("encoder", "decoder"): value for key, value in encoder.items() if "encoder" in key}
    with torch.device("meta"):
        built = transformers.WhisperModel(transformers.WhisperConfig(**encoder, **decoder))

    total = sum(parameter.numel() for parameter in built.parameters()) / 1e6
    assert total == pytest.approx(millions, rel=0.04)


def test_what_is_checked_against_transformers_are_its_defaults() -> None:
    import transformers

    extractors = {
        "ASTModel": "ASTFeatureExtractor",
        "WhisperEncoder": "WhisperFeatureExtractor",
        "Wav2Vec2BertModel": "SeamlessM4TFeatureExtractor",
        "ClapAudioModel": "ClapFeatureExtractor",
    }
    for name, card in CARDS.items():
        if card.checked.get("sample_rate_hz") == "TRANSFORMERS-CONFIGS":
            extractor = getattr(transformers, extractors[card.model])()
            assert extractor.sampling_rate == card.sample_rate_hz, name
        if card.checked.get("shape") == "TRANSFORMERS-CONFIGS":
            assert card.shape is not None
            config = getattr(transformers, card.model.replace("Encoder", "").replace("Model", "") + "Config")()
            told = (config.num_hidden_layers, config.hidden_size, config.num_attention_heads)
            assert (card.shape.layers, card.shape.hidden, card.shape.heads) == told, name


def test_a_card_names_what_is_from_memory() -> None:
    card = CARDS["beats"]

    assert card.unchecked == ("shape", "parameters", "sound", "hours")
    assert CARDS["wav2vec2-base"].unchecked == CARDS["mfcc"].unchecked == ()
    text = render_markdown(backbones_document(KNOWLEDGE))
    assert "from memory: layers and width, weights, what it heard, hours" in text
    assert "checked against UNILM-REPO: licence, sample rate" in text


def test_every_backbone_that_the_trainer_loads_has_a_checked_licence() -> None:
    exempt = {"whisper-base", "whisper-small"}  # their siblings' pages were stored, theirs were not

    loaded = {card.backbone for card in KNOWLEDGE.backbones if card.runs and card.checkpoint}
    assert {name for name in loaded if "licence" in CARDS[name].unchecked} == exempt


def test_a_card_checked_against_an_unknown_source_does_not_load(tmp_path: Path) -> None:
    card = (
        "- {backbone: ours, title: Ours, licence: mit, commercial: true, sample_rate_hz: 16000, input: waveform, "
        "normalises: nothing, attention_mask: null, sound: [speech], hours: 9, languages: 1, parameters: 9, "
        "checked: {hours: NOWHERE}, source: experience}\n"
    )
    with pytest.raises(KnowledgeError, match=r"backbone ours: the source 'NOWHERE' is not in sources\.yaml"):
        load_knowledge(folder(tmp_path, backbones__ours=card))


def test_an_explanation_tells_how_well_the_card_is_known() -> None:
    given = {"task.domain": "environmental", "task.type": "classification", "machine.pretrained_reachable": True}
    facts = [KNOWLEDGE.vocabulary.user_fact(name, value, "test") for name, value in given.items()]
    proof = how(consult(KNOWLEDGE, facts, packs=("plan",)), "backbone.checkpoint")

    assert proof.card == (
        "card of AST, checked against HUB-PAGES: licence, weights",
        "card of AST, checked against TRANSFORMERS-CONFIGS: sample rate, layers and width",
        "card of AST, checked against HUB-COPIES: what it heard, hours",
    )
    assert proof.card[0] in proof.render()
    assert proof.record()["card"] == list(proof.card)
