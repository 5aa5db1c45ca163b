"""The command line as its users see it: files, exit codes, sentences."""

import json
import subprocess
import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from VesselRegistrationLib import __version__
from VesselRegistrationLib.cli import command_line, options, register
from VesselRegistrationLib.cli.main import main
from VesselRegistrationLib.networks.device import DEVICES
from VesselRegistrationLib.networks.weights import load_card
from VesselRegistrationLib.registration.methods import METHODS
from VesselRegistrationLib.registration.pipeline import RegistrationRequest

MODULE_FOLDER = Path(__file__).parents[2] / "VesselRegistration"
REAL_XA = Path(__file__).parents[3] / "shared" / "data" / "xray" / "0002.DCM"
RESULT_FILES = {"result.json", "registration.mrb", "model_to_world.h5", "overlay_0.png", "comparison_0.png",
                "mask_0.png"}


def run_python(program, *arguments):
    return subprocess.run([sys.executable, "-c", program, *arguments], cwd=MODULE_FOLDER, capture_output=True,
                          text=True, check=True)


def test_help_answers_within_a_second_of_work_and_loads_nothing_heavy():
    program = ("import sys, time\n"
               "from VesselRegistrationLib.cli.main import main\n"
               "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n    assert end.code == 0\n"
               "print(time.process_time(), sorted({'numpy', 'torch', 'vtk', 'slicer', 'scipy'} & set(sys.modules)))")
    for arguments in ((), ("register",), ("evaluate", "registration"), ("train", "vessels")):
        seconds, loaded = run_python(program, *arguments, "--help").stdout.splitlines()[-1].split(" ", 1)
        assert float(seconds) < 1.0
        assert loaded == "[]"


def test_help_names_every_command_of_the_interface(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    for command in ("register", "inspect", "project", "segment", "simulate", "demo", "train", "evaluate"):
        assert f"\n    {command} " in text
    assert "counted from 0" in text


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.strip() == f"vessel-registration {__version__}"


def test_options_offer_what_the_library_offers():
    assert set(options.METHODS) == set(METHODS)
    assert options.METHODS[0] == RegistrationRequest.method
    assert options.DEVICES == DEVICES


@pytest.fixture(scope="module")
def named_xa(lower_case, tmp_path_factory):
    """The first view of the case with a patient in its header."""
    path = tmp_path_factory.mktemp("named") / "run.dcm"
    dataset = pydicom.dcmread(lower_case / "view_0.dcm")
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Zebedee^Quux", "ZQ-4711", "19310507"
    dataset.save_as(path)
    return path


@pytest.fixture
def registered(lower_case, named_xa, untrained_networks, tmp_path, capsys):
    out = tmp_path / "made" / "out"
    code = main(["register", "--model", str(lower_case / "model.vtp"), "--xa", str(named_xa), "--frame", "2",
                 "--mask", str(lower_case / "vessel_mask_0.png"), "--method", "affine", "--out", str(out)])
    return code, out, capsys.readouterr()


def test_register_writes_everything_and_names_nobody(registered, lower_case, untrained_networks, named_xa):
    code, out, printed = registered
    assert code == 0
    assert {path.name for path in out.iterdir()} == RESULT_FILES
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert printed.err == ""
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert printed.out.startswith(f"{result['status']}: ")
    assert result["schema_version"] == 1 and result["method"] == "affine"
    assert result["status"] in ("accepted", "check", "rejected")
    assert np.shape(result["model_to_world"]) == (4, 4)
    assert result["model_to_world"][3] == [0, 0, 0, 1]
    [view] = result["views"]
    header = pydicom.dcmread(named_xa, stop_before_pixels=True)
    assert view["file"] == "run.dcm" and view["frame"] == 2
    assert view["primary_angle_deg"] == pytest.approx(float(header.PositionerPrimaryAngle))
    assert view["secondary_angle_deg"] == pytest.approx(float(header.PositionerSecondaryAngle))
    assert view["sid_mm"] == pytest.approx(float(header.DistanceSourceToDetector))
    assert view["sod_mm"] == pytest.approx(float(header.DistanceSourceToPatient))
    assert np.shape(view["projection"]) == (3, 4) and np.shape(view["affine"]) == (2, 3)
    assert all(0 <= view[name] <= 1 for name in ("dice", "precision", "recall"))
    assert set(result["timings_s"]) == {"reading", "segmentation", "matching", "measures"}
    assert result["software"]["vessel-registration"] == __version__
    assert "numpy" in result["software"] and "torch" in result["software"]
    assert result["weights"] == [{"name": "matching_ours", "sha256": load_card("matching_ours").sha256}]
    given = np.asarray(Image.open(lower_case / "vessel_mask_0.png")) > 0
    np.testing.assert_array_equal(np.asarray(Image.open(out / "mask_0.png")) > 0, given)
    assert_nobody_is_named(out, printed)


def assert_nobody_is_named(out, printed):
    contents = [printed.out.encode(), printed.err.encode()]
    for path in out.iterdir():
        contents.append(path.read_bytes())
        if path.suffix == ".mrb":
            with zipfile.ZipFile(path) as bundle:
                contents += [bundle.read(name) + name.encode() for name in bundle.namelist()]
    for content in contents:
        for word in (b"Zebedee", b"Quux", b"ZQ-4711", b"19310507"):
            assert word not in content


def test_two_views_use_options_once_or_once_each(lower_case, untrained_networks, tmp_path):
    out = tmp_path / "out"
    masks = [str(lower_case / f"vessel_mask_{k}.png") for k in range(2)]
    code = main(["register", "--model", str(lower_case / "model.vtp"), "--xa", str(lower_case / "view_0.dcm"),
                 "--xa", str(lower_case / "view_1.dcm"), "--frame", "2", "--frame", "1", "--sid", "1000",
                 "--mask", *masks, "--out", str(out)])
    assert code == 0
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert [view["sid_mm"] for view in result["views"]] == [1000.0, 1000.0]
    assert [view["frame"] for view in result["views"]] == [2, 1]
    assert {"overlay_1.png", "comparison_1.png", "mask_1.png"} <= {path.name for path in out.iterdir()}


def test_inspect_prints_the_report(named_xa, capsys):
    assert main(["inspect", "--xa", str(named_xa)]) == 0
    printed = capsys.readouterr()
    assert "3 frames (0 to 2), 192 x 192 pixels" in printed.out
    assert "Primary angle" in printed.out and "Zebedee" not in printed.out
    assert main(["inspect", "--xa", str(named_xa), "--json", "--sid", "1111"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["frames"] == 3 and report["file"] == "run.dcm"
    assert any("1111" in row["says"] for row in report["rows"])


def test_project_draws_the_initial_view(lower_case, tmp_path, capsys):
    arguments = ["project", "--model", str(lower_case / "model.vtp"), "--xa", str(lower_case / "view_1.dcm"), "--frame",
                 "0"]
    assert main([*arguments, "--out", str(tmp_path / "shaded.png")]) == 0
    assert main([*arguments, "--silhouette", "--out", str(tmp_path / "flat.png")]) == 0
    shaded, flat = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("shaded", "flat"))
    assert shaded.shape == flat.shape == (192, 192)
    assert set(np.unique(flat)) == {0, 255}
    assert shaded.max() == 255 and len(np.unique(shaded)) > 50
    assert not shaded[flat == 0].any()
    assert main([*arguments, "--out", str(tmp_path / "flat.png")]) == 2
    assert "exists already" in capsys.readouterr().err


def test_segment_needs_no_distances(lower_case, untrained_networks, tmp_path):
    bare = tmp_path / "bare.dcm"
    dataset = pydicom.dcmread(lower_case / "view_0.dcm")
    for keyword in ("DistanceSourceToDetector", "DistanceSourceToPatient", "ImagerPixelSpacing",
                    "PositionerPrimaryAngle", "PositionerSecondaryAngle", "EstimatedRadiographicMagnificationFactor"):
        if keyword in dataset:
            del dataset[keyword]
    dataset.save_as(bare)
    out = tmp_path / "out"
    assert main(["segment", "--xa", str(bare), "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {"mask_0.png", "overlay_0.png", "segmentation.json"}
    content = json.loads((out / "segmentation.json").read_text(encoding="utf-8"))
    mask = np.asarray(Image.open(out / "mask_0.png"))
    assert mask.shape == (192, 192) and content["mask_pixels"] == (mask > 0).sum()
    assert content["field_of_view"] == "lower"  # the body part is PELVIS
    assert content["weights"] == [{"name": "vessels_lower", "sha256": load_card("vessels_lower").sha256}]


@pytest.mark.skipif(not REAL_XA.exists(), reason="the real X-ray run is not part of the project")
def test_a_real_run_without_distances_is_inspected_and_segmented(untrained_networks, tmp_path, capsys):
    assert main(["inspect", "--xa", str(REAL_XA)]) == 0
    assert "96 frames" in capsys.readouterr().out
    assert main(["segment", "--xa", str(REAL_XA), "--frame", "40", "--field-of-view", "upper", "--out",
                 str(tmp_path / "out")]) == 0
    assert np.asarray(Image.open(tmp_path / "out" / "mask_0.png")).shape == (512, 512)


def test_demo_registers_the_sample_and_compares_it_with_the_truth(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hybridor-demo").mkdir()
    assert main(["demo"]) == 0
    printed = capsys.readouterr().out
    out = tmp_path / "hybridor-demo-2"
    assert printed.startswith("accepted: ")
    assert str(Path("hybridor-demo-2") / "overlay_1.png") in printed
    errors = json.loads((out / "truth_comparison.json").read_text(encoding="utf-8"))
    assert errors["start_mtre_mm"] > errors["start_mrpd_mm"] > 5
    assert errors["mrpd_mm"] < 1 and errors["mtre_mm"] < 2
    assert {path.name for path in out.iterdir()} >= RESULT_FILES
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert all(view["dice"] > 0.8 for view in result["views"])


def test_demo_without_a_result_shows_none(untrained_networks, tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("rejected: ")
    assert "overlay" not in printed and "mRPD" not in printed


def test_a_bug_is_said_to_be_one_and_leaves_nothing(registered_arguments, monkeypatch, tmp_path, capsys):
    def fail(options):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(register, "run", fail)
    arguments = registered_arguments(tmp_path / "out")
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("This is a bug") and len(printed.err.splitlines()) == 1
    assert "Traceback" not in printed.err
    with pytest.raises(ZeroDivisionError):
        main([*arguments, "--debug"])
    assert not (tmp_path / "out").exists()


def test_an_interrupt_ends_cleanly(registered_arguments, monkeypatch, tmp_path, capsys):
    def interrupt(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(register, "run", interrupt)
    assert main(registered_arguments(tmp_path / "out")) == command_line.STOPPED
    assert capsys.readouterr().err == "Stopped.\n"


def test_nothing_is_left_where_writing_fails_late(registered_arguments, untrained_networks, monkeypatch, tmp_path,
                                                  capsys):
    from VesselRegistrationLib.rendering import files

    def full(path, picture):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "save_png", full)
    assert main(registered_arguments(tmp_path / "out")) == 2
    assert "No space left" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def registered_arguments(lower_case):
    def arguments(out):
        return ["register", "--model", str(lower_case / "model.vtp"), "--xa", str(lower_case / "view_0.dcm"), "--frame",
                "2", "--mask", str(lower_case / "vessel_mask_0.png"), "--out", str(out)]

    return arguments


def test_simulate_refuses_half_a_ct(tmp_path, capsys):
    assert main(["simulate", "--seed", "1", "--ct", "ct.nii", "--out", str(tmp_path / "out")]) == 2
    assert "--model" in capsys.readouterr().err
    assert main(["simulate", "--seed", "-1", "--out", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()


def test_the_installed_command_is_main():
    commands = entry_points(group="console_scripts", name="vessel-registration")
    if not commands:
        pytest.skip("the package is not installed in this Python")
    assert [command.value for command in commands] == ["VesselRegistrationLib.cli.main:main"]
