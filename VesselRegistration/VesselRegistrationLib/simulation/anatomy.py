"""Seeded vessel anatomies: surface, centrelines and which triangle belongs to which branch."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from ..errors import UserError
from ..mesh.surface import SurfaceModel
from .body import Body
from .lower_body import abdominal_aorta
from .pelvis import abdomen
from .thorax import thorax
from .tubes import union_surface
from .upper_body import thoracic_aorta

UPPER = "upper"
LOWER = "lower"
FAMILIES = (UPPER, LOWER)

_GRID_MM = {UPPER: 1.3, LOWER: 1.4}
_TRIANGLES = 16000
_ROUGHNESS_MM = 0.22


@dataclass(frozen=True)
class Branch:
    """One named vessel: ``centreline`` (n, 3) RAS mm from its origin outwards, ``radii`` (n,) mm.

    ``inlet_distance_mm`` is how far its first point lies from the tree's inlet, along the vessels.
    """

    name: str
    centreline: np.ndarray
    radii: np.ndarray
    inlet_distance_mm: float = 0.0


@dataclass(frozen=True)
class Anatomy:
    """A vessel tree: one closed surface, its branches, and per triangle (M,) the number of the branch it lies on."""

    family: str
    seed: int
    model: SurfaceModel
    branches: tuple[Branch, ...]
    triangle_branch: np.ndarray

    @cached_property
    def body(self) -> Body:
        """The patient about the vessel, in the model's frame; the same for the same family and seed."""
        rng = np.random.default_rng([self.seed, FAMILIES.index(self.family), 11])
        lines = {branch.name: branch.centreline for branch in self.branches}
        return thorax(lines, rng) if self.family == UPPER else abdomen(lines, rng)


def build_anatomy(family: str, seed: int) -> Anatomy:
    """The anatomy of a family ("upper" or "lower") and seed; the same for the same seed.

    "upper" is the thoracic aorta from the outflow tract with sinuses of Valsalva, stems of the arch and coronary
    stubs; "lower" the abdominal aorta with renals (not always), iliacs and femorals. RAS mm of a supine patient with
    an arbitrary offset, as CT gives it. Ranges and their sources stand in the families' modules. Raises UserError for
    another family or a negative seed.
    """
    if family not in FAMILIES:
        raise UserError(f"There is no anatomy family {family!r}: choose one of {', '.join(FAMILIES)}.")
    if seed < 0:
        raise UserError(f"The seed {seed} is negative: give 0 or a larger whole number.")
    rng = np.random.default_rng([seed, FAMILIES.index(family)])
    tree = thoracic_aorta(rng) if family == UPPER else abdominal_aorta(rng)
    vertices, triangles = union_surface(tree.tubes, _GRID_MM[family], _TRIANGLES, rng, _ROUGHNESS_MM)
    offset = rng.uniform([-25.0, -220.0, -1400.0], [25.0, 120.0, 300.0])
    branches = tuple(
        Branch(name, tree.tubes[tube].centreline[first:last] + offset, tree.tubes[tube].radii[first:last], distance)
        for name, tube, first, last, distance in tree.branches
    )
    model = SurfaceModel(vertices + offset, triangles, name=f"simulated {family} anatomy {seed}")
    return Anatomy(family, seed, model, branches, _nearest_branch(model, branches))


def _nearest_branch(model: SurfaceModel, branches: tuple[Branch, ...]) -> np.ndarray:
    """Number of the branch (M,) whose tube each triangle's centre lies deepest in or nearest to."""
    centres = model.vertices[model.triangles].mean(axis=1)
    outside = []
    for branch in branches:
        distance, sample = cKDTree(branch.centreline).query(centres)
        outside.append(distance - branch.radii[sample])
    return np.argmin(outside, axis=0)
