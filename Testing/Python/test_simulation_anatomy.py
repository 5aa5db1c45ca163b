"""Simulated vessel trees: clean surfaces of plausible size, lying the right way round in the patient."""

import numpy as np
import pytest
from scipy.spatial import cKDTree
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.simulation.anatomy import FAMILIES, LOWER, UPPER, Anatomy, build_anatomy
from VesselRegistrationLib.simulation.streams import cached_anatomy
from VesselRegistrationLib.simulation.tubes import arc_lengths, signed_volume, spline_tube, union_surface

SEEDS = (0, 3, 1007)


@pytest.fixture(scope="module", params=[(family, seed) for family in FAMILIES for seed in SEEDS])
def anatomy(request: pytest.FixtureRequest) -> Anatomy:
    return cached_anatomy(*request.param)


def branch(anatomy: Anatomy, name: str) -> np.ndarray:
    return next(branch.centreline for branch in anatomy.branches if branch.name == name)


def test_surface_is_one_closed_outward_piece(anatomy: Anatomy) -> None:
    triangles = anatomy.model.triangles
    directed = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    forward, counts = np.unique(directed, axis=0, return_counts=True)
    assert counts.max() == 1  # every edge is run through once in each direction
    assert np.array_equal(forward, np.unique(directed[:, ::-1], axis=0))
    assert signed_volume(anatomy.model.vertices, triangles) > 0
    used = len(np.unique(triangles))
    assert used - len(directed) // 2 + len(triangles) == 2  # Euler: one piece without handles, or handles by loops
    assert 8000 <= len(triangles) <= 26000


def test_wall_lies_a_radius_from_the_centreline(anatomy: Anatomy) -> None:
    lines = np.concatenate([part.centreline for part in anatomy.branches])
    radii = np.concatenate([part.radii for part in anatomy.branches])
    distance, nearest = cKDTree(lines).query(anatomy.model.vertices)
    assert np.median(np.abs(distance - radii[nearest])) < 0.6


def test_triangles_lie_on_the_branch_they_are_given_to(anatomy: Anatomy) -> None:
    assert anatomy.triangle_branch.shape == (len(anatomy.model.triangles),)
    centres = anatomy.model.vertices[anatomy.model.triangles].mean(axis=1)
    for number, part in enumerate(anatomy.branches):
        own = centres[anatomy.triangle_branch == number]
        assert len(own) > 0
        assert cKDTree(part.centreline).query(own)[0].max() < 2.2 * part.radii.max() + 3


def test_diameters_are_those_of_adults() -> None:
    ranges = {"ascending_aorta": (22, 52), "descending_aorta": (16, 34), "left_carotid": (5, 10.5),
              "abdominal_aorta": (12, 58), "left_common_iliac": (6, 20), "right_external_iliac": (5, 13)}
    for family in FAMILIES:
        for part in cached_anatomy(family, 3).branches:
            low, high = ranges.get(part.name, (2.5, 60))
            assert low <= 2 * part.radii.min() and 2 * part.radii.max() <= high, part.name


def test_left_is_left_and_front_is_front() -> None:
    upper, lower = cached_anatomy(UPPER, 3), cached_anatomy(LOWER, 3)
    # RAS: x grows to the patient's right, y to the front, z to the head.
    assert branch(lower, "left_common_femoral")[:, 0].max() < branch(lower, "right_common_femoral")[:, 0].min()
    assert branch(upper, "left_subclavian")[-1, 0] < branch(upper, "brachiocephalic")[-1, 0]
    assert branch(upper, "descending_aorta")[:, 1].mean() < branch(upper, "ascending_aorta")[:, 1].mean() - 20
    assert branch(upper, "left_carotid")[-1, 2] > branch(upper, "aortic_arch")[:, 2].max()
    assert branch(lower, "left_superficial_femoral")[-1, 2] < branch(lower, "abdominal_aorta")[:, 2].min() - 150


def test_distance_from_the_inlet_runs_on_from_artery_to_artery() -> None:
    parts = {part.name: part for part in cached_anatomy(LOWER, 0).branches}
    for name, feeder in (("left_external_iliac", "left_common_iliac"), ("right_common_iliac", "abdominal_aorta")):
        end = parts[feeder].inlet_distance_mm + arc_lengths(parts[feeder].centreline)[-1]
        assert parts[name].inlet_distance_mm == pytest.approx(end, abs=4)


def test_same_seed_same_anatomy_and_other_seed_another() -> None:
    first, again, other = cached_anatomy(UPPER, 0), build_anatomy(UPPER, 0), cached_anatomy(UPPER, 3)
    assert np.array_equal(first.model.vertices, again.model.vertices)
    assert np.array_equal(first.model.triangles, again.model.triangles)
    assert not np.array_equal(first.model.vertices[:50], other.model.vertices[:50])


@pytest.mark.parametrize(("family", "seed", "word"), [("coronary", 0, "upper, lower"), (UPPER, -1, "negative")])
def test_what_cannot_be_built_is_refused(family: str, seed: int, word: str) -> None:
    with pytest.raises(UserError, match=word):
        build_anatomy(family, seed)


def test_union_of_two_crossing_rods_has_their_volume() -> None:
    rods = [spline_tube(np.array(ends, dtype=float), [(0, 6), (1, 6)], flat_start=True, flat_end=True)
            for ends in ([[-40, 0, 0], [0, 0, 0], [40, 0, 0]], [[0, -40, 30], [0, 0, 30], [0, 40, 30]],
                         [[0, 0, 0], [0, 0, 15], [0, 0, 30]])]
    vertices, triangles = union_surface(rods, 1.0, 10**9, np.random.default_rng(0))
    # Two rods of 80 mm and a post of 18 mm between them; the fillets add a little.
    expected = np.pi * 36 * (80 + 80 + 18)
    assert signed_volume(vertices, triangles) == pytest.approx(expected, rel=0.04)
    assert np.allclose(vertices.min(axis=0), [-40, -40, -6], atol=0.6)
