"""A recurrent layer's last frame or final state, in the ways in which people take it."""

from pathlib import Path

import pytest

from .reviewed import fact, loop

NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(4, 8, batch_first=True)
        self.head = nn.Linear(8, 2)
    def forward(self, x):
        {taken}
net = Net()
"""
TAKEN = {
    "the state of the last layer": "_, (h, c) = self.rnn(x); return self.head(h[-1])",
    "both directions": "out, (h, _) = self.rnn(x); return self.head(torch.cat((h[-2], h[-1]), dim=1))",
    "the state, squeezed": "out, state = self.rnn(x); return self.head(state[0].squeeze(0))",
    "the last frame, time first": "out, _ = self.rnn(x); return self.head(out[-1])",
    "the last frame, batch first": "out, _ = self.rnn(x); return self.head(out[:, -1, :])",
    "the last frame of each clip": "out, _ = self.rnn(x); return self.head(out[torch.arange(2), len(x) - 1])",
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_the_last_frame_is_found_however_it_is_taken(tmp_path: Path, name: str) -> None:
    assert fact(tmp_path, "pooling", loop(before=NET.format(taken=TAKEN[name]))) == "last"


def test_a_state_that_is_thrown_away_is_no_pooling(tmp_path: Path) -> None:
    mean = "out, state = self.rnn(x); return self.head(out.mean(dim=1))"
    assert fact(tmp_path, "pooling", loop(before=NET.format(taken=mean))) == "plain"


@pytest.mark.parametrize(("layers", "pooling"), [
    ("LSTM(8)", "last"), ("Bidirectional(GRU(8))", "last"),
    ("LSTM(8, return_sequences=True), GlobalAveragePooling1D()", "plain"),
])  # fmt: skip
def test_a_recurrent_layer_of_keras_gives_its_last_frame(tmp_path: Path, layers: str, pooling: str) -> None:
    script = f"""
        from tensorflow import keras
        from tensorflow.keras.layers import LSTM, GRU, Bidirectional, GlobalAveragePooling1D, Dense, Input
        x = made = Input((100, 40))
        for layer in [{layers}, Dense(3, activation="softmax")]:
            x = layer(x)
        model = keras.Model(made, x)
        model.compile(loss="categorical_crossentropy", optimizer="adam")
        model.fit(clips, labels, validation_data=(held, answers))
    """
    assert fact(tmp_path, "pooling", script) == pooling
