"""The paper's read-out (Sharan et al., Section 3.2): threshold and centre of mass."""

import numpy as np
from scipy import ndimage

THRESHOLD = 0.5


def cluster_centres(heat: np.ndarray, threshold: float = THRESHOLD) -> tuple[np.ndarray, np.ndarray]:
    """Centre of mass (N, 2) (col, row) px and highest value (N,) of every connected region above the threshold.

    ``heat`` (height, width), 0 to 1. Points whose regions touch become one.
    """
    regions, count = ndimage.label(heat > threshold, structure=np.ones((3, 3)))
    if count == 0:
        return np.zeros((0, 2)), np.zeros(0)
    numbers = np.arange(1, count + 1)
    centres = np.array(ndimage.center_of_mass(heat, regions, numbers))
    return centres[:, ::-1], np.asarray(ndimage.maximum(heat, regions, numbers), dtype=float)
