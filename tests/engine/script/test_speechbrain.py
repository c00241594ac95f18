"""What SpeechBrain does with the settings that a recipe hands it: order, padding, loss and pooling out of its YAML."""

from pathlib import Path

import pytest

from .reviewed import measured

RECIPE = """
    import sys
    import speechbrain as sb
    from hyperpyyaml import load_hyperpyyaml

    class Recogniser(sb.Brain):
        def compute_forward(self, batch, stage):
            wavs, lengths = batch.sig
            frames = self.modules.encoder(wavs{lengths})
            return self.hparams.log_softmax(self.modules.head(self.hparams.pool(frames, lengths)))
        def compute_objectives(self, predictions, batch, stage):
            return self.hparams.compute_cost(predictions, batch.label)

    hparams = load_hyperpyyaml(open("train.yaml"), "")
    brain = Recogniser(modules=hparams["modules"], opt_class=hparams["opt_class"], hparams=hparams)
    data = hparams["train_data"], hparams["valid_data"]
    brain.fit(hparams["counter"], data[0], data[1], {loader})
"""
SETTINGS = """
    encoder: !new:speechbrain.lobes.models.huggingface_transformers.wav2vec2.Wav2Vec2
        source: facebook/wav2vec2-base
        freeze: False
        freeze_feature_extractor: True
        save_path: x
    pool: !new:speechbrain.nnet.pooling.StatisticsPooling
        return_std: False
    head: !new:speechbrain.nnet.linear.Linear
        input_size: 768
        n_neurons: 4
    modules:
        encoder: !ref <encoder>
        head: !ref <head>
    log_softmax: !new:speechbrain.nnet.activations.Softmax
        apply_log: True
    compute_cost: !name:speechbrain.nnet.losses.nll_loss
    opt_class: !name:torch.optim.Adam
        lr: 0.0001
    counter: !new:speechbrain.utils.epoch_loop.EpochCounter
        limit: 30
    options:
        batch_size: 4
        shuffle: True
    train_data: !new:speechbrain.dataio.dataset.DynamicItemDataset
        data: train.json
    valid_data: !new:speechbrain.dataio.dataset.DynamicItemDataset
        data: valid.json
"""


@pytest.mark.parametrize(("loader", "order"), [
    ('train_loader_kwargs=hparams["options"]', "shuffled"), ('train_loader_kwargs={"batch_size": 2}', "as-listed"),
])  # fmt: skip
def test_the_recipe_is_read_through_its_settings(tmp_path: Path, loader: str, order: str) -> None:
    files = {"train.py": RECIPE.format(loader=loader, lengths=", lengths"), "train.yaml": SETTINGS}
    found = measured(tmp_path, files)
    assert found.get("script.training_order") == order
    assert found.get("script.padding") == "told"
    assert found.get("script.labels") == "classes"
    assert found.get("script.pooling") == "plain"
    assert found.get("script.frozen_mode") != "training"


def test_a_length_that_only_the_pooling_gets_comes_too_late(tmp_path: Path) -> None:
    files = {"train.py": RECIPE.format(loader="", lengths=""), "train.yaml": SETTINGS}
    assert measured(tmp_path, files).get("script.padding") == "untold"
