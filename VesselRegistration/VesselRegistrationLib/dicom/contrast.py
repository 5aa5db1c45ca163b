"""Which frame of a run shows the most contrast agent."""

from collections.abc import Iterable

import numpy as np
from scipy import ndimage

_SMALL = 64
_WIDEST_VESSEL = 0.3


def _reduced(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Means of equal blocks, (rows, columns) of ``shape`` or a little more; the remainder at the ends is left out."""
    block = [max(1, size // small) for size, small in zip(image.shape, shape, strict=True)]
    rows, columns = image.shape[0] // block[0] * block[0], image.shape[1] // block[1] * block[1]
    cut = image[:rows, :columns]
    return cut.reshape(rows // block[0], block[0], columns // block[1], block[1]).mean(axis=(1, 3))


def contrast_amount(attenuation: np.ndarray, usable: np.ndarray) -> float:
    """How much of an image (rows, columns) stands out darker than its surroundings, in the image's own units.

    The mean of what a grey opening takes off: structures narrower than 30 % of the image. A change of exposure or a
    slow gradient adds nothing, and a structure that only moves keeps its amount, so that neither heartbeat nor
    breathing looks like contrast agent. ``usable`` (rows, columns) bool leaves shuttered pixels out.
    """
    shape = (_SMALL, _SMALL)
    weight = _reduced(usable.astype(np.float32), shape)
    typical = float(np.median(attenuation[usable]))
    filled = np.where(usable, attenuation, typical).astype(np.float32)
    small = _reduced(filled, shape)
    size = [max(3, round(_WIDEST_VESSEL * length)) for length in small.shape]
    excess = small - ndimage.grey_opening(small, size=size, mode="nearest")
    inside = weight > 0.99
    return float(excess[inside].mean()) if inside.any() else 0.0


def strongest_frame(images: Iterable[np.ndarray], usable: np.ndarray) -> int:
    """The 0-based number of the image with the largest ``contrast_amount``.

    Amounts are smoothed by a running median over three frames, so that one flashing frame does not win; of equal
    ones the first counts. A run of one or two frames is taken as it is.
    """
    amounts = np.array([contrast_amount(image, usable) for image in images])
    if len(amounts) > 2:
        smooth = ndimage.median_filter(amounts, size=3, mode="nearest")
        best = np.flatnonzero(smooth == smooth.max())
        return int(best[np.argmax(np.minimum(amounts[best], smooth.max()))])
    return int(np.argmax(amounts))
