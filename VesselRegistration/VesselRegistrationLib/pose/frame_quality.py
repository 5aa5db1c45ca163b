"""Whether a frame of a cine shows enough of the vessel to follow it."""

from dataclasses import dataclass

import numpy as np

from .contour import Contour
from .evidence import ViewEvidence

LEAST_MASK_SHARE = 0.12
"""Mask within the model's silhouette, as a share of it: with less there is no contrast agent to speak of."""

LEAST_OUTLINE_EXPLAINED = 0.35
"""Share of the outline that must have an edge of the mask beside it; random masks reach 0.1 to 0.2."""

_NEAR_MM = 1.5


@dataclass(frozen=True)
class FrameQuality:
    """``mask_share``: how much of the model's silhouette the mask fills; ``outline_explained``: how much of its outline
    in the image has an edge of the mask within about 1.5 mm. Both 0 to 1."""

    mask_share: float
    outline_explained: float

    @property
    def problem(self) -> str:
        """Why the frame cannot be followed, in words; empty where it can."""
        if self.mask_share < LEAST_MASK_SHARE:
            return f"no contrast (the mask fills {100 * self.mask_share:.0f} % of the model)"
        if self.outline_explained < LEAST_OUTLINE_EXPLAINED:
            return f"the mask does not fit the model ({100 * self.outline_explained:.0f} % of the outline explained)"
        return ""


def judge_frame(contour: Contour, area_px: float, evidence: ViewEvidence) -> FrameQuality:
    """Quality of a frame for a model whose contour there is ``contour`` and whose silhouette covers ``area_px``."""
    near_px = _NEAR_MM / evidence.view.isocentre_spacing_mm
    rows, columns = evidence.mask.shape
    at = np.rint(contour.pixels).astype(int)
    inside = ((at >= 0) & (at < [columns, rows])).all(axis=1)
    known = np.zeros(len(at), dtype=bool)
    known[inside] = np.isfinite(evidence.mask[at[inside, 1], at[inside, 0]])
    if not known.any() or area_px <= 0:
        return FrameQuality(0.0, 0.0)
    position, found = evidence.edges_along(contour, 3 * near_px, max(0.5, near_px / 4))
    nearest = np.where(found, np.abs(position), np.inf).min(axis=1)
    explained = float(np.exp(-0.5 * (nearest[known] / near_px) ** 2).mean())
    return FrameQuality(min(1.0, float(evidence.vessel.sum()) / area_px), explained)
