"""From stored values to attenuation: bit depths, signs, polarity, LIN LOG DISP, and every compression."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, RLELossless
from VesselRegistrationLib.dicom.reading import XARun, open_xa
from VesselRegistrationLib.errors import UserError
from xa_files import item, levels_image, write_xa, xa_dataset


def opened(folder: Path, levels: np.ndarray, **elements: Any) -> XARun:
    """A run with the stored values given."""
    return open_xa(write_xa(folder / "a.dcm", levels, **elements))


def level_of(run: XARun, item: str) -> str:
    """The report's level for one item."""
    return next(row.level for row in run.sanity.rows if row.item == item)


VESSEL = np.full((12, 16), 180, np.uint8)
VESSEL[4:8, 3:9] = 60


@pytest.mark.parametrize("relationship", ["LIN", "LOG", "DISP"])
@pytest.mark.parametrize(("photometric", "sign", "stored_dark"), [
    ("MONOCHROME2", None, True), ("MONOCHROME1", None, False), ("MONOCHROME2", 1, True), ("MONOCHROME2", -1, False),
    ("MONOCHROME1", 1, True), ("MONOCHROME1", -1, False),
])
def test_contrast_agent_always_comes_out_larger(tmp_path: Path, relationship: str, photometric: str,
                                                sign: int | None, stored_dark: bool) -> None:
    levels = VESSEL if stored_dark else 255 - VESSEL
    run = opened(tmp_path, levels, PhotometricInterpretation=photometric, PixelIntensityRelationship=relationship,
                 PixelIntensityRelationshipSign=sign)
    attenuation = run.frame(0).attenuation
    assert attenuation[5, 5] > attenuation[0, 0]
    usual = photometric == "MONOCHROME2" and stored_dark
    assert level_of(run, "Polarity") == ("ok" if usual else "amber")


def test_lin_is_the_negative_logarithm(tmp_path: Path) -> None:
    levels = np.array([[4095, 2048], [1, 0]], np.uint16).repeat(2, 0)
    attenuation = opened(tmp_path, levels, BitsStored=12, PixelIntensityRelationship="LIN").frame(0).attenuation
    assert attenuation[0] == pytest.approx([0, 0.69290], abs=1e-4)
    assert attenuation[2] == pytest.approx([8.31752, 9.01067], abs=1e-4)  # ln 4095, and ln 8190 for no photons
    assert np.isfinite(attenuation).all()


def test_lin_twice_the_tissue_is_twice_the_attenuation(tmp_path: Path) -> None:
    path_lengths = np.linspace(0, 3, 16)[None].repeat(4, 0)
    levels = np.round(60000 * np.exp(-path_lengths)).astype(np.uint16)
    attenuation = opened(tmp_path, levels, PixelIntensityRelationship="LIN").frame(0).attenuation
    np.testing.assert_allclose(attenuation - attenuation[0, 0], path_lengths, atol=2e-3)


def test_lin_of_the_other_sign(tmp_path: Path) -> None:
    levels = np.array([[0, 3], [255, 251]], np.uint8)
    attenuation = opened(tmp_path, levels, PixelIntensityRelationship="LIN",
                         PixelIntensityRelationshipSign=-1).frame(0).attenuation
    assert attenuation[0] == pytest.approx([0, np.log(255 / 252)], abs=1e-5)
    assert attenuation[1] == pytest.approx([np.log(510), np.log(255 / 4)], abs=1e-5)


@pytest.mark.parametrize("relationship", ["LOG", "DISP"])
def test_log_and_disp_keep_the_files_steps(tmp_path: Path, relationship: str) -> None:
    levels = np.array([[10, 20], [200, 1000]], np.uint16)
    bright = opened(tmp_path, levels, BitsStored=10, PixelIntensityRelationship=relationship).frame(0)
    np.testing.assert_array_equal(bright.attenuation, 1023.0 - levels)
    dense = opened(tmp_path, levels, BitsStored=10, PixelIntensityRelationship=relationship,
                   PixelIntensityRelationshipSign=-1).frame(0)
    np.testing.assert_array_equal(dense.attenuation, levels)
    assert bright.intensity_relationship == dense.intensity_relationship == relationship


@pytest.mark.parametrize("relationship", [None, "", "OTHER", "SQRT"])
def test_an_unknown_relation_keeps_only_the_order(tmp_path: Path, relationship: str | None) -> None:
    run = opened(tmp_path, VESSEL, PixelIntensityRelationship=relationship)
    assert run.frame(0).intensity_relationship == "DISP"
    assert level_of(run, "Intensity") == "amber"


@pytest.mark.parametrize(("dtype", "bits"), [
    (np.uint8, 8), (np.uint16, 10), (np.uint16, 12), (np.uint16, 16), (np.int16, 12), (np.int16, 16), (np.int8, 8)])
def test_bit_depths(tmp_path: Path, dtype: type, bits: int) -> None:
    signed = np.issubdtype(dtype, np.signedinteger)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2 ** bits - 1)
    levels = np.random.default_rng(5).integers(low, high, (3, 10, 14), endpoint=True).astype(dtype)
    levels[:, 0, :2] = low, high
    run = opened(tmp_path, levels, BitsStored=bits)
    for frame in range(3):
        np.testing.assert_array_equal(run.frame(frame).attenuation, high - levels[frame].astype(float))


def test_overlays_in_spare_bits_are_not_picture(tmp_path: Path) -> None:
    levels = np.random.default_rng(6).integers(0, 4095, (8, 8), endpoint=True).astype(np.uint16)
    drawn = levels | np.where(np.eye(8, dtype=bool), 0x8000, 0).astype(np.uint16)
    np.testing.assert_array_equal(opened(tmp_path, drawn, BitsStored=12).frame(0).attenuation, 4095.0 - levels)


def test_values_stored_in_the_high_bits(tmp_path: Path) -> None:
    levels = np.random.default_rng(7).integers(0, 4095, (8, 8), endpoint=True).astype(np.uint16)
    run = opened(tmp_path, levels << 4, BitsStored=12, HighBit=15)
    np.testing.assert_array_equal(run.frame(0).attenuation, 4095.0 - levels)


def test_negative_values_stored_in_twelve_bits(tmp_path: Path) -> None:
    levels = np.array([[-2048, -1], [0, 2047]], np.int16)
    stored = (levels & 0x0FFF).astype(np.int16)  # the sign stands in bit 11, the bits above are empty
    run = opened(tmp_path, stored, BitsStored=12)
    np.testing.assert_array_equal(run.frame(0).attenuation, 2047.0 - levels)


@pytest.mark.parametrize("mark", [
    {"ImageType": ["DERIVED", "PRIMARY", "SINGLE PLANE", "DSA"]},
    {"DerivationDescription": "Mask subtraction"},
    {"DerivationCodeSequence": [Dataset()]},
])
def test_images_subtracted_before_storing(tmp_path: Path, mark: dict[str, Any]) -> None:
    if "DerivationCodeSequence" in mark:
        mark["DerivationCodeSequence"][0].CodeMeaning = "Pixel by pixel subtraction"
    run = opened(tmp_path, VESSEL, PixelIntensityRelationship="LIN", **mark)
    frame = run.frame(0)
    assert frame.subtracted and frame.intensity_relationship == "DISP"
    np.testing.assert_array_equal(frame.attenuation, 255.0 - VESSEL)
    assert level_of(run, "Intensity") == "amber"


@pytest.mark.parametrize("mark", [
    {"DerivationDescription": "Unsubtracted"}, {"ImageType": ["ORIGINAL", "PRIMARY", "SINGLE PLANE", "SINGLE A"]},
    {"ImageType": ["ORIGINAL", "PRIMARY", "SINGLE PLANE", "DSA"],
     "MaskSubtractionSequence": [item(MaskOperation="AVG_SUB", MaskFrameNumbers=1)]},
])
def test_images_not_subtracted_before_storing(tmp_path: Path, mark: dict[str, Any]) -> None:
    run = opened(tmp_path, np.array([VESSEL, VESSEL]), **mark)
    assert run.frame(1).subtracted is ("MaskSubtractionSequence" in mark)
    assert not any("already subtracted" in row.says for row in run.sanity.rows)


def test_frame_times(tmp_path: Path) -> None:
    levels = levels_image(frames=3)
    assert opened(tmp_path, levels, FrameTimeVector=[0, 40, 80]).frame(2).frame_time_ms == 80
    assert opened(tmp_path, levels, FrameTimeVector=[0, 40, 80]).frame(0).frame_time_ms == 40
    assert opened(tmp_path, levels, CineRate=25).frame(0).frame_time_ms == 40
    assert opened(tmp_path, levels).frame(0).frame_time_ms is None


# Compression


def transcoded(path: Path, syntax: str) -> None:
    """Compress a file in place with GDCM, lossless where the syntax allows it."""
    gdcm = pytest.importorskip("gdcm")
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()


def smooth_levels(dtype: type, top: int) -> np.ndarray:
    """A picture that compresses like a real one, (3, 48, 64)."""
    frame, row, column = np.ogrid[:3, :48, :64]
    wave = 0.5 + 0.24 * np.sin(row / 9 + frame) + 0.24 * np.cos(column / 7 - frame)
    return np.round(wave * top).astype(dtype)


@pytest.mark.parametrize(("dtype", "bits"), [(np.uint8, 8), (np.uint16, 10), (np.uint16, 12), (np.uint16, 16)])
@pytest.mark.parametrize("syntax", [
    "JPEGLosslessProcess14", "JPEGLosslessProcess14_1", "JPEGLSLossless", "JPEG2000Lossless", "RLELossless"])
def test_lossless_compressions(tmp_path: Path, syntax: str, dtype: type, bits: int) -> None:
    levels = smooth_levels(dtype, 2 ** bits - 1)
    path = write_xa(tmp_path / "a.dcm", levels, BitsStored=bits)
    transcoded(path, syntax)
    run = open_xa(path)
    for frame in (2, 0):
        np.testing.assert_array_equal(run.frame(frame).attenuation, 2.0 ** bits - 1 - levels[frame])


@pytest.mark.parametrize("syntax", ["JPEGLosslessProcess14_1", "JPEGLSLossless", "JPEG2000Lossless", "RLELossless"])
def test_lossless_compressions_of_negative_values(tmp_path: Path, syntax: str) -> None:
    levels = (smooth_levels(np.int16, 4000) - 2000).astype(np.int16)
    path = write_xa(tmp_path / "a.dcm", levels)
    transcoded(path, syntax)
    np.testing.assert_array_equal(open_xa(path).frame(1).attenuation, 32767.0 - levels[1])


@pytest.mark.parametrize(("syntax", "dtype", "bits"), [
    ("JPEGBaselineProcess1", np.uint8, 8), ("JPEG2000", np.uint16, 12), ("JPEGLSNearLossless", np.uint8, 8)])
def test_lossy_compressions(tmp_path: Path, syntax: str, dtype: type, bits: int) -> None:
    levels = smooth_levels(dtype, 2 ** bits - 1)
    path = write_xa(tmp_path / "a.dcm", levels, BitsStored=bits)
    transcoded(path, syntax)
    error = np.abs(open_xa(path).frame(1).attenuation - (2.0 ** bits - 1 - levels[1]))
    assert error.max() < 0.03 * 2 ** bits


@pytest.mark.parametrize(("syntax", "words"), [
    ("1.2.840.10008.1.2.4.201", "package pylibjpeg-openjpeg"),  # High-Throughput JPEG 2000
    ("1.2.840.10008.1.2.4.102", "video"),  # MPEG-4
])
def test_a_compression_without_decoder_says_what_to_do(tmp_path: Path, syntax: str, words: str) -> None:
    dataset = xa_dataset(levels_image())
    dataset.PixelData = encapsulate([b"\xff\x4f\xff\x51" + bytes(60)])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    with pytest.raises(UserError, match=words):
        open_xa(tmp_path / "a.dcm")


def test_twelve_bit_jpeg_says_which_package_reads_it(tmp_path: Path) -> None:
    path = write_xa(tmp_path / "a.dcm", smooth_levels(np.uint16, 4095), BitsStored=12)
    transcoded(path, "JPEGExtendedProcess2_4")
    try:
        attenuation = open_xa(path).frame(1).attenuation
    except UserError as refusal:
        assert "package pylibjpeg-libjpeg" in str(refusal)
    else:
        assert np.abs(attenuation - (4095.0 - smooth_levels(np.uint16, 4095)[1])).max() < 120


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, RLELossless])
def test_damaged_compressed_pixels(tmp_path: Path, syntax: str) -> None:
    dataset = xa_dataset(levels_image())
    dataset.PixelData = encapsulate([bytes(range(200))])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    with pytest.raises(UserError, match="damaged"):
        open_xa(tmp_path / "a.dcm")
