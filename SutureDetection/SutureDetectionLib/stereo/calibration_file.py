"""Stereo calibrations as OpenCV's FileStorage writes them (YAML text): reading with checks, and writing."""

import os
import re
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation
from VesselRegistrationLib.errors import UserError

from .camera import Camera, StereoCalibration

_NAMES = {  # what the common calibration programs call the same thing
    "K1": ("K1", "M1", "cameraMatrix1", "camera_matrix_1", "left_camera_matrix", "KL"),
    "K2": ("K2", "M2", "cameraMatrix2", "camera_matrix_2", "right_camera_matrix", "KR"),
    "D1": ("D1", "distCoeffs1", "dist_coeffs_1", "left_distortion", "DL"),
    "D2": ("D2", "distCoeffs2", "dist_coeffs_2", "right_distortion", "DR"),
    "R": ("R", "rotation"), "T": ("T", "translation"), "P1": ("P1",), "P2": ("P2",),
}
_WIDTHS, _HEIGHTS = ("image_width", "imageWidth", "width"), ("image_height", "imageHeight", "height")
_SIZES = ("imageSize", "image_size", "size")
_MATRIX = re.compile(
    r"^[ \t]*(\w+)[ \t]*:[ \t]*!!opencv-matrix\s+rows:\s*(\d+)\s+cols:\s*(\d+)\s+"
    r"dt:\s*\"?\w+\"?\s+data:\s*\[([^\]]*)\]",
    re.MULTILINE)
_NUMBER = re.compile(r"^(\w+)[ \t]*:[ \t]*([-+.\deE]+)[ \t]*$", re.MULTILINE)
_LIST = re.compile(r"^(\w+)[ \t]*:[ \t]*\[([^\]]*)\]", re.MULTILINE)
_BASELINES_MM = (0.5, 60.0)
_FOCAL_SHARES = (0.3, 6.0)  # focal length over image width


def read_calibration(path: Path | str, size: tuple[int, int]) -> StereoCalibration:
    """The calibration in a YAML file of OpenCV, for eyes of ``size`` = (rows, columns).

    Either K1, K2, R, T with D1, D2 (pictures as recorded), or P1 and P2 alone (rectified pictures); T or P2 in mm. A
    file with both is read as the former. Raises UserError where the file is unreadable, incomplete, no calibration of
    two eyes side by side, or does not fit ``size``.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The calibration {path.name} cannot be read as text: give the YAML file that OpenCV wrote."
                        ) from error
    matrices = _matrices(text, path.name)
    calibration = _recorded(matrices, size, path.name) if "K1" in matrices else _rectified(matrices, size, path.name)
    _check(calibration, _declared_size(text, matrices), path.name)
    return calibration


def write_calibration(path: Path | str, calibration: StereoCalibration) -> None:
    """Write the calibration so that OpenCV's FileStorage and :func:`read_calibration` read it; T in mm."""
    path = Path(path)
    rows, columns = calibration.size
    parts = [f"%YAML:1.0\n---\nimage_width: {columns}\nimage_height: {rows}\n"]
    for name, values in (("K1", calibration.left.matrix), ("D1", calibration.left.distortion[None]),
                         ("K2", calibration.right.matrix), ("D2", calibration.right.distortion[None]),
                         ("R", calibration.rotation), ("T", calibration.translation[:, None])):
        data = ", ".join(repr(float(value)) for value in values.ravel())
        parts.append(f"{name}: !!opencv-matrix\n   rows: {values.shape[0]}\n   cols: {values.shape[1]}\n   dt: d\n"
                     f"   data: [ {data} ]\n")
    temporary = path.with_name(path.name + ".part")
    temporary.write_text("".join(parts), encoding="utf-8")
    os.replace(temporary, path)


def _matrices(text: str, name: str) -> dict[str, np.ndarray]:
    """The matrices under their first name in ``_NAMES``; others under their own."""
    known = {alias: key for key, aliases in _NAMES.items() for alias in aliases}
    found = {}
    for key, rows, columns, data in _MATRIX.findall(text):
        try:
            values = np.array([_number(part) for part in data.split(",") if part.strip()])
            found[known.get(key, key)] = values.reshape(int(rows), int(columns))
        except ValueError as error:
            raise UserError(f"The matrix {key} in {name} is damaged: write the calibration again.") from error
    for key, values in found.items():
        if not np.isfinite(values).all():
            raise UserError(f"The matrix {key} in {name} holds numbers that are not finite: calibrate again.")
    return found


def _number(text: str) -> float:
    """A number as OpenCV writes it: .Nan and .Inf begin with a point."""
    text = text.strip().lower()
    return float(text.replace(".nan", "nan").replace(".inf", "inf"))


def _recorded(found: dict[str, np.ndarray], size: tuple[int, int], name: str) -> StereoCalibration:
    missing = [key for key in ("K1", "K2", "R", "T") if key not in found]
    if missing:
        raise UserError(f"The calibration {name} lacks {', '.join(missing)}: give K1, D1, K2, D2, R and T.")
    for key, shape in (("K1", (3, 3)), ("K2", (3, 3))):
        if found[key].shape != shape:
            raise UserError(f"{key} in {name} must be a 3 x 3 matrix: write the calibration again.")
    rotation, translation = found["R"], found["T"].ravel()
    if rotation.size == 3:
        rotation = Rotation.from_rotvec(rotation.ravel()).as_matrix()
    if rotation.shape != (3, 3) or translation.shape != (3,):
        raise UserError(f"R and T in {name} must be a 3 x 3 matrix and 3 numbers: write the calibration again.")
    lenses = [Camera(found[f"K{eye}"], _distortion(found.get(f"D{eye}"), f"D{eye}", name)) for eye in (1, 2)]
    return StereoCalibration(lenses[0], lenses[1], rotation, translation, size)


def _distortion(values: np.ndarray | None, key: str, name: str) -> np.ndarray:
    flat = np.zeros(5) if values is None else values.ravel()
    if len(flat) not in (4, 5) and (len(flat) < 5 or np.any(flat[5:])):
        raise UserError(f"{key} in {name} uses a lens model with {len(flat)} coefficients: calibrate with 4 or 5 "
                        "(k1, k2, p1, p2, k3).")
    return np.concatenate([flat, np.zeros(5)])[:5]


def _rectified(found: dict[str, np.ndarray], size: tuple[int, int], name: str) -> StereoCalibration:
    if "P1" not in found or "P2" not in found:
        raise UserError(f"{name} holds no stereo calibration: it needs K1, D1, K2, D2, R, T or P1, P2 as OpenCV "
                        "writes them to YAML.")
    if found["P1"].shape != (3, 4) or found["P2"].shape != (3, 4):
        raise UserError(f"P1 and P2 in {name} must be 3 x 4 matrices: write the calibration again.")
    matrices = [found[key][:, :3] for key in ("P1", "P2")]
    if any(abs(np.linalg.det(matrix)) < 1e-9 for matrix in matrices):
        raise UserError(f"P1 or P2 in {name} is no camera: calibrate again.")
    places = [np.linalg.solve(matrix, found[key][:, 3]) for matrix, key in zip(matrices, ("P1", "P2"), strict=True)]
    cameras = [Camera(matrix, np.zeros(5)) for matrix in matrices]
    return StereoCalibration(cameras[0], cameras[1], np.eye(3), places[1] - places[0], size)


def _declared_size(text: str, found: dict[str, np.ndarray]) -> tuple[int, int] | None:
    """(rows, columns) that the file itself names."""
    numbers = dict(_NUMBER.findall(text))
    width = next((numbers[key] for key in _WIDTHS if key in numbers), None)
    height = next((numbers[key] for key in _HEIGHTS if key in numbers), None)
    if width is not None and height is not None:
        return int(float(height)), int(float(width))
    lists = {key: values.split(",") for key, values in _LIST.findall(text)}
    for key in _SIZES:
        pair: list[float] = []
        if key in lists:
            pair = [float(part) for part in lists[key]]
        elif key in found:
            pair = found[key].ravel().tolist()
        if len(pair) == 2:
            return int(pair[1]), int(pair[0])
    return None


def _check(calibration: StereoCalibration, declared: tuple[int, int] | None, name: str) -> None:
    rows, columns = calibration.size
    if declared is not None and declared != (rows, columns):
        raise UserError(f"{name} was made for pictures of {declared[1]} x {declared[0]} pixels, but one eye here has "
                        f"{columns} x {rows}: give the calibration of these pictures.")
    for eye, camera in (("left", calibration.left), ("right", calibration.right)):
        matrix = camera.matrix
        centre = matrix[:2, 2] / [columns, rows]
        plain = np.allclose(matrix[2], [0, 0, 1]) and abs(matrix[1, 0]) < 1e-6 and min(matrix[0, 0], matrix[1, 1]) > 0
        if not plain:
            raise UserError(f"The {eye} camera matrix in {name} is none: calibrate again.")
        if np.any(centre < 0.2) or np.any(centre > 0.8) or not (
                _FOCAL_SHARES[0] * columns < camera.focal_px < _FOCAL_SHARES[1] * columns):
            raise UserError(f"The {eye} camera in {name} does not fit pictures of {columns} x {rows} pixels (its "
                            f"middle is at {matrix[0, 2]:.0f}, {matrix[1, 2]:.0f}): give the calibration of one eye's "
                            "picture at this size.")
    rotation = calibration.rotation
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3) or np.linalg.det(rotation) < 0:
        raise UserError(f"R in {name} is no rotation: calibrate again.")
    if not _BASELINES_MM[0] <= calibration.baseline_mm <= _BASELINES_MM[1]:
        raise UserError(f"The eyes in {name} stand {calibration.baseline_mm:.3g} apart, which cannot be mm of a stereo "
                        "endoscope: give T in mm.")
