"""The module logics that every scene of Slicer has and that nodes rely on."""

from __future__ import annotations

from typing import Any

import slicer


def sceneLogics(scene: Any) -> tuple[Any, ...]:
    """Logics that register markups for saving, and keep what a sequence browser shows in step; keep them alive."""
    logics = slicer.vtkSlicerMarkupsLogic(), slicer.vtkSlicerSequencesLogic()
    for logic in logics:
        logic.SetMRMLScene(scene)
    return logics
