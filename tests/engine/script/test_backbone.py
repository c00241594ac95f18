"""Small networks of our own writing on a pretrained one: layers, freezing, modes, pooling, padding, dropout."""

from pathlib import Path
from typing import Any

import pytest

from engine.evidence.script.measures.dropout import measure_dropout
from engine.evidence.script.measures.freezing import measure_freezing
from engine.evidence.script.measures.head import measure_pooling
from engine.evidence.script.measures.layers import measure_input, measure_layers

from .projects import script_of

MODEL = """
    import torch, torchaudio
    from torch import nn
    from torch.nn.utils.rnn import pad_sequence
    from torch.utils.data import DataLoader
    from transformers import AutoModel, AutoFeatureExtractor

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.ssl = AutoModel.from_pretrained("facebook/hubert-base-ls960")
            self.score = nn.Linear(768, 1)
            self.weights = nn.Parameter(torch.zeros(13))
            self.head = nn.Sequential({dropout}nn.Linear(768, 4))
            {freeze}
        def forward(self, wave, mask):
            {before}
            {run}
            {pool}
            return self.head(pooled)

    def collate(items):
        waves, labels = zip(*items)
        return pad_sequence(waves, batch_first=True), labels

    class Clips:
        def __getitem__(self, i):
            wave, rate = torchaudio.load(self.paths[i])
            {scale}
            return wave, 1

    model = Net()
    optimizer = torch.optim.AdamW({parameters}, lr=1e-4)
    for epoch in range(10):
        model.train()
        for wave, label in DataLoader(Clips(), collate_fn=collate):
            loss = nn.functional.cross_entropy(model(wave, wave != 0), label)
            loss.backward()
            optimizer.step()
"""
PLAIN = {
    "dropout": "", "freeze": "pass", "before": "pass", "run": "h = self.ssl(wave).last_hidden_state",
    "pool": "pooled = h.mean(dim=1)", "scale": "pass", "parameters": "model.parameters()",
}  # fmt: skip
WHOLE = "[p.requires_grad_(False) for p in self.ssl.parameters()]"
ATTENTION = "pooled = (torch.softmax(self.score(h), dim=1) * h).sum(dim=1)"
EQUATION = 'pooled = torch.einsum("bt,btf->bf", self.score(h)[..., 0].softmax(-1), h)'
BANDS = """h = self.ssl(wave).last_hidden_state
            h = h[:, 2:].unflatten(1, (-1, 12)).mean(2) + h[:, :2].mean(1, keepdim=True)"""
MIXED = """h = self.walk(wave)  # which runs the layers one by one
            h = torch.einsum("btlf,l->btf", h.unflatten(-1, (13, -1)), self.weights.softmax(0))"""
LOUDEST = "logs = wave.log10(); wave = (torch.maximum(logs, logs.amax(1, keepdim=True) - 8.0) + 4) / 4"
MASKED = "m = mask.unsqueeze(-1).float(); pooled = (h * (mask > 0).unsqueeze(-1)).sum(dim=1) / m.sum(dim=1)"
WRITTEN_OUT = """m = (wave != 0).float(); n = m.sum(1, keepdim=True); wave = wave - (wave * m).sum(1, keepdim=True) / n
            wave = wave / ((wave.square() * m).sum(1, keepdim=True) / n).sqrt().clamp(min=1e-6)"""
WEIGHTED = """hs = self.ssl(wave, output_hidden_states=True).hidden_states
            h = (torch.stack(hs, 0) * torch.softmax(self.weights, 0).view(-1, 1, 1, 1)).sum(dim=0)"""


def facts_of(folder: Path, files: Any) -> dict[str, Any]:
    script = script_of(folder, files)
    measures = (measure_layers, measure_freezing, measure_input, measure_pooling, measure_dropout)
    return {fact.name.removeprefix("script."): fact.value for each in measures for fact in each(script).facts}


def test_the_plainest_network_lacks_everything(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, MODEL.format(**PLAIN))
    assert facts["backbone_layers"] == "one"
    assert facts["freezing"] == "nothing"
    assert facts["input_normalisation"] == "nothing"
    assert facts["pooling"] == "plain"
    assert facts["pooling_mask"] == "padding-pooled"
    assert "dropout" not in facts, "the checkpoint's configuration decides it"


@pytest.mark.parametrize(
    ("change", "fact", "value"),
    [
        ({"run": WEIGHTED}, "backbone_layers", "several"),
        ({"run": MIXED}, "backbone_layers", "several"),
        ({"pool": EQUATION}, "backbone_layers", "one"),
        ({"run": "h = self.ssl(wave, output_hidden_states=True).hidden_states[-1]"}, "backbone_layers", "one"),
        ({"run": "h = self.ssl(wave).last_hidden_state"}, "backbone_layers", "one"),
        ({"freeze": "self.ssl.freeze_feature_encoder()"}, "freezing", "part"),
        ({"freeze": "self.ssl.requires_grad_(False)"}, "freezing", "whole"),
        ({"freeze": "self.ssl.requires_grad_(True)"}, "freezing", "all-named"),
        ({"freeze": "self.head.requires_grad_(True)"}, "freezing", "nothing"),
        ({"parameters": "model.head.parameters()"}, "freezing", "whole"),
        ({"run": "with torch.no_grad(): h = self.ssl(wave).last_hidden_state"}, "freezing", "whole"),
        ({"freeze": "self.ssl.requires_grad_(False)"}, "frozen_mode", "training"),
        ({"freeze": "self.ssl.requires_grad_(False)", "before": "self.ssl.eval()"}, "frozen_mode", "evaluation"),
        ({"pool": ATTENTION}, "pooling", "learned"),
        ({"pool": "pooled = torch.cat([h.mean(1), h.std(1)], -1)"}, "pooling", "learned"),
        ({"pool": "pooled = h[:, 0]"}, "pooling", "learned"),
        ({"pool": EQUATION}, "pooling", "learned"),
        ({"run": BANDS, "pool": EQUATION}, "pooling", "learned"),
        ({"run": BANDS, "pool": "pooled = h.mean(1)"}, "pooling", "plain"),
        ({"pool": "pooled = h.unflatten(-1, (-1, 2)).mean(1).flatten(1)"}, "pooling", "plain"),
        ({"pool": "pooled = h[:, 3:].mean(1)"}, "pooling", "plain"),
        ({"pool": MASKED}, "pooling_mask", "masked"),
        ({"pool": "pooled = h.masked_fill(mask, 0).sum(dim=1)"}, "pooling", "plain"),
        ({"dropout": "nn.Dropout(0.2), "}, "dropout", "there"),
        ({"freeze": "self.ssl.requires_grad_(False)", "dropout": "nn.Dropout(0.0), "}, "dropout", "nothing"),
        ({"scale": "wave = (wave - wave.mean()) / (wave.std() + 1e-6)"}, "input_normalisation", "there"),
        ({"scale": WRITTEN_OUT}, "input_normalisation", "there"),
        ({"scale": LOUDEST}, "input_normalisation", "there"),
        ({"scale": "wave = (wave.log10() + 4) / 4"}, "input_normalisation", "nothing"),
        ({"scale": "wave = wave / wave.abs().max()"}, "input_normalisation", "nothing"),
    ],
)
def test_one_thing_is_changed(tmp_path: Path, change: dict[str, str], fact: str, value: str) -> None:
    assert facts_of(tmp_path, MODEL.format(**(PLAIN | change)))[fact] == value


def test_a_switch_of_the_command_line_is_a_decision(tmp_path: Path) -> None:
    change = {"freeze": "if args.freeze_encoder: self.ssl.requires_grad_(False)"}
    flag = """
    import argparse
    parser = argparse.ArgumentParser()
    parser.add_argument("--freeze-encoder", action="store_true")
    args = parser.parse_args()
    """
    assert facts_of(tmp_path, flag + MODEL.format(**(PLAIN | change)))["freezing"] == "option"


def test_adapters_count_as_a_decision(tmp_path: Path) -> None:
    text = MODEL.format(**PLAIN).replace(
        "model = Net()", "from peft import get_peft_model\n    model = get_peft_model(Net(), config)"
    )
    assert facts_of(tmp_path, text)["freezing"] == "adapters"


def test_a_network_of_ones_own_has_no_backbone(tmp_path: Path) -> None:
    text = """
        import torch
        from torch import nn
        net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.Flatten(), nn.Linear(80, 4))
        optimizer = torch.optim.Adam(net.parameters())
        nn.CrossEntropyLoss()(net(x), y).backward()
        optimizer.step()
    """
    facts = facts_of(tmp_path, text)
    assert facts["backbone_layers"] == facts["freezing"] == "no-backbone"
    assert facts["pooling"] == "no-pooling"
    assert facts["dropout"] == "nothing"


def test_code_whose_network_is_not_found_is_not_judged(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, "import somewhere\nmodel = somewhere.build()\nmodel.loss().backward()\n")
    assert not {"backbone_layers", "freezing", "dropout", "pooling"} & set(facts)


def test_means_over_bands_and_over_two_tokens_are_no_pooling(tmp_path: Path) -> None:
    run = "h = self.ssl(wave).last_hidden_state; h = h[:, 2:].unflatten(1, (-1, 12)).mean(2); pooled = h[:, :2].mean(1)"
    assert "pooling" not in facts_of(tmp_path, MODEL.format(**(PLAIN | {"run": run, "pool": "pass"})))


def test_the_encoder_of_a_network_is_the_network(tmp_path: Path) -> None:
    model = MODEL.replace('hubert-base-ls960")', 'whisper-base").get_encoder()')
    facts = facts_of(tmp_path, model.format(**(PLAIN | {"freeze": WHOLE, "before": "self.ssl.eval()"})))
    assert facts["freezing"] == "whole" and facts["frozen_mode"] == "evaluation"
