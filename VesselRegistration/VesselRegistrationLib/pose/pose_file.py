"""Reading a pose to start from: an earlier result, a plain matrix, or a transform file of ITK or Slicer."""

import json
from pathlib import Path

import numpy as np

from ..errors import UserError

_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_TRANSFORM_ENDINGS = (".tfm", ".h5", ".hdf5", ".mat", ".xfm")
_ROUNDING = 2e-3
_PROBES_MM = np.vstack([np.zeros(3), 100.0 * np.eye(3), [[70.0, -130.0, 210.0], [-160.0, 90.0, -40.0]]])


def read_initial_pose(path: Path | str) -> np.ndarray:
    """The pose (4, 4), model RAS mm to world mm, of a file.

    ``result.json`` of an earlier run: its ``model_to_world``. Text: 16 numbers in rows, RAS. Transform files of ITK
    (.tfm, .h5): as Slicer writes them, they hold the way from the world back to the model in LPS; the pose is the
    inverse in RAS. Raises UserError where the file cannot be read or its matrix is not rigid.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"The pose file {path.name} does not exist: give a result.json, a 4x4 text or a transform.")
    if path.suffix.lower() in _TRANSFORM_ENDINGS:
        return _rigid(_from_transform(path), path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as problem:
        raise UserError(f"{path.name} is not a pose file: give a result.json, a 4x4 text or a .tfm or .h5 "
                        "transform.") from problem
    if text.lstrip().startswith("#Insight Transform File"):
        return _rigid(_from_transform(path), path)
    if text.lstrip().startswith("{"):
        return _rigid(_from_result(text, path), path)
    return _rigid(_from_text(text, path), path)


def _from_result(text: str, path: Path) -> np.ndarray:
    try:
        matrix = json.loads(text).get("model_to_world")
    except json.JSONDecodeError as problem:
        raise UserError(f"{path.name} is not valid JSON (line {problem.lineno}): give the result.json of an earlier "
                        "run.") from problem
    if matrix is None:
        raise UserError(f"{path.name} holds no model_to_world: give the result.json of a registration that was not "
                        "rejected.")
    try:
        return np.array(matrix, dtype=float).reshape(4, 4)
    except (TypeError, ValueError) as problem:
        raise UserError(f"The model_to_world in {path.name} is not a 4x4 matrix: give an unchanged result.json.") \
            from problem


def _from_text(text: str, path: Path) -> np.ndarray:
    try:
        values = [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        values = []
    if len(values) != 16:
        raise UserError(f"{path.name} is not a pose: a text file has to hold the 16 numbers of a 4x4 matrix in rows.")
    return np.array(values).reshape(4, 4)


def _from_transform(path: Path) -> np.ndarray:
    import SimpleITK as sitk

    try:
        transform = sitk.ReadTransform(str(path))
    except RuntimeError as problem:
        raise UserError(f"The transform {path.name} cannot be read: save it again as a linear transform.") from problem
    if transform.GetDimension() != 3:
        raise UserError(f"The transform {path.name} is not of three dimensions: give a rigid 3D transform.")
    images = np.array([transform.TransformPoint(probe.tolist()) for probe in _PROBES_MM])
    matrix = np.eye(4)
    matrix[:3, :3] = (images[1:4] - images[0]).T / 100.0
    matrix[:3, 3] = images[0]
    if not np.allclose(images, _PROBES_MM @ matrix[:3, :3].T + matrix[:3, 3], atol=1e-3):
        raise UserError(f"The transform {path.name} bends space: give a rigid one.")
    if abs(np.linalg.det(matrix)) < 1e-6:
        raise UserError(f"The transform {path.name} cannot be inverted: give a rigid one.")
    return _LPS @ np.linalg.inv(matrix) @ _LPS


def _rigid(matrix: np.ndarray, path: Path) -> np.ndarray:
    """The matrix freed of rounding. Raises UserError where it scales, shears, mirrors or holds no numbers."""
    turn = matrix[:3, :3]
    rigid = (np.all(np.isfinite(matrix)) and np.allclose(turn @ turn.T, np.eye(3), atol=_ROUNDING)
             and np.linalg.det(turn) > 0 and np.allclose(matrix[3], [0, 0, 0, 1], atol=1e-6))
    if not rigid:
        raise UserError(f"The matrix in {path.name} is not a rigid motion: give one that only turns and moves, in mm.")
    left, _, right = np.linalg.svd(turn)
    pose = np.eye(4)
    pose[:3, :3] = left @ right
    pose[:3, 3] = matrix[:3, 3]
    return pose
