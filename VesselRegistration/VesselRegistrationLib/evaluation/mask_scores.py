"""How well a mask agrees with the true one: every measure of the same two binary masks."""

from dataclasses import dataclass

import numpy as np

from ..matching.overlap import binary_overlap

_PERCENTILE = 95


@dataclass(frozen=True)
class MaskScores:
    """Agreement of a found mask with the true one.

    ``cl_dice`` is the Dice of centrelines (Shit et al., CVPR 2021). ``hd95_px`` is the 95th percentile of the distances
    between the two outlines, both ways; not a number where one mask is empty. ``on_devices`` is the share of device
    pixels that were taken for vessel where there is none; not a number without devices.
    """

    dice: float
    precision: float
    recall: float
    cl_dice: float
    hd95_px: float
    on_devices: float


def score_mask(found: np.ndarray, truth: np.ndarray, usable: np.ndarray,
               devices: np.ndarray | None = None) -> MaskScores:
    """Compare masks (rows, columns) bool inside ``usable``; ``devices`` is the true device mask for vessels."""
    found, truth = found & usable, truth & usable
    overlap = binary_overlap(found, truth)
    return MaskScores(overlap.dice, overlap.precision, overlap.recall, centreline_dice(found, truth),
                      _hausdorff_95(found, truth),
                      np.nan if devices is None else _share_marked(found & ~truth, devices & usable))


def centreline_dice(found: np.ndarray, truth: np.ndarray) -> float:
    """clDice: harmonic mean of the shares of each mask's skeleton that lie inside the other mask, 0 to 1.

    Two empty masks agree fully.
    """
    from skimage.morphology import skeletonize

    if not found.any() or not truth.any():
        return float(found.any() == truth.any())
    precision = float(truth[skeletonize(found)].mean())
    sensitivity = float(found[skeletonize(truth)].mean())
    total = precision + sensitivity
    return 2 * precision * sensitivity / total if total > 0 else 0.0


def _hausdorff_95(found: np.ndarray, truth: np.ndarray) -> float:
    if not found.any() or not truth.any():
        return float("nan")
    import torch
    from monai.metrics import compute_hausdorff_distance

    marked, true = (torch.from_numpy(mask.astype(np.float32))[None, None] for mask in (found, truth))
    return float(compute_hausdorff_distance(marked, true, include_background=True, percentile=_PERCENTILE))


def _share_marked(found: np.ndarray, devices: np.ndarray) -> float:
    return float(found[devices].mean()) if devices.any() else float("nan")
