"""Training of the suture networks on drawn frames."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from suture_frames import DrawnFrames, drawn_frame
from SutureDetectionLib.detection.detector import load_detector
from SutureDetectionLib.formats.labels import Labels, visible_labels
from SutureDetectionLib.networks.stitch_net import StitchNet
from SutureDetectionLib.networks.targets import Distribution
from SutureDetectionLib.training.augmentation import OUR_RANGES, PAPER_RANGES, AugmentationRanges, augment
from SutureDetectionLib.training.frames import image_tensor, pack_labels, unpack_labels
from SutureDetectionLib.training.settings import OUR_SETTINGS, PAPER_SETTINGS
from SutureDetectionLib.training.tasks import OurTask, PaperDesign, PaperTask
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.networks.weights import ModelCard, save_weights
from VesselRegistrationLib.training.checkpoint import save_checkpoint
from VesselRegistrationLib.training.trainer import Place, read_checkpoint, train

SHORT = {"batch_size": 4, "first_fill": 16, "pool_size": 32, "validation_cases": 8, "checkpoint_every": 5,
         "half_size_fraction": 0.0, "warmup_steps": 2}


def trained(task, settings, out, **more):
    train(task, settings, out, seed=0, place=Place("cpu", 1, 0), progress=lambda fraction, text: None,
          should_stop=lambda: False, **{"resume": False, **more})
    return read_checkpoint(out)


def test_our_network_learns_points_kinds_and_positions(tmp_path) -> None:
    settings = replace(OUR_SETTINGS, steps=60, validate_every=60, learning_rate=5e-3, augment=False, **SHORT)
    scores = trained(OurTask(settings, DrawnFrames(), DrawnFrames(10**6)), settings, tmp_path / "ours")["scores"]
    assert scores["f1"] > 0.8
    assert scores["median_px"] < 1.0
    assert scores["right_kind"] > 0.95


@pytest.mark.parametrize("variant", ["baseline", "variant-1", "variant-2"])
def test_the_papers_network_learns(tmp_path, variant: str) -> None:
    design = PaperDesign(variant, Distribution("gauss", 2.0))
    settings = replace(PAPER_SETTINGS, steps=12, validate_every=12, **SHORT)
    task = PaperTask(design, settings, DrawnFrames(), DrawnFrames(10**6))
    content = trained(task, settings, tmp_path / "paper")
    rows = (tmp_path / "paper" / "log.csv").read_text().splitlines()
    losses = [float(row.split(",")[rows[0].split(",").index("loss")]) for row in rows[1:]]
    assert losses[-1] < losses[0]
    assert content["task"] == task.name and content["origin"]["distribution"] == {"shape": "gauss", "spread": 2.0}


def test_resumed_training_ends_where_an_uninterrupted_one_does(tmp_path) -> None:
    settings = replace(OUR_SETTINGS, steps=6, validate_every=6, **{**SHORT, "checkpoint_every": 3})
    task = OurTask(settings, DrawnFrames(), DrawnFrames(10**6))
    whole = trained(task, settings, tmp_path / "whole")["network"]
    stop = iter([False] * 3 + [True])
    with pytest.raises(Exception, match="Stopped"):
        train(task, settings, tmp_path / "halves", seed=0, place=Place("cpu", 1, 0), resume=False,
              progress=lambda fraction, text: None, should_stop=lambda: next(stop))
    halves = trained(task, settings, tmp_path / "halves", resume=True)["network"]
    assert all(torch.equal(whole[key], halves[key]) for key in whole)


@pytest.mark.parametrize("changed", [{"parameters": {"widths": (8, 16), "pyramid_width": 8}},
                                     {"parameters": {"depth": 3}}, {"architecture": "SutureUNet"},
                                     {"architecture": "DRUNet"}, {"network": {}}])
def test_a_training_of_another_network_is_refused_in_one_sentence(tmp_path, changed) -> None:
    content = {"architecture": "StitchNet", "parameters": {}, "network": StitchNet().state_dict(), "scores": {},
               "origin": {}, "task": "sutures"}
    save_checkpoint(tmp_path, "best.pt", content)
    assert load_detector(tmp_path, "cpu").tells_kinds
    save_checkpoint(tmp_path, "best.pt", content | changed)
    with pytest.raises(UserError, match=r"not fit the suture networks|is not known"):
        load_detector(tmp_path, "cpu")


def test_a_card_of_other_widths_is_refused_in_one_sentence(tmp_path) -> None:
    texts = {entry.name: "" for entry in fields(ModelCard) if entry.name not in ("parameters", "scores", "folder")}
    card = ModelCard(**texts | {"name": "other", "architecture": "StitchNet"}, parameters={}, scores={})
    save_weights(StitchNet(), card, tmp_path)
    assert load_detector(tmp_path / "other.json", "cpu").tells_kinds
    for parameters in ({"widths": (8, 16)}, {"depth": 3}):
        save_weights(StitchNet(), replace(card, parameters=parameters), tmp_path)
        with pytest.raises(UserError, match="not fit"):
            load_detector(tmp_path / "other.json", "cpu")


def test_labels_survive_half_precision() -> None:
    rng = np.random.default_rng(0)
    labels = Labels(rng.uniform(0, 512, (20, 2)), rng.integers(0, 2, 20), rng.integers(-1, 20, 20))
    back = unpack_labels(pack_labels(labels).half().float())
    np.testing.assert_allclose(back.points, labels.points, atol=5e-4)
    np.testing.assert_array_equal(back.kinds, labels.kinds)
    np.testing.assert_array_equal(back.partners, labels.partners)
    with pytest.raises(ValueError, match="points in one image"):
        pack_labels(Labels(np.zeros((200, 2)), np.zeros(200), np.zeros(200)))


def test_a_hidden_end_leaves_its_partner_alone() -> None:
    labels = visible_labels(np.arange(8.0).reshape(4, 2), np.array([0, 1, 0, 1]), np.array([7, 7, 9, 9]),
                            np.array([True, True, True, False]))
    assert labels.partners.tolist() == [1, 0, -1]
    assert len(labels.points) == 3


GEOMETRY_ONLY = AugmentationRanges(zoom=(0.8, 1.25), channel_shift=0, brightness=0, contrast=(1, 1), saturation=(1, 1),
                                   hue=0, probability=0.8)


@pytest.mark.parametrize("part", [1, 2])
def test_points_stay_on_what_they_mark(part: int) -> None:
    samples = [DrawnFrames()[index] for index in range(12)]
    images, packed = (torch.stack(entries) for entries in zip(*samples, strict=True))
    generators = [torch.Generator().manual_seed(index) for index in range(12)]
    moved, labels = augment(images, packed, generators, GEOMETRY_ONLY, part)
    assert moved.shape == (12, 3, 96 // part, 160 // part)
    blueness = (moved[:, 2] - moved[:, 0]).numpy()
    seen = 0
    for image, entry in zip(blueness, labels, strict=True):
        for (col, row), kind in zip(np.rint(entry.points).astype(int), entry.kinds, strict=True):
            if 3 <= col < image.shape[1] - 3 and 3 <= row < image.shape[0] - 3:
                value = image[row - 1:row + 2, col - 1:col + 2].mean()
                assert value > 0.2 if kind == 0 else value < -0.2
                seen += 1
    assert seen > 40 // part


@pytest.mark.parametrize("ranges", [PAPER_RANGES, OUR_RANGES])
def test_augmentation_is_repeatable_and_stays_within_values(ranges: AugmentationRanges) -> None:
    image = image_tensor(drawn_frame(3)[0])[None]
    packed = DrawnFrames()[3][1][None]
    one, first = augment(image, packed, [torch.Generator().manual_seed(5)], ranges)
    other, second = augment(image, packed, [torch.Generator().manual_seed(5)], ranges)
    assert torch.equal(one, other) and np.array_equal(first[0].points, second[0].points)
    assert one.min() >= 0 and one.max() <= 1 and not torch.equal(one, image)


def test_calibrated_confidences_are_shares_of_right_points(monkeypatch) -> None:
    from SutureDetectionLib.networks.stitch_net import StitchNet
    from SutureDetectionLib.training import export

    rng = np.random.default_rng(0)
    said = rng.uniform(0.05, 0.95, 4000)
    true = 1 / (1 + np.exp(-(1.7 * np.log(said / (1 - said)) + 0.8)))  # this detector says too little
    found = np.column_stack([said, rng.random(4000) < true])
    monkeypatch.setattr(export, "_found", lambda network, frames: (found, int(found[:, 1].sum()) + 200))
    network = StitchNet().eval()
    image = torch.rand(1, 3, 32, 64)
    with torch.inference_mode():
        before = network(image).heat_logits
    threshold, f1 = export.calibrate(network)
    with torch.inference_mode():
        after = network(image).heat_logits
    torch.testing.assert_close(after, 1.7 * before + 0.8, rtol=0.08, atol=0.25)
    assert 0.15 <= threshold <= 0.5
    kept = found[true >= threshold]
    assert f1 == pytest.approx(2 * kept[:, 1].sum() / (len(kept) + found[:, 1].sum() + 200), abs=2e-3)


@pytest.mark.parametrize(("best_f1", "last_f1", "taken"), [(0.91, 0.88, 3), (0.88, 0.91, 9)])
def test_the_better_of_best_and_last_weights_is_taken(best_f1: float, last_f1: float, taken: int, tmp_path: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    from SutureDetectionLib.networks.stitch_net import StitchNet
    from SutureDetectionLib.training import export
    from VesselRegistrationLib.training.checkpoint import save_checkpoint

    scores = {}
    for name, step, f1 in (("best.pt", 3, best_f1), ("checkpoint.pt", 9, last_f1)):
        network = StitchNet()
        scores[float(network.heat.weight.detach().sum())] = f1
        save_checkpoint(tmp_path, name, {"architecture": "StitchNet", "parameters": {}, "step": step, "seed": 0,
                                         "network": network.state_dict(), "origin": {"domains": ["or"]},
                                         "settings": {"steps": 9, "batch_size": 8}, "task": "sutures"})
    monkeypatch.setattr(export, "calibrate", lambda network: (0.4, scores[float(network.heat.weight.detach().sum())]))
    monkeypatch.setattr(export, "_scores", lambda *_: {})
    card = export.export_network(tmp_path, tmp_path / "weights", "1")
    assert card.training_command.endswith("(the weights after 3 steps)") == (taken == 3)
    assert card.scores == {"threshold": 0.4}
