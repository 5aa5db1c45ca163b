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
    silhouette. ``outline_mm`` is the length of outline in the images, at the isocentre.
    """

    outline_explained: float
    edge_explained: float
    dice: float
    outline_mm: float

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
    outline, edge, dice = rows[:, :3].mean(axis=0)
    return PoseQuality(float(outline), float(edge), float(dice), float(rows[:, 3].sum()))


def _judge_view(
    outlined: OutlinedModel, evidence: ViewEvidence, vertices: np.ndarray, scale_mm: float
) -> tuple[float, float, float, float]:
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
        return 0.0, 0.0, dice, 0.0
    position, found = evidence.edges_along(contour, 3 * scale_px, max(0.5, scale_px / 8))
    beside = np.where(found, np.exp(-0.5 * (position / scale_px) ** 2), 0.0).max(axis=1)
    at = np.rint(contour.pixels).astype(int)
    seen = known[at[:, 1].clip(0, known.shape[0] - 1), at[:, 0].clip(0, known.shape[1] - 1)]
    outline_explained = float(beside[seen].mean()) if seen.any() else 0.0

    # The border of the image or of a shutter is no edge of the vessel.
    edge = vessel & ~ndimage.binary_erosion(vessel | ~known, border_value=1)
    outline = drawn & ~ndimage.binary_erosion(drawn, border_value=1)
    if not edge.any() or not outline.any():
        return outline_explained, 0.0, dice, 0.0
    distance = ndimage.distance_transform_edt(~outline)[edge]
    edge_explained = float(np.exp(-0.5 * (distance / scale_px) ** 2).mean())
    return outline_explained, edge_explained, dice, float(seen.sum() * step_px * view.isocentre_spacing_mm)
