"""Bad input to the command line: one clear sentence on standard error, exit code 2, nothing written."""

import shutil

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from VesselRegistrationLib.cli.main import main
from VesselRegistrationLib.mesh.reading import read_model
from VesselRegistrationLib.networks import weights


@pytest.fixture
def refused(lower_case, untrained_networks, tmp_path, capsys):
    """Run register on the good case with some options replaced; check how it is refused and give the sentence."""
    before = {path.name for path in tmp_path.iterdir()}

    def run(*more, command="register", out=None, **changed):
        given = {"--model": lower_case / "model.vtp", "--xa": lower_case / "view_0.dcm", "--frame": "2",
                 "--mask": lower_case / "vessel_mask_0.png", "--out": out or tmp_path / "out"}
        if command == "segment":
            del given["--model"], given["--mask"]
        given.update({f"--{name}": value for name, value in changed.items()})
        arguments = [str(part) for option, value in given.items() if value is not None for part in (option, value)]
        made = {path.name for path in tmp_path.iterdir()} - before
        assert main([command, *arguments, *more]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        sentence = printed.err.strip()
        assert len(sentence.splitlines()) == 1 and sentence.endswith(".")
        assert "Traceback" not in sentence and "Error" not in sentence
        assert {path.name for path in tmp_path.iterdir()} - before == made
        return sentence

    return run


@pytest.fixture
def edited(lower_case, tmp_path):
    """A copy of the first view after a change of its header."""
    def edit(change):
        dataset = pydicom.dcmread(lower_case / "view_0.dcm")
        change(dataset)
        dataset.save_as(tmp_path / "edited.dcm", enforce_file_format=False)
        return tmp_path / "edited.dcm"

    return edit


def test_a_missing_or_foreign_file(refused, tmp_path):
    assert "nowhere.dcm" in refused(xa=tmp_path / "nowhere.dcm")
    text = tmp_path / "notes.dcm"
    text.write_text("not an image " * 50)
    assert "DICOM" in refused(xa=text)
    assert "notes.dcm" in refused(xa=text, command="segment")


def test_another_kind_of_dicom(refused, edited):
    def to_ct(dataset):
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
        dataset.Modality = "CT"

    assert "CT" in refused(xa=edited(to_ct))


def test_truncated_pixel_data(refused, lower_case, tmp_path):
    content = (lower_case / "view_0.dcm").read_bytes()
    short = tmp_path / "short.dcm"
    short.write_bytes(content[:len(content) // 2])
    assert "short.dcm" in refused(xa=short)


def test_a_frame_out_of_range(refused):
    assert "from 0 to 2" in refused(frame=3)
    assert "from 0 to 2" in refused(frame=-1)
    assert "--frame" in refused(frame="two")


def test_colour(refused, edited):
    def to_colour(dataset):
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset["PixelData"].is_undefined_length = False
        dataset.PixelData = bytes(192 * 192 * 3 * int(dataset.NumberOfFrames))

    assert "colour" in refused(xa=edited(to_colour))


def test_missing_geometry_is_named_with_its_options(refused, edited):
    def without_angles(dataset):
        del dataset.PositionerPrimaryAngle, dataset.PositionerSecondaryAngle

    sentence = refused(xa=edited(without_angles))
    assert "--primary" in sentence and "--secondary" in sentence and "--sid" not in sentence


@pytest.mark.parametrize(("option", "value", "word"), [
    ("primary", 200, "primary angle"), ("secondary", -100, "secondary angle"), ("primary", "nan", "primary angle"),
    ("sid", 100, "SOD"), ("sid", -5, "source to detector"), ("sid", 1e6, "source to detector"),
    ("sod", 5000, "source to patient"), ("sod", "inf", "source to patient"), ("pixel-spacing", 50, "pixel spacing"),
    ("pixel-spacing", 0, "pixel spacing")])
def test_impossible_geometry(refused, option, value, word):
    assert word in refused(**{option: value})


def test_impossible_geometry_in_the_header(refused, edited):
    def wrong_angle(dataset):
        dataset.PositionerPrimaryAngle = 400

    assert "primary angle" in refused(xa=edited(wrong_angle))


def test_unusable_meshes(refused, lower_case, tmp_path):
    (tmp_path / "empty.obj").write_text("# nothing\n")
    assert "empty.obj" in refused(model=tmp_path / "empty.obj")
    (tmp_path / "nan.obj").write_text("v 0 0 0\nv nan 0 0\nv 0 10 0\nv 0 0 10\nf 1 2 3\nf 1 2 4\nf 1 3 4\nf 2 3 4\n")
    assert "nan.obj" in refused(model=tmp_path / "nan.obj")
    (tmp_path / "mesh.step").write_text("x")
    assert "mesh.step" in refused(model=tmp_path / "mesh.step")
    assert "gone.vtp" in refused(model=tmp_path / "gone.vtp")


@pytest.mark.parametrize(("factor", "unit"), [(0.001, "m"), (0.1, "cm"), (1000.0, "um")])
def test_a_wrongly_scaled_mesh_is_told_the_unit_to_try(refused, lower_case, tmp_path, factor, unit):
    model = read_model(lower_case / "model.vtp")
    scaled = tmp_path / "scaled.obj"
    lines = [f"v {x} {y} {z}" for x, y, z in (model.vertices - model.centre) * factor]
    lines += [f"f {a} {b} {c}" for a, b, c in model.triangles + 1]
    scaled.write_text("\n".join(lines))
    assert f"{unit}" in refused(model=scaled).split("unit")[-1]


@pytest.mark.parametrize(("roi", "word"), [("0,0,10,100", "too small"), ("100,100,300,300", "outside"),
                                           ("50,0,40,100", "not a rectangle"), ("1,2,3", "X0,Y0,X1,Y1"),
                                           ("a,b,c,d", "X0,Y0,X1,Y1"), ("0,0,17,17", "region of interest")])
def test_impossible_regions(refused, roi, word):
    assert word in refused(roi=roi)


def test_unusable_masks(refused, lower_case, tmp_path):
    small, colour, text = (tmp_path / f"{name}.png" for name in ("small", "colour", "text"))
    Image.fromarray(np.zeros((100, 192), np.uint8)).save(small)
    Image.fromarray(np.zeros((192, 192, 3), np.uint8)).save(colour)
    text.write_text("not a picture")
    assert "192 x 100 pixels" in refused(mask=small)
    assert "colour" in refused(mask=colour)
    assert "text.png" in refused(mask=text)
    assert "gone.png" in refused(mask=tmp_path / "gone.png")
    assert "masks for" in refused("--xa", str(lower_case / "view_1.dcm"))


def test_unusable_output_folders(refused, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    (full / "precious").write_text("x")
    assert "not empty" in refused(out=full)
    assert "is a file" in refused(out=full / "precious")
    assert "cannot be written" in refused(out=full / "precious" / "out")
    assert "not empty" in refused(out=full, command="segment")
    assert [path.name for path in full.iterdir()] == ["precious"]


def test_a_corrupt_weights_file(refused, untrained_weights, monkeypatch, tmp_path):
    folder = tmp_path / "weights"
    shutil.copytree(untrained_weights, folder)
    monkeypatch.setattr(weights, "weights_directory", lambda: folder)
    for name in ("matching_ours", "vessels_lower"):
        content = bytearray((folder / f"{name}.safetensors").read_bytes())
        content[len(content) // 2] ^= 1
        (folder / f"{name}.safetensors").write_bytes(content)
    assert "matching_ours.safetensors is corrupt" in refused(method="affine")
    assert "vessels_lower.safetensors is corrupt" in refused(mask=None)
    (folder / "matching_ours.safetensors").unlink()
    assert "cannot be read" in refused(method="affine")


def test_views_that_give_no_depth(refused, lower_case):
    view, mask = str(lower_case / "view_0.dcm"), lower_case / "vessel_mask_0.png"
    assert "no depth" in refused("--xa", view, "--mask", str(mask), str(mask), mask=None, method="affine")


def test_too_many_values_of_an_option(refused):
    assert "--frame" in refused("--frame", "1")


def test_unknown_words(refused, capsys):
    assert "--nonsense" in refused("--nonsense", "1")
    assert "magic" in refused(method="magic")
    assert main(["fly"]) == 2
    assert "fly" in capsys.readouterr().err
    assert main([]) == 2
    assert "COMMAND" in capsys.readouterr().err


def test_a_threshold_that_is_none(refused):
    assert "threshold" in refused(mask=None, threshold="1.5")
