"""Which frame of a run shows the most contrast agent."""

from collections.abc import Iterable

import numpy as np
from scipy import ndimage

_SMALL = 64
_WIDTHS = (0.05, 0.1, 0.2, 0.3)
_LONG_RUN = 8


def _reduced(image: np.ndarray) -> np.ndarray:
    """Means of equal blocks, about 64 along each side; the remainder at the ends is left out."""
    block = [max(1, size // _SMALL) for size in image.shape]
    rows, columns = (size // step * step for size, step in zip(image.shape, block, strict=True))
    cut = image[:rows, :columns]
    return cut.reshape(rows // block[0], block[0], columns // block[1], block[1]).mean(axis=(1, 3))


def structure_amounts(attenuation: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """How much of an image (rows, columns) stands out against its surroundings, (4,), in the image's own units.

    For structures narrower than 5, 10, 20 and 30 % of the image: the mean of what a grey opening of that size takes
    off. A change of exposure or a slow gradient adds nothing, and a structure that only moves keeps its amount.
    ``usable`` (rows, columns) bool leaves out pixels that do not show the patient.
    """
    weight = _reduced(usable.astype(np.float32))
    inside = weight > 0.99
    if not inside.any():
        return np.zeros(len(_WIDTHS))
    small = _reduced(np.where(usable, attenuation, 0).astype(np.float32)) / np.maximum(weight, 1e-6)
    nearest = ndimage.distance_transform_edt(~inside, return_distances=False, return_indices=True)
    small = small[tuple(nearest)]
    amounts = []
    for width in _WIDTHS:
        size = [max(3, round(width * length)) for length in small.shape]
        amounts.append((small - ndimage.grey_opening(small, size=size, mode="nearest"))[inside].mean())
    return np.array(amounts, dtype=float)


def strongest_frame(images: Iterable[np.ndarray], usable: np.ndarray) -> int:
    """The 0-based number of the image (rows, columns) with the most contrast agent; 0 for a single image.

    Sums over the four widths of ``structure_amounts`` by how much of its highest amount a frame lies above the lowest:
    the width whose amount the agent changes most counts most, thin for coronary arteries, wide for an aorta. Runs of 8
    frames and more are smoothed by a median over three, so that one flashing frame does not win.
    """
    amounts = np.array([structure_amounts(image, usable) for image in images])
    if len(amounts) == 1:
        return 0
    highest = np.maximum(amounts.max(axis=0), np.finfo(float).tiny)
    score = ((amounts - amounts.min(axis=0)) / highest).sum(axis=1)
    smooth = ndimage.median_filter(score, size=3, mode="nearest") if len(score) >= _LONG_RUN else score
    best = np.flatnonzero(smooth >= smooth.max())
    return int(best[np.argmax(np.minimum(score[best], smooth.max()))])
