"""Global stage: where in the image, and how turned, the model could lie at all.

For a grid of rotations the silhouette is drawn once, and its edges are correlated with the mask's edges at every
shift at once by FFT (edges as gradient vectors, so that direction counts). The correlation is normalised by the edge
strength that falls inside the image at that shift: a model longer than the field of view is no worse off.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
from scipy import fft, ndimage

from .contour import OutlinedModel
from .evidence import ViewEvidence
from .rigid import move_points, rigid_motion

SEARCH_SIZE = 64
_BLUR_MM = 4.0
MARGIN = 0.6
_LEAST_EDGE_SHARE = 0.05


class _EdgeCorrelation:
    """Correlates silhouettes drawn beyond the image's border with the edges of one mask."""

    def __init__(self, evidence: ViewEvidence, size: int) -> None:
        self.evidence = evidence.at(size)
        view = self.evidence.view
        self.blur_px = _BLUR_MM / view.isocentre_spacing_mm
        known = np.isfinite(self.evidence.mask)
        edges = self._gradient(np.nan_to_num(self.evidence.mask))
        # Where the unknown begins there is an edge of our making.
        trusted = ndimage.binary_erosion(known, iterations=max(1, round(2 * self.blur_px)), border_value=1)
        rows, columns = known.shape
        self.margin = int(MARGIN * max(rows, columns))
        self.canvas = (rows + 2 * self.margin, columns + 2 * self.margin)
        self.padded = tuple(fft.next_fast_len(side + inner, real=True)
                            for side, inner in zip(self.canvas, known.shape, strict=True))
        edges = [np.where(trusted, edge, 0.0) for edge in edges]
        self.strength = max(float(sum((edge**2).sum() for edge in edges)), 1e-9)
        self.spectra = [np.conj(fft.rfft2(edge, self.padded)) for edge in edges]
        self.window = np.conj(fft.rfft2(trusted.astype(np.float32), self.padded))
        shift = np.array([[1.0, 0.0, self.margin], [0.0, 1.0, self.margin], [0.0, 0.0, 1.0]])
        self.projection = shift @ view.projection_matrix

    def _gradient(self, image: np.ndarray) -> list[np.ndarray]:
        return [ndimage.gaussian_filter(image, self.blur_px, order=order, mode="nearest", truncate=3.0)
                for order in ((1, 0), (0, 1))]

    def best_shift(self, outlined: OutlinedModel, pose: np.ndarray) -> tuple[float, np.ndarray]:
        """The best score and the shift (col, row in mm at the isocentre) that brings the placed model there."""
        vertices = move_points(pose, outlined.model.vertices)
        drawn = outlined.silhouette(vertices, self.projection, self.canvas).astype(np.float32)
        edges = self._gradient(drawn)
        common = fft.irfft2(sum(spectrum * fft.rfft2(edge, self.padded)
                                for spectrum, edge in zip(self.spectra, edges, strict=True)), self.padded)
        inside = fft.irfft2(self.window * fft.rfft2(edges[0] ** 2 + edges[1] ** 2, self.padded), self.padded)
        reach = 2 * self.margin + 1
        common, inside = common[:reach, :reach], inside[:reach, :reach]
        least = max(_LEAST_EDGE_SHARE * float(inside.max()), 1e-9)
        score = common / np.sqrt(np.maximum(inside, least) * self.strength)
        row, col = np.unravel_index(int(score.argmax()), score.shape)
        view = self.evidence.view
        scale = view.sod_mm / view.sid_mm
        shift = np.array([(self.margin - col) * view.column_spacing_mm, (self.margin - row) * view.row_spacing_mm])
        return float(score[row, col]), shift * scale


def search_poses(
    outlined: OutlinedModel,
    evidence: Sequence[ViewEvidence],
    start: np.ndarray,
    spread_deg: float,
    keep: int,
    size: int = SEARCH_SIZE,
) -> list[np.ndarray]:
    """The most promising poses (4, 4), best first, over rotations of -spread, 0, +spread about each image axis of the
    first view and all shifts up to more than half the image."""
    correlations = [_EdgeCorrelation(one, size) for one in evidence]
    axes = np.array([axis for one in correlations for axis in one.evidence.view.image_axes])
    frame = np.vstack([evidence[0].view.image_axes, evidence[0].view.beam_direction])
    centre = move_points(start, outlined.centre[None])[0]
    found: list[tuple[float, np.ndarray]] = []
    for turn in product((-1, 0, 1), repeat=3):
        motion = rigid_motion(np.append(np.radians(spread_deg) * np.array(turn) @ frame, np.zeros(3)), centre)
        pose = motion @ start
        matches = [correlation.best_shift(outlined, pose) for correlation in correlations]
        # Views share one translation; what lies along the only beam stays where it was.
        shifts = np.concatenate([shift for _, shift in matches])
        translation = np.linalg.lstsq(axes, shifts, rcond=1e-3)[0]
        moved = pose.copy()
        moved[:3, 3] += translation
        found.append((float(np.mean([score for score, _ in matches])), moved))
    found.sort(key=lambda one: -one[0])
    return [pose for _, pose in found[:keep]]
