"""The sanity report, and the choice of the frame with the most contrast agent."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from VesselRegistrationLib.dicom.contrast import strongest_frame
from VesselRegistrationLib.dicom.overrides import GeometryOverrides
from VesselRegistrationLib.dicom.reading import open_xa
from VesselRegistrationLib.dicom.sanity import SanityReport, SanityRow
from xa_files import FULL_GEOMETRY, levels_image, write_xa

GOOD = {**FULL_GEOMETRY, "PatientOrientation": ["L", "F"], "EstimatedRadiographicMagnificationFactor": 1.4474,
        "FrameTime": 100}


def test_a_good_file_has_no_bad_row(tmp_path: Path) -> None:
    report = open_xa(write_xa(tmp_path / "a.dcm", levels_image(frames=2), **GOOD)).sanity
    assert report.level == "ok", report.as_text()


def test_everything_missing_names_its_option(tmp_path: Path) -> None:
    text = open_xa(write_xa(tmp_path / "a.dcm")).sanity.as_text()
    for option in ("--primary DEG", "--secondary DEG", "--sid MM", "--sod MM", "--pixel-spacing MM"):
        assert option in text
    assert text.count("[ red ]") == 5


def test_what_was_read_stands_with_its_tag(tmp_path: Path) -> None:
    text = open_xa(write_xa(tmp_path / "a.dcm", levels_image(frames=2), **GOOD)).sanity.as_text()
    for tag in ("(0018,1510)", "(0018,1511)", "(0018,1110)", "(0018,1111)", "(0018,1114)", "(0018,1164)",
                "(0020,0020)", "(0028,1040)", "(0028,0004)", "(0018,1063)"):
        assert tag in text
    by_user = open_xa(write_xa(tmp_path / "a.dcm"), GeometryOverrides(1, 2, 1100, 700, 0.2)).sanity.as_text()
    assert by_user.count("given by the user") == 5


def test_text_and_json(tmp_path: Path) -> None:
    report = open_xa(write_xa(tmp_path / "a.dcm", **GOOD)).sanity
    assert len(report.as_text().splitlines()) == len(report.rows)
    loaded = json.loads(json.dumps(report.as_dict()))
    assert loaded["level"] == report.level
    assert loaded["rows"][0] == {"level": "ok", "item": "Object", "says": "X-Ray Angiographic Image Storage",
                                 "source": "(0008,0016)"}


def test_the_worst_row_decides() -> None:
    rows = (SanityRow("ok", "a", "x"), SanityRow("red", "b", "y"), SanityRow("amber", "c", "z"))
    assert SanityReport(rows).level == "red"
    assert SanityReport(rows[::2]).level == "amber"
    assert SanityReport(()).level == "ok" and SanityReport(()).as_text() == ""


def cine(width: float, opacity: list[float], seed: int = 0) -> np.ndarray:
    """A run (frames, 128, 128) of attenuation: moving background, wandering catheter, exposure drift, noise.

    A vessel of the given width (pixels) fills with the given opacities.
    """
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:128, :128].astype(float)
    still = ndimage.gaussian_filter(rng.random((160, 160)), 6) * 8
    frames = []
    for number, filling in enumerate(opacity):
        beat = 4 * np.sin(number * 1.3)
        image = ndimage.shift(still, (beat, 0.5 * beat), order=1, mode="nearest")[16:144, 16:144]
        image = image + 0.8 * np.exp(-((column - 30 - beat - 0.2 * row) ** 2) / 3)
        edge = 100 - 6 * np.sin(number * 0.4)
        image = image + 0.8 / (1 + np.exp(-(row - edge) / 2))  # the diaphragm
        image = image + filling * np.exp(-(np.abs(column - 70 - beat - 8 * np.sin(row / 25)) / (width / 2)) ** 6)
        frames.append(image + 0.3 * rng.standard_normal() + 0.05 * rng.standard_normal(image.shape))
    return np.array(frames)


FILLING = [0, 0, 0, 0, 0.1, 0.25, 0.5, 0.8, 1.0, 1.0, 0.9, 0.7, 0.5, 0.35, 0.25, 0.2, 0.15, 0.1, 0.1, 0.05]


@pytest.mark.parametrize("width", [3, 8, 20, 32])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_fullest_frame_is_found_among_motion(width: float, seed: int) -> None:
    usable = np.ones((128, 128), bool)
    usable[:, :10] = False
    images = cine(width, FILLING, seed)
    images[:, :, :10] = 30  # what lies behind a shutter must not matter
    assert strongest_frame(images, usable) in (7, 8, 9, 10)


def test_one_flashing_frame_does_not_win() -> None:
    images = cine(20, FILLING, 4)
    images[2] += 2.0 * (np.random.default_rng(1).random((128, 128)) > 0.5)
    assert strongest_frame(images, np.ones((128, 128), bool)) in (7, 8, 9, 10)


def test_short_runs() -> None:
    usable = np.ones((128, 128), bool)
    assert strongest_frame(cine(20, [0.4]), usable) == 0
    assert strongest_frame(cine(20, [0.0, 1.0]), usable) == 1
    assert strongest_frame(cine(20, [0.0, 0.5, 1.0, 0.6]), usable) == 2


def test_the_choice_through_the_file(tmp_path: Path) -> None:
    images = cine(20, FILLING)
    levels = np.round(60000 * np.exp(-(images - images.min()) * 0.3)).astype(np.uint16)
    run = open_xa(write_xa(tmp_path / "a.dcm", levels, PixelIntensityRelationship="LIN"))
    assert run.strongest_contrast_frame() in (7, 8, 9, 10)
    inverted = open_xa(write_xa(tmp_path / "b.dcm", 65535 - levels, PixelIntensityRelationship="LIN",
                                PhotometricInterpretation="MONOCHROME1"))
    assert inverted.strongest_contrast_frame() == run.strongest_contrast_frame()
    assert open_xa(write_xa(tmp_path / "c.dcm")).strongest_contrast_frame() == 0
