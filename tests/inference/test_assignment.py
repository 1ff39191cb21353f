"""The assignment of detections to tracks, held against SciPy's."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from utils.inference.tracking.assignment import assign


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (4, 4), (3, 9), (9, 3), (40, 40)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_pairs_are_those_of_scipy(shape: tuple[int, int], dtype: type) -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        costs = random.normal(size=shape).astype(dtype)
        for ours, theirs in zip(assign(costs), linear_sum_assignment(costs), strict=True):
            assert ours.tolist() == theirs.tolist()


def test_where_costs_are_equal_the_sum_is_that_of_scipy() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        costs = random.integers(0, 3, random.integers(1, 8, 2)).astype(float)
        assert costs[assign(costs)].sum() == costs[linear_sum_assignment(costs)].sum()


def test_impossible_pairs_are_taken_last() -> None:
    costs = np.array([[1e6, 0.2, 1e6], [1e6, 0.1, 1e6], [0.3, 1e6, 1e6]])
    rows, columns = assign(costs)
    pairs = dict(zip(rows.tolist(), columns.tolist(), strict=True))
    assert pairs[1] == 1
    assert pairs[2] == 0
