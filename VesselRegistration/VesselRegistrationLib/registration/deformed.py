"""A finished registration with the model bent to the masks, on request."""

from dataclasses import replace
from typing import Any

from ..deformation.fitting import Deformation, deform_to_masks
from ..mesh.surface import SurfaceModel
from ..pose.evidence import ViewEvidence
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from .masks import VesselMask
from .pipeline import view_result
from .result import ACCEPTED, CHECK, RegistrationResult
from .task import PoseTask, ViewTask


def bend_result(
    result: RegistrationResult,
    model: SurfaceModel,
    progress: ProgressCallback = ignore_progress,
    should_stop: StopCheck = never_stop,
) -> tuple[RegistrationResult, Deformation]:
    """The result with the bent model's pose, pictures and overlap; unchanged where no bend is worth it.

    The result must have been found. A bent one is ``check`` at best and carries no uncertainty: what is known of errors
    holds for rigid models. Raises UserError where the views cannot show a bend.
    """
    evidence = [ViewEvidence.from_mask(view.view, view.mask, view.frame.usable) for view in result.views]
    deformation = deform_to_masks(model, evidence, result.model_to_world, progress=progress, should_stop=should_stop)
    if not deformation.bends:
        return result, deformation
    tasks = tuple(ViewTask(view.view, view.mask, view.frame.usable) for view in result.views)
    task = PoseTask(deformation.model, tasks, result.start, result.roi)
    views = tuple(view_result(task, one, old.frame, VesselMask(old.mask, old.mask_source), deformation.model_to_world)
                  for one, old in zip(tasks, result.views, strict=True))
    status, reason = result.status, result.reason
    if status == ACCEPTED:
        status = CHECK
        reason = (f"{deformation.sentence.rstrip('.')}; how far bent models are off is not known, so look at the "
                  "overlay.")
    bent = replace(result, status=status, reason=reason, model_to_world=deformation.model_to_world, views=views,
                   confidence=None)
    return bent, deformation


def deformation_as_dict(deformation: Deformation) -> dict[str, Any]:
    """The content of deformation.json. Displacements are across the path, in two directions at right angles; mm."""
    return {
        "schema_version": 1,
        "sentence": deformation.sentence,
        "largest_mm": deformation.largest_mm,
        "outline_explained": [deformation.before.outline_explained, deformation.after.outline_explained],
        "edge_explained": [deformation.before.edge_explained, deformation.after.edge_explained],
        "dice": [deformation.before.dice, deformation.after.dice],
        "bends": [{"path": bend.path.points.tolist(), "control_arc_mm": bend.control_arc_mm.tolist(),
                   "control_mm": bend.control_mm.tolist()} for bend in deformation.bends],
    }
