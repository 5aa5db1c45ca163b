"""Which two points are the ends of one stitch, and which of them is the entry."""

import numpy as np

from .. import ENTRY, EXIT
from .points import UNPAIRED

_TOLERANCE_PX = 5.0
_TOLERANCE_SHARE = 0.3
"""The other end may lie this far, plus this share of the predicted distance, from where it is expected."""

_CERTAIN = 1e-4


def pair_stitches(positions: np.ndarray, to_partner: np.ndarray,
                  exit_probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pair numbers (N,), -1 where there is no other end, and kinds (N,), 0 entry, 1 exit.

    ``positions`` (N, 2) (col, row) px; ``to_partner`` (N, 2) px, the way that each point expects to its other end;
    ``exit_probability`` (N,). Two points are a pair if each expects the other, the best agreement first. The ends of a
    pair are of different kinds, so what is known of one tells of the other.
    """
    count = len(positions)
    pair_ids = np.full(count, UNPAIRED)
    doubt = np.clip(exit_probability, _CERTAIN, 1.0 - _CERTAIN)
    for_exit = np.log(doubt / (1.0 - doubt))
    kinds = np.where(for_exit > 0, EXIT, ENTRY)
    error = np.linalg.norm((positions + to_partner)[:, None, :] - positions[None, :, :], axis=2)
    error = error / (_TOLERANCE_PX + _TOLERANCE_SHARE * np.linalg.norm(to_partner, axis=1))[:, None]
    both = np.triu(np.maximum(error, error.T), k=1)
    rows, columns = np.nonzero(np.triu(np.maximum(error, error.T) < 1.0, k=1))
    order = np.argsort(both[rows, columns], kind="stable")
    number = 0
    for one, other in zip(rows[order], columns[order], strict=True):
        if pair_ids[one] == pair_ids[other] == UNPAIRED:
            pair_ids[one] = pair_ids[other] = number
            number += 1
            one_is_exit = for_exit[one] > for_exit[other]
            kinds[one], kinds[other] = (EXIT, ENTRY) if one_is_exit else (ENTRY, EXIT)
    return pair_ids, kinds
