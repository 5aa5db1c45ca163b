"""theta against pixel matrices, with SciPy and scikit-image as the judges of what a matrix does to an image."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.transform import AffineTransform
from skimage.transform import warp as skimage_warp
from VesselRegistrationLib.matching.coordinates import affine_to_theta, theta_to_affine
from VesselRegistrationLib.networks.affine_cnn import warp

AFFINE = np.array([[1.1, 0.2, -14.0], [-0.15, 0.93, 21.0]])


@pytest.mark.parametrize(("moving_size", "fixed_size"), [((256, 256), (256, 256)), ((120, 200), (150, 90))])
def test_theta_warps_as_the_pixel_matrix_says(moving_size: tuple[int, int], fixed_size: tuple[int, int]) -> None:
    moving = gaussian_filter(np.random.default_rng(0).random(moving_size), 3.0)
    moving = (moving - moving.min()) / np.ptp(moving)
    theta = affine_to_theta(AFFINE, moving_size, fixed_size)
    ours = warp(torch.from_numpy(moving)[None, None], torch.from_numpy(theta)[None], fixed_size)[0, 0].numpy()
    # scikit-image's AffineTransform maps (col, row) of the input to the output; warp wants its inverse.
    judge = skimage_warp(moving, AffineTransform(np.vstack([AFFINE, [0, 0, 1]])).inverse, output_shape=fixed_size,
                         order=1)
    inside = skimage_warp(np.ones(moving_size), AffineTransform(np.vstack([AFFINE, [0, 0, 1]])).inverse,
                          output_shape=fixed_size, order=0) > 0
    inside[:2] = inside[-2:] = False
    inside[:, :2] = inside[:, -2:] = False
    edge = gaussian_filter(inside.astype(float), 2) < 0.999
    assert (~edge).sum() > 2000
    np.testing.assert_allclose(ours[~edge], judge[~edge], atol=1e-6)


def test_network_theta_is_the_inverse_of_equation_4() -> None:
    """A mark at x_m of the moving image must show at M x_m of the warped one, M being the paper's matrix."""
    moving = torch.zeros(1, 1, 101, 141, dtype=torch.float64)
    moving[0, 0, 40, 60] = 1.0
    theta = torch.tensor([[[0.9, 0.1, 0.2], [-0.1, 1.05, -0.15]]], dtype=torch.float64)
    matrix = theta_to_affine(theta[0].numpy(), (101, 141), (101, 141))
    warped = warp(moving, theta)[0, 0].numpy()
    rows, columns = np.mgrid[:101, :141]
    found = np.array([(warped * columns).sum(), (warped * rows).sum()]) / warped.sum()
    np.testing.assert_allclose(found, matrix @ [60, 40, 1], atol=0.3)
    assert np.linalg.norm(found - np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2] @ [60, 40, 1]) > 5


def test_round_trip_and_identity() -> None:
    theta = affine_to_theta(AFFINE, (50, 70), (90, 40))
    np.testing.assert_allclose(theta_to_affine(theta, (50, 70), (90, 40)), AFFINE, atol=1e-12)
    np.testing.assert_allclose(theta_to_affine(np.eye(2, 3), (50, 70), (50, 70)), np.eye(2, 3), atol=1e-12)


def test_a_shift_by_one_pixel() -> None:
    """By hand: the whole width is 2, so that a pixel of 200 is 0.01."""
    theta = affine_to_theta(np.array([[1.0, 0, 1.0], [0, 1.0, 0]]), (100, 200), (100, 200))
    np.testing.assert_allclose(theta, [[1, 0, -0.01], [0, 1, 0]], atol=1e-12)


def test_flat_matrices_are_refused() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        theta_to_affine(np.zeros((2, 3)), (8, 8), (8, 8))
