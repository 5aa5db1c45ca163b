"""Where points fall on the detector and which pixels a mesh shadows, apart from everything the solver uses.

Written from the C-arm's description alone and in LPS axes, with scalar sines and cosines instead of matrices, and
filled by Pillow's polygons on a finer grid instead of by our scan conversion: a mistake in the solver's geometry or in
its rasterizer cannot cancel out here.
"""

from math import cos, radians, sin

import numpy as np

from ..geometry.carm import CArmView

SUPERSAMPLING = 8


def project_lps(points: np.ndarray, view: CArmView) -> np.ndarray:
    """Pixels (N, 2) as (col, row) of points (N, 3), LPS mm from the isocentre.

    Of the view only the angles, the two distances and the detector's pixels are read. A table that moved, an image
    that was turned and a central ray off the centre are not part of this benchmark.
    """
    primary, secondary = radians(view.primary_angle_deg), radians(view.secondary_angle_deg)
    left, posterior, superior = points[:, 0], points[:, 1], points[:, 2]
    # The detector stands in front of the chest (anterior, -P) at 0/0, moves to the patient's left with the primary
    # angle and to the head with the secondary one.
    beam = (sin(primary) * cos(secondary), -cos(primary) * cos(secondary), sin(secondary))
    across = (cos(primary), sin(primary), 0.0)
    down = (sin(primary) * sin(secondary), -cos(primary) * sin(secondary), -cos(secondary))
    from_source = view.sod_mm + beam[0] * left + beam[1] * posterior + beam[2] * superior
    magnification = view.sid_mm / from_source
    col = (across[0] * left + across[1] * posterior) * magnification / view.column_spacing_mm
    row = (down[0] * left + down[1] * posterior + down[2] * superior) * magnification / view.row_spacing_mm
    return np.column_stack([col + (view.columns - 1) / 2, row + (view.rows - 1) / 2])


def ras_to_lps(points: np.ndarray) -> np.ndarray:
    """Points (N, 3) with left/right and anterior/posterior counted the other way."""
    return points * np.array([-1.0, -1.0, 1.0])


def project_model(vertices: np.ndarray, model_to_world: np.ndarray, view: CArmView) -> np.ndarray:
    """Pixels (N, 2) of model points (N, 3), RAS mm, placed by a pose (4, 4)."""
    world = vertices @ model_to_world[:3, :3].T + model_to_world[:3, 3]
    return project_lps(ras_to_lps(world), view)


def fill_triangles(
    pixels: np.ndarray, triangles: np.ndarray, shape: tuple[int, int], supersampling: int = SUPERSAMPLING
) -> np.ndarray:
    """Pixels (rows, columns) bool of which the triangles (M, 3) over projected points (N, 2) cover at least half."""
    from PIL import Image, ImageDraw

    rows, columns = shape
    image = Image.new("L", (columns * supersampling, rows * supersampling))
    corners = np.rint((pixels + 0.5) * supersampling - 0.5)[triangles]
    low, high = corners.min(axis=1), corners.max(axis=1)
    inside = (high >= 0).all(axis=1) & (low[:, 0] < image.width) & (low[:, 1] < image.height)
    draw = ImageDraw.Draw(image)
    for triangle in corners[inside].reshape(-1, 6).tolist():
        draw.polygon(triangle, fill=1)
    wide = np.asarray(image)
    # Pillow also paints the samples that an outline only touches: half a sample too much all round. So the mean of
    # what it paints and of the same without its outermost samples is taken.
    narrow = wide.copy()
    narrow[1:] &= wide[:-1]
    narrow[:-1] &= wide[1:]
    narrow[:, 1:] &= wide[:, :-1]
    narrow[:, :-1] &= wide[:, 1:]
    blocks = (wide + narrow).reshape(rows, supersampling, columns, supersampling)
    return blocks.sum(axis=(1, 3), dtype=np.int32) >= supersampling**2
