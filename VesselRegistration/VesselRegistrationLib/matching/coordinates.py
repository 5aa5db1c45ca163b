"""Between the network's theta and pixel matrices.

theta (2, 3) is what ``torch.nn.functional.affine_grid`` takes: it maps positions of the fixed (output) image to the
moving (input) image, both in -1..1 from edge to edge (``align_corners=False``). The paper's Eq. 4 goes the other way,
moving to fixed, and here in pixels (col, row), 0-based centres. Sizes are (rows, columns) and may differ.
"""

import numpy as np

Size = tuple[int, int]


def pixel_to_normalised(size: Size) -> np.ndarray:
    """3x3 from pixel (col, row, 1) to (x, y, 1) with -1 and 1 at the image's edges."""
    rows, columns = size
    return np.array([[2.0 / columns, 0.0, 1.0 / columns - 1.0],
                     [0.0, 2.0 / rows, 1.0 / rows - 1.0],
                     [0.0, 0.0, 1.0]])


def theta_to_affine(theta: np.ndarray, moving_size: Size, fixed_size: Size) -> np.ndarray:
    """theta (2, 3) to the moving -> fixed pixel matrix (2, 3). Raises numpy.linalg.LinAlgError if theta is singular."""
    fixed_to_moving = (np.linalg.inv(pixel_to_normalised(moving_size)) @ homogeneous(theta)
                       @ pixel_to_normalised(fixed_size))
    return np.linalg.inv(fixed_to_moving)[:2]


def affine_to_theta(affine: np.ndarray, moving_size: Size, fixed_size: Size) -> np.ndarray:
    """The moving -> fixed pixel matrix (2, 3) to theta (2, 3). Raises numpy.linalg.LinAlgError if it is singular."""
    moving_to_fixed = (pixel_to_normalised(fixed_size) @ homogeneous(affine)
                       @ np.linalg.inv(pixel_to_normalised(moving_size)))
    return np.linalg.inv(moving_to_fixed)[:2]


def homogeneous(matrix: np.ndarray) -> np.ndarray:
    """A (2, 3) affine with the row (0, 0, 1) added."""
    return np.vstack([matrix, [0.0, 0.0, 1.0]])
