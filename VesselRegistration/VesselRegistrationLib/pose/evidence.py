"""What a view's vessel mask says about where the vessel's edge lies."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy import ndimage

from ..geometry.carm import CArmView
from .contour import Contour

_SLOPE_BLUR_PX = 1.2


@dataclass(frozen=True)
class ViewEvidence:
    """A view and its vessel mask.

    ``mask`` (rows, columns) float 0 to 1, the vessel's edge at 0.5; NaN where the image cannot say (behind shutters,
    under catheters).
    """

    view: CArmView
    mask: np.ndarray
    _reduced: dict[int, "ViewEvidence"] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def from_mask(cls, view: CArmView, mask: np.ndarray, usable: np.ndarray | None = None) -> "ViewEvidence":
        """Evidence of a mask (bool, or probabilities 0 to 1), unknown where ``usable`` (bool) is False."""
        values = np.asarray(mask, dtype=np.float32)
        return cls(view, values if usable is None else np.where(usable, values, np.float32(np.nan)))

    def at(self, size: int) -> "ViewEvidence":
        """The same evidence with a longer side of about ``size`` pixels, never enlarged."""
        factor = max(1, round(max(self.mask.shape) / size))
        if factor not in self._reduced:
            self._reduced[factor] = self._by(factor)
        return self._reduced[factor]

    def _by(self, factor: int) -> "ViewEvidence":
        if factor == 1:
            return self
        rows, columns = self.mask.shape[0] // factor, self.mask.shape[1] // factor
        blocks = self.mask[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor)
        col, row = self.view.central_pixel
        view = replace(self.view, rows=rows, columns=columns, row_spacing_mm=self.view.row_spacing_mm * factor,
                       column_spacing_mm=self.view.column_spacing_mm * factor,
                       principal_point=((col + 0.5) / factor - 0.5, (row + 0.5) / factor - 0.5))
        return ViewEvidence(view, blocks.mean(axis=(1, 3)))

    @property
    def vessel(self) -> np.ndarray:
        """Pixels that the mask calls vessel, bool."""
        return np.nan_to_num(self.mask) > 0.5

    def edges_along(self, contour: Contour, reach_px: float, step_px: float) -> tuple[np.ndarray, np.ndarray]:
        """Where the mask passes from vessel to background along each outward normal of a contour.

        Returns ``position`` (K, S) in pixels from the contour, outward, and ``found`` (K, S) bool. What is unknown or
        beyond the image holds no edge.
        """
        offsets = np.arange(-reach_px, reach_px + step_px, step_px)
        at = contour.pixels[:, None, :] + offsets[None, :, None] * contour.normals[:, None, :]
        values = ndimage.map_coordinates(self.mask, [at[..., 1], at[..., 0]], order=1, mode="constant", cval=np.nan,
                                         prefilter=False)
        before, after = values[:, :-1], values[:, 1:]
        found = (before > 0.5) & (after <= 0.5)
        drop = np.where(found, before - after, 1.0)
        position = offsets[:-1] + np.where(found, (before - 0.5) / drop, 0.0) * step_px
        return position, found

    def alignment(self, contour: Contour, position: np.ndarray, found: np.ndarray) -> np.ndarray:
        """How well the edges found by ``edges_along`` run along the contour: (K, S), 1 along it to 0 across it.

        0 where nothing was found.
        """
        point, step = np.nonzero(found)
        at = contour.pixels[point] + position[point, step, None] * contour.normals[point]
        rows, columns = self.mask.shape
        col, row = (np.rint(at[:, axis]).astype(int).clip(0, side - 1) for axis, side in enumerate((columns, rows)))
        along_col, along_row = (slope[row, col] for slope in self._slopes)
        normals = contour.normals[point]
        descent = -(along_col * normals[:, 0] + along_row * normals[:, 1])
        aligned = np.zeros(found.shape)
        aligned[point, step] = np.clip(descent / np.maximum(np.hypot(along_col, along_row), 1e-6), 0.0, 1.0)
        return aligned

    @cached_property
    def _slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """Slope of the smoothed mask along col and along row, up to a factor."""
        smooth = ndimage.gaussian_filter(np.nan_to_num(self.mask), _SLOPE_BLUR_PX)
        return ndimage.sobel(smooth, axis=1), ndimage.sobel(smooth, axis=0)
