"""``slicer.app``, and the scene as Slicer sets it up."""

from __future__ import annotations

import tempfile
from typing import Any

import slicer
from PySide6 import QtCore, QtWidgets

from .pythonqt import PythonQtObject, _Meta, qt
from .views import LayoutManager


class ModuleManager(PythonQtObject, QtCore.QObject, metaclass=_Meta):
    """``slicer.app.moduleManager()``: only its signal."""

    _qtClass = QtCore.QObject
    moduleAboutToBeUnloaded = QtCore.Signal(str)


class Application(PythonQtObject, QtWidgets.QApplication, metaclass=_Meta):
    """``slicer.app``."""

    _qtClass = QtWidgets.QApplication
    startupCompleted = QtCore.Signal()

    def __init__(self) -> None:
        super().__init__(["panelhost"])
        self._folder = tempfile.TemporaryDirectory(prefix="panelhost-")
        settings = QtCore.QSettings
        settings.setDefaultFormat(settings.Format.IniFormat)
        settings.setPath(settings.Format.IniFormat, settings.Scope.UserScope, self._folder.name)
        QtWidgets.QApplication.setOrganizationName("panelhost")
        self._modules = ModuleManager()
        self._scene = newScene(self._folder.name)
        self._logic = slicer.vtkMRMLApplicationLogic()
        self._logic.SetMRMLScene(self._scene[0])
        self._segmentations = slicer.vtkSlicerSegmentationsModuleLogic()  # brings the converters of segmentations
        self._segmentations.SetMRMLScene(self._scene[0])
        self._markups = slicer.vtkSlicerMarkupsLogic()  # the views draw markups with it
        self._markups.SetMRMLScene(self._scene[0])
        self._logic.SetModuleLogic("Markups", self._markups)
        layoutNode = slicer.vtkMRMLLayoutNode()
        layoutNode.SetSingletonTag("vtkMRMLLayoutNode")  # as Slicer's layout manager does: it outlives the scene
        self._scene[0].AddNode(layoutNode)
        self._layout: LayoutManager | None = LayoutManager(self._scene[0], self._logic)

    temporaryPath = QtCore.Property(str, lambda self: self._folder.name)

    def mrmlScene(self) -> Any:
        """Return the scene."""
        return self._scene[0]

    def layoutManager(self) -> LayoutManager | None:
        """Return the layout; None after ``withoutWindow``."""
        return self._layout

    def applicationLogic(self) -> Any:
        """Return the vtkMRMLApplicationLogic of the scene."""
        return self._logic

    def moduleManager(self) -> ModuleManager:
        """Return the module manager."""
        return self._modules

    def testingEnabled(self) -> bool:
        """False: popups are to be recorded as a user would get them."""
        return False

    def settings(self) -> Any:
        """Return settings that live as long as the host."""
        return qt.QSettings()

    def userSettings(self) -> Any:
        """Return the same as ``settings``."""
        return qt.QSettings()

    def withoutWindow(self) -> None:
        """Let the layout be None from now on, as in a Slicer without a main window."""
        self._layout = None


def newScene(cacheFolder: str) -> tuple[Any, ...]:
    """Return a scene with default colours and sequences that can read bundles, and what has to stay alive with it."""
    scene = slicer.vtkMRMLScene()
    cache, dataIO, dataLogic = slicer.vtkCacheManager(), slicer.vtkDataIOManager(), slicer.vtkDataIOManagerLogic()
    cache.SetRemoteCacheDirectory(cacheFolder)
    cache.SetMRMLScene(scene)
    scene.SetCacheManager(cache)
    dataIO.SetCacheManager(cache)
    scene.SetDataIOManager(dataIO)
    dataLogic.SetMRMLScene(scene)
    colors = slicer.vtkMRMLColorLogic()
    colors.SetMRMLScene(scene)
    sequences = slicer.vtkSlicerSequencesLogic()
    sequences.SetMRMLScene(scene)
    return scene, cache, dataIO, dataLogic, colors, sequences
