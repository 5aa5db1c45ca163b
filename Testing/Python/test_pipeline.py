"""The registration pipeline: invariants, measures, verdicts, and that it registers."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from registration_example import example_frame, example_geometry, example_model, example_result
from scipy.optimize import minimize_scalar
from scipy.spatial.transform import Rotation
from VesselRegistrationLib.dicom.reading import open_xa
from VesselRegistrationLib.errors import Cancelled, UserError
from VesselRegistrationLib.mesh.reading import read_model
from VesselRegistrationLib.pose.rigid import PosePrior
from VesselRegistrationLib.registration import masks as masks_module
from VesselRegistrationLib.registration import methods
from VesselRegistrationLib.registration.mask_file import read_mask
from VesselRegistrationLib.registration.masks import FrameSegmenter
from VesselRegistrationLib.registration.metrics import reprojection_distances, target_registration_errors
from VesselRegistrationLib.registration.pipeline import RegistrationRequest, initial_pose, register
from VesselRegistrationLib.registration.region import check_roi, roi_pixels
from VesselRegistrationLib.registration.result_file import result_as_dict
from VesselRegistrationLib.registration.task import PoseAnswer
from VesselRegistrationLib.registration.verdict import judge


def small_pose(turn_deg=(4.0, -7.0, 10.0), shift=(6.0, -8.0, 12.0)):
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    pose[:3, 3] = shift
    return pose


@pytest.fixture
def model():
    return example_model()


@pytest.fixture
def answer_with(monkeypatch):
    """Replace the method by one that answers with a pose."""
    def use(pose, warnings=()):
        monkeypatch.setitem(methods.METHODS, "pose", lambda task, progress, should_stop: PoseAnswer(pose, warnings))
    return use


def frames_and_masks(count=2):
    geometry = example_geometry()
    frames = tuple(example_frame(replace(geometry, primary_angle_deg=30.5 - 60 * k, sources=MappingProxyType({})))
                   for k in range(count))
    result = example_result(example_model(), list(frames))
    masks = tuple(view.silhouette & frame.usable for view, frame in zip(result.views, frames, strict=True))
    return frames, masks, result


def test_every_view_projects_with_its_camera_times_the_one_pose(model, answer_with):
    frames, masks, made = frames_and_masks()
    answer_with(made.model_to_world)
    result = register(RegistrationRequest(model, frames, masks))
    assert result.status == "check"  # the answer comes without an error in mm
    np.testing.assert_array_equal(result.model_to_world, made.model_to_world)
    for view, frame in zip(result.views, frames, strict=True):
        camera = frame.view().projection_matrix
        np.testing.assert_array_equal(view.projection, camera @ made.model_to_world)
        assert view.overlap.dice == 1.0
        assert view.mask_source == "given by the user"


def test_affine_is_the_best_fit_to_how_the_projected_vertices_moved(model, answer_with):
    (frame, *_), (mask, *_), made = frames_and_masks()
    answer_with(made.model_to_world)
    affine = register(RegistrationRequest(model, (frame,), (mask,))).views[0].affine
    camera = frame.view()
    before, _ = camera.project(model.vertices - model.centre)
    after, _ = camera.project(model.vertices @ made.model_to_world[:3, :3].T + made.model_to_world[:3, 3])
    residual = before @ affine[:, :2].T + affine[:, 2] - after
    # The residual of a least squares fit is orthogonal to what it was fitted with, and small for this small motion.
    assert np.abs(residual.mean(axis=0)).max() < 1e-6
    assert np.abs(residual.T @ before).max() / len(before) < 1e-4
    assert np.linalg.norm(residual, axis=1).max() < 3.0


def test_overlap_counts_pixels_outside_shutters_only(model, answer_with):
    (frame, *_), (mask, *_), made = frames_and_masks(1)
    usable = frame.usable.copy()
    usable[:, :50] = False
    frame = replace(frame, usable=usable)
    mask = mask.copy()
    mask[60:70, 70:90] = True
    answer_with(made.model_to_world)
    view = register(RegistrationRequest(model, (frame,), (mask,))).views[0]
    rows, columns = np.indices(mask.shape)
    inside = {(r, c) for r, c in zip(rows[usable], columns[usable], strict=True)}
    given = {place for place in inside if mask[place]}
    drawn = {place for place in inside if view.silhouette[place]}
    assert view.overlap.precision == pytest.approx(len(given & drawn) / len(drawn))
    assert view.overlap.recall == pytest.approx(len(given & drawn) / len(given))
    assert view.overlap.dice == pytest.approx(2 * len(given & drawn) / (len(given) + len(drawn)))
    assert not view.mask[:, :50].any()


def test_roi_leaves_out_of_the_measures_what_it_leaves_out_of_the_match(model, answer_with):
    (frame, *_), (mask, *_), made = frames_and_masks(1)
    answer_with(made.model_to_world)
    spoiled = mask.copy()
    spoiled[70:] = False
    whole = register(RegistrationRequest(model, (frame,), (spoiled,))).views[0]
    upper = register(RegistrationRequest(model, (frame,), (spoiled,), roi=(0, 0, 128, 60)))
    assert upper.roi == (0, 0, 128, 60)
    assert upper.views[0].overlap.recall == 1.0
    assert upper.views[0].overlap.precision > whole.overlap.precision


def test_roi_pixels_are_those_that_the_affine_brings_from_inside():
    affine = np.array([[0.0, -1.0, 100.0], [1.0, 0.0, 0.0]])  # a quarter turn: (col, row) -> (100 - row, col)
    moved = roi_pixels((10, 20, 30, 60), affine, (64, 128))
    expected = np.zeros((64, 128), bool)
    for col in range(10, 30):
        for row in range(20, 60):
            expected[col, 100 - row] = True
    np.testing.assert_array_equal(moved, expected)


@pytest.mark.parametrize(("roi", "words"), [((0, 0, 15, 40), "too small"), ((-1, 0, 40, 40), "outside"),
                                            ((0, 0, 40, 97), "outside"), ((40, 0, 10, 40), "not a rectangle"),
                                            ((0, 0, float("nan"), 40), "not a rectangle")])
def test_impossible_regions_are_refused(roi, words):
    with pytest.raises(UserError, match=words):
        check_roi(roi, (96, 128))
    check_roi((0, 0, 16, 16), (96, 128))
    check_roi((0, 0, 128, 96), (96, 128))


def test_an_empty_mask_is_rejected_at_the_initial_pose(model):
    (frame, *_), _, _ = frames_and_masks(1)
    result = register(RegistrationRequest(model, (frame,), (np.zeros(frame.attenuation.shape, bool),)))
    assert result.status == "rejected"
    assert "mask" in result.reason and result.reason.endswith(".")
    np.testing.assert_array_equal(result.model_to_world, initial_pose(model))
    np.testing.assert_allclose(result.views[0].affine, np.eye(2, 3), atol=1e-9)


def test_a_tiny_mask_is_rejected_whatever_the_fit(model, answer_with):
    (frame, *_), (mask, *_), made = frames_and_masks(1)
    answer_with(made.model_to_world)
    tiny = np.zeros_like(mask)
    tiny[40, np.flatnonzero(mask[40])[:12]] = True
    result = register(RegistrationRequest(model, (frame,), (tiny,)))
    assert result.status == "rejected"
    assert "0.10 % of the image" in result.reason


def test_a_warning_of_the_method_rejects_and_is_the_reason(model, answer_with):
    frames, masks, made = frames_and_masks(1)
    answer_with(made.model_to_world, ("The fit mirrors the model.",))
    result = register(RegistrationRequest(model, frames, masks))
    assert (result.status, result.reason) == ("rejected", "The fit mirrors the model.")


def test_little_overlap_is_to_be_checked_and_less_is_rejected():
    _, _, made = frames_and_masks(1)
    view = made.views[0]
    statuses = [judge([replace(view, overlap=replace(view.overlap, dice=dice))] * 2, ()).status
                for dice in (0.2, 0.6, 0.9)]
    assert statuses == ["rejected", "check", "check"]
    good, bad = (replace(view, overlap=replace(view.overlap, dice=dice)) for dice in (0.9, 0.2))
    assert judge([good, bad], ()).status == "rejected"


def test_masks_of_another_size_or_number_are_refused(model, answer_with):
    frames, masks, made = frames_and_masks(2)
    answer_with(made.model_to_world)
    with pytest.raises(UserError, match="128 x 90 pixels and the X-ray 128 x 96"):
        register(RegistrationRequest(model, frames, (masks[0][:90], None)))
    with pytest.raises(UserError, match="1 masks for 2 X-rays"):
        register(RegistrationRequest(model, frames, masks[:1]))
    with pytest.raises(UserError, match="method 'magic' is not known"):
        register(RegistrationRequest(model, frames, masks, method="magic"))
    with pytest.raises(UserError, match="no X-ray"):
        register(RegistrationRequest(model, ()))


def test_a_frame_without_distances_is_refused_by_name_of_what_is_missing(model):
    frame = example_frame(replace(example_geometry(), sid_mm=None))
    with pytest.raises(UserError, match="--sid MM"):
        register(RegistrationRequest(model, (frame,)))


def test_stopping_stops(model, answer_with):
    frames, masks, made = frames_and_masks(1)
    answer_with(made.model_to_world)
    with pytest.raises(Cancelled):
        register(RegistrationRequest(model, frames, masks), should_stop=lambda: True)


def test_the_first_frame_decides_the_field_of_view_of_the_study(monkeypatch):
    asked = []

    def choose(request, body_part, attenuation, usable, networks):
        asked.append(request)
        return masks_module.FieldOfViewChoice("upper", "Because.")

    class Network:
        card = replace_card = type("Card", (), {"name": "vessels_upper", "sha256": "ab"})

        def __init__(self, name, device):
            assert name == "vessels_upper"

        def probability(self, attenuation, usable):
            return np.where(usable, 0.9, 0.0).astype(np.float32)

    monkeypatch.setattr(masks_module, "choose_field_of_view", choose)
    monkeypatch.setattr(masks_module, "VesselSegmenter", Network)
    segmenter = FrameSegmenter()
    found = [segmenter.segment(example_frame()) for _ in range(2)]
    assert asked == ["auto", "upper"]
    assert found[0].weights == {"vessels_upper": "ab"}
    np.testing.assert_array_equal(found[0].mask, example_frame().usable)


def read_case(folder):
    model = read_model(folder / "model.vtp")
    frames = tuple(open_xa(folder / f"view_{k}.dcm").frame(last) for k, last in ((0, 2), (1, 1)))
    return model, frames, tuple(read_mask(folder / f"vessel_mask_{k}.png") for k in range(2))


def mean_in_plane_error(model, pose, truth, frame):
    return reprojection_distances(model.vertices, pose, truth, frame.view()).mean()


def test_one_view_is_registered_and_lifted_exactly(lower_case, true_pose, untrained_networks):
    model, frames, masks = read_case(lower_case)
    steps = []
    request = RegistrationRequest(model, frames[:1], masks[:1], method="affine")
    result = register(request, lambda part, text: steps.append(part))
    assert steps == sorted(steps) and steps[-1] == 1.0
    [view] = result.views
    camera = frames[0].view()
    before, _ = camera.project(model.vertices - model.centre)
    homogeneous = model.vertices @ view.projection[:, :3].T + view.projection[:, 3]
    moved = before @ view.affine[:, :2].T + view.affine[:, 2]
    np.testing.assert_allclose(homogeneous[:, :2] / homogeneous[:, 2:], moved, atol=1e-6)
    assert view.overlap.dice > 0.7
    start = mean_in_plane_error(model, initial_pose(model), true_pose, frames[0])
    assert mean_in_plane_error(model, result.model_to_world, true_pose, frames[0]) < 0.5 * start
    assert set(result.timings_s) == {"segmentation", "matching", "measures"}
    assert set(result.weights) == {"matching_ours"}


def test_two_views_give_one_rigid_pose_near_the_truth(lower_case, true_pose, untrained_networks):
    model, frames, masks = read_case(lower_case)
    result = register(RegistrationRequest(model, frames, masks, method="affine"))
    rotation = result.model_to_world[:3, :3]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    start = target_registration_errors(model.vertices, initial_pose(model), true_pose).mean()
    assert target_registration_errors(model.vertices, result.model_to_world, true_pose).mean() < 0.5 * start


def test_two_views_along_one_line_are_refused(lower_case, untrained_networks):
    model, frames, masks = read_case(lower_case)
    with pytest.raises(UserError, match="no depth"):
        register(RegistrationRequest(model, (frames[0], frames[0]), (masks[0], masks[0]), method="affine"))


def test_pose_finds_the_truth_in_two_views_and_says_how_far_to_trust_it(lower_case, true_pose):
    model, frames, masks = read_case(lower_case)
    result = register(RegistrationRequest(model, frames, masks))
    assert (result.status, result.found) == ("accepted", True)
    assert target_registration_errors(model.vertices, result.model_to_world, true_pose).mean() < 0.5
    assert result.confidence.probability_within_2mm > 0.9
    assert result.confidence.depth_observable


def test_pose_in_one_view_claims_no_depth(lower_case, true_pose):
    model, frames, masks = read_case(lower_case)
    result = register(RegistrationRequest(model, frames[:1], masks[:1]))
    assert mean_in_plane_error(model, result.model_to_world, true_pose, frames[0]) < 0.5
    assert not result.confidence.depth_observable
    assert "depth" in " ".join(result.confidence.notes)


def test_pose_within_limits_stays_near_its_start(lower_case, true_pose):
    model, frames, masks = read_case(lower_case)
    start = true_pose.copy()
    start[:3, 3] += [0.0, 0.0, 25.0]
    limits = PosePrior(rotation_deg=0.5, in_plane_mm=0.1, depth_mm=0.1)
    result = register(RegistrationRequest(model, frames, masks, start=start, limits=limits))
    moved = result.model_to_world[:3, :3] @ model.centre + result.model_to_world[:3, 3]
    assert np.linalg.norm(moved - (start[:3, :3] @ model.centre + start[:3, 3])) < 5.0


def test_a_refusal_gives_no_pose(lower_case):
    model, frames, masks = read_case(lower_case)
    far = initial_pose(model)
    far[:3, 3] += [3000.0, 0.0, 0.0]
    result = register(RegistrationRequest(model, frames, masks, start=far))
    assert (result.status, result.found) == ("rejected", False)
    assert "outside the field of view" in result.reason
    assert result_as_dict(result)["model_to_world"] is None


def test_segmented_masks_name_their_network(lower_case, true_pose, untrained_networks, answer_with):
    model, frames, masks = read_case(lower_case)
    answer_with(true_pose)
    result = register(RegistrationRequest(model, frames, (None, masks[1]), field_of_view="lower"))
    assert "vessels_lower" in result.views[0].mask_source
    assert result.views[1].mask_source == "given by the user"
    assert "vessels_lower" in result.weights


def test_target_registration_error_of_a_shift_is_its_length(model):
    pose = small_pose()
    shifted = pose.copy()
    shifted[:3, 3] += (2.0, -3.0, 6.0)
    np.testing.assert_allclose(target_registration_errors(model.vertices, shifted, pose), 7.0)


def test_reprojection_distance_is_the_least_distance_to_the_viewing_ray(model):
    view = example_frame().view()
    truth, found = small_pose(), small_pose((1.0, 2.0, -3.0), (-4.0, 9.0, 3.0))
    points = model.vertices[::97] - model.centre
    distances = reprojection_distances(points, found, truth, view)
    assert len(points) > 5
    for point, distance in zip(points, distances, strict=True):
        seen = found[:3, :3] @ point + found[:3, 3]
        place = truth[:3, :3] @ point + truth[:3, 3]

        def gap(t, seen=seen, place=place):
            return np.linalg.norm(view.source + t * (seen - view.source) - place)

        assert distance == pytest.approx(minimize_scalar(gap, bracket=(0.9, 1.1)).fun, abs=1e-6)


def test_moving_towards_the_source_is_no_in_plane_error(model):
    view = example_frame().view()
    truth = small_pose()
    magnified = np.eye(4)
    magnified[:3, :3] *= 0.9
    magnified[:3, 3] = 0.1 * view.source
    points = model.vertices - model.centre
    assert reprojection_distances(points, magnified @ truth, truth, view).max() < 1e-6
    assert target_registration_errors(points, magnified @ truth, truth).mean() > 50
