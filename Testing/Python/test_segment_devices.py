"""Devices from the network to the files of the command segment."""

import json
from pathlib import Path

import numpy as np
import pytest
from catheter_shapes import drawn, line
from constant_network import save_constant
from PIL import Image
from VesselRegistrationLib.catheters.finding import DeviceFinder, FoundDevices, shipped_network
from VesselRegistrationLib.catheters.tracing import trace_devices
from VesselRegistrationLib.cli.main import main
from VesselRegistrationLib.dicom.frame import HeaderGeometry, XAFrame
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.evaluation.frames import simulated_frames
from VesselRegistrationLib.matching.overlap import binary_overlap
from VesselRegistrationLib.networks import weights
from VesselRegistrationLib.networks.frame_network import FrameNetwork
from VesselRegistrationLib.rendering.segmentation_files import (
    DEVICE_COLOURS,
    device_overlay_picture,
    write_segmentation,
)

CURVES = (line((0, 40), (150, 120)), line((255, 30), (190, 200)))


@pytest.fixture
def catheter_weights(untrained_weights, tmp_path, monkeypatch):
    """The networks of the tests and one for catheters whose logits are 0 everywhere."""
    for path in untrained_weights.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    save_constant(tmp_path, "catheter", untrained_weights)
    monkeypatch.setattr(weights, "weights_directory", lambda: tmp_path)
    return tmp_path


def frame_of(attenuation):
    return XAFrame(Path("view.dcm"), 0, 1, attenuation, np.ones(attenuation.shape, dtype=bool), "LIN",
                   HeaderGeometry(None, None, None, None, None, None))


def found_in(mask):
    return FoundDevices(mask, mask.astype(np.float32), 0.5, trace_devices(mask), {"catheter": "abc"})


def test_devices_are_written_as_curves(tmp_path):
    mask = drawn(256, *CURVES)
    frame = frame_of(mask.astype(np.float32))
    write_segmentation(frame, None, found_in(mask), tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"device_mask_0.png", "device_overlay_0.png",
                                                                  "segmentation.json"}
    content = json.loads((tmp_path / "out" / "segmentation.json").read_text(encoding="utf-8"))
    assert content["device_pixels"] == mask.sum() and "mask_pixels" not in content
    tips = sorted(device["tip_px"] for device in content["devices"])
    np.testing.assert_allclose(tips, [(150, 120), (190, 200)], atol=2.0)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out" / "device_mask_0.png")) > 0, mask)


def test_centrelines_are_drawn_where_the_devices_are():
    mask = drawn(256, *CURVES)
    picture = device_overlay_picture(frame_of(mask.astype(np.float32)), found_in(mask))
    factor = picture.shape[1] // 256
    longest = max(CURVES, key=lambda curve: np.linalg.norm(curve[-1] - curve[0]))
    col, row = np.rint((longest[25] + 0.5) * factor - 0.5).astype(int)
    around = picture[row - 3:row + 4, col - 3:col + 4].reshape(-1, 3)
    assert (around == DEVICE_COLOURS[0]).all(axis=1).any()


def test_the_shipped_network_is_the_one_for_catheters(catheter_weights):
    assert shipped_network() == "catheter"
    found = DeviceFinder(threshold=0.4).find(np.random.default_rng(1).random((64, 64)).astype(np.float32),
                                             np.ones((64, 64), dtype=bool))
    assert found.mask.all() and found.probability.max() == pytest.approx(0.5)  # untouched logits are 0
    assert found.weights == {"catheter": weights.load_card("catheter").sha256}
    with pytest.raises(UserError, match="does not find catheters"):
        DeviceFinder(network="vessels_lower")


def test_full_resolution_shows_more_of_thin_devices() -> None:
    finder, coarse = DeviceFinder(device="cpu"), FrameNetwork(shipped_network(), "cpu")
    gains = []
    for source in simulated_frames("device", ("training",), ("lower", "upper"), 6, size=512):
        frame = source()
        truth = frame.masks["device"] & frame.usable
        masks = (finder.find(frame.attenuation, frame.usable).mask,
                 coarse.probabilities(frame.attenuation, frame.usable)["device"] > 0.5)
        full, without = (binary_overlap(mask & frame.usable, truth).dice for mask in masks)
        gains.append(full - without)
    assert np.mean(gains) > 0.03


def test_command_finds_both(catheter_weights, lower_case, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["segment", "--xa", str(lower_case / "view_0.dcm"), "--what", "both", "--fov", "lower", "--out",
                 str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {"mask_0.png", "overlay_0.png", "device_mask_0.png",
                                                     "device_overlay_0.png", "segmentation.json"}
    content = json.loads((out / "segmentation.json").read_text(encoding="utf-8"))
    assert content["devices"] == [] and {entry["name"] for entry in content["weights"]} == {"catheter",
                                                                                           "vessels_lower"}
    assert "0 devices" in capsys.readouterr().out


def test_missing_weights_are_said_in_a_sentence(untrained_networks, lower_case, tmp_path, capsys):
    assert main(["segment", "--xa", str(lower_case / "view_0.dcm"), "--what", "catheters", "--out",
                 str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err.strip()
    assert "No weights for catheters" in error and len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()
