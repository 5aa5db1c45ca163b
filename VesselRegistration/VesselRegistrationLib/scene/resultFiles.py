"""A result of the scene as files: report with pictures, pose and model for other programs."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import slicer

from ..errors import UserError
from ..mesh.writing import write_model
from ..progress import ProgressCallback, ignore_progress
from ..rendering.files import write_result
from ..rendering.new_folder import new_folder
from ..rendering.report_page import REPORT_FILE, report_page
from .modelBridge import surfaceFromModel
from .resultRebuilding import resultFromScene
from .sceneFile import TRANSFORM_FILE

REGISTERED_MODEL_FILE = "registered_model.vtp"


def saveReport(modelNode: slicer.vtkMRMLModelNode, xrayNodes: Sequence[slicer.vtkMRMLScalarVolumeNode],
               record: dict[str, Any], parent: Path, progress: ProgressCallback = ignore_progress) -> Path:
    """Write a result into a new folder in ``parent``; gives the folder.

    It holds report.html with overlays and comparisons, result.json, the vessel masks, the transform, the registered
    model in world mm, and a scene for Slicer. Raises UserError where it cannot be written.
    """
    result, model, now = resultFromScene(modelNode, xrayNodes, record), surfaceFromModel(modelNode), datetime.now()
    out = newFolderIn(parent, now, "vessel-registration")
    page = report_page(result, f"{now:%Y-%m-%d %H:%M}")
    write_result(result, model, out, progress, meshes={REGISTERED_MODEL_FILE: model.transformed(result.model_to_world)},
                 pages={REPORT_FILE: page})
    return out


def saveDicom(modelNode: slicer.vtkMRMLModelNode, xrayNodes: Sequence[slicer.vtkMRMLScalarVolumeNode],
              record: dict[str, Any], files: Sequence[Path], parent: Path) -> Path:
    """Write a result as DICOM files into a new folder in ``parent``; ``files`` are the XA files of the X-rays.

    Raises UserError where it cannot be written or was rejected.
    """
    from ..dicom_out.writing import write_dicom_result

    result = resultFromScene(modelNode, xrayNodes, record)
    out = newFolderIn(parent, datetime.now(), "vessel-registration-dicom")
    write_dicom_result(result, surfaceFromModel(modelNode), files, out)
    return out


def savePose(modelNode: slicer.vtkMRMLModelNode, transformNode: slicer.vtkMRMLLinearTransformNode,
             parent: Path) -> Path:
    """Write the transform and the registered model (world mm) alone into a new folder in ``parent``; gives the folder.

    Raises UserError where they cannot be written.
    """
    out = newFolderIn(parent, datetime.now(), "vessel-registration-pose")
    model, pose = surfaceFromModel(modelNode), slicer.util.arrayFromTransformMatrix(transformNode, toWorld=True)
    with new_folder(out) as folder:
        write_model(folder / REGISTERED_MODEL_FILE, model, pose)
        storage = slicer.vtkMRMLTransformStorageNode()
        storage.SetFileName(str(folder / TRANSFORM_FILE))
        if not storage.WriteData(transformNode):
            raise UserError(f"The transform cannot be written to {parent}: choose another place.")
    return out


def newFolderIn(parent: Path, now: datetime, name: str) -> Path:
    """A folder that does not exist yet, named after the time. Raises UserError where ``parent`` is no folder."""
    if not parent.is_dir():
        raise UserError(f"{parent} is no folder: choose one that exists.")
    return parent / f"{name}-{now:%Y%m%d-%H%M%S-%f}"[:-3]
