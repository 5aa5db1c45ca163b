"""What a registration found, kept with its transform in the scene: the content of result.json, and those before it."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer

from ..mesh.surface import SurfaceModel
from ..pose.expected import mtre_interval_mm
from ..pose.rigid import move_points
from ..registration.result import RegistrationResult
from ..registration.result_file import result_as_dict
from .resultBridge import RESULT_PREFIX

HISTORY = RESULT_PREFIX + "history"
LONGEST_HISTORY = 20


def recordOf(result: RegistrationResult, model: SurfaceModel) -> dict[str, Any]:
    """The content of result.json of a found pose, with the error in space to expect where the method knows it."""
    record = result_as_dict(result)
    if result.confidence is not None:
        placed = move_points(result.model_to_world, model.vertices)
        record["mtre_interval_mm"] = list(mtre_interval_mm(result.confidence.covariance, placed))
    return record


def keepRecord(transformNode: slicer.vtkMRMLLinearTransformNode, record: dict[str, Any]) -> None:
    """Note a result on its transform; the one before it can be brought back."""
    _write(transformNode, [*_records(transformNode), record][-LONGEST_HISTORY:])


def currentRecord(transformNode: slicer.vtkMRMLLinearTransformNode | None) -> dict[str, Any] | None:
    """The result that a transform shows, None where it holds none."""
    records = [] if transformNode is None else _records(transformNode)
    return records[-1] if records else None


def previousRecord(transformNode: slicer.vtkMRMLLinearTransformNode) -> dict[str, Any] | None:
    """The result before the present one, None where there is none."""
    records = _records(transformNode)
    return records[-2] if len(records) > 1 else None


def dropRecord(transformNode: slicer.vtkMRMLLinearTransformNode) -> None:
    """Forget the present result; the one before it is the present one now."""
    _write(transformNode, _records(transformNode)[:-1])


def dropRecords(transformNode: slicer.vtkMRMLLinearTransformNode) -> None:
    """Forget all results."""
    _write(transformNode, [])


def poseIn(record: dict[str, Any]) -> np.ndarray:
    """The 4x4 pose of a record, model RAS mm to world mm."""
    return np.array(record["model_to_world"], dtype=float)


def _records(transformNode: slicer.vtkMRMLLinearTransformNode) -> list[dict[str, Any]]:
    return json.loads(transformNode.GetAttribute(HISTORY) or "[]")


def _write(transformNode: slicer.vtkMRMLLinearTransformNode, records: Sequence[dict[str, Any]]) -> None:
    transformNode.SetAttribute(HISTORY, json.dumps(list(records)))
