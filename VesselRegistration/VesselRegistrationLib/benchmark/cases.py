"""The cases: which vessel, where it lies, how it is seen, how wrong the mask and the start are. All from seeds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from ..geometry.carm import CArmView
from ..registration.metrics import spread_points, target_registration_errors
from ..simulation.anatomy import LOWER
from .anatomies import FIRST_CALIBRATION_SEED, FIRST_SEED, BenchmarkAnatomy, load_anatomy
from .faults import Parts, spoiled
from .renderer import fill_triangles, project_model

IMAGE_SIZE = 512
START_STRATA_MM = ((0.0, 5.0), (5.0, 10.0), (10.0, 20.0), (20.0, 40.0), (40.0, 60.0))
MASK_BANDS: dict[str, tuple[float, float]] = {"1.00": (1.0, 1.0), "0.90": (0.885, 0.915), "0.75-0.80": (0.75, 0.80)}
STRESS, STRESS_BAND = "0.50-0.60", (0.50, 0.60)
WRONG = "other vessel"
NETWORK = "network"
VIEW_COUNTS = (1, 2)

TURN_LIMIT_DEG = 10.0
PRIMARY_LIMIT_DEG, SECONDARY_LIMIT_DEG = 45.0, 30.0
SID_MM, SOD_MM, FIELD_OF_VIEW_MM = (900.0, 1200.0), (700.0, 800.0), (150.0, 400.0)
LEAST_VIEW_ANGLE_DEG = 35.0
LEAST_VISIBLE_SHARE = 0.4

_BENCHMARK, _CALIBRATION = 101, 102
_POINTS = 2000


@dataclass(frozen=True)
class CaseSpec:
    """Everything that a case follows from; ``mask`` is a key of ``MASK_BANDS``, or STRESS, WRONG or NETWORK."""

    index: int
    seed: int
    source: str
    view_count: int
    mask: str
    start_mm: tuple[float, float]
    calibration: bool = False

    def random(self, purpose: int) -> np.random.Generator:
        """A generator of its own for every purpose (0 geometry, 1 masks)."""
        return np.random.default_rng([self.seed, _CALIBRATION if self.calibration else _BENCHMARK, self.index, purpose])


@dataclass(frozen=True)
class CaseGeometry:
    """Views, true pose and start, both (4, 4) model RAS mm to world mm."""

    views: tuple[CArmView, ...]
    truth: np.ndarray
    start: np.ndarray


@dataclass(frozen=True)
class Case:
    """A case ready to be solved: ``masks`` as given to the solver and ``clean`` true silhouettes, (rows, columns)."""

    spec: CaseSpec
    anatomy: BenchmarkAnatomy
    geometry: CaseGeometry
    masks: tuple[np.ndarray, ...]
    clean: tuple[np.ndarray, ...]
    usable: tuple[np.ndarray, ...]


def plan_cases(sources: Sequence[str], count: int, seed: int, calibration: bool = False) -> list[CaseSpec]:
    """``count`` cases over all strata of views, mask and start, and a few worse ones to test the judgement of failures.

    The worse ones are masks of Dice 0.50 to 0.60 (an eighth of ``count``) and masks of another patient's vessel (a
    sixteenth); a calibration has more of them (half and a sixth).
    """
    strata = list(product(VIEW_COUNTS, MASK_BANDS, START_STRATA_MM))
    stress, wrong = (2, 6) if calibration else (8, 16)
    worse = [(views, mask, start) for mask, number in ((STRESS, count // stress), (WRONG, count // wrong))
             for views, start in _turns(list(product(VIEW_COUNTS, START_STRATA_MM)), number)]
    cases = []
    for index, (views, mask, start) in enumerate([*_turns(strata, count), *worse]):
        cases.append(CaseSpec(index, seed, _source(sources, seed, index), views, mask, start, calibration))
    return cases


def plan_network_cases(sources: Sequence[str], count: int, seed: int, first: int) -> list[CaseSpec]:
    """Cases with masks from our own networks, numbered from ``first``: starts up to 20 mm off, two of three with two
    views. Meshes have no simulated frames and are left out."""
    simulated = [source for source in sources if not source.startswith("mesh ")]
    return [CaseSpec(first + number, seed, _source(simulated, seed, first + number), 1 if number % 3 == 2 else 2,
                     NETWORK, (0.0, 20.0)) for number in range(count)]


def sample_geometry(anatomy: BenchmarkAnatomy, spec: CaseSpec) -> CaseGeometry:
    """Views in which at least 40 % of the vertices fall, and a true pose as far from the start as the stratum says."""
    rng = spec.random(0)
    points = spread_points(anatomy.model, _POINTS)
    start = np.eye(4)
    start[:3, 3] = -anatomy.model.centre
    while True:
        truth = _displaced(start, points, rng.uniform(*spec.start_mm), rng)
        views = _views(spec.view_count, rng)
        if views and all(visible(project_model(points, truth, view), view).mean() >= LEAST_VISIBLE_SHARE
                         for view in views):
            return CaseGeometry(views, truth, start)


def visible(pixels: np.ndarray, view: CArmView) -> np.ndarray:
    """Which pixels (N, 2) lie in the image, bool (N,)."""
    inside = (pixels > -0.5) & (pixels < np.array([view.columns - 0.5, view.rows - 0.5]))
    return inside[:, 0] & inside[:, 1]


def build_case(spec: CaseSpec) -> Case:
    """Render and spoil the masks of a case with ``mask`` other than ``network``."""
    anatomy = load_anatomy(spec.source)
    geometry = sample_geometry(anatomy, spec)
    rng = spec.random(1)
    masks, clean = [], []
    for view in geometry.views:
        pixels = project_model(anatomy.model.vertices, geometry.truth, view)
        shape = (view.rows, view.columns)
        true = fill_triangles(pixels, anatomy.model.triangles, shape)
        clean.append(true)
        if spec.mask == WRONG:
            masks.append(_other_vessel(spec, geometry, view))
        elif spec.mask == STRESS or MASK_BANDS[spec.mask][0] < 1:
            band = STRESS_BAND if spec.mask == STRESS else MASK_BANDS[spec.mask]
            masks.append(spoiled(true, _parts(anatomy, pixels, shape), band, rng))
        else:
            masks.append(true)
    usable = tuple(np.ones_like(mask) for mask in masks)
    return Case(spec, anatomy, geometry, tuple(masks), tuple(clean), usable)


def _other_vessel(spec: CaseSpec, geometry: CaseGeometry, view: CArmView) -> np.ndarray:
    """The clean silhouette of another patient's vessel, turned and shifted as the true pose is."""
    family, _, rest = spec.source.partition(" ")
    first = FIRST_CALIBRATION_SEED if spec.calibration else FIRST_SEED
    other = load_anatomy(f"{LOWER} {first}" if family == "mesh" else f"{family} {int(rest) + 1}").model
    motion = geometry.truth @ np.linalg.inv(geometry.start)
    placed = np.eye(4)
    placed[:3, 3] = -other.centre
    pixels = project_model(other.vertices, motion @ placed, view)
    return fill_triangles(pixels, other.triangles, (view.rows, view.columns))


def _turns(strata: list[Any], count: int) -> list[Any]:
    return [strata[number % len(strata)] for number in range(count)]


def _source(sources: Sequence[str], seed: int, index: int) -> str:
    """Every round goes through all sources, each round in another order."""
    order = np.random.default_rng([seed, index // len(sources)]).permutation(len(sources))
    return sources[order[index % len(sources)]]


def _parts(anatomy: BenchmarkAnatomy, pixels: np.ndarray, shape: tuple[int, int]) -> Parts:
    def alone(labels: np.ndarray) -> np.ndarray:
        return np.array([fill_triangles(pixels, anatomy.model.triangles[labels == label], shape, supersampling=1)
                         for label in np.unique(labels)])

    return Parts(alone(anatomy.branches), alone(anatomy.cells))


def _displaced(start: np.ndarray, points: np.ndarray, target_mm: float, rng: np.random.Generator) -> np.ndarray:
    """A pose with an mTRE of ``target_mm`` to the start, turned by up to 10 degrees per axis about the isocentre."""
    turn = Rotation.from_euler("xyz", rng.uniform(-TURN_LIMIT_DEG, TURN_LIMIT_DEG, 3), degrees=True).as_rotvec()
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)

    def pose(turn_share: float, shift_mm: float) -> np.ndarray:
        motion = np.eye(4)
        motion[:3, :3] = Rotation.from_rotvec(turn * turn_share).as_matrix()
        motion[:3, 3] = direction * shift_mm
        return motion @ start

    def error(candidate: np.ndarray) -> float:
        return float(target_registration_errors(points, candidate, start).mean())

    turned = error(pose(1.0, 0.0))
    share = min(1.0, rng.uniform(0.2, 0.8) * target_mm / max(turned, 1e-9))
    near, far = 0.0, 2 * target_mm + 1.0
    for _ in range(40):
        middle = 0.5 * (near + far)
        near, far = (middle, far) if error(pose(share, middle)) < target_mm else (near, middle)
    return pose(share, far)


def _views(count: int, rng: np.random.Generator) -> tuple[CArmView, ...]:
    """One view, or two at least 35 degrees apart; () where the second came out too near."""
    views = [_view(rng) for _ in range(count)]
    views = [replace(view, sod_mm=views[0].sod_mm) for view in views]
    if count == 2:
        cosine = abs(float(views[0].beam_direction @ views[1].beam_direction))
        if cosine > np.cos(np.radians(LEAST_VIEW_ANGLE_DEG)):
            return ()
    return tuple(views)


def _view(rng: np.random.Generator) -> CArmView:
    spacing = float(rng.uniform(*FIELD_OF_VIEW_MM)) / IMAGE_SIZE
    return CArmView(float(rng.uniform(-PRIMARY_LIMIT_DEG, PRIMARY_LIMIT_DEG)),
                    float(rng.uniform(-SECONDARY_LIMIT_DEG, SECONDARY_LIMIT_DEG)),
                    float(rng.uniform(*SID_MM)), float(rng.uniform(*SOD_MM)), IMAGE_SIZE, IMAGE_SIZE, spacing, spacing)
