"""The benchmark's own renderer and its cases, against our geometry, our rasterizer and what the cases promise."""

from dataclasses import replace

import numpy as np
import pytest
from carm_raycaster import XRayMachine
from scipy import ndimage
from VesselRegistrationLib.benchmark import cases
from VesselRegistrationLib.benchmark.anatomies import anatomy_sources, load_anatomy
from VesselRegistrationLib.benchmark.renderer import fill_triangles, project_lps, project_model
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.geometry.carm import CArmView
from VesselRegistrationLib.mesh.writing import write_model
from VesselRegistrationLib.projection.rasterizer import silhouette
from VesselRegistrationLib.simulation.streams import FIRST_TEST_SEED, TRAINING_POOL

UPPER = anatomy_sources([])[0]


def some_views(count):
    rng = np.random.default_rng(3)
    return [CArmView(rng.uniform(-90, 90), rng.uniform(-60, 60), rng.uniform(900, 1200), rng.uniform(700, 800), 300,
                     400, rng.uniform(0.4, 1.0), rng.uniform(0.4, 1.0)) for _ in range(count)]


def spec_of(mask, views=1, start=(5.0, 10.0), index=0, seed=4, source=UPPER):
    return cases.CaseSpec(index, seed, source, views, mask, start)


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


# Renderer


def test_pixels_agree_with_geometry_and_with_x_ray_machine():
    points = np.random.default_rng(1).uniform(-150, 150, (200, 3))
    for view in some_views(8):
        found = project_lps(points * [-1, -1, 1], view)
        np.testing.assert_allclose(found, view.project(points)[0], atol=1e-8)
        machine = XRayMachine(view.primary_angle_deg, view.secondary_angle_deg, sid=view.sid_mm, sod=view.sod_mm,
                              rows=view.rows, columns=view.columns, row_spacing=view.row_spacing_mm,
                              column_spacing=view.column_spacing_mm)
        np.testing.assert_allclose(found, machine.see(points), atol=1e-6)


@pytest.mark.parametrize(("primary", "secondary", "direction_lps", "moves"), [
    (0, 0, (1, 0, 0), (1, 0)), (0, 0, (0, 0, 1), (0, -1)), (90, 0, (0, 1, 0), (1, 0)), (-90, 0, (0, 1, 0), (-1, 0))])
def test_directions_of_the_patient_in_the_image(primary, secondary, direction_lps, moves):
    view = CArmView(primary, secondary, 1000.0, 750.0, 101, 101, 0.5, 0.5)
    col, row = project_lps(10.0 * np.array([direction_lps]), view)[0]
    assert (col - 50, row - 50) == pytest.approx(10 * 1000 / 750 / 0.5 * np.array(moves), abs=1e-9)


def test_filled_mesh_agrees_with_our_rasterizer():
    anatomy = load_anatomy(UPPER)
    geometry = cases.sample_geometry(anatomy, spec_of("1.00", views=2))
    for view in geometry.views:
        filled = fill_triangles(project_model(anatomy.model.vertices, geometry.truth, view), anatomy.model.triangles,
                                (view.rows, view.columns))
        drawn = silhouette(anatomy.model, view.projection_matrix @ geometry.truth, filled.shape)
        assert dice(filled, drawn) > 0.997
        border = filled & ~ndimage.binary_erosion(filled, border_value=1)
        assert abs(int(filled.sum()) - int(drawn.sum())) / border.sum() < 0.03  # pixels wide, at the edge


def test_triangle_beyond_image_is_cut_off():
    filled = fill_triangles(np.array([[-20.0, -0.5], [9.5, -0.5], [-20.0, 60.0]]), np.array([[0, 1, 2]]), (8, 10))
    rows, cols = np.mgrid[:8, :10]
    inside = (cols + 20) / 29.5 + (rows + 0.5) / 60.5 < 1
    assert dice(filled, inside) > 0.96
    assert not fill_triangles(np.array([[-20.0, 0], [-9, 0], [-20, 6]]), np.array([[0, 1, 2]]), (8, 10)).any()


# Cases


def test_geometry_keeps_to_its_ranges():
    anatomy = load_anatomy(UPPER)
    points = anatomy.model.vertices
    for index in range(20):
        spec = spec_of("1.00", views=1 + index % 2, start=cases.START_STRATA_MM[index % 5], index=index)
        geometry = cases.sample_geometry(anatomy, spec)
        moved = [points @ pose[:3, :3].T + pose[:3, 3] for pose in (geometry.start, geometry.truth)]
        error = np.linalg.norm(moved[0] - moved[1], axis=1).mean()
        assert spec.start_mm[0] - 0.1 <= error <= spec.start_mm[1] + 0.1
        np.testing.assert_allclose(geometry.truth[:3, :3] @ geometry.truth[:3, :3].T, np.eye(3), atol=1e-12)
        for view in geometry.views:
            assert abs(view.primary_angle_deg) <= 45
            assert abs(view.secondary_angle_deg) <= 30
            assert 900 <= view.sid_mm <= 1200
            assert 700 <= view.sod_mm <= 800
            assert 150 <= view.columns * view.column_spacing_mm <= 400
            pixels, _ = view.project(moved[1])
            inside = (pixels > -0.5) & (pixels < 511.5)
            assert inside.all(axis=1).mean() > cases.LEAST_VISIBLE_SHARE - 0.02
        if len(geometry.views) == 2:
            cosine = geometry.views[0].beam_direction @ geometry.views[1].beam_direction
            assert np.degrees(np.arccos(cosine)) >= 35
            assert geometry.views[0].sod_mm == geometry.views[1].sod_mm


@pytest.mark.parametrize(("mask", "low", "high"), [("1.00", 1, 1), ("0.90", 0.885, 0.915), ("0.75-0.80", 0.75, 0.80),
                                                   (cases.STRESS, 0.5, 0.6)])
def test_masks_have_the_dice_of_their_stratum(mask, low, high):
    for index in range(3):
        case = cases.build_case(spec_of(mask, index=index, source=anatomy_sources([])[index % 2]))
        assert low <= dice(case.masks[0], case.clean[0]) <= high


def test_mask_of_another_vessel_is_of_another():
    case = cases.build_case(spec_of(cases.WRONG))
    assert case.masks[0].any()
    assert dice(case.masks[0], case.clean[0]) < 0.9


def test_same_seed_same_case_and_other_seed_another():
    first, again, other = (cases.build_case(spec_of("0.75-0.80", seed=seed)) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.masks[0], again.masks[0])
    np.testing.assert_array_equal(first.geometry.truth, again.geometry.truth)
    assert not np.allclose(first.geometry.truth, other.geometry.truth)


def test_calibration_shares_no_anatomy_and_no_seed_with_benchmark_or_training():
    ours, theirs = anatomy_sources([]), anatomy_sources([], calibration=True)
    assert len(ours) >= 20
    assert not set(ours) & set(theirs)
    assert all(int(source.split()[1]) > 100 * (TRAINING_POOL + FIRST_TEST_SEED) for source in ours + theirs)
    spec = spec_of("1.00")
    assert spec.random(0).random() != replace(spec, calibration=True).random(0).random()


def test_plan_covers_strata_and_anatomies_evenly():
    sources = anatomy_sources([])
    planned = cases.plan_cases(sources, 240, seed=0)
    ordinary = [spec for spec in planned if spec.mask in cases.MASK_BANDS]
    strata = {(spec.view_count, spec.mask, spec.start_mm) for spec in ordinary}
    assert len(ordinary) == 240
    assert len(strata) == 2 * 3 * 5
    assert all(sum((spec.view_count, spec.mask, spec.start_mm) == one for spec in ordinary) == 8 for one in strata)
    assert {spec.source for spec in ordinary} == set(sources)
    assert len({spec.index for spec in planned}) == len(planned) == 240 + 30 + 15


def test_mesh_of_the_user_becomes_an_anatomy(tmp_path):
    model = load_anatomy(UPPER).model
    write_model(tmp_path / "mine.vtp", model)
    source = anatomy_sources([tmp_path / "mine.vtp"])[-1]
    mine = load_anatomy(source)
    assert mine.name == "mine"
    np.testing.assert_allclose(mine.model.vertices.mean(axis=0), model.vertices.mean(axis=0), atol=0.1)
    case = cases.build_case(spec_of("0.90", source=source))
    assert 0.885 <= dice(case.masks[0], case.clean[0]) <= 0.915
    with pytest.raises(UserError):
        load_anatomy(f"mesh {tmp_path / 'absent.vtp'}")
