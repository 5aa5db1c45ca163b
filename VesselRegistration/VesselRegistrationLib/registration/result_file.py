"""result.json: everything that was found, in a form that other programs read. Nothing in it names the patient."""

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from typing import Any

import numpy as np

from .. import __version__
from ..pose.confidence import PoseConfidence
from .result import RegistrationResult, ViewResult

SCHEMA_VERSION = 1
RESULT_FILE = "result.json"

_LIBRARIES = ("numpy", "scipy", "torch", "vtk", "pydicom", "scikit-image", "slicer-core")


def result_as_dict(result: RegistrationResult) -> dict[str, Any]:
    """The content of result.json. Matrices are lists of rows; see ``RegistrationResult`` for what they map."""
    return {
        "schema_version": SCHEMA_VERSION,
        "method": result.method,
        "status": result.status,
        "reason": result.reason,
        "model_to_world": _listed(result.model_to_world) if result.found else None,
        "start": _listed(result.start),
        "limits": None if result.limits is None else asdict(result.limits),
        "uncertainty": None if result.confidence is None else _confidence_as_dict(result.confidence),
        "roi": None if result.roi is None else list(result.roi),
        "views": [_view_as_dict(view, result.found) for view in result.views],
        "timings_s": {stage: round(seconds, 3) for stage, seconds in result.timings_s.items()},
        "software": software_versions(),
        "weights": weights_as_list(result.weights),
    }


def result_as_json(result: RegistrationResult) -> str:
    """The text of result.json."""
    return json.dumps(result_as_dict(result), indent=2, allow_nan=False) + "\n"


def software_versions() -> dict[str, str]:
    """Versions of this package, of Python and of the libraries that are installed as packages."""
    versions = {"vessel-registration": __version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            versions[library] = metadata.version(library)
        except metadata.PackageNotFoundError:  # inside Slicer some libraries are no packages
            continue
    return versions


def weights_as_list(weights: Mapping[str, str]) -> list[dict[str, str]]:
    """Networks and the SHA-256 of their weights as they stand in the files."""
    return [{"name": name, "sha256": sha256} for name, sha256 in weights.items()]


def instance_hash(sop_instance_uid: str) -> str | None:
    """What tells an X-ray again without naming it: SHA-256 of its SOP Instance UID, None where it has none."""
    return hashlib.sha256(sop_instance_uid.encode()).hexdigest() if sop_instance_uid else None


def _confidence_as_dict(confidence: PoseConfidence) -> dict[str, Any]:
    """Covariance of a small twist of the placed model: rotation vector in rad, then translation in mm, world axes."""
    return {
        "probability_within_2mm": confidence.probability_within_2mm,
        "mrpd_mm": confidence.mrpd_mm,
        "mrpd_interval_mm": list(confidence.mrpd_interval_mm),
        "covariance": _listed(confidence.covariance),
        "depth_sd_mm": confidence.depth_sd_mm,
        "depth_observable": confidence.depth_observable,
        "notes": list(confidence.notes),
    }


def _view_as_dict(view: ViewResult, found: bool) -> dict[str, Any]:
    geometry = view.view
    return {
        "file": view.frame.path.name,
        "instance_sha256": instance_hash(view.frame.sop_instance_uid),
        "frame": view.frame.frame_number,
        "primary_angle_deg": geometry.primary_angle_deg,
        "secondary_angle_deg": geometry.secondary_angle_deg,
        "sid_mm": geometry.sid_mm,
        "sod_mm": geometry.sod_mm,
        "rows": geometry.rows,
        "columns": geometry.columns,
        "row_spacing_mm": geometry.row_spacing_mm,
        "column_spacing_mm": geometry.column_spacing_mm,
        "table_shift_mm": list(geometry.table_shift_mm),
        "projection": _listed(view.projection) if found else None,
        "affine": _listed(view.affine) if found else None,
        "dice": view.overlap.dice,
        "precision": view.overlap.precision,
        "recall": view.overlap.recall,
        "mask_source": view.mask_source,
    }


def _listed(matrix: np.ndarray) -> list[Sequence[float]]:
    return np.asarray(matrix, dtype=float).tolist()
