"""Where a registration begins and how far it may go: a pose, landmarks, limits, or all of an earlier run."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from ..dicom.frame import XAFrame
    from ..geometry.carm import CArmView
    from ..pose.rigid import PosePrior

_GEOMETRY = {"primary": "primary_angle_deg", "secondary": "secondary_angle_deg", "sid": "sid_mm", "sod": "sod_mm"}


def add_start_options(parser: argparse.ArgumentParser) -> None:
    """Start, limits and replay."""
    group = parser.add_argument_group("start and limits (method pose)")
    start = group.add_mutually_exclusive_group()
    start.add_argument("--init", type=Path, metavar="FILE",
                       help="begin at this pose: result.json of an earlier run, text 4x4 (RAS), .tfm or .h5 transform")
    start.add_argument("--landmarks", type=Path, metavar="FILE",
                       help="begin at the pose that brings these 3D points of the model to these pixels (JSON)")
    start.add_argument("--replay", type=Path, metavar="RESULT",
                       help="repeat an earlier run from its folder or result.json: same frames, geometry, masks, "
                            "region, start, limits and method")
    group.add_argument("--init-xa", type=Path, metavar="FILE",
                       help="the X-ray in which the pose of --init (a result.json) was found: the table's moves since "
                            "are taken from the headers, and the pose is refined from there with its uncertainty")
    group.add_argument("--limit-rotation", type=float, metavar="DEG",
                       help="stay within about this rotation of the start, and do not search the whole image")
    group.add_argument("--limit-shift", type=float, metavar="MM",
                       help="stay within about this shift of the start, and do not search the whole image")


def start_of(options: argparse.Namespace, views: "Sequence[CArmView]") -> "tuple[np.ndarray | None, PosePrior | None]":
    """The start pose (4, 4) and the limits that the options name, None where they name none."""
    from ..pose.rigid import PosePrior

    limits = None
    if options.init_xa is not None:
        return _carried(options)
    if options.limit_rotation is not None or options.limit_shift is not None:
        given = {"rotation_deg": options.limit_rotation, "in_plane_mm": options.limit_shift,
                 "depth_mm": options.limit_shift}
        if any(value is not None and not value > 0 for value in given.values()):
            raise UserError("A limit must be larger than 0: give --limit-rotation in degrees, --limit-shift in mm.")
        limits = PosePrior(**{name: value for name, value in given.items() if value is not None})
    if options.landmarks is not None:
        from ..pose.landmark_file import read_landmarks
        from ..pose.landmarks import pose_from_landmarks

        return pose_from_landmarks(read_landmarks(options.landmarks, views), views).model_to_world, limits
    if options.init is not None:
        from ..pose.pose_file import read_initial_pose

        return read_initial_pose(options.init), limits
    if options.replay is not None:
        import numpy as np

        recorded = _recorded(options.replay)
        past = recorded["limits"]
        return np.array(recorded["start"], dtype=float), _recorded_limits(past)
    return None, limits


def frames_in_reference(options: argparse.Namespace, frames: "list[XAFrame]") -> "tuple[list[XAFrame], Sequence[str]]":
    """Frames in the frame of reference of the first one, or of ``--init-xa``, and what had to be taken on trust.

    Raises UserError where the headers contradict each other.
    """
    from ..pose.table import read_reference, same_reference

    if options.replay is not None:
        shifts = [view["table_shift_mm"] for view in _recorded(options.replay)["views"]]
        return [replace(frame, geometry=replace(frame.geometry, table_shift_mm=tuple(shift)))
                for frame, shift in zip(frames, shifts, strict=True)], ()
    earlier = None if options.init_xa is None else read_reference(options.init_xa)
    shared = same_reference(frames, [read_reference(frame.path) for frame in frames], earlier)
    return list(shared.frames), shared.notes


def _carried(options: argparse.Namespace) -> "tuple[np.ndarray, PosePrior]":
    """Pose and uncertainty of an earlier result."""
    import numpy as np

    from ..pose.pose_file import read_initial_pose
    from ..pose.table import carried_prior

    if options.init is None or options.limit_rotation is not None or options.limit_shift is not None:
        raise UserError("--init-xa goes with --init and without limits: give the result.json of the earlier X-ray.")
    pose = read_initial_pose(options.init)
    try:
        uncertainty = json.loads(options.init.read_text(encoding="utf-8"))["uncertainty"]
        covariance = np.array(uncertainty["covariance"], dtype=float).reshape(6, 6)
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{options.init} does not say how certain its pose is: give the result.json of a registration "
                        "with the method pose, or leave --init-xa out.") from None
    return pose, carried_prior(covariance)


def _recorded_limits(past: dict[str, Any] | None) -> "PosePrior | None":
    from ..pose.rigid import PosePrior
    from ..pose.table import CarriedPrior

    if past is None:
        return None
    return CarriedPrior(**past) if "information" in past else PosePrior(**past)


def apply_replay(options: argparse.Namespace) -> None:
    """Set frames, geometry, masks, region and method to those of the run to repeat, where there is one."""
    if options.replay is None:
        return
    recorded = _recorded(options.replay)
    views = recorded["views"]
    if len(views) != len(options.xa):
        raise UserError(f"The run to repeat had {len(views)} X-rays and {len(options.xa)} are given: give the same "
                        "ones, in the same order.")
    folder = _result_file(options.replay).parent
    options.frame = [view["frame"] for view in views]
    for option, entry in _GEOMETRY.items():
        setattr(options, option, [view[entry] for view in views])
    # Spacing that differs between rows and columns can only have come from the header.
    options.pixel_spacing = [view["row_spacing_mm"] if view["row_spacing_mm"] == view["column_spacing_mm"] else None
                             for view in views]
    options.mask = [folder / f"mask_{number}.png" for number in range(len(views))]
    options.method = recorded["method"]
    options.roi = None if recorded["roi"] is None else tuple(recorded["roi"])


def _result_file(path: Path) -> Path:
    return path / "result.json" if path.is_dir() else path


def _recorded(path: Path) -> dict[str, Any]:
    try:
        recorded = json.loads(_result_file(path).read_text(encoding="utf-8"))
        complete = {"views", "start", "limits", "method", "roi"} <= recorded.keys()
    except (OSError, ValueError, AttributeError):
        complete = False
    if not complete:
        raise UserError(f"{path} is no result of a registration: give the folder or the result.json of an earlier run.")
    return recorded
