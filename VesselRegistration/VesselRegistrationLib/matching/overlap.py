"""Dice, precision and recall, all three from the same two binary masks (Li et al., Eq. 6 to 8)."""

import numpy as np

from ..registration.result import Overlap


def binary_overlap(found: np.ndarray, truth: np.ndarray) -> Overlap:
    """Overlap of two bool masks of the same shape. Two empty masks agree fully; nothing found has precision 0."""
    hits, found_area, true_area = int((found & truth).sum()), int(found.sum()), int(truth.sum())
    if found_area + true_area == 0:
        return Overlap(1.0, 1.0, 1.0)
    return Overlap(dice=2 * hits / (found_area + true_area), precision=hits / max(1, found_area),
                   recall=hits / true_area if true_area else 1.0)
