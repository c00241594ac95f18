"""Known defects of packages and slips of listings, in scripts of our own writing."""

from pathlib import Path
from typing import Any

import pytest

from engine.evidence.script.measures.stack import measure_stack

from .projects import script_of

LORA = """
    from transformers import {network}
    from peft import LoraConfig, get_peft_model
    model = get_peft_model({network}.from_pretrained("{name}"), LoraConfig(r=8, target_modules={targets}))
"""
SCALED = """
    import torch
    model = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.cuda.amp.GradScaler()
    for x in data:
        scaler.scale(model(x).sum()).backward()
        {unscale}
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
"""
FROZEN = """
    from transformers import Wav2Vec2ForSequenceClassification
    model = Wav2Vec2ForSequenceClassification.from_pretrained("facebook/wav2vec2-base")
    model.freeze_base_model()
    {more}
"""
SEEDS = """
    def run():
        results = []
        for seed in (1, 2, 3):
            results.append(train(seed))
            {inside}
        return results
"""
WAVLM = {"network": "WavLMModel", "name": "microsoft/wavlm-large", "targets": '["q_proj", "v_proj"]'}


def facts_of(folder: Path, text: str) -> dict[str, Any]:
    return {fact.name.removeprefix("script."): fact.value for fact in measure_stack(script_of(folder, text)).facts}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LORA.format(**WAVLM), {"wavlm_adapters": True}),
        (LORA.format(**WAVLM | {"network": "AutoModel"}), {"wavlm_adapters": True}),
        (LORA.format(**WAVLM | {"targets": '["intermediate_dense"]'}), {"wavlm_adapters": False}),
        (LORA.format(**WAVLM | {"network": "HubertModel", "name": "facebook/hubert-base-ls960"}), {}),
        (SCALED.format(unscale="pass"), {"clipping_of_scaled": True}),
        (SCALED.format(unscale="scaler.unscale_(optimizer)"), {"clipping_of_scaled": False}),
        (FROZEN.format(more=""), {"gradient_through_frozen": True}),
        (FROZEN.format(more="model.freeze_feature_encoder()"), {"gradient_through_frozen": False}),
        (SEEDS.format(inside="return results"), {"seed_loop_returns": True}),
        (SEEDS.format(inside="pass"), {"seed_loop_returns": False}),
        ("print(1)", {}),
    ],
)
def test_a_defect_is_met_or_not(tmp_path: Path, text: str, expected: dict[str, bool]) -> None:
    assert facts_of(tmp_path, text) == expected
