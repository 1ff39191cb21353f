"""The linear assignment problem: which detection continues which track."""

import lap
import numpy as np
from numpy.typing import NDArray


def assign(costs: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair rows with columns, each at most once, so that the sum of the pairs' costs is minimal.

    Solved by the algorithm of Jonker and Volgenant (1987), as in
    ``scipy.optimize.linear_sum_assignment``, without installing SciPy.

    Args:
        costs: Finite ``(N, M)``, neither side empty.

    Returns:
        Indices of the paired rows, ascending, and of their columns: ``min(N, M)`` each.
    """
    rows, columns = lap.lapjvx(costs, extend_cost=True, return_cost=False)
    order = np.argsort(rows)
    return rows[order].astype(np.int64), columns[order].astype(np.int64)
