"""The networks' sizes, their start, the losses and the input they get."""

import numpy as np
import pytest
import torch
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.networks.affine_cnn import COMPACT, PUBLISHED, AffineCNN, warp
from VesselRegistrationLib.networks.ambrosini import AmbrosiniNet
from VesselRegistrationLib.networks.device import choose_device
from VesselRegistrationLib.networks.dru_net import DRUNet
from VesselRegistrationLib.networks.fluoro_net import FluoroNet
from VesselRegistrationLib.networks.light_unet import LightUNet
from VesselRegistrationLib.networks.losses import cross_entropy_loss, dice_loss, matching_loss, pyramid_matching_loss
from VesselRegistrationLib.networks.normalisation import normalise, resize
from VesselRegistrationLib.training.first_weights import freeze


def count(network: torch.nn.Module) -> int:
    return sum(entry.numel() for entry in network.parameters() if entry.requires_grad)


def test_dru_net_has_the_published_count() -> None:
    assert count(DRUNet()) == 588_833
    assert count(DRUNet(in_channels=3)) == 589_121


def test_catheter_networks_have_the_published_counts_and_ours_is_smaller() -> None:
    assert count(LightUNet()) == 687_634
    with torch.device("meta"):
        assert count(AmbrosiniNet()) == 14_133_154
    assert count(FluoroNet()) < count(LightUNet())


def test_light_u_net_fine_tunes_the_bottleneck_and_the_first_decoder_level() -> None:
    network = LightUNet()
    freeze(network, "all-but-7")
    bottleneck = 9 * 96 * 192 + 192 + 2 * 192
    narrowed, decoded = 9 * 192 * 96 + 96, 9 * 192 * 96 + 96 + 2 * 96
    assert count(network) == bottleneck + narrowed + decoded


def test_affine_cnn_has_the_published_count_and_nine_convolutions() -> None:
    with torch.device("meta"):
        network = AffineCNN(**PUBLISHED)
    assert count(network) == 68_577_318
    kernels = [layer.kernel_size[0] for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)]
    assert kernels == [5, 3, 3, 3, 3, 3, 3, 3, 3]


def test_compact_affine_cnn_fits_in_five_megabytes_and_keeps_position() -> None:
    network = AffineCNN(**COMPACT)
    assert 4 * sum(entry.numel() for entry in network.state_dict().values()) < 5_000_000
    assert network.hidden.in_features == 64 * 16 * 16


def test_dru_net_gives_logits_of_the_same_size_and_predict_the_sigmoid_of_them() -> None:
    torch.manual_seed(0)
    network = DRUNet().eval()
    image = torch.rand(1, 1, 64, 96)
    with torch.no_grad():
        logits = network(image)
    assert logits.shape == (1, 1, 64, 96)
    assert logits.min() < 0
    np.testing.assert_allclose(network.train().predict(image), 1 / (1 + np.exp(-logits.numpy())), atol=1e-5)
    assert network.training


def test_every_scale_of_dru_net_reaches_the_answer() -> None:
    network = DRUNet()
    network(torch.rand(2, 1, 32, 32)).square().sum().backward()
    assert all(entry.grad is not None and entry.grad.abs().sum() > 0
               for name, entry in network.named_parameters() if name.endswith("weight"))


def test_new_affine_cnn_answers_with_the_identity() -> None:
    network = AffineCNN(**COMPACT).eval()
    moving = torch.rand(1, 1, 256, 256)
    with torch.no_grad():
        theta = network(torch.cat([moving, torch.rand(1, 1, 256, 256)], dim=1))
    assert torch.equal(theta, torch.eye(2, 3)[None])
    torch.testing.assert_close(warp(moving, theta), moving, atol=1e-4, rtol=0)


def test_dice_and_cross_entropy_by_hand() -> None:
    target = torch.tensor([[[[1.0, 1.0, 0.0, 0.0]]]])
    probability = torch.tensor([[[[0.8, 0.4, 0.2, 0.9]]]])
    logits = torch.log(probability / (1 - probability))
    usable = torch.tensor([[[[1.0, 1.0, 1.0, 0.0]]]])
    assert dice_loss(logits, target, usable).item() == pytest.approx(1 - 2 * 1.2 / (1.4 + 2), abs=1e-4)
    expected = -(np.log(0.8) + np.log(0.4) + np.log(0.8)) / 3
    assert cross_entropy_loss(logits, target, usable).item() == pytest.approx(expected, abs=1e-5)


def test_matching_losses_fall_towards_the_truth_and_ignore_what_is_behind_shutters() -> None:
    fixed = torch.zeros(1, 1, 256, 256)
    fixed[..., 60:200, 100:130] = 1.0
    usable = torch.ones_like(fixed)
    losses = [[function(shift) for shift in (0.0, 0.1, 0.2)] for function in (
        lambda shift: matching_loss(warp(fixed, _shifted(shift)), fixed, usable).item(),
        lambda shift: pyramid_matching_loss(fixed, fixed, usable, _shifted(shift), (1.0, 1.0, 1.0)).item())]
    for values in losses:
        assert values[0] < 1e-3
        assert values[0] < values[1] < values[2]
    spoilt = fixed.clone()
    spoilt[..., :40] = 1.0
    usable[..., :40] = 0.0
    assert matching_loss(spoilt, fixed, usable).item() < 1e-3


def test_blurred_loss_pulls_where_the_plain_one_is_flat() -> None:
    fixed = torch.zeros(1, 1, 256, 256)
    fixed[..., 40:220, 100:108] = 1.0
    usable = torch.ones_like(fixed)
    slopes = []
    for loss in (lambda theta: matching_loss(warp(fixed, theta), fixed, usable),
                 lambda theta: pyramid_matching_loss(fixed, fixed, usable, theta, (1.0, 0.0, 0.0))):
        theta = _shifted(0.11).requires_grad_()
        loss(theta).backward()
        slopes.append(theta.grad[0, 0, 2].item())
    assert abs(slopes[0]) < 1e-3
    assert slopes[1] > 0.1


def _shifted(amount: float) -> torch.Tensor:
    return torch.tensor([[[1.0, 0.0, amount], [0.0, 1.0, 0.0]]])


def test_normalisation_does_not_depend_on_unit_or_on_what_lies_behind_shutters() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(5.0, 1.0, (90, 120)).astype(np.float32)
    usable = np.ones(image.shape, dtype=bool)
    usable[:, :30] = False
    spoilt = image.copy()
    spoilt[:, :30] = 1e6
    expected = normalise(image, usable)
    np.testing.assert_allclose(normalise(spoilt * 300 - 40, usable), expected, atol=1e-4)
    assert expected.min() == 0 and expected.max() == 1
    assert np.all(expected[:, :30] == 0.5)
    assert spoilt[0, 0] == 1e6


@pytest.mark.parametrize(("image", "usable", "words"), [
    (np.ones((8, 8)), np.ones((8, 8), dtype=bool), "blank"),
    (np.eye(8), np.zeros((8, 8), dtype=bool), "shutters"),
    (np.full((8, 8), np.nan), np.ones((8, 8), dtype=bool), "not numbers"),
])
def test_unusable_images_are_refused(image: np.ndarray, usable: np.ndarray, words: str) -> None:
    with pytest.raises(UserError, match=words):
        normalise(image, usable)


def test_resizing_keeps_positions() -> None:
    rows, columns = np.mgrid[:300, :500]
    blob = np.exp(-((rows - 120.0) ** 2 + (columns - 333.0) ** 2) / (2 * 15.0**2))
    small = resize(blob, 256, 256)
    centre = [(small * axis).sum() / small.sum() for axis in np.mgrid[:256, :256]]
    assert centre[0] == pytest.approx((120 + 0.5) * 256 / 300 - 0.5, abs=0.02)
    assert centre[1] == pytest.approx((333 + 0.5) * 256 / 500 - 0.5, abs=0.02)


def test_devices() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type in ("cpu", "cuda")
    with pytest.raises(UserError, match="not known"):
        choose_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="CUDA"):
            choose_device("cuda")
