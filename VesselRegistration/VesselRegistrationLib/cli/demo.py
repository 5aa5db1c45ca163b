"""vessel-registration demo: the main job on the sample case that comes with the extension, compared with its truth."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..resources import resource_directory
from .options import add_device_option, add_output_folder, new_command
from .progress_bar import progress_bar
from .summary import print_summary

if TYPE_CHECKING:
    from ..mesh.surface import SurfaceModel
    from ..registration.result import RegistrationResult
    from .options import Commands

DEFAULT_FOLDER = "hybridor-demo"
COMPARISON_FILE = "truth_comparison.json"

_POINTS = 2000


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "demo", "Register the simulated sample case that comes with the extension, and "
                         "compare the result with the truth.", run)
    add_device_option(parser)
    add_output_folder(parser, required=False)


def run(options: argparse.Namespace) -> None:
    """Register the sample, write, and print a summary."""
    from ..dicom.reading import open_xa
    from ..mesh.reading import read_model
    from ..progress import part_of
    from ..registration.pipeline import RegistrationRequest, register
    from ..registration.timing import StageClock
    from ..rendering.files import write_result
    from ..rendering.new_folder import check_new_folder, free_folder

    out = options.out or free_folder(DEFAULT_FOLDER)
    check_new_folder(out)
    sample = resource_directory() / "SampleCase"
    truth = _read_truth(sample / "truth.json")
    clock = StageClock()
    with progress_bar() as progress:
        with clock.stage("reading"):
            progress(0.0, "reading")
            model = read_model(sample / truth["model"])
            runs = [open_xa(sample / view["file"]) for view in truth["views"]]
            frames = tuple(opened.frame(opened.strongest_contrast_frame()) for opened in runs)
        result = register(RegistrationRequest(model, frames, device=options.device), part_of(progress, 0.05, 0.8))
        result = replace(result, timings_s={**clock.seconds, **result.timings_s})
        errors = _errors(result, model, truth)
        write_result(result, model, out, part_of(progress, 0.8, 1.0), {COMPARISON_FILE: errors})
    print_summary(result)
    if not result.found:
        return
    print(f"Against the truth: in-plane error (mRPD) {errors['mrpd_mm']:.2f} mm, was {errors['start_mrpd_mm']:.2f}; "
          f"3D error (mTRE) {errors['mtre_mm']:.2f} mm, was {errors['start_mtre_mm']:.2f}.")
    print("Seconds: " + ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in result.timings_s.items()))
    print("Look at:")
    for name in ("overlay", "comparison"):
        for number in range(len(result.views)):
            print(f"  {out / f'{name}_{number}.png'}")
    print(f"The scene for 3D Slicer: {out / 'registration.mrb'}")


def _read_truth(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(f"The sample case {path.parent} is missing or damaged: reinstall the extension.") from None


def _errors(result: "RegistrationResult", model: "SurfaceModel", truth: dict[str, Any]) -> dict[str, float]:
    """Errors in mm, before and after, over the model's vertices; mRPD is the mean over the views."""
    import numpy as np

    from ..registration.metrics import reprojection_distances, spread_points, target_registration_errors
    from ..registration.pipeline import initial_pose

    points, true_pose = spread_points(model, _POINTS), np.array(truth["model_to_world"])
    errors = {}
    for prefix, pose in (("", result.model_to_world), ("start_", initial_pose(model))):
        in_plane = [reprojection_distances(points, pose, true_pose, view.view).mean() for view in result.views]
        errors[f"{prefix}mrpd_mm"] = float(np.mean(in_plane))
        errors[f"{prefix}mtre_mm"] = float(target_registration_errors(points, pose, true_pose).mean())
    return errors
