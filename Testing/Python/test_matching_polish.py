"""The last, sharp step of matching: outlines of silhouettes with a known motion between them."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform
from skimage.draw import polygon
from VesselRegistrationLib.matching.contour_polish import Outline, explained, polish
from VesselRegistrationLib.progress import never_stop

SIZE = 256


def tree() -> np.ndarray:
    """A trunk that divides into two legs of different length."""
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    for corners in ([(20, 115), (20, 140), (120, 135), (120, 110)], [(110, 110), (115, 128), (225, 80), (220, 64)],
                    [(110, 122), (118, 136), (185, 190), (192, 178)]):
        rows, columns = polygon(*zip(*corners, strict=True))
        mask[rows, columns] = True
    return mask


def moved(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """The mask after moving -> fixed ``affine`` (2, 3) in px (col, row)."""
    inverse = np.linalg.inv(np.vstack([affine, [0, 0, 1]]))
    swapped = inverse[:2, :2][::-1, ::-1]
    return affine_transform(mask.astype(float), swapped, inverse[:2, 2][::-1], order=1) > 0.5


def motion(turn_deg: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    angle, middle = np.radians(turn_deg), np.full(2, (SIZE - 1) / 2)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([linear, middle + shift - linear @ middle])


def corner_error(one: np.ndarray, other: np.ndarray) -> float:
    corners = np.array([[0, 0, 1], [SIZE, 0, 1], [0, SIZE, 1], [SIZE, SIZE, 1.0]])
    return float(np.linalg.norm((one - other) @ corners.T, axis=0).mean())


def whole(mask: np.ndarray) -> Outline:
    return Outline(mask, np.ones(mask.shape, dtype=bool))


@pytest.mark.parametrize("truth", [motion(3.0, 1.03, (4.0, -5.0)), motion(-5.0, 0.95, (-6.0, 3.0))])
def test_a_near_start_ends_on_the_truth(truth: np.ndarray) -> None:
    found, agreement = polish(whole(tree()), whole(moved(tree(), truth)), np.eye(2, 3), never_stop)
    assert corner_error(np.eye(2, 3), truth) > 5.0
    assert corner_error(found, truth) < 0.7
    assert agreement > 0.9


def test_a_missing_branch_does_not_pull() -> None:
    truth = motion(2.0, 1.02, (3.0, 2.0))
    fixed = moved(tree(), truth)
    fixed[130:, 140:] = False
    found, _ = polish(whole(tree()), whole(fixed), np.eye(2, 3), never_stop)
    assert corner_error(found, truth) < 1.5


def test_what_is_hidden_is_not_compared() -> None:
    truth = motion(2.0, 1.0, (3.0, -2.0))
    fixed = moved(tree(), truth)
    known = np.ones(fixed.shape, dtype=bool)
    known[:, 150:] = False
    fixed[~known] = True
    found, _ = polish(whole(tree()), Outline(fixed, known), np.eye(2, 3), never_stop)
    assert corner_error(found, truth) < 2.0


def test_outlines_far_apart_do_not_agree() -> None:
    assert explained(whole(tree()), whole(moved(tree(), motion(0.0, 1.0, (60.0, 0.0)))), np.eye(2, 3), 2.0) < 0.3


def test_nothing_to_compare_leaves_the_start() -> None:
    start = motion(1.0, 1.0, (1.0, 1.0))
    found, agreement = polish(whole(tree()), whole(np.zeros((SIZE, SIZE), dtype=bool)), start, never_stop)
    np.testing.assert_array_equal(found, start)
    assert agreement == 0.0
