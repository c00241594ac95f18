"""Columns as numbers: the fast way for texts that never repeat agrees with the general one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.evidence.dataset.coded import coded
from engine.evidence.dataset.records import folded

CELLS = st.lists(st.sampled_from(["a", "A", " a", "b", "b ", "c", "", " ", "é", "e\u0301"]), max_size=12)


@given(CELLS)
def test_equal_names_share_a_number_and_blanks_are_another_spelling(cells: list[str]) -> None:
    column = coded(cells, folded)

    for place, cell in enumerate(cells):
        code = int(column.codes[place])
        assert (code < 0) == (not folded(cell))
        if code >= 0:
            assert column.keys[code] == folded(cell)
            assert bool(column.respelled[place]) == (cell != column.names[code])
    assert len(set(column.keys)) == len(column.keys) == len(column.names)
    assert column.counts.sum() == np.sum(column.codes >= 0)
