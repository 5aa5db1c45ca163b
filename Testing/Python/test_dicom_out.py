"""Results as DICOM objects, read back with pydicom and highdicom, and by dciodvfy where it is installed."""

import json
import logging
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import generate_uid
from VesselRegistrationLib.cli.main import main
from VesselRegistrationLib.dicom.reading import open_xa
from VesselRegistrationLib.dicom_out.pictures import VESSELS, segmentation
from VesselRegistrationLib.dicom_out.source import SourceImage, open_source
from VesselRegistrationLib.dicom_out.spatial_registration import matrix_type, spatial_registration
from VesselRegistrationLib.dicom_out.writing import network_names, write_dicom_result
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.mesh.reading import read_model
from VesselRegistrationLib.registration import methods
from VesselRegistrationLib.registration.mask_file import read_mask
from VesselRegistrationLib.registration.masks import GIVEN
from VesselRegistrationLib.registration.pipeline import RegistrationRequest, register
from VesselRegistrationLib.registration.task import PoseAnswer
from VesselRegistrationLib.rendering.files import write_result
from vtk import vtkXMLPolyDataReader
from vtk.util.numpy_support import vtk_to_numpy

highdicom = pytest.importorskip("highdicom")

FRAMES = (1, 0)
# A name as clinics write it: not as the standard wants it, and with letters beyond ASCII.
NAME, IDENTIFIER = "Zebedee Müller Quux", "ZQ-4711"
FILES = {"registration.dcm", "segmentation_0.dcm", "overlay_0.dcm", "segmentation_1.dcm", "overlay_1.dcm"}


@pytest.fixture(scope="module")
def xrays(lower_case, tmp_path_factory):
    """The views of the case with a patient in their headers."""
    folder = tmp_path_factory.mktemp("named")
    for number in range(2):
        dataset = pydicom.dcmread(lower_case / f"view_{number}.dcm")
        dataset.SpecificCharacterSet = "ISO_IR 100"
        dataset.PatientName, dataset.PatientID, dataset.PatientSex = NAME, IDENTIFIER, "O"
        dataset.AccessionNumber = "A-99"
        dataset.save_as(folder / f"view_{number}.dcm")
    return [folder / f"view_{number}.dcm" for number in range(2)]


@pytest.fixture(scope="module")
def model(lower_case):
    return read_model(lower_case / "model.vtp")


@pytest.fixture(scope="module")
def result(lower_case, xrays, model, true_pose):
    """The true pose of the case, as a registration gives it."""
    before = methods.METHODS["pose"]
    methods.METHODS["pose"] = lambda task, progress, should_stop: PoseAnswer(true_pose)
    try:
        frames = tuple(open_xa(path).frame(number) for path, number in zip(xrays, FRAMES, strict=True))
        masks = tuple(read_mask(lower_case / f"vessel_mask_{number}.png") for number in range(2))
        return register(RegistrationRequest(model, frames, masks))
    finally:
        methods.METHODS["pose"] = before


@pytest.fixture(scope="module")
def folder(result, model, tmp_path_factory):
    out = tmp_path_factory.mktemp("registered") / "result"
    write_result(result, model, out)
    return out


@pytest.fixture(scope="module")
def exported(folder, xrays, lower_case, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported") / "dicom"
    masks = [str(lower_case / f"vessel_mask_{number}.png") for number in range(2)]
    assert main(["export-dicom", "--result", str(folder), "--xa", str(xrays[0]), "--xa", str(xrays[1]),
                 "--catheter-mask", *masks, "--out", str(out)]) == 0
    return out


def export(folder, xrays, out, *more):
    arguments = [word for path in xrays for word in ("--xa", str(path))]
    return main(["export-dicom", "--result", str(folder), *arguments, "--out", str(out), *map(str, more)])


def matrices(dataset):
    """Source frame of reference, or the referenced instances, and the matrix (4, 4) of every item."""
    for item in dataset.RegistrationSequence:
        [inner] = item.MatrixRegistrationSequence[0].MatrixSequence
        matrix = np.array(inner.FrameOfReferenceTransformationMatrix, dtype=float).reshape(4, 4)
        images = [(image.ReferencedSOPInstanceUID, image.ReferencedFrameNumber)
                  for image in item.get("ReferencedImageSequence", ())]
        yield item.get("FrameOfReferenceUID"), images, inner.FrameOfReferenceTransformationMatrixType, matrix


def test_the_matrix_brings_points_of_the_model_file_to_where_the_header_projects_them(exported, xrays, lower_case,
                                                                                      result):
    # All in LPS, with the numbers of file and header: the stored matrix has to be the one between DICOM's own axes.
    reader = vtkXMLPolyDataReader()
    reader.SetFileName(str(lower_case / "model.vtp"))
    reader.Update()
    points = vtk_to_numpy(reader.GetOutput().GetPoints().GetData())[::50].astype(float)
    assert json.loads((lower_case / "truth.json").read_text())["model_coordinates"] == "LPS"
    (_, _, kind, matrix), _ = matrices(pydicom.dcmread(exported / "registration.dcm"))
    assert kind == "RIGID"
    placed = points @ matrix[:3, :3].T + matrix[:3, 3]
    for number, path in enumerate(xrays):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        a, b = np.radians([float(header.PositionerPrimaryAngle), float(header.PositionerSecondaryAngle)])
        # Columns grow to the patient's left at 0/0, and x of LPS does, too.
        across = np.array([np.cos(a), np.sin(a), 0.0])
        down = np.array([np.sin(a) * np.sin(b), -np.cos(a) * np.sin(b), -np.cos(b)])
        beam = np.array([np.sin(a) * np.cos(b), -np.cos(a) * np.cos(b), np.sin(b)])
        sid, sod = float(header.DistanceSourceToDetector), float(header.DistanceSourceToPatient)
        depth = sod + placed @ beam
        row_mm, col_mm = map(float, header.ImagerPixelSpacing)
        pixels = np.column_stack([(header.Columns - 1) / 2 + sid / col_mm * (placed @ across) / depth,
                                  (header.Rows - 1) / 2 + sid / row_mm * (placed @ down) / depth])
        ras = points * [-1, -1, 1]
        expected = ras @ result.views[number].projection[:, :3].T + result.views[number].projection[:, 3]
        np.testing.assert_allclose(pixels, expected[:, :2] / expected[:, 2:], atol=0.02)


def test_all_objects_are_linked_to_the_xray_and_belong_to_its_study_and_patient(exported, xrays):
    assert {path.name for path in exported.iterdir()} == FILES
    sources = [pydicom.dcmread(path, stop_before_pixels=True) for path in xrays]
    series = set()
    for path in exported.iterdir():
        dataset = pydicom.dcmread(path)
        source = sources[1 if "_1" in path.name else 0]
        for keyword in ("PatientName", "PatientID", "PatientSex", "AccessionNumber", "StudyInstanceUID", "StudyDate",
                        "SpecificCharacterSet"):
            assert dataset[keyword].value == source[keyword].value, keyword
        assert dataset.SOPInstanceUID == dataset.file_meta.MediaStorageSOPInstanceUID
        assert dataset.SeriesInstanceUID not in {one.SeriesInstanceUID for one in sources}
        series.add(dataset.SeriesInstanceUID)
    assert len(series) == len(FILES)
    registration = pydicom.dcmread(exported / "registration.dcm")
    assert (registration.Modality, registration.SOPClassUID.name) == ("REG", "Spatial Registration Storage")
    listed = {instance.ReferencedSOPInstanceUID for one in registration.ReferencedSeriesSequence
              for instance in one.ReferencedInstanceSequence}
    assert listed == {source.SOPInstanceUID for source in sources}
    _, (frame, images, kind, matrix) = matrices(registration)
    assert frame is None and kind == "RIGID"
    assert images == [(source.SOPInstanceUID, number + 1) for source, number in zip(sources, FRAMES, strict=True)]
    np.testing.assert_array_equal(matrix, np.eye(4))
    for number, source in enumerate(sources):
        overlay = pydicom.dcmread(exported / f"overlay_{number}.dcm")
        [image] = overlay.SourceImageSequence
        assert image.ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert image.ReferencedSOPClassUID == source.SOPClassUID
        assert image.ReferencedFrameNumber == FRAMES[number] + 1
        assert list(overlay.PatientOrientation) == list(source.PatientOrientation)


def test_masks_come_back_with_highdicom(exported, result, xrays, lower_case):
    for number, view in enumerate(result.views):
        read = highdicom.seg.segread(exported / f"segmentation_{number}.dcm")
        assert read.number_of_segments == 2
        labels = [read.get_segment_description(segment).SegmentLabel for segment in (1, 2)]
        assert labels == ["vessels", "catheters"]
        catheters = read_mask(lower_case / f"vessel_mask_{number}.png")
        for frame, mask in zip(read.pixel_array, (view.mask, catheters), strict=True):
            np.testing.assert_array_equal(frame.astype(bool), mask)
        source = pydicom.dcmread(xrays[number], stop_before_pixels=True)
        for group in read.PerFrameFunctionalGroupsSequence:
            [image] = group.DerivationImageSequence[0].SourceImageSequence
            assert image.ReferencedSOPInstanceUID == source.SOPInstanceUID
            assert image.ReferencedSOPClassUID == source.SOPClassUID
            assert image.ReferencedFrameNumber == FRAMES[number] + 1


def test_overlays_are_the_pictures_of_the_result(exported, folder):
    for number in range(2):
        shown = highdicom.imread(exported / f"overlay_{number}.dcm").pixel_array
        np.testing.assert_array_equal(shown, np.asarray(Image.open(folder / f"overlay_{number}.png")))


def test_the_panels_way_gives_the_same(result, model, xrays, exported, tmp_path):
    written = write_dicom_result(result, model, xrays, tmp_path / "out")
    assert {path.name for path in written} == FILES
    one, other = (pydicom.dcmread(path / "registration.dcm") for path in (tmp_path / "out", exported))
    assert one.FrameOfReferenceUID == other.FrameOfReferenceUID  # of the same X-ray
    assert one.SOPInstanceUID != other.SOPInstanceUID
    for (_, _, kind, matrix), (_, _, other_kind, other_matrix) in zip(matrices(one), matrices(other), strict=True):
        assert kind == other_kind
        np.testing.assert_allclose(matrix, other_matrix, atol=1e-9)
    np.testing.assert_array_equal(pydicom.dcmread(tmp_path / "out" / "overlay_1.dcm").pixel_array,
                                  pydicom.dcmread(exported / "overlay_1.dcm").pixel_array)
    assert highdicom.seg.segread(tmp_path / "out" / "segmentation_0.dcm").number_of_segments == 1


def test_the_cta_lends_its_frame_of_reference(folder, xrays, tmp_path, capsys):
    cta = pydicom.dcmread(xrays[0])
    cta.SOPClassUID = cta.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    cta.FrameOfReferenceUID = generate_uid()
    cta.save_as(tmp_path / "cta.dcm")
    assert export(folder, xrays, tmp_path / "a", "--cta", tmp_path / "cta.dcm") == 0
    registration = pydicom.dcmread(tmp_path / "a" / "registration.dcm")
    assert next(matrices(registration))[0] == cta.FrameOfReferenceUID
    assert registration.FrameOfReferenceUID != cta.FrameOfReferenceUID
    cta.PatientID = "somebody else"
    cta.save_as(tmp_path / "other.dcm")
    del cta.FrameOfReferenceUID
    cta.save_as(tmp_path / "none.dcm")
    for name, says in (("other.dcm", "different patients"), ("none.dcm", "no frame of reference"),
                       ("nowhere.dcm", "not a DICOM file")):
        assert export(folder, xrays, tmp_path / "b", "--cta", tmp_path / name) == 2
        assert says in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
def test_dciodvfy_finds_no_error(exported):
    for path in exported.iterdir():
        done = subprocess.run(["dciodvfy", path], capture_output=True, text=True, errors="replace", check=False)
        assert not [line for line in done.stderr.splitlines() if line.startswith("Error")], path.name


def test_nobody_is_named_in_names_and_messages(folder, xrays, tmp_path, capfd, caplog, recwarn):
    caplog.set_level(logging.DEBUG)
    assert export(folder, xrays, tmp_path / "out") == 0
    said = "".join([*capfd.readouterr(), caplog.text, *(str(one.message) for one in recwarn),
                    *(path.name for path in (tmp_path / "out").iterdir())])
    assert not any(word in said for word in ("Zebedee", "Quux", IDENTIFIER, "A-99"))
    assert "registration.dcm" in said


# What is refused


def test_xrays_of_another_result_are_refused(folder, result, model, xrays, tmp_path, capsys):
    out = tmp_path / "out"
    assert export(folder, xrays[::-1], out) == 2
    assert "another X-ray" in capsys.readouterr().err
    assert export(folder, xrays[:1], out) == 2
    assert "2 views" in capsys.readouterr().err
    with pytest.raises(UserError, match="was not registered in"):
        write_dicom_result(result, model, xrays[::-1], out)
    assert not out.exists()


def test_results_without_a_pose_to_hand_on_are_refused(folder, result, model, xrays, tmp_path, capsys):
    with pytest.raises(UserError, match="rejected"):
        write_dicom_result(replace(result, status="rejected"), model, xrays, tmp_path / "out")
    changed = tmp_path / "changed"
    shutil.copytree(folder, changed)
    content = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    unlinked = [view | {"instance_sha256": None} for view in content["views"]]
    for change, says in (({"status": "rejected"}, "rejected"), ({"model_to_world": None}, "rejected"),
                         ({"views": unlinked}, "register again")):
        (changed / "result.json").write_text(json.dumps(content | change), encoding="utf-8")
        assert export(changed, xrays, tmp_path / "out") == 2
        assert says in capsys.readouterr().err
    (changed / "result.json").write_text("{}")
    assert export(changed, xrays, tmp_path / "out") == 2
    assert "no result" in capsys.readouterr().err
    shutil.copy(folder / "result.json", changed)
    (changed / "bent_model.vtp").write_text("")
    assert export(changed, xrays, tmp_path / "out") == 2
    assert "bent" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_existing_output_a_wrong_mask_and_a_missing_library_are_one_sentence(folder, xrays, tmp_path, capsys,
                                                                             monkeypatch):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    assert export(folder, xrays, tmp_path / "full") == 2
    assert "not empty" in capsys.readouterr().err
    Image.fromarray(np.zeros((10, 12), np.uint8)).save(tmp_path / "small.png")
    small = tmp_path / "small.png"
    assert export(folder, xrays, tmp_path / "out", "--catheter-mask", small, small) == 2
    assert "12 x 10 pixels" in capsys.readouterr().err
    assert export(folder, xrays, tmp_path / "out", "--catheter-mask", small) == 2
    assert "1 catheter masks for 2" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "highdicom", None)
    assert export(folder, xrays, tmp_path / "out") == 2
    assert "slicer-hybridor[dicom]" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("full", "small.png")] == []


# Frames of reference


def test_a_pose_that_is_not_rigid_says_so(true_pose):
    assert matrix_type(true_pose) == "RIGID"
    assert matrix_type(true_pose @ np.diag([1.01, 1, 1, 1])) == "AFFINE"
    assert matrix_type(true_pose @ np.diag([-1, 1, 1, 1])) == "AFFINE"


def test_an_xray_with_a_frame_of_reference_of_its_own_is_listed_but_not_claimed(xrays, true_pose):
    source = open_source(xrays[0], 0, 10.0, 0.0)
    assert "Zebedee" not in repr(source)
    header = pydicom.dcmread(xrays[0], stop_before_pixels=True)
    header.FrameOfReferenceUID, header.StudyInstanceUID = generate_uid(), generate_uid()
    header.SOPInstanceUID = generate_uid()
    enhanced = SourceImage(source.path, 0, 1, source.shape, source.orientation, header)
    dataset = spatial_registration(true_pose, [source, enhanced], "1.2.3", "check")
    (frame, _, _, _), (_, images, _, _) = matrices(dataset)
    assert frame == "1.2.3" and [uid for uid, _ in images] == [source.instance_uid]
    [study] = dataset.StudiesContainingOtherReferencedInstancesSequence  # it is of another study here
    assert study.StudyInstanceUID == header.StudyInstanceUID
    [series] = study.ReferencedSeriesSequence
    assert series.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == header.SOPInstanceUID


def test_a_network_that_made_the_mask_is_named(result, xrays):
    assert network_names(GIVEN, ["vessels_lower"]) == {}
    networks = network_names("Segmented by vessels_lower. Because.", ["matching", "vessels_lower"])
    dataset = segmentation(open_source(xrays[0], FRAMES[0], 10.0, 0.0), {VESSELS: result.views[0].mask}, networks)
    [segment] = dataset.SegmentSequence
    assert segment.SegmentAlgorithmType == "AUTOMATIC" and segment.SegmentAlgorithmName == "vessels_lower"


def test_files_without_uids_are_refused(xrays, tmp_path):
    header = pydicom.dcmread(xrays[0])
    del header.StudyInstanceUID
    header.save_as(tmp_path / "bare.dcm")
    with pytest.raises(UserError, match="StudyInstanceUID"):
        open_source(tmp_path / "bare.dcm", 0, 10.0, 0.0)
