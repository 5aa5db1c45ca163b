"""Which exit belongs to which entry."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from .points import UNPAIRED

_TOLERANCE_PX = 6.0
_TOLERANCE_SHARE = 0.35
"""An exit may lie this far, plus this share of the predicted distance, from where its entry expects it."""


def pair_stitches(entries: np.ndarray, exits: np.ndarray, to_exit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pair numbers of entries (N,) and of exits (M,), -1 where there is no other end.

    ``entries`` (N, 2) and ``exits`` (M, 2) (col, row) px; ``to_exit`` (N, 2) px, the predicted way from each entry to
    its exit. The pairs are those with the smallest sum of errors, so that an exit belongs to one entry only.
    """
    entry_pairs, exit_pairs = np.full(len(entries), UNPAIRED), np.full(len(exits), UNPAIRED)
    if not len(entries) or not len(exits):
        return entry_pairs, exit_pairs
    error = np.linalg.norm((entries + to_exit)[:, None, :] - exits[None, :, :], axis=2)
    allowed = (_TOLERANCE_PX + _TOLERANCE_SHARE * np.linalg.norm(to_exit, axis=1))[:, None]
    cost = np.minimum(error / allowed, 1.0)
    for number, (entry, exit_) in enumerate(zip(*linear_sum_assignment(cost), strict=True)):
        if cost[entry, exit_] < 1.0:
            entry_pairs[entry] = exit_pairs[exit_] = number
    return entry_pairs, exit_pairs
