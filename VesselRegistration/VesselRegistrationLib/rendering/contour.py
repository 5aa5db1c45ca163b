"""Smooth outlines and soft areas of a silhouette, drawn finer than the picture and averaged down."""

import numpy as np
from scipy.ndimage import distance_transform_edt

from ..mesh.surface import SurfaceModel
from ..projection.rasterizer import silhouette

SUPERSAMPLING = 2


def enlarged_projection(projection: np.ndarray, factor: int) -> np.ndarray:
    """A projection (3, 4) onto the same image area with ``factor`` times the pixels in each direction."""
    shift = 0.5 * (factor - 1)
    return np.array([[factor, 0.0, shift], [0.0, factor, shift], [0.0, 0.0, 1.0]]) @ projection


def model_area_and_outline(model: SurfaceModel, projection: np.ndarray, shape: tuple[int, int], factor: int,
                           width_px: float) -> tuple[np.ndarray, np.ndarray]:
    """How much of each pixel of the enlarged picture the projected model and its outline cover, 0 to 1.

    ``shape`` (rows, columns) and ``projection`` (3, 4) are those of the X-ray; the results are ``factor`` times larger.
    ``width_px`` is the width of the outline in pixels of the enlarged picture.
    """
    fine = factor * SUPERSAMPLING
    inside = silhouette(model, enlarged_projection(projection, fine), (shape[0] * fine, shape[1] * fine))
    return averaged(inside), outline(inside, width_px)


def outline(inside: np.ndarray, width_px: float) -> np.ndarray:
    """Coverage of the outline of a supersampled silhouette; where it is cut off by the image there is no outline."""
    if not inside.any() or inside.all():
        return np.zeros((inside.shape[0] // SUPERSAMPLING, inside.shape[1] // SUPERSAMPLING), dtype=np.float32)
    from_edge = np.where(inside, distance_transform_edt(inside), distance_transform_edt(~inside)) - 0.5
    return averaged(np.clip(0.5 * width_px * SUPERSAMPLING - from_edge + 0.5, 0.0, 1.0))


def averaged(image: np.ndarray) -> np.ndarray:
    """Mean over blocks of SUPERSAMPLING x SUPERSAMPLING pixels, float32."""
    rows, columns = image.shape
    blocks = image.reshape(rows // SUPERSAMPLING, SUPERSAMPLING, columns // SUPERSAMPLING, SUPERSAMPLING)
    return blocks.mean(axis=(1, 3), dtype=np.float32)
