"""Shutters, collimators and black borders: which pixels show the patient."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from VesselRegistrationLib.dicom.reading import XARun, open_xa
from VesselRegistrationLib.errors import UserError
from xa_files import write_xa

ROWS, COLUMNS = 40, 60


def opened(folder: Path, levels: np.ndarray | None = None, **elements: Any) -> XARun:
    """A run of one grey picture."""
    levels = np.full((ROWS, COLUMNS), 150, np.uint8) if levels is None else levels
    return open_xa(write_xa(folder / "a.dcm", levels, **elements))


def rectangle(kind: str, left: int, right: int, upper: int, lower: int) -> dict[str, Any]:
    """A rectangular shutter or collimator, in pixels counted from 1."""
    return {f"{kind}Shape": "RECTANGULAR", f"{kind}LeftVerticalEdge": left, f"{kind}RightVerticalEdge": right,
            f"{kind}UpperHorizontalEdge": upper, f"{kind}LowerHorizontalEdge": lower}


@pytest.mark.parametrize("kind", ["Shutter", "Collimator"])
def test_rectangle(tmp_path: Path, kind: str) -> None:
    usable = opened(tmp_path, **rectangle(kind, 5, 50, 3, 38)).frame(0).usable
    expected = np.zeros((ROWS, COLUMNS), bool)
    expected[2:38, 4:50] = True
    np.testing.assert_array_equal(usable, expected)
    assert not usable.flags.writeable


def test_edges_outside_the_image_hide_nothing(tmp_path: Path) -> None:
    assert opened(tmp_path, **rectangle("Shutter", -10, 200, 0, 41)).frame(0).usable.all()


def test_shutter_and_collimator_together(tmp_path: Path) -> None:
    both = {**rectangle("Shutter", 5, 60, 1, 40), **rectangle("Collimator", 1, 60, 1, 30)}
    assert opened(tmp_path, **both).frame(0).usable.sum() == 56 * 30


@pytest.mark.parametrize("kind", ["Shutter", "Collimator"])
def test_circle(tmp_path: Path, kind: str) -> None:
    usable = opened(tmp_path, **{f"{kind}Shape": "CIRCULAR", f"CenterOfCircular{kind}": [20, 35],
                                 f"RadiusOfCircular{kind}": 15}).frame(0).usable
    assert usable[19, 34] and usable[4, 34] and not usable[3, 34]  # 15 rows above the centre and no more
    assert usable[19, 49] and not usable[19, 50] and usable[19, 19] and not usable[19, 18]
    assert usable.sum() == pytest.approx(np.pi * 15 ** 2, rel=0.02)


@pytest.mark.parametrize("kind", ["Shutter", "Collimator"])
def test_polygon(tmp_path: Path, kind: str) -> None:
    # A triangle given as row\\column pairs: upper left, lower left, lower right corner.
    usable = opened(tmp_path, **{f"{kind}Shape": "POLYGONAL",
                                 f"VerticesOfThePolygonal{kind}": [1, 1, 40, 1, 40, 60]}).frame(0).usable
    assert usable[38, 2] and usable[38, 50] and not usable[1, 50]
    assert usable.mean() == pytest.approx(0.5, abs=0.02)


def test_two_shapes_leave_open_what_both_leave_open(tmp_path: Path) -> None:
    both = {**rectangle("Shutter", 1, 60, 1, 20), "CenterOfCircularShutter": [20, 30], "RadiusOfCircularShutter": 18,
            "ShutterShape": ["RECTANGULAR", "CIRCULAR"]}
    usable = opened(tmp_path, **both).frame(0).usable
    assert usable[10, 29] and not usable[25, 29] and not usable[10, 2]


def test_a_bitmap_shutter_is_refused_in_words(tmp_path: Path) -> None:
    run = opened(tmp_path, ShutterShape="BITMAP")
    assert run.frame(0).usable.all()
    assert any(row.level == "amber" and "BITMAP" in row.says for row in run.sanity.rows)


@pytest.mark.parametrize("elements", [
    {"ShutterShape": "RECTANGULAR", "ShutterLeftVerticalEdge": 4},
    {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [20, 20]},
    {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1, 1, 30, 30]},
    rectangle("Collimator", 50, 10, 1, 40),
])
def test_shutters_that_make_no_sense_are_refused(tmp_path: Path, elements: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"damaged|whole image"):
        opened(tmp_path, **elements)


def bordered(black: int, grey: int) -> np.ndarray:
    """A round picture on a black frame, with a black vessel that touches nothing."""
    row, column = np.ogrid[:200, :240]
    levels = np.where((row - 100) ** 2 + (column - 120) ** 2 < 95 ** 2, grey, black).astype(np.uint8)
    levels[80:120, 110:130] = black
    return levels


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
def test_a_black_frame_in_the_picture_is_left_out(tmp_path: Path, photometric: str) -> None:
    black, grey = (0, 170) if photometric == "MONOCHROME2" else (255, 85)
    run = opened(tmp_path, bordered(black, grey), PhotometricInterpretation=photometric)
    usable = run.frame(0).usable
    assert not usable[0, 0] and not usable[199, 120] and not usable[100, 10]
    assert usable[100, 120] and usable[100, 60]
    assert any(row.item == "Black border" and row.level == "amber" for row in run.sanity.rows)


def test_dark_anatomy_is_not_a_border(tmp_path: Path) -> None:
    levels = np.full((200, 240), 170, np.uint8)
    levels[100:, 90:130] = 0  # a vessel that leaves the picture at its lower edge
    levels[:60, :50] = 12  # a dense corner, but not without X-rays
    run = opened(tmp_path, levels)
    assert run.frame(0).usable.all()
    assert not any(row.item == "Black border" for row in run.sanity.rows)
    assert opened(tmp_path, np.zeros((20, 20), np.uint8)).frame(0).usable.all()
