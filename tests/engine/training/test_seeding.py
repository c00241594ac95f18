import random

import numpy as np
import torch

from engine.training.seeding import random_state, restore_random_state, seed_everything


def draw() -> tuple[float, float, float, float, float]:
    return (
        random.random(),
        random.gauss(0, 1),
        float(np.random.random()),
        float(np.random.standard_normal()),
        float(torch.randn(1)),
    )


def test_equal_seeds_give_equal_numbers() -> None:
    seed_everything(7)
    first = draw()
    seed_everything(7)

    assert draw() == first
    assert draw() != first


def test_a_restored_state_goes_on_where_it_was_saved() -> None:
    seed_everything(2**40)
    draw()  # the normal generators now keep a second value back
    state = random_state()
    expected = [draw() for _ in range(3)]
    seed_everything(1)
    restore_random_state(state)

    assert [draw() for _ in range(3)] == expected
