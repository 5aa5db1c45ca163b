"""The vessels of the benchmark: simulated families by seed, and meshes that the user brings."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from ..mesh.reading import read_model
from ..mesh.surface import SurfaceModel
from ..simulation.anatomy import FAMILIES, Anatomy, build_anatomy

SIMULATED = 20
FIRST_SEED = 900_000
FIRST_CALIBRATION_SEED = 910_000
CALIBRATION_ANATOMIES = 40

_CELLS = 14
_CELL_POINTS = 4000


@dataclass(frozen=True)
class BenchmarkAnatomy:
    """A vessel model and the ways in which a mask may lose parts of it.

    ``branches`` and ``cells`` (M,) number the triangles by vessel branch and by compact cell. A mesh without named
    branches has the cells for both. ``simulated`` is there where the simulator made it.
    """

    name: str
    model: SurfaceModel
    branches: np.ndarray
    cells: np.ndarray
    simulated: Anatomy | None = None


def anatomy_sources(models: Sequence[Path], calibration: bool = False) -> list[str]:
    """What to take: 20 simulated anatomies (40 others for calibration), by turns of both families, then the meshes.

    Every source is ``family seed``, or ``mesh path`` for a file.
    """
    first, count = (FIRST_CALIBRATION_SEED, CALIBRATION_ANATOMIES) if calibration else (FIRST_SEED, SIMULATED)
    simulated = [f"{FAMILIES[number % 2]} {first + number // 2}" for number in range(count)]
    return simulated + [f"mesh {path}" for path in models]


@lru_cache(maxsize=8)
def load_anatomy(source: str) -> BenchmarkAnatomy:
    """The anatomy of a source as ``anatomy_sources`` names it. Raises UserError for a mesh that cannot be used."""
    kind, _, rest = source.partition(" ")
    if kind == "mesh":
        model = read_model(rest)
        cells = _cells(model)
        return BenchmarkAnatomy(Path(rest).stem, model, cells, cells)
    anatomy = build_anatomy(kind, int(rest))
    return BenchmarkAnatomy(source, anatomy.model, anatomy.triangle_branch, _cells(anatomy.model), anatomy)


def _cells(model: SurfaceModel) -> np.ndarray:
    """Cell (M,) of every triangle: the nearest of points that lie as far apart as can be, ends of vessels first."""
    vertices = model.vertices[:: max(1, len(model.vertices) // _CELL_POINTS)]
    chosen = [int(np.linalg.norm(vertices - vertices.mean(axis=0), axis=1).argmax())]
    distance = np.linalg.norm(vertices - vertices[chosen[0]], axis=1)
    while len(chosen) < _CELLS:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(vertices - vertices[chosen[-1]], axis=1))
    centres = model.vertices[model.triangles].mean(axis=1)
    return cKDTree(vertices[chosen]).query(centres)[1]
