"""The suture networks, their layers, targets and losses."""

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve
from SutureDetectionLib.detection.readout import PAIRING_UNIT_PX
from SutureDetectionLib.networks.losses import StitchBatch, f_beta_loss, paper_loss, similarity_loss, stitch_loss
from SutureDetectionLib.networks.stitch_net import StackedStitchNet, StitchMaps, StitchNet
from SutureDetectionLib.networks.suture_unet import (
    VARIANTS,
    SutureUNet,
    convolutional_soft_argmax,
    gaussian_layer,
    gaussian_window,
)
from SutureDetectionLib.networks.targets import Distribution, binary_map, heat_map, stitch_targets
from VesselRegistrationLib.networks.engine import make_backend


def trainable(network: torch.nn.Module) -> int:
    return sum(entry.numel() for entry in network.parameters() if entry.requires_grad)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_published_network_has_the_published_size(variant: str) -> None:
    assert trainable(SutureUNet(variant)) == 1_082_033


def test_our_network_is_small_and_gives_half_size_maps() -> None:
    network = StitchNet()
    assert trainable(network) == 448_942
    maps = network(torch.rand(2, 3, 32, 64))
    assert [entry.shape for entry in maps] == [(2, 1, 16, 32)] * 2 + [(2, 2, 16, 32)] * 2
    assert torch.sigmoid(maps.heat_logits).mean() < 0.1


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_engines_answer_as_the_network_does(backend: str) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino")
    torch.manual_seed(0)
    network = StitchNet()
    for _ in range(3):
        network(torch.rand(2, 3, 32, 64))
    stack = StackedStitchNet(network).eval()
    image = torch.rand(1, 3, 32, 64)
    with torch.inference_mode():
        expected = stack(image).numpy()
    found = make_backend(stack, torch.device("cpu"), backend)(image.numpy())
    np.testing.assert_allclose(1 / (1 + np.exp(-found[:, :2])), 1 / (1 + np.exp(-expected[:, :2])), atol=1e-5)
    np.testing.assert_allclose(found[:, 2:], expected[:, 2:], atol=1e-4)


def test_the_gaussian_layer_is_a_normalised_gaussian() -> None:
    heat = np.random.default_rng(0).random((9, 12)).astype(np.float32)
    row = np.exp(-0.5 * np.array([-1.0, 0.0, 1.0]) ** 2 / 2.0**2)
    window = np.outer(row, row) / np.outer(row, row).sum()
    expected = convolve(heat, window, mode="mirror")
    found = gaussian_layer(torch.from_numpy(heat)[None, None], gaussian_window(2.0))[0, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_soft_argmax_is_the_softmax_weighted_mean_of_each_window() -> None:
    heat = np.random.default_rng(1).random((6, 7))
    found = convolutional_soft_argmax(torch.from_numpy(heat)[None, None])[0, 0].numpy()
    for row in range(6):
        for col in range(7):
            window = heat[max(0, row - 1):row + 2, max(0, col - 1):col + 2].ravel()
            weight = np.exp(window) / np.exp(window).sum()
            assert found[row, col] == pytest.approx((weight * window).sum(), abs=1e-12)
    assert found.max() < heat.max()  # a low-pass: it does not suppress what is not the largest


def test_variants_differ_behind_the_sigmoid_only() -> None:
    logits = torch.randn(1, 1, 16, 16)
    baseline, first, second = (SutureUNet(variant).stages(logits) for variant in VARIANTS)
    assert torch.equal(baseline.stage_1, torch.sigmoid(logits)) and baseline.stage_2 is baseline.stage_1
    assert torch.equal(first.stage_2, second.stage_2) and not torch.equal(first.stage_1, first.stage_2)


@pytest.mark.parametrize("distribution", [Distribution("gauss", 2.0), Distribution("tanh", 7.0)])
def test_heat_maps_take_the_largest_likelihood(distribution: Distribution) -> None:
    points = np.array([[10.25, 8.5], [14.75, 8.5], [0.2, 19.9]])
    heat = heat_map(points, (20, 30), distribution)
    rows, columns = np.mgrid[:20, :30]
    distance = np.hypot(columns[..., None] - points[:, 0], rows[..., None] - points[:, 1])
    if distribution.shape == "gauss":
        expected = np.exp(-distance**2 / 8.0).max(axis=-1)
    else:
        expected = (1 - np.tanh(np.pi * distance / 7.0)).max(axis=-1)
    np.testing.assert_allclose(heat, expected, atol=2e-3)
    assert np.array_equal(np.argwhere(binary_map(points, (20, 30))), [[8, 10], [8, 15]])


def test_a_tanh_is_sharper_than_the_gaussian_of_its_spread() -> None:
    squared = np.array([0.0, 1.0, 4.0, 9.0])
    assert np.all(Distribution("tanh", 7.0).at(squared)[1:] < Distribution("gauss", 2.0).at(squared)[1:])


def test_stitch_targets_lead_from_every_near_cell_to_its_point() -> None:
    points = np.array([[20.3, 10.8], [33.0, 14.2], [24.4, 10.8]])
    targets = stitch_targets(points, np.array([0, 1, 0]), np.array([1, 0, -1]), (40, 60), 2)
    for row, col in np.argwhere(targets.near > 0):
        place = 2 * (np.array([col, row]) + targets.offset[:, row, col]) + 0.5
        assert np.linalg.norm(place - points, axis=1).min() < 1e-5
    assert np.count_nonzero(targets.heat == 1.0) == 3
    rows, columns = np.nonzero(targets.paired)
    way = np.where(targets.exit[0, rows, columns][:, None] > 0, points[0] - points[1], points[1] - points[0])
    np.testing.assert_allclose(targets.pairing[:, rows, columns].T, way, atol=1e-5)
    assert 12 <= len(rows) <= 18
    assert np.array_equal(targets.known, targets.near)
    unknown = stitch_targets(points, np.full(3, -1), np.full(3, -1), (40, 60), 2)
    assert not unknown.known.any() and not unknown.paired.any() and np.array_equal(unknown.heat, targets.heat)


def test_losses_are_zero_for_the_truth_and_large_for_its_opposite() -> None:
    marks = torch.zeros(2, 1, 8, 8)
    marks[0, 0, 3, 4] = 1
    assert similarity_loss(marks, marks) < 1e-6
    assert similarity_loss(1 - marks, marks) > 1.9
    assert f_beta_loss(marks, marks) < 1e-6
    empty = torch.zeros(2, 1, 8, 8)
    assert similarity_loss(empty, empty) < 1e-6 and f_beta_loss(empty, empty) < 1e-6


def test_f_beta_weighs_a_missed_point_as_beta_squared_false_ones() -> None:
    marks, half = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    marks[0, 0, 0, :2] = 1
    half[0, 0, 0, 0] = 1
    assert f_beta_loss(half, marks).item() == pytest.approx(1 - 5 / (5 + 4), abs=1e-5)
    four_false = marks.clone()
    four_false[0, 0, 1, :4] = 1
    assert f_beta_loss(four_false, marks).item() == pytest.approx(1 - 10 / (10 + 4), abs=1e-5)


def test_variant_2_compares_its_second_stage_with_the_marks() -> None:
    heat = torch.from_numpy(heat_map(np.array([[5.0, 5.0]]), (12, 12), Distribution("gauss", 2.0)))[None, None]
    marks = torch.from_numpy(binary_map(np.array([[5.0, 5.0]]), (12, 12)))[None, None]
    found = SutureUNet("variant-2").stages(torch.randn(1, 1, 12, 12))
    first = similarity_loss(found.stage_1, heat)
    assert paper_loss("baseline", found, heat, marks) == first
    assert paper_loss("variant-1", found, heat, marks) == first + similarity_loss(found.stage_2, heat)
    assert paper_loss("variant-2", found, heat, marks) == first + f_beta_loss(found.stage_2, marks)


def test_the_stitch_loss_prefers_the_truth() -> None:
    points = np.array([[20.3, 10.8], [33.0, 14.2]])
    made = stitch_targets(points, np.array([0, 1]), np.array([1, 0]), (40, 60), 2)
    target = StitchBatch(*(torch.from_numpy(np.asarray(getattr(made, name)))[None]
                           for name in StitchBatch.__dataclass_fields__))
    likely = torch.where(target.heat >= 1, 9.0, -9.0)
    kinds = 9.0 * (2 * target.exit - 1)
    truth = StitchMaps(likely, kinds, target.offset, target.pairing / PAIRING_UNIT_PX)
    best = stitch_loss(truth, target)
    assert best < 0.01
    for wrong in (truth._replace(heat_logits=likely.roll(3, dims=3)), truth._replace(exit_logits=-kinds),
                  truth._replace(offset=target.offset + 0.5),
                  truth._replace(pairing=-truth.pairing)):
        assert stitch_loss(wrong, target) > best + 0.1
