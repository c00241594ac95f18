"""Different values and quantiles: what numpy finds, without what numpy loads for it."""

import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.evidence.dataset.coded import different, medians, quantiles

NUMBERS = st.lists(st.floats(-1e6, 1e6) | st.integers(-5, 5).map(float), max_size=30)


@given(NUMBERS)
def test_different_values_are_those_of_numpy(values: list[float]) -> None:
    assert np.array_equal(different(np.array(values)), np.unique(np.array(values)))


@given(NUMBERS.filter(bool), st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_quantiles_are_those_of_numpy(values: list[float], shares: list[float]) -> None:
    assert np.array_equal(quantiles(np.array(values), shares), np.quantile(np.array(values), shares))


@given(st.integers(1, 9), st.integers(0, 10**6), st.floats(0, 1))
def test_medians_are_those_of_numpy(rows: int, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(rows, 4))
    table[rng.random((rows, 4)) < share] = np.nan
    known = ~np.isnan(table).all(axis=0)

    assert np.array_equal(medians(table)[known], np.nanmedian(table[:, known], axis=0))
    assert np.isnan(medians(table)[~known]).all()
    assert np.array_equal(medians(table[:, 0]), medians(table)[0], equal_nan=True)


def test_masked_arrays_are_not_loaded() -> None:
    program = """
import sys
import numpy as np
from engine.evidence.dataset.coded import different, quantiles
different(np.arange(9)), quantiles(np.arange(9.0), (0.5,))
print("numpy.ma" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
