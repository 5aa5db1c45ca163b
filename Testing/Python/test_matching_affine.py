"""Matching of silhouettes whose true affine is known."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_dilation
from skimage.draw import disk
from skimage.transform import AffineTransform
from skimage.transform import warp as skimage_warp
from VesselRegistrationLib.errors import Cancelled, UserError
from VesselRegistrationLib.matching.affine_matching import AffineMatcher, implausibility
from VesselRegistrationLib.matching.motion import from_theta, motion_matrices, motion_parameters, to_theta
from VesselRegistrationLib.networks.affine_cnn import COMPACT, AffineCNN
from VesselRegistrationLib.networks.weights import ModelCard, save_weights

MARGIN = 100


def a_matcher(folder: Path, theta: np.ndarray | None = None) -> AffineMatcher:
    """A matcher whose network answers ``theta`` whatever it sees; a new one answers the identity."""
    torch.manual_seed(0)
    network = AffineCNN(**COMPACT)
    if theta is not None:
        with torch.no_grad():
            network.answer.bias.copy_(torch.from_numpy(theta).flatten())
    empty = {field: "" for field in ModelCard.__dataclass_fields__ if field not in ("folder", "scores", "parameters")}
    card = ModelCard(**{**empty, "name": "matching", "architecture": "AffineCNN",  # type: ignore[arg-type]
                        "parameters": {"channels": list(COMPACT["channels"]), "hidden": COMPACT["hidden"]},
                        "scores": {}, "trainable_parameters": 0, "bytes": 0})
    return AffineMatcher(save_weights(network, card, folder), "cpu")


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> AffineMatcher:
    return a_matcher(tmp_path_factory.mktemp("weights"))


def vessel_tree(seed: int, rows: int, columns: int) -> list[np.ndarray]:
    """Trunk, two legs and four side branches as masks on a canvas with a margin around the image."""
    rng = np.random.default_rng(seed)
    shape = (rows + 2 * MARGIN, columns + 2 * MARGIN)
    masks = []

    def branch(start: np.ndarray, angle: float, radius: float, length: float) -> tuple[np.ndarray, float]:
        mask = np.zeros(shape, dtype=bool)
        point = np.array(start, dtype=float)
        for _ in range(int(length / 2)):
            angle += rng.normal(0, 0.04)
            point = point + 2 * np.array([np.cos(angle), np.sin(angle)])
            mask[disk(point, radius, shape=shape)] = True
        masks.append(mask)
        return point, angle

    fork, angle = branch(np.array([20.0, shape[1] / 2 + rng.uniform(-40, 40)]), 0.0, 0.035 * rows, 0.62 * rows)
    for side in (-1, 1):
        knee, leg = branch(fork, angle + side * 0.4, 0.02 * rows, 0.35 * rows)
        branch(knee, leg + 0.35, 0.012 * rows, 0.35 * rows)
        branch(knee, leg - side * 0.3, 0.014 * rows, 0.7 * rows)
    for side in (-1, 1):
        branch(fork - [0.25 * rows, 0], angle + side * 1.2, 0.01 * rows, 0.25 * rows)
    return masks


def a_case(seed: int, rows: int = 320, columns: int = 320, dropped: tuple[int, ...] = ()) -> tuple[np.ndarray, ...]:
    """Moving and fixed mask (rows, columns) and the true affine; some branches are missing from the fixed one."""
    rng = np.random.default_rng(seed + 1000)
    masks = vessel_tree(seed, rows, columns)
    angle, scale = np.radians(rng.uniform(-10, 10)), np.exp(rng.uniform(-0.15, 0.15))
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = linear + rng.uniform(-0.02, 0.02, (2, 2))
    centre = np.array([columns - 1, rows - 1]) / 2
    affine = np.column_stack([linear, centre + rng.uniform(-0.1, 0.1, 2) * rows - linear @ centre])
    on_canvas = np.vstack([affine, [0, 0, 1]])
    shift = np.array([[1, 0, MARGIN], [0, 1, MARGIN], [0, 0, 1.0]])
    judge = AffineTransform(shift @ on_canvas @ np.linalg.inv(shift))
    seen = np.any([mask for index, mask in enumerate(masks) if index not in dropped], axis=0)
    fixed = skimage_warp(seen.astype(float), judge.inverse) > 0.5
    inside = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    return np.any(masks, axis=0)[inside], fixed[inside], affine


def corner_error(found: np.ndarray, truth: np.ndarray, moving: np.ndarray) -> float:
    """Mean distance in pixels between both images of the moving silhouette's pixels."""
    rows, columns = np.nonzero(moving)
    points = np.vstack([columns, rows, np.ones(len(rows))])
    return float(np.linalg.norm(found @ points - truth @ points, axis=0).mean())


def test_published_path_is_the_networks_answer(tmp_path: Path) -> None:
    """The network's theta means 0.05 * width / 2 columns to the left in the fixed image: by hand 8 pixels of 320."""
    matcher = a_matcher(tmp_path, np.array([[1.0, 0, 0.05], [0, 1.0, 0]]))
    moving, _, _ = a_case(0)
    fixed = np.roll(moving, -8, axis=1)
    fixed[:, -8:] = False
    match = matcher.match(moving, fixed, refine=False)
    np.testing.assert_allclose(match.affine, [[1, 0, -8], [0, 1, 0]], atol=1e-4)
    assert match.dice == match.dice_network > 0.99 > match.dice_before


@pytest.mark.parametrize(("seed", "rows", "columns", "dropped"), [
    (1, 320, 320, ()), (2, 320, 320, (1, 6)), (3, 300, 400, ()), (4, 400, 300, (3,)), (5, 256, 256, (2, 4))])
def test_refinement_finds_the_affine(matcher: AffineMatcher, seed: int, rows: int, columns: int,
                                     dropped: tuple[int, ...]) -> None:
    moving, fixed, truth = a_case(seed, rows, columns, dropped)
    match = matcher.match(moving, fixed)
    assert corner_error(np.eye(2, 3), truth, moving) > 8
    assert corner_error(match.affine, truth, moving) < (0.02 if dropped else 0.01) * max(rows, columns)
    assert match.dice > max(0.8 if dropped else 0.93, match.dice_before)
    assert match.recall > 0.9
    assert match.warning == ""
    np.testing.assert_array_equal(match.network_affine, np.eye(2, 3))


def test_shutters_do_not_count(matcher: AffineMatcher) -> None:
    moving, fixed, truth = a_case(7)
    usable = np.ones(fixed.shape, dtype=bool)
    usable[:70] = False
    spoilt = fixed.copy()
    spoilt[:70] = True
    match = matcher.match(moving, spoilt, usable)
    assert corner_error(match.affine, truth, moving) < 5
    assert match.precision > 0.9
    assert spoilt[:70].all()


def test_only_the_region_of_interest_of_the_model_counts(matcher: AffineMatcher) -> None:
    """The X-ray shows a part of the model; outside the region of interest the model says nothing."""
    moving, fixed, truth = a_case(8)
    known = np.zeros(moving.shape, dtype=bool)
    known[30:290, 30:290] = True
    assert corner_error(matcher.match(moving, fixed, None, known).affine, truth, moving) < 5


def test_a_mask_with_false_blobs_and_thick_vessels_still_matches(matcher: AffineMatcher) -> None:
    moving, fixed, truth = a_case(9)
    thick = binary_dilation(fixed, iterations=2)
    thick[disk((60, 60), 15)] = True
    thick[disk((250, 40), 18)] = True
    assert corner_error(matcher.match(moving, thick).affine, truth, moving) < 6


def test_inputs_stay_and_a_second_run_agrees(matcher: AffineMatcher) -> None:
    moving, fixed, _ = a_case(10)
    copies = moving.copy(), fixed.copy()
    first, second = matcher.match(moving, fixed), matcher.match(moving, fixed)
    np.testing.assert_array_equal(first.affine, second.affine)
    np.testing.assert_array_equal(moving, copies[0])
    np.testing.assert_array_equal(fixed, copies[1])


def test_matching_takes_little_time(matcher: AffineMatcher) -> None:
    moving, fixed, _ = a_case(11, 512, 512)
    start = time.process_time()
    matcher.match(moving, fixed)
    assert time.process_time() - start < 6.0


def test_unusable_input_is_refused(matcher: AffineMatcher) -> None:
    moving, fixed, _ = a_case(0)
    with pytest.raises(UserError, match="empty"):
        matcher.match(moving, np.zeros_like(fixed))
    with pytest.raises(UserError, match="region of interest"):
        matcher.match(moving, fixed, None, np.zeros_like(fixed))
    with pytest.raises(UserError, match="size"):
        matcher.match(moving, fixed[:-1])
    with pytest.raises(UserError, match="does not match images"):
        AffineMatcher(replace(matcher.card, architecture="DRUNet"))
    with pytest.raises(Cancelled):
        matcher.match(moving, fixed, should_stop=lambda: True)


@pytest.mark.parametrize(("affine", "words"), [
    ([[2.3, 0, 0], [0, 2.3, 0]], "scale"), ([[0.4, 0, 0], [0, 0.4, 0]], "scale"),
    ([[-1.0, 0, 99], [0, 1, 0]], "mirrors"),
    ([[1.6, 0, -20], [0, 0.7, 10]], "shears"), ([[0, -1.0, 99], [1, 0, 0]], "turns"),
    ([[1.0, 0, 80], [0, 1, 0]], "out of the image"), ([[1.1, 0.1, -3], [-0.1, 1, 2]], "")])
def test_implausible_fits_are_told(affine: list[list[float]], words: str) -> None:
    moving = np.zeros((100, 100))
    moving[30:70, 40:60] = 1
    said = implausibility(np.array(affine), (100, 100), moving, 0.2, 0.8)
    assert words in said
    assert bool(said) == bool(words)


def test_a_fit_that_overlaps_less_is_told() -> None:
    moving = np.ones((10, 10))
    assert "overlaps less" in implausibility(np.eye(2, 3), (10, 10), moving, 0.8, 0.3)


def test_motion_parameters_by_hand_and_back() -> None:
    """A quarter-turn-like motion: x to y and y to -x for a turn of +90 deg (here 30), scaled and shifted."""
    turn, scale = np.radians(30.0), 1.25
    matrix = motion_matrices(torch.tensor([[0.1, -0.2, turn, np.log(scale), 0.0, 0.0]], dtype=torch.float64))[0].numpy()
    np.testing.assert_allclose(matrix, [[scale * np.cos(turn), -scale * np.sin(turn), 0.1],
                                        [scale * np.sin(turn), scale * np.cos(turn), -0.2]], atol=1e-6)
    parameters = torch.tensor([0.3, -0.1, -0.2, 0.1, 0.07, -0.12])
    torch.testing.assert_close(motion_parameters(motion_matrices(parameters[None])[0]), parameters)
    assert motion_parameters(torch.tensor([[-1.0, 0, 0], [0, 1, 0]])) is None


def test_a_turn_stays_a_turn_in_pixels_of_an_image_that_is_not_square() -> None:
    rows, columns = 200, 400
    turn = motion_matrices(torch.tensor([[0.0, 0.0, 0.5, 0.0, 0.0, 0.0]], dtype=torch.float64))
    aspect = (1.0, 2.0)
    normalised = to_theta(turn, aspect)[0].numpy()
    to_pixels = np.diag([columns / 2, rows / 2])
    in_pixels = to_pixels @ normalised[:, :2] @ np.linalg.inv(to_pixels)
    np.testing.assert_allclose(in_pixels, [[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]], atol=1e-7)
    torch.testing.assert_close(from_theta(to_theta(turn, aspect), aspect), turn)
