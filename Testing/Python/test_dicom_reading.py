"""Opening XA files: what they give, and one clear sentence for every file that cannot be used."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless
from VesselRegistrationLib.dicom import reading
from VesselRegistrationLib.dicom.overrides import GeometryOverrides
from VesselRegistrationLib.dicom.reading import open_xa
from VesselRegistrationLib.errors import UserError
from xa_files import FULL_GEOMETRY, PATIENT, XA, XRF, levels_image, write_xa, xa_dataset

REAL_FILE = Path(__file__).parents[3] / "shared" / "data" / "xray" / "0002.DCM"


def refusal(path: Path, *words: str) -> str:
    """The one sentence with which a file is refused; it must contain the words and end like a sentence."""
    with pytest.raises(UserError) as caught:
        open_xa(path)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and "Traceback" not in message
    for word in words:
        assert word in message, message
    return message


def test_a_frame_carries_pixels_and_geometry(tmp_path: Path) -> None:
    levels = levels_image(frames=3)
    run = open_xa(write_xa(tmp_path / "a.dcm", levels, **FULL_GEOMETRY, FrameTime=66.5, BodyPartExamined="ABDOMEN"))
    frame = run.frame(1)
    assert (run.frame_count, run.shape, frame.frame_number, frame.frame_count) == (3, (12, 16), 1, 3)
    np.testing.assert_array_equal(frame.attenuation, 255.0 - levels[1])
    assert frame.attenuation.dtype == np.float32 and frame.usable.all()
    assert not frame.attenuation.flags.writeable and not frame.usable.flags.writeable
    assert (frame.frame_time_ms, frame.body_part) == (66.5, "ABDOMEN")
    view = frame.view()
    assert (view.primary_angle_deg, view.secondary_angle_deg, view.sid_mm, view.sod_mm) == (30, -20, 1100, 760)
    assert (view.row_spacing_mm, view.column_spacing_mm, view.rows, view.columns) == (0.3, 0.2, 12, 16)
    assert frame.geometry.sources["sid_mm"] == "(0018,1110)"
    assert frame.geometry.sources["primary_angle_deg"] == "(0018,1510)"


def test_only_the_frame_asked_for_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = open_xa(write_xa(tmp_path / "a.dcm", levels_image(frames=5)))
    decoded: list[int] = []
    original = reading.decode_levels
    monkeypatch.setattr(reading, "decode_levels", lambda path, dataset, frame, form: (
        decoded.append(frame), original(path, dataset, frame, form))[1])
    run.frame(3)
    assert decoded == [3]


def test_the_file_is_not_changed(tmp_path: Path) -> None:
    path = write_xa(tmp_path / "a.dcm", levels_image(frames=2), **FULL_GEOMETRY)
    before = path.read_bytes()
    run = open_xa(path)
    run.frame(1)
    run.strongest_contrast_frame()
    assert path.read_bytes() == before


def test_xrf_is_read_too(tmp_path: Path) -> None:
    path = write_xa(tmp_path / "a.dcm", sop_class=XRF, Modality="RF")
    assert open_xa(path, GeometryOverrides(10, 5, 1200, 800, 0.4)).frame(0).view().sid_mm == 1200


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_uncompressed_syntaxes(tmp_path: Path, syntax: str) -> None:
    levels = levels_image(frames=2).astype(np.uint16) * 100
    dataset = xa_dataset(levels)
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = levels.astype(">u2").tobytes()
    path = tmp_path / "a.dcm"
    dataset.save_as(path, enforce_file_format=True)
    np.testing.assert_array_equal(open_xa(path).frame(1).attenuation, 65535.0 - levels[1])


def test_not_dicom(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("Not an image at all.\n" * 40)
    refusal(text, "not a DICOM file")
    empty = tmp_path / "empty.dcm"
    empty.write_bytes(b"")
    refusal(empty, "not a DICOM file")
    refusal(tmp_path, "folder")
    refusal(tmp_path / "absent.dcm", "cannot be read")


@pytest.mark.parametrize(("sop_class", "modality", "name"), [
    ("1.2.840.10008.5.1.4.1.1.2", "CT", "CT Image Storage"),
    ("1.2.840.10008.5.1.4.1.1.7", "XA", "Secondary Capture"),
    ("1.2.840.10008.5.1.4.1.1.1.1", "DX", "Digital X-Ray"),
])
def test_other_objects_are_refused_by_name(tmp_path: Path, sop_class: str, modality: str, name: str) -> None:
    refusal(write_xa(tmp_path / "a.dcm", sop_class=sop_class, Modality=modality), name, modality, "XA")


def test_dicomdir_is_refused(tmp_path: Path) -> None:
    refusal(write_xa(tmp_path / "DICOMDIR", sop_class="1.2.840.10008.1.3.10"), "DICOMDIR")


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.999])
def test_truncated_native_pixels(tmp_path: Path, kept: float) -> None:
    path = write_xa(tmp_path / "a.dcm", levels_image(rows=64, columns=64, frames=4))
    data = path.read_bytes()
    path.write_bytes(data[:int(len(data) * kept)])
    refusal(path, "cut short")


def test_truncated_header(tmp_path: Path) -> None:
    path = write_xa(tmp_path / "a.dcm")
    data = path.read_bytes()
    for kept in (140, 200, 330, 420):
        path.write_bytes(data[:kept])
        refusal(path)


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.99])
def test_truncated_compressed_pixels(tmp_path: Path, kept: float) -> None:
    dataset = xa_dataset(levels_image(rows=64, columns=64, frames=4))
    dataset.compress(RLELossless)
    path = tmp_path / "a.dcm"
    dataset.save_as(path, enforce_file_format=True)
    data = path.read_bytes()
    path.write_bytes(data[:int(len(data) * kept)])
    refusal(path, "cut short")


def test_truncated_deflated_pixels(tmp_path: Path) -> None:
    dataset = xa_dataset(np.random.default_rng(1).integers(0, 255, (4, 64, 64), dtype=np.uint8))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = tmp_path / "a.dcm"
    dataset.save_as(path, enforce_file_format=True)
    data = path.read_bytes()
    path.write_bytes(data[:len(data) // 2])
    refusal(path)


def test_fewer_pixels_than_the_header_promises(tmp_path: Path) -> None:
    refusal(write_xa(tmp_path / "a.dcm", levels_image(frames=2), NumberOfFrames=3), "cut short")


def test_no_pixel_data(tmp_path: Path) -> None:
    dataset = xa_dataset()
    del dataset.PixelData
    dataset.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    refusal(tmp_path / "a.dcm", "no pixel data")


@pytest.mark.parametrize("number", [-1, 3, 96, 10**9, True, 1.0])
def test_frame_numbers_out_of_range_say_the_range(tmp_path: Path, number: int) -> None:
    run = open_xa(write_xa(tmp_path / "a.dcm", levels_image(frames=3)))
    with pytest.raises(UserError, match=r"from 0 to 2\."):
        run.frame(number)
    with pytest.raises(UserError, match=r"from 0 to 2\."):
        run.geometry(number)


def test_colour_is_refused(tmp_path: Path) -> None:
    colour = xa_dataset(levels_image(rows=12, columns=48), Columns=16, SamplesPerPixel=3,
                        PhotometricInterpretation="RGB", PlanarConfiguration=0)
    colour.save_as(tmp_path / "rgb.dcm", enforce_file_format=True)
    refusal(tmp_path / "rgb.dcm", "colour", "RGB")
    refusal(write_xa(tmp_path / "palette.dcm", PhotometricInterpretation="PALETTE COLOR"), "colour")


def test_biplane_in_one_image_is_refused(tmp_path: Path) -> None:
    refusal(write_xa(tmp_path / "a.dcm", ImageType=["ORIGINAL", "PRIMARY", "BIPLANE"]), "both planes")
    open_xa(write_xa(tmp_path / "b.dcm", ImageType=["ORIGINAL", "PRIMARY", "BIPLANE A"]))


@pytest.mark.parametrize("elements", [
    {"NumberOfFrames": 0}, {"Rows": 1, "Columns": 192}, {"BitsAllocated": 32, "BitsStored": 32, "Rows": 3},
])
def test_impossible_images_are_refused(tmp_path: Path, elements: dict[str, int]) -> None:
    refusal(write_xa(tmp_path / "a.dcm", **elements))


@pytest.mark.parametrize(("elements", "word"), [
    ({"PositionerPrimaryAngle": 270}, "--primary"), ({"PositionerSecondaryAngle": 91}, "--secondary"),
    ({"PositionerPrimaryAngle": "nan"}, "--primary"), ({"DistanceSourceToDetector": -1100}, "--sid"),
    ({"DistanceSourceToDetector": "inf"}, "--sid"), ({"DistanceSourceToPatient": 20000}, "--sod"),
    ({"DistanceSourceToPatient": 1200}, "--sod"), ({"DistanceSourceToPatient": 1100}, "--sod"),
    ({"ImagerPixelSpacing": [0.3, 8.0]}, "--pixel-spacing"), ({"ImagerPixelSpacing": [-0.3, -0.3]}, "--pixel-spacing"),
    ({"ImagerPixelSpacing": ["nan", "nan"]}, "--pixel-spacing"), ({"ImagerPixelSpacing": 0.3}, "--pixel-spacing"),
])
def test_impossible_header_geometry_is_refused_and_can_be_overridden(
        tmp_path: Path, elements: dict[str, object], word: str) -> None:
    path = write_xa(tmp_path / "a.dcm", **{**FULL_GEOMETRY, **elements})
    refusal(path, word)
    right = GeometryOverrides(30, -20, 1100, 760, 0.3)
    assert open_xa(path, right).frame(0).view().sod_mm == 760


@pytest.mark.parametrize(("keyword", "value"), [
    ("primary_angle_deg", 181), ("primary_angle_deg", math.nan), ("secondary_angle_deg", -90.5),
    ("secondary_angle_deg", math.inf), ("sid_mm", 0), ("sid_mm", -5), ("sid_mm", math.nan), ("sod_mm", 4000),
    ("sod_mm", 0.0), ("pixel_spacing_mm", 0), ("pixel_spacing_mm", 30), ("pixel_spacing_mm", math.nan),
])
def test_impossible_values_of_the_user(keyword: str, value: float) -> None:
    with pytest.raises(UserError, match="given by the user"):
        GeometryOverrides(**{keyword: value})


def test_distances_of_the_user_that_do_not_fit() -> None:
    with pytest.raises(UserError, match="between source and detector"):
        GeometryOverrides(sid_mm=700, sod_mm=900)


def test_a_distance_of_the_user_against_the_header(tmp_path: Path) -> None:
    path = write_xa(tmp_path / "a.dcm", **FULL_GEOMETRY)
    with pytest.raises(UserError, match="SID 700 mm and SOD 760 mm"):
        open_xa(path, GeometryOverrides(sid_mm=700))


def test_the_users_values_win_and_are_named_as_such(tmp_path: Path) -> None:
    geometry = open_xa(write_xa(tmp_path / "a.dcm", levels_image(frames=2), **FULL_GEOMETRY),
                       GeometryOverrides(1, 2, 1300, 800, 0.15)).geometry(1)
    assert (geometry.primary_angle_deg, geometry.secondary_angle_deg, geometry.sid_mm, geometry.sod_mm,
            geometry.row_spacing_mm, geometry.column_spacing_mm) == (1, 2, 1300, 800, 0.15, 0.15)
    assert {geometry.sources[key] for key in ("primary_angle_deg", "secondary_angle_deg", "sid_mm", "sod_mm",
                                              "row_spacing_mm", "column_spacing_mm")} == {"given by the user"}


def test_missing_angles_matter_only_when_a_view_is_asked(tmp_path: Path) -> None:
    frame = open_xa(write_xa(tmp_path / "a.dcm")).frame(0)
    with pytest.raises(UserError, match=r"--primary DEG.*--secondary DEG.*--sid MM.*--sod MM.*--pixel-spacing MM"):
        frame.view()


def test_no_word_about_the_patient(tmp_path: Path) -> None:
    run = open_xa(write_xa(tmp_path / "a.dcm", levels_image(frames=2), **FULL_GEOMETRY))
    for words in (run.sanity.as_text(), str(run.sanity.as_dict()), repr(run.geometry(0))):
        for secret in (*PATIENT.values(), "Secret", "Person"):
            assert secret not in words


@pytest.mark.skipif(not REAL_FILE.exists(), reason="the real XA run is not here")
def test_the_real_run() -> None:
    run = open_xa(REAL_FILE)
    assert (run.frame_count, run.shape) == (96, (512, 512))
    for number in (0, 95):
        geometry = run.geometry(number)
        assert (geometry.primary_angle_deg, geometry.secondary_angle_deg) == (-32, 2)
        assert (geometry.sid_mm, geometry.sod_mm, geometry.row_spacing_mm) == (None, None, None)
    assert run.frame(95).frame_time_ms == 33
    assert not run.frame(0).subtracted
    # The right coronary artery is seen to be full from frame 40 on and still filling before frame 32.
    assert run.strongest_contrast_frame() >= 40
    # The picture has a black frame without a shutter in the header.
    assert 0.7 < run.frame(0).usable.mean() < 0.8
    view = open_xa(REAL_FILE, GeometryOverrides(sid_mm=1000, sod_mm=700, pixel_spacing_mm=0.3)).frame(3).view()
    assert view.clinical_angles == "RAO 32 / CRA 2"


@pytest.mark.skipif(not REAL_FILE.exists(), reason="the real XA run is not here")
def test_the_real_run_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "cut.dcm"
    shutil.copyfile(REAL_FILE, path)
    path.chmod(0o644)
    with path.open("r+b") as stream:
        stream.truncate(1_000_000)
    refusal(path, "cut short")


def test_sop_class_decides_not_the_modality(tmp_path: Path) -> None:
    assert open_xa(write_xa(tmp_path / "a.dcm", sop_class=XA, Modality="OT")).frame_count == 1
