"""What the networks shall answer, drawn from points: heat maps, binary maps, offsets and pairings."""

from dataclasses import dataclass

import numpy as np

from .. import ENTRY, EXIT

GAUSS = "gauss"
TANH = "tanh"

ENTRY_EXIT = (ENTRY, EXIT)
OUR_SIGMA_CELLS = 1.0
_NEAR_CELLS = 1


@dataclass(frozen=True)
class Distribution:
    """How likelihood falls with the distance from a point (Sharan et al., Section 3.1).

    ``gauss``: exp(-d^2 / 2 spread^2), ``spread`` is sigma_1. ``tanh``: 1 - tanh(pi d / spread), ``spread`` is alpha
    = 3.5 sigma; the paper prints no formula, this radial one is near 0 at d = alpha as its figure shows.
    """

    shape: str
    spread: float

    @property
    def reach_px(self) -> int:
        """Distance beyond which the likelihood is below a thousandth."""
        return int(np.ceil(3.8 * self.spread)) if self.shape == GAUSS else int(np.ceil(1.25 * self.spread))

    def at(self, squared_distance: np.ndarray) -> np.ndarray:
        """Likelihood 0 to 1 at squared distances in pixels."""
        if self.shape == GAUSS:
            return np.exp(-0.5 * squared_distance / self.spread**2)
        return 1.0 - np.tanh(np.pi * np.sqrt(squared_distance) / self.spread)


def heat_map(points: np.ndarray, shape: tuple[int, int], distribution: Distribution) -> np.ndarray:
    """Largest likelihood over all points (N, 2) (col, row) px, on (height, width) pixels, float32.

    The largest, not the sum: close points keep a valley between them. Points need not be whole numbers.
    """
    heat = np.zeros(shape, dtype=np.float32)
    reach = distribution.reach_px
    for col, row in points:
        rows, columns = _patch(col, row, reach, shape)
        squared = (rows[:, None] - row) ** 2 + (columns[None, :] - col) ** 2
        if squared.size:
            patch = heat[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
            np.maximum(patch, distribution.at(squared), out=patch, casting="same_kind")
    return heat


def binary_map(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """1 at the pixels that hold points (N, 2) (col, row), on (height, width) pixels, float32."""
    marks = np.zeros(shape, dtype=np.float32)
    columns, rows = np.rint(points).astype(int).reshape(-1, 2).T
    inside = (columns >= 0) & (rows >= 0) & (columns < shape[1]) & (rows < shape[0])
    marks[rows[inside], columns[inside]] = 1.0
    return marks


@dataclass(frozen=True)
class StitchTargets:
    """What our network shall answer, on a grid of (height, width) cells; all float32.

    ``heat`` (2, height, width), entry and exit, 1 in the cell of a point. ``offset`` (2, height, width) in cells to the
    nearest point, true where ``near`` (height, width) is 1. ``pairing`` (2, height, width) in pixels from entry to
    exit, true where ``paired`` (height, width) is 1.
    """

    heat: np.ndarray
    offset: np.ndarray
    near: np.ndarray
    pairing: np.ndarray
    paired: np.ndarray


def stitch_targets(points: np.ndarray, kinds: np.ndarray, partners: np.ndarray, shape: tuple[int, int],
                   stride: int) -> StitchTargets:
    """Targets for an image of ``shape`` (height, width) pixels and cells of ``stride`` pixels.

    ``points`` (N, 2) (col, row) px; ``kinds`` (N,) 0 entry, 1 exit; ``partners`` (N,) index of the other end of the
    stitch, -1 where it is not seen.
    """
    grid = (shape[0] // stride, shape[1] // stride)
    cells = (points + 0.5) / stride - 0.5
    profile = Distribution(GAUSS, OUR_SIGMA_CELLS)
    heat = np.stack([heat_map(cells[kinds == kind], grid, profile) for kind in ENTRY_EXIT])
    offset, pairing = np.zeros((2, *grid), np.float32), np.zeros((2, *grid), np.float32)
    nearest = np.full(grid, np.inf, dtype=np.float32)
    nearest_entry = nearest.copy()
    for index, (col, row) in enumerate(cells):
        rows, columns = _patch(col, row, _NEAR_CELLS, grid)
        if not (len(rows) and len(columns)):
            continue
        area = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        to_row, to_col = np.meshgrid(row - rows, col - columns, indexing="ij")
        squared = to_row**2 + to_col**2
        closer = squared < nearest[area]
        nearest[area][closer] = squared[closer]
        offset[0][area][closer], offset[1][area][closer] = to_col[closer], to_row[closer]
        if kinds[index] == ENTRY and partners[index] >= 0:
            closer = squared < nearest_entry[area]
            nearest_entry[area][closer] = squared[closer]
            for axis in (0, 1):
                pairing[axis][area][closer] = points[partners[index]][axis] - points[index][axis]
    marks = np.stack([binary_map(cells[kinds == kind], grid) for kind in ENTRY_EXIT])
    return StitchTargets(np.maximum(heat, marks), offset, np.isfinite(nearest).astype(np.float32), pairing,
                         np.isfinite(nearest_entry).astype(np.float32))


def _patch(col: float, row: float, reach: int, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the grid within ``reach`` of the cell that holds a place, as whole numbers."""
    middle_row, middle_col = round(float(row)), round(float(col))
    return (np.arange(max(0, middle_row - reach), min(shape[0], middle_row + reach + 1)),
            np.arange(max(0, middle_col - reach), min(shape[1], middle_col + reach + 1)))
