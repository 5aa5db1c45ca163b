"""Slicer's MRML widgets that the panels use, on PySide6 and the scene of slicer-core."""

from __future__ import annotations

from typing import Any, ClassVar

import slicer
import slicer.util
import vtk
from PySide6 import QtCore, QtWidgets

from .ctk_widgets import Widget

_SCENE_EVENTS = ("NodeAddedEvent", "NodeRemovedEvent", "EndBatchProcessEvent", "EndCloseEvent", "EndImportEvent")


class qMRMLWidget(Widget):
    """A widget that tells its children which scene to use, through connections made in the .ui file."""

    mrmlSceneChanged = QtCore.Signal(object)
    _signatures: ClassVar[dict[str, str]] = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def mrmlScene(self) -> Any:
        """Return the scene, or None."""
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        """Set the scene and pass it on."""
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


class ModulePanel(qMRMLWidget):
    """The parent that Slicer gives a scripted module's widget."""

    def __init__(self) -> None:
        super().__init__()
        self._entered = False
        self._python: Any = None
        self.setLayout(QtWidgets.QVBoxLayout())

    def self(self) -> Any:
        """Return the Python object of the panel."""
        return self._python

    isEntered = QtCore.Property(bool, lambda self: self._entered)


class qMRMLNodeComboBox(Widget):
    """A selector of one node of the scene among the classes in ``nodeTypes``."""

    currentNodeChanged = QtCore.Signal(object)
    currentNodeIDChanged = QtCore.Signal(str)
    nodeActivated = QtCore.Signal(object)
    _signatures: ClassVar[dict[str, str]] = {"currentNodeChanged(vtkMRMLNode*)": "currentNodeChanged",
                                             "currentNodeIDChanged(QString)": "currentNodeIDChanged",
                                             "nodeActivated(vtkMRMLNode*)": "nodeActivated"}

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._tags: list[int] = []
        self._nodeTags: dict[str, tuple[Any, int]] = {}
        self._currentId = ""
        self._values: dict[str, Any] = {
            "nodeTypes": [], "noneEnabled": False, "addEnabled": True, "removeEnabled": True, "renameEnabled": False,
            "editEnabled": False, "showHidden": False, "showChildNodeTypes": True, "selectNodeUponCreation": True,
            "noneDisplay": "None", "baseName": ""}
        self._box = QtWidgets.QComboBox(self)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._box)
        self._box.activated.connect(self._activated)
        self._refresh()

    def mrmlScene(self) -> Any:
        """Return the scene, or None."""
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        """Show the nodes of this scene and follow it."""
        if scene is self._scene:
            return
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene = scene
        self._tags = [] if scene is None else [
            scene.AddObserver(getattr(scene, event), lambda *_: self._refresh()) for event in _SCENE_EVENTS]
        self._refresh()

    def currentNode(self) -> Any:
        """Return the selected node, or None."""
        return self._scene.GetNodeByID(self._currentId) if self._scene is not None and self._currentId else None

    def setCurrentNode(self, node: Any) -> None:
        """Select a node; a node that the selector does not list selects nothing, as in Slicer."""
        listed = node is not None and any(node is each for each in self._nodes())
        self._select(node.GetID() if listed else "")

    def setCurrentNodeID(self, nodeId: str) -> None:
        """Select a node by its ID."""
        self.setCurrentNode(self._scene.GetNodeByID(nodeId) if self._scene is not None and nodeId else None)

    def nodeCount(self) -> int:
        """Return the number of nodes offered."""
        return len(self._nodes())

    def addNode(self) -> Any:
        """Create a node of the first class and select it, as the menu entry does."""
        if not self._values["addEnabled"]:
            raise RuntimeError("This selector does not offer to create nodes.")
        name = self._values["baseName"] or self._values["nodeTypes"][0].removeprefix("vtkMRML").removesuffix("Node")
        node = self._scene.AddNewNodeByClass(self._values["nodeTypes"][0], self._scene.GenerateUniqueName(name))
        self.setCurrentNode(node)
        return node

    def _nodes(self) -> list[Any]:
        if self._scene is None:
            return []
        kinds, nodes = self._values["nodeTypes"], []
        for kind in kinds:
            for node in slicer.util.getNodesByClass(kind, self._scene):
                hidden = node.GetHideFromEditors() and not self._values["showHidden"]
                exact = self._values["showChildNodeTypes"] or node.GetClassName() in kinds
                if exact and not hidden and node not in nodes:
                    nodes.append(node)
        return nodes

    def _refresh(self) -> None:
        if self._scene is not None and self._scene.IsBatchProcessing():
            return
        nodes = self._nodes()
        ids = [node.GetID() for node in nodes]
        for key in [key for key in self._nodeTags if key not in ids]:
            node, tag = self._nodeTags.pop(key)
            node.RemoveObserver(tag)
        for node in nodes:
            if node.GetID() not in self._nodeTags:
                tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._rename)
                self._nodeTags[node.GetID()] = (node, tag)
        current = self._currentId if self._currentId in ids else ""
        if not current and ids and not self._values["noneEnabled"]:
            current = ids[0]
        self._box.blockSignals(True)
        self._box.clear()
        if self._values["noneEnabled"] or not ids:
            self._box.addItem(self._values["noneDisplay"] if self._values["noneEnabled"] else "", "")
        for node in nodes:
            self._box.addItem(node.GetName(), node.GetID())
        self._box.blockSignals(False)
        self._select(current)

    def _rename(self, node: Any, _event: str) -> None:
        index = self._box.findData(node.GetID())
        if index >= 0 and self._box.itemText(index) != node.GetName():
            self._box.setItemText(index, node.GetName())

    def _select(self, nodeId: str) -> None:
        self._box.setCurrentIndex(self._box.findData(nodeId))
        if nodeId != self._currentId:
            self._currentId = nodeId
            self.currentNodeChanged.emit(self.currentNode())
            self.currentNodeIDChanged.emit(nodeId)

    def _activated(self, index: int) -> None:
        self._select(self._box.itemData(index) or "")
        self.nodeActivated.emit(self.currentNode())

    def _value(name: str, kind: Any) -> Any:  # type: ignore[misc]
        def read(self: Any) -> Any:
            return self._values[name]

        def write(self: Any, value: Any) -> None:
            self._values[name] = list(value) if name == "nodeTypes" else value
            self._refresh()

        return QtCore.Property(kind, read, write)

    nodeTypes = _value("nodeTypes", "QStringList")
    noneEnabled = _value("noneEnabled", bool)
    addEnabled = _value("addEnabled", bool)
    removeEnabled = _value("removeEnabled", bool)
    renameEnabled = _value("renameEnabled", bool)
    editEnabled = _value("editEnabled", bool)
    showHidden = _value("showHidden", bool)
    showChildNodeTypes = _value("showChildNodeTypes", bool)
    selectNodeUponCreation = _value("selectNodeUponCreation", bool)
    noneDisplay = _value("noneDisplay", str)
    baseName = _value("baseName", str)
    currentNodeID = QtCore.Property(str, lambda self: self._currentId, setCurrentNodeID)


CLASSES = {"qMRMLWidget": qMRMLWidget, "qMRMLNodeComboBox": qMRMLNodeComboBox}
