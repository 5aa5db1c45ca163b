"""How well a pose explains the masks, without knowing the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .contour import OutlinedModel
from .evidence import ViewEvidence
from .rigid import move_points

_POINTS_ALONG_SIDE = 170


@dataclass(frozen=True)
class PoseQuality:
    """Means over the views, all 0 to 1.

    ``outline_explained``: share of the model's outline in the image that has an edge of the mask beside it;
    ``edge_explained``: share of the mask's edge that has the model's outline beside it; ``dice`` of mask and
    silhouette. ``outline_mm`` is the length of outline in the images, at the isocentre. ``close_outline`` and
    ``wide_outline`` are ``outline_explained`` for half and for double the distance that counts as beside: in a wrong
    pose edges lie somewhere about, but not close by.
    """

    outline_explained: float
    edge_explained: float
    dice: float
    outline_mm: float
    close_outline: float
    wide_outline: float

    @property
    def score(self) -> float:
        """One number, 0 to 3, to rank poses by."""
        return self.outline_explained + self.edge_explained + self.dice


def judge_pose(
    outlined: OutlinedModel, evidence: Sequence[ViewEvidence], pose: np.ndarray, size: int, scale_mm: float
) -> PoseQuality:
    """Quality of a pose (4, 4) on masks of about ``size`` pixels; an edge counts as beside within ``scale_mm``."""
    vertices = move_points(pose, outlined.model.vertices)
    rows = np.array([_judge_view(outlined, one.at(size), vertices, scale_mm) for one in evidence])
    outline, edge, dice, _, close, wide = rows.mean(axis=0)
    return PoseQuality(float(outline), float(edge), float(dice), float(rows[:, 3].sum()), float(close), float(wide))


def _judge_view(
    outlined: OutlinedModel, evidence: ViewEvidence, vertices: np.ndarray, scale_mm: float
) -> tuple[float, float, float, float, float, float]:
    view = evidence.view
    scale_px = scale_mm / view.isocentre_spacing_mm
    drawn = outlined.silhouette(vertices, view.projection_matrix, evidence.mask.shape)
    step_px = max(evidence.mask.shape) / _POINTS_ALONG_SIDE
    contour = outlined.outline(vertices, view.projection_matrix, drawn, step_px)
    known = np.isfinite(evidence.mask)
    vessel = evidence.vessel
    total = int((drawn & known).sum() + vessel.sum())
    dice = 2 * int((drawn & vessel).sum()) / total if total else 0.0
    if len(contour.points) < 3:
        return 0.0, 0.0, dice, 0.0, 0.0, 0.0
    position, found = evidence.edges_along(contour, 6 * scale_px, max(0.5, scale_px / 8))
    nearest = np.where(found, np.abs(position), np.inf).min(axis=1)
    at = np.rint(contour.pixels).astype(int)
    seen = known[at[:, 1].clip(0, known.shape[0] - 1), at[:, 0].clip(0, known.shape[1] - 1)]
    explained, close, wide = (float(np.exp(-0.5 * (nearest[seen] / width) ** 2).mean()) if seen.any() else 0.0
                              for width in (scale_px, 0.5 * scale_px, 2 * scale_px))

    # The border of the image or of a shutter is no edge of the vessel.
    edge = vessel & ~ndimage.binary_erosion(vessel | ~known, border_value=1)
    outline = drawn & ~ndimage.binary_erosion(drawn, border_value=1)
    if not edge.any() or not outline.any():
        return explained, 0.0, dice, 0.0, close, wide
    distance = ndimage.distance_transform_edt(~outline)[edge]
    edge_explained = float(np.exp(-0.5 * (distance / scale_px) ** 2).mean())
    length_mm = float(seen.sum() * step_px * view.isocentre_spacing_mm)
    return explained, edge_explained, dice, length_mm, close, wide
