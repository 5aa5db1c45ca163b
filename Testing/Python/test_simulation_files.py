"""Simulated XA files and cases read back as they were meant, and the bundled sample is whole."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread
from VesselRegistrationLib.dicom.reading import open_xa
from VesselRegistrationLib.errors import Cancelled, UserError
from VesselRegistrationLib.geometry.carm import CArmView
from VesselRegistrationLib.mesh.reading import read_model
from VesselRegistrationLib.projection.rasterizer import silhouette
from VesselRegistrationLib.simulation.anatomy import LOWER
from VesselRegistrationLib.simulation.case import CaseSettings, write_case
from VesselRegistrationLib.simulation.ct_case import CTVolume, ray_sums, read_ct, write_case_from_ct
from VesselRegistrationLib.simulation.streams import cached_anatomy
from VesselRegistrationLib.simulation.xa_writer import PixelStorage, RunLabels, write_xa

SAMPLE = Path(__file__).parents[2] / "VesselRegistration" / "Resources" / "SampleCase"
VIEW = CArmView(33.3, -17.25, 1087.5, 741.25, 48, 64, 3.1, 2.3)
SMALL = CaseSettings(frames=(3, 1), size=128)
RAMP = np.add.outer(np.linspace(0, 1.5, 48), np.linspace(0, 2.5, 64)).astype(np.float32)


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def mask_in(path: Path) -> np.ndarray:
    from PIL import Image

    return np.array(Image.open(path)) > 0


def assert_case_is_true(folder: Path, least_dice: float) -> None:
    """The model, projected as headers and truth say, lies on the vessel that the last frames show."""
    truth = json.loads((folder / "truth.json").read_text())
    model = read_model(folder / truth["model"])
    pose = np.array(truth["model_to_world"])
    for entry in truth["views"]:
        run = open_xa(folder / entry["file"])
        assert run.frame_count == entry["frames"]
        assert all(row.level == "ok" for row in run.sanity.rows)
        last = run.frame(entry["contrast_frame"])
        view = last.view()
        assert np.allclose(view.projection_matrix @ pose, entry["projection"], rtol=1e-9, atol=1e-6)
        shown = silhouette(model, view.projection_matrix @ pose, last.attenuation.shape)
        mask = mask_in(folder / entry["vessel_mask"])
        assert dice(shown, mask) > least_dice
        if run.frame_count > 2:  # what the bolus added between first and last frame is the vessel
            added = last.attenuation - run.frame(0).attenuation
            assert np.median(added[mask]) > 6 * np.abs(np.median(added[~shown]) + 1e-3)
            assert dice(added > 0.5 * np.median(added[mask]), shown) > 0.85


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("flip", [False, True])
def test_geometry_survives_the_file(tmp_path: Path, turn: int, flip: bool) -> None:
    view = replace(VIEW, image_rotation_deg=turn, horizontal_flip=flip)
    write_xa(tmp_path / "run.dcm", RAMP[None], [view], RunLabels(1))
    run = open_xa(tmp_path / "run.dcm")
    assert not [row for row in run.sanity.rows if row.level != "ok"]
    points = np.random.default_rng(0).normal(size=(50, 3)) * 60
    assert np.abs(run.frame(0).view().project(points)[0] - view.project(points)[0]).max() < 1e-3


def test_moving_positioner_and_table_survive_the_file(tmp_path: Path) -> None:
    moves = [(0.0, 0.0, 0.0), (5.0, -3.0, 8.0), (-7.5, 2.0, 20.0)]
    views = [replace(VIEW, primary_angle_deg=-20.0 + 4 * k, secondary_angle_deg=5.0 - k, table_shift_mm=moves[k])
             for k in range(3)]
    write_xa(tmp_path / "run.dcm", np.stack([RAMP] * 3), views, RunLabels(2))
    run = open_xa(tmp_path / "run.dcm")
    points = np.random.default_rng(0).normal(size=(50, 3)) * 60
    for k, view in enumerate(views):
        assert np.abs(run.frame(k).view().project(points)[0] - view.project(points)[0]).max() < 1e-3


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_attenuation_survives_the_file(tmp_path: Path, bits: int, compressed: bool) -> None:
    attenuation = np.stack([RAMP, RAMP[::-1]])
    for relationship in ("LIN", "LOG", "DISP"):
        write_xa(tmp_path / "run.dcm", attenuation, [VIEW], RunLabels(3),
                 storage=PixelStorage(relationship, bits, compressed))
        run = open_xa(tmp_path / "run.dcm")
        frames = np.stack([run.frame(k).attenuation for k in range(2)])
        if relationship == "LIN":  # the brightest 0.1 % saturate
            inside = attenuation > 0.1
            difference = frames - np.maximum(attenuation, frames[inside].min())
            assert np.abs(difference[inside]).max() < 0.05 + 60 / 2**bits
        else:
            order = np.argsort(attenuation.ravel())
            assert np.all(np.diff(frames.ravel()[order]) >= 0)
            if relationship == "LOG":
                assert np.corrcoef(frames.ravel(), attenuation.ravel())[0, 1] > 0.9999


def test_shutter_and_names(tmp_path: Path) -> None:
    usable = np.zeros((48, 64), dtype=bool)
    usable[5:40, 8:60] = True
    write_xa(tmp_path / "run.dcm", RAMP[None], [VIEW], RunLabels(4), usable)
    read = open_xa(tmp_path / "run.dcm").frame(0).usable
    assert not (read & ~usable).any()
    assert read[6:39, 9:59].all()  # reading may leave out one more pixel along the black border
    header = dcmread(tmp_path / "run.dcm")
    assert header.PatientName == "HybridOR^Simulated" and header.Modality == "XA"
    first = (tmp_path / "run.dcm").read_bytes()
    write_xa(tmp_path / "run.dcm", RAMP[None], [VIEW], RunLabels(4), usable)
    assert (tmp_path / "run.dcm").read_bytes() == first  # UIDs too follow from the seed
    assert [path.name for path in tmp_path.iterdir()] == ["run.dcm"]


@pytest.mark.parametrize(("frames", "views", "word"), [
    (2, [VIEW] * 3, "do not fit"), (1, [replace(VIEW, rows=50)], "another image size"),
    (1, [replace(VIEW, detector_rotation_deg=5.0)], "Classic XA"),
    (2, [VIEW, replace(VIEW, sid_mm=1000)], "Classic XA"),
    (1, [replace(VIEW, table_shift_mm=(1.0, 0, 0))], "first frame"),
])
def test_what_classic_xa_cannot_say_is_refused(tmp_path: Path, frames: int, views: list[CArmView], word: str) -> None:
    with pytest.raises(UserError, match=word):
        write_xa(tmp_path / "run.dcm", np.stack([RAMP] * frames), views, RunLabels(5))
    assert not list(tmp_path.iterdir())


def test_a_case_is_true_and_the_same_again(tmp_path: Path) -> None:
    geometry = write_case(tmp_path / "one", "lower", 3, SMALL)
    assert_case_is_true(tmp_path / "one", 0.95)
    beams = [view.beam_direction for view in geometry.views]
    assert np.degrees(np.arccos(beams[0] @ beams[1])) >= 35
    write_case(tmp_path / "two", "lower", 3, SMALL)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["model.vtp", "truth.json", "vessel_mask_0.png", "vessel_mask_1.png", "view_0.dcm", "view_1.dcm"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_a_case_of_the_test_domain_shows_the_vessel(tmp_path: Path) -> None:
    write_case(tmp_path / "case", "upper", 3, replace(SMALL, frames=(1,), appearance="test"))
    assert open_xa(tmp_path / "case" / "view_0.dcm").frame_count == 1
    assert mask_in(tmp_path / "case" / "vessel_mask_0.png").mean() > 0.02


def test_nothing_is_written_where_a_case_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep")
    with pytest.raises(UserError, match="not empty"):
        write_case(tmp_path / "full", "lower", 3, SMALL)
    with pytest.raises(UserError, match="appearance"):
        write_case(tmp_path / "new", "lower", 3, replace(SMALL, appearance="cartoon"))
    with pytest.raises(UserError, match="1, 2 or 3"):
        write_case(tmp_path / "new", "lower", 3, replace(SMALL, frames=(1, 1, 1, 1)))
    with pytest.raises(UserError, match="64 to 2048"):
        write_case(tmp_path / "new", "lower", 3, replace(SMALL, size=10))
    with pytest.raises(Cancelled):
        write_case(tmp_path / "new", "lower", 3, SMALL, should_stop=lambda: True)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def bone_ball_in_water(path: Path) -> Path:
    """A CT (HU) of 2 x 2 x 3 mm: a box of water 120 x 80 x 150 mm in air with a ball of 900 HU, oblique axes LPS."""
    k, j, i = np.indices((60, 50, 70))
    x, y, z = 2.0 * i - 70, 2.0 * j - 50, 3.0 * k - 90
    values = np.where((np.abs(x) < 60) & (np.abs(y) < 40) & (np.abs(z) < 75), 0, -1000)
    values[x**2 + y**2 + z**2 < 25**2] = 900
    image = sitk.GetImageFromArray(values.astype(np.int16))
    image.SetSpacing((2.0, 2.0, 3.0))
    image.SetOrigin((-70.0, -50.0, 110.0))  # the ball's centre is LPS (0, 0, 200)
    sitk.WriteImage(image, str(path))
    return path


def test_ray_sums_of_a_ball_in_water(tmp_path: Path) -> None:
    ct = read_ct(bone_ball_in_water(tmp_path / "ct.nii.gz"))
    view = CArmView(0.0, 0.0, 1000.0, 750.0, 65, 65, 3.0, 3.0)
    move = np.eye(4)
    move[:3, 3] = [0, 0, -200]
    image = ray_sums(ct, view.projection_matrix @ move, (65, 65))
    assert image[32, 32] == pytest.approx(0.02 * (80 + 0.9 * 50), rel=0.03)  # along A-P through the ball's centre
    assert image[32, 32 + 18] == pytest.approx(0.02 * 80, rel=0.03)  # 40 mm beside it
    assert image[1, 1] == pytest.approx(0.0, abs=0.02)


def test_a_case_from_ct_is_true(tmp_path: Path) -> None:
    ct = read_ct(bone_ball_in_water(tmp_path / "ct.nii.gz"))
    model = cached_anatomy(LOWER, 3).model
    inside = model.transformed(np.array([[0.3, 0, 0, 0], [0, 0.3, 0, 0], [0, 0, 0.3, 0], [0, 0, 0, 1.0]]))
    move = np.eye(4)
    move[:3, 3] = np.array([0, 0, 200]) - inside.centre
    inside = inside.transformed(move)
    write_case_from_ct(tmp_path / "case", ct, inside, 0, SMALL)
    truth = json.loads((tmp_path / "case" / "truth.json").read_text())
    run = open_xa(tmp_path / "case" / "view_0.dcm")
    first, last = run.frame(0), run.frame(2)
    shown = silhouette(inside, last.view().projection_matrix @ np.array(truth["model_to_world"]), (128, 128))
    assert dice(shown, mask_in(tmp_path / "case" / "vessel_mask_0.png")) > 0.98
    added = last.attenuation - first.attenuation
    assert added[shown].mean() > 5 * np.abs(added[~shown].mean())
    with pytest.raises(UserError, match="outside"):
        write_case_from_ct(tmp_path / "other", CTVolume(ct.values, ct.ras_to_index), model, 0, SMALL)
    assert not (tmp_path / "other").exists()


def test_what_is_no_ct_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.nii").write_text("no volume")
    sitk.WriteImage(sitk.Image(20, 20, 20, sitk.sitkInt16), str(tmp_path / "flat.nii"))
    for name, word in (("text.nii", "cannot be read"), ("flat.nii", "Hounsfield"), ("absent.nii", "cannot be read")):
        with pytest.raises(UserError, match=word):
            read_ct(tmp_path / name)


def test_bundled_sample_is_small_and_true() -> None:
    files = [path for path in SAMPLE.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 3_000_000
    assert_case_is_true(SAMPLE, 0.95)
    truth = json.loads((SAMPLE / "truth.json").read_text())
    assert len(truth["views"]) == 2 and truth["views"][0]["frames"] >= 8
    run = open_xa(SAMPLE / truth["views"][0]["file"])
    assert run.shape == (512, 512)
    assert run.strongest_contrast_frame() >= truth["views"][0]["frames"] // 2  # filled, not on the way there
