"""vessel-registration advise-view: which second view will shrink the error most."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .inputs import frames_of, model_of, runs_of
from .options import add_model_options, add_output_folder, add_xray_options, new_command
from .progress_bar import progress_bar

if TYPE_CHECKING:
    from ..pose.advise import ExpectedError, ViewAdvice
    from .options import Commands

_SHOWN = 5


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "advise-view", "Before a second exposure: rank second views by the error to expect "
                         "once both views are registered together.", run)
    add_model_options(parser)
    add_xray_options(parser)
    parser.add_argument("--init", type=Path, metavar="FILE",
                        help="pose found in the first view: result.json, text 4x4 (RAS), .tfm or .h5 transform "
                             "(default: the model's middle at the isocentre)")
    group = parser.add_argument_group("where the C-arm can go")
    group.add_argument("--primary-limits", type=float, nargs=2, default=(-60.0, 60.0), metavar=("RAO", "LAO"),
                       help="range of the primary angle, deg, LAO positive (default -60 60)")
    group.add_argument("--secondary-limits", type=float, nargs=2, default=(-30.0, 30.0), metavar=("CAU", "CRA"),
                       help="range of the secondary angle, deg, cranial positive (default -30 30)")
    group.add_argument("--step", type=float, default=10.0, metavar="DEG", help="step of the grid (default 10)")
    add_output_folder(parser, required=False)


def run(options: argparse.Namespace) -> None:
    """Read, rank, print, write."""
    from ..pose.advise import GantryLimits, advise_view
    from ..pose.pose_file import read_initial_pose
    from ..pose.solver import PoseModel
    from ..progress import part_of
    from ..registration.pipeline import initial_pose
    from ..rendering.files import save_json
    from ..rendering.new_folder import check_new_folder, new_folder

    if options.out is not None:
        check_new_folder(options.out)
    limits = GantryLimits(tuple(options.primary_limits), tuple(options.secondary_limits), options.step)
    with progress_bar() as progress:
        progress(0.0, "reading")
        if not options.frame:
            options.frame = [0]  # the geometry counts, not the contrast
        [frame] = frames_of(options, runs_of(options))
        model = model_of(options)
        pose = initial_pose(model) if options.init is None else read_initial_pose(options.init)
        advice = advise_view(PoseModel(model), frame.view(), pose, limits, progress=part_of(progress, 0.1, 1.0))
    print(advice.sentence)
    print(f"  first view alone: {_words(advice.first)}")
    for candidate in advice.candidates[:_SHOWN]:
        print(f"  with {candidate.view.clinical_angles}: {_words(candidate)}")
    if options.out is not None:
        with new_folder(options.out) as folder:
            save_json(folder / "advice.json", _advice_as_dict(advice, frame.path.name))
        print(f"Written to {options.out}")


def _words(expected: "ExpectedError") -> str:
    return (f"{expected.mtre_mm:.1f} mm expected, {expected.mtre_p95_mm:.1f} mm in the worst of 20, depth "
            f"{expected.depth_sd_mm:.1f} mm")


def _advice_as_dict(advice: "ViewAdvice", file_name: str) -> dict[str, object]:
    recommended = advice.recommended
    return {"schema_version": 1, "file": file_name, "sentence": advice.sentence, "first": _as_dict(advice.first),
            "recommended": None if recommended is None else _as_dict(recommended),
            "candidates": [_as_dict(candidate) for candidate in advice.candidates]}


def _as_dict(expected: "ExpectedError") -> dict[str, float]:
    return {"primary_angle_deg": expected.view.primary_angle_deg,
            "secondary_angle_deg": expected.view.secondary_angle_deg, "expected_mtre_mm": expected.mtre_mm,
            "mtre_p95_mm": expected.mtre_p95_mm, "depth_sd_mm": expected.depth_sd_mm}
