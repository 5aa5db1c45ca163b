"""The segmenter's frame around its network, and the choice of the field of view."""

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.draw import disk
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.networks.dru_net import DRUNet
from VesselRegistrationLib.networks.field_of_view import choose_field_of_view, field_of_view_of
from VesselRegistrationLib.networks.segmentation import VesselSegmenter, expected_dice, threshold_mask
from VesselRegistrationLib.networks.weights import ModelCard, save_weights


class Bright(torch.nn.Module):
    """Stands for a perfect network: what is bright after normalisation is vessel, with a given sureness."""

    def __init__(self, sureness: float = 20.0) -> None:
        super().__init__()
        self.sureness = sureness

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.sureness * (image - 0.6)


def a_segmenter(folder: Path, network: torch.nn.Module | None = None) -> VesselSegmenter:
    torch.manual_seed(0)
    empty = {field: "" for field in ModelCard.__dataclass_fields__ if field not in ("folder", "scores", "parameters")}
    card = ModelCard(**{**empty, "name": "vessels_lower", "architecture": "DRUNet",  # type: ignore[arg-type]
                        "parameters": {}, "scores": {}, "trainable_parameters": 0, "bytes": 0})
    segmenter = VesselSegmenter(save_weights(DRUNet(), card, folder), "cpu")
    if network is not None:
        segmenter._network._engine = lambda images: network(torch.from_numpy(images)).numpy()
    return segmenter


def bright_disk(rows: int, columns: int, centre: tuple[int, int], radius: int) -> tuple[np.ndarray, np.ndarray]:
    image = np.random.default_rng(0).normal(10.0, 0.2, (rows, columns))
    mask = np.zeros((rows, columns), dtype=bool)
    mask[disk(centre, radius)] = True
    image[mask] += 5.0
    return image, mask


@pytest.mark.parametrize(("rows", "columns"), [(512, 512), (300, 420), (200, 160)])
def test_mask_lies_where_the_vessel_is(tmp_path: Path, rows: int, columns: int) -> None:
    image, truth = bright_disk(rows, columns, (rows // 3, columns // 2), rows // 8)
    usable = np.ones(image.shape, dtype=bool)
    mask = a_segmenter(tmp_path, Bright()).segment(image, usable)
    assert mask.shape == (rows, columns) and mask.dtype == bool
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.95
    found, true = ([axis.mean() for axis in np.nonzero(entry)] for entry in (mask, truth))
    np.testing.assert_allclose(found, true, atol=0.2)


def test_shutters_change_nothing_elsewhere(tmp_path: Path) -> None:
    image, truth = bright_disk(256, 256, (120, 150), 30)
    usable = np.ones(image.shape, dtype=bool)
    usable[:, :60] = False
    segmenter = a_segmenter(tmp_path, Bright())
    expected = segmenter.probability(image, usable)
    spoilt = image.copy()
    spoilt[:, :60] = np.nan
    np.testing.assert_array_equal(segmenter.probability(spoilt, usable), expected)
    assert expected.dtype == np.float32
    assert not expected[:, :60].any()
    assert expected[truth].min() > 0.5


def test_the_real_network_runs_and_keeps_shape_and_range(tmp_path: Path) -> None:
    image, _ = bright_disk(180, 240, (90, 120), 30)
    answer = a_segmenter(tmp_path).probability(image, np.ones(image.shape, dtype=bool))
    assert answer.shape == (180, 240)
    assert 0 <= answer.min() <= answer.max() <= 1


def test_specks_go_and_vessels_stay() -> None:
    probability = np.zeros((256, 256), dtype=np.float32)
    probability[20:240, 100:110] = 0.9
    probability[200:206, 10:16] = 0.9
    mask = threshold_mask(probability)
    assert mask.sum() == 220 * 10
    assert not threshold_mask(probability, 0.95).any()
    with pytest.raises(UserError, match="threshold"):
        threshold_mask(probability, 1.0)


def test_expected_dice_is_that_of_masks_drawn_from_the_probabilities() -> None:
    rng = np.random.default_rng(0)
    probability = np.where(np.hypot(*np.mgrid[-64:64, -64:64]) < 40, 0.8, 0.05)
    mask = probability > 0.5
    drawn = [rng.random(probability.shape) < probability for _ in range(50)]
    dice = np.mean([2 * (mask & truth).sum() / (mask.sum() + truth.sum()) for truth in drawn])
    assert expected_dice(probability) == pytest.approx(dice, abs=0.005)
    assert expected_dice(np.zeros((8, 8))) == 0.0


@pytest.mark.parametrize(("word", "expected"), [
    ("PELVIS", "lower"), ("Femoral Artery", "lower"), ("CHEST", "upper"), ("AORTIC_ARCH", "upper"), ("HEART", "upper"),
    ("AORTA", None), ("", None), ("SKULL", None)])
def test_body_parts(word: str, expected: str | None) -> None:
    assert field_of_view_of(word) == expected


def test_field_of_view_is_asked_for_then_read_then_judged(tmp_path: Path) -> None:
    image, _ = bright_disk(128, 128, (60, 60), 20)
    usable = np.ones(image.shape, dtype=bool)
    both = {"lower": a_segmenter(tmp_path / "a", Bright(1.0)), "upper": a_segmenter(tmp_path / "b", Bright(20.0))}
    assert choose_field_of_view("lower", "CHEST", image, usable, {}).field_of_view == "lower"
    assert choose_field_of_view("auto", "PELVIS", image, usable, {}).field_of_view == "lower"
    choice = choose_field_of_view("auto", "", image, usable, both)
    assert choice.field_of_view == "upper"
    assert "surer" in choice.reason
    with pytest.raises(UserError, match="not known"):
        choose_field_of_view("middle", "", image, usable, both)
