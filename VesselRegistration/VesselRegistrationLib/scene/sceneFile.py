"""A result as files for Slicer: a scene bundle and a transform."""

import os
import tempfile
from pathlib import Path

import slicer

from ..errors import UserError
from ..mesh.surface import SurfaceModel
from ..registration.result import RegistrationResult
from .resultBridge import showResult
from .volumeBridge import addXrayVolume

SCENE_FILE = "registration.mrb"
TRANSFORM_FILE = "model_to_world.h5"


def writeScene(result: RegistrationResult, model: SurfaceModel, directory: Path) -> tuple[Path, Path]:
    """Write ``registration.mrb`` and ``model_to_world.h5`` to an existing directory; returns their paths.

    The bundle holds, for each view, the X-ray volume, the masks and the projected model, and the registered model under
    its transform. Slicer reads both as they are: its storage classes turn RAS into the LPS of the transform file. Each
    file appears whole or not at all. Raises UserError where they cannot be written.
    """
    scene = slicer.vtkMRMLScene()
    # Without the default colours the display nodes complain about tables that they cannot find.
    colors = slicer.vtkMRMLColorLogic()
    colors.SetMRMLScene(scene)
    nodes = showResult(result, model, [addXrayVolume(scene, view.frame) for view in result.views])
    try:
        with tempfile.TemporaryDirectory(dir=directory, prefix=".scene-") as workplace:
            # A bundle names its inner folder after the file, so the final names are used from the start.
            scenePath, transformPath = Path(workplace) / SCENE_FILE, Path(workplace) / TRANSFORM_FILE
            storage = slicer.vtkMRMLTransformStorageNode()
            storage.SetFileName(str(transformPath))
            if not (storage.WriteData(nodes.transform) and scene.WriteToMRB(str(scenePath))):
                raise OSError("Slicer's storage classes could not write")
            for path in (scenePath, transformPath):
                os.replace(path, directory / path.name)
    except OSError as error:
        raise UserError(f"The scene cannot be written to {directory}: check that the folder exists and that there is "
                        "space and permission.") from error
    return directory / SCENE_FILE, directory / TRANSFORM_FILE
