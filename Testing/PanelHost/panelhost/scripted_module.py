"""The module ``slicer.ScriptedLoadableModule``: base classes of a scripted module."""

from __future__ import annotations

import importlib
import os
import types
import unittest
from typing import Any

import slicer

from .pythonqt import qt


def _resource(modulePath: str, filename: str) -> str:
    return os.path.join(os.path.dirname(modulePath), "Resources", filename)


class ScriptedLoadableModule:
    """What Slicer asks a module about itself."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__
        slicer.selfTests[self.moduleName] = self.runTest

    def resourcePath(self, filename: str) -> str:
        """Return the path of a file in the module's ``Resources``."""
        return _resource(self.parent.path, filename)

    def getDefaultModuleDocumentationLink(self) -> str:
        """Return a link for the help text."""
        return "<p>For more information, see the online documentation.</p>"

    def runTest(self, msec: int = 100, **kwargs: Any) -> None:
        """Run the class ``<Module>Test`` of the module file."""
        test = getattr(importlib.import_module(type(self).__module__), self.moduleName + "Test")()
        test.messageDelay = msec
        test.runTest(**kwargs)


class ScriptedLoadableModuleWidget:
    """Base of a module's panel."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = False
        if parent is None:
            raise RuntimeError("The panel host builds panels with a parent, as Slicer does.")
        self.parent = parent
        self.layout = parent.layout()

    def resourcePath(self, filename: str) -> str:
        """Return the path of a file in the module's ``Resources``."""
        return _resource(slicer.util.modulePath(self.moduleName), filename)

    def setup(self) -> None:
        """Build the panel (the developers' section is not shown)."""

    def cleanup(self) -> None:
        """Called before the panel goes."""

    def onReload(self) -> None:
        """Reload the module's source and build the panel anew."""
        slicer.util.reloadScriptedModule(self.moduleName)


class ScriptedLoadableModuleLogic:
    """Base of a module's logic: one parameter node per scene."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self) -> Any:
        """Return the parameter node of the scene, made where there is none."""
        node = None
        if self.isSingletonParameterNode:
            node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        else:
            node = next(iter(self.getAllParameterNodes()), None)
        if node is None:
            return slicer.mrmlScene.AddNode(self.createParameterNode())
        if node.GetAttribute("ModuleName") != self.moduleName:
            node.SetAttribute("ModuleName", self.moduleName)
        return node

    def getAllParameterNodes(self) -> list[Any]:
        """Return every parameter node of this module."""
        return [node for node in slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
                if node.GetAttribute("ModuleName") == self.moduleName]

    def createParameterNode(self) -> Any:
        """Return a new node, not yet in the scene."""
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)  # the scene's factory hands over one reference too many
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """Base of a module's self-test."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.messageDelay = 0

    def delayDisplay(self, message: str, requestedDelay: int | None = None, msec: int | None = None) -> None:
        """Log a message; nothing pops up here."""
        qt.QCoreApplication.processEvents()

    def runTest(self) -> None:
        """Run every test method."""
        for name in sorted(dir(self)):
            if name.startswith("test_"):
                getattr(self, name)()


MODULE = types.ModuleType("slicer.ScriptedLoadableModule")
MODULE.__all__ = []  # type: ignore[attr-defined]
for _class in (ScriptedLoadableModule, ScriptedLoadableModuleWidget, ScriptedLoadableModuleLogic,
               ScriptedLoadableModuleTest):
    setattr(MODULE, _class.__name__, _class)
    MODULE.__all__.append(_class.__name__)  # type: ignore[attr-defined]
