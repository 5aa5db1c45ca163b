"""result.json of a followed run: a transform per frame. Nothing in it names the patient."""

from typing import Any

import numpy as np

from ..geometry.carm import CArmView
from ..pose.tracking import HELD, TRACKED, TrackedFrame
from .cine import CineResult
from .result_file import SCHEMA_VERSION, result_as_dict, software_versions, weights_as_list


def cine_as_dict(result: CineResult, file_name: str) -> dict[str, Any]:
    """The content of result.json. ``model_to_world`` is that of the frame in which the run was registered.

    Per frame: ``model_to_world`` (4x4) and ``projection`` (3x4, model RAS mm homogeneous to (col, row, 1)), ``status``
    tracked or held, and ``reason``.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "method": "track",
        "status": result.status,
        "reason": result.reason,
        "model_to_world": None if result.start is None else result.start.tolist(),
        "file": file_name,
        "start_frame": result.start_frame,
        "registration": None if result.registration is None else result_as_dict(result.registration),
        "tracked": sum(frame.status == TRACKED for frame in result.frames),
        "held": sum(frame.status == HELD for frame in result.frames),
        "frames": [_frame_as_dict(frame, result.views[frame.frame_number]) for frame in result.frames],
        "notes": list(result.notes),
        "timings_s": {stage: round(seconds, 3) for stage, seconds in result.timings_s.items()},
        "software": software_versions(),
        "weights": weights_as_list(result.weights),
    }


def _frame_as_dict(frame: TrackedFrame, view: CArmView) -> dict[str, Any]:
    return {
        "frame": frame.frame_number,
        "status": frame.status,
        "reason": frame.reason,
        "model_to_world": frame.model_to_world.tolist(),
        "projection": np.asarray(view.projection_matrix @ frame.model_to_world).tolist(),
        "primary_angle_deg": view.primary_angle_deg,
        "secondary_angle_deg": view.secondary_angle_deg,
        "table_shift_mm": list(view.table_shift_mm),
        "shift_mm": list(frame.shift_mm),
        "turn_deg": frame.turn_deg,
        "shift_sd_mm": frame.sd_mm,
        "mask_share": frame.quality.mask_share,
        "outline_explained": frame.quality.outline_explained,
    }
