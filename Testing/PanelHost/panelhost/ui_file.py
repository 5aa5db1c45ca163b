"""Loading of a .ui file: Qt's own loader, with the host's classes and every property and connection checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PySide6 import QtCore, QtUiTools, QtWidgets

from . import ctk_widgets, mrml_widgets
from .pythonqt import loading, qt

_CUSTOM = {**ctk_widgets.CLASSES, **mrml_widgets.CLASSES}
_DESIGNER_ONLY = {"Line", "Spacer"}


class _Loader(QtUiTools.QUiLoader):
    def createWidget(self, className: str, parent: Any = None, name: str = "") -> Any:
        if className in _DESIGNER_ONLY:
            return super().createWidget(className, parent, name)
        widget = widgetClass(className)(parent)
        widget.setObjectName(name)
        return widget

    def createLayout(self, className: str, parent: Any = None, name: str = "") -> Any:
        owner = parent if isinstance(parent, QtWidgets.QWidget) and QtWidgets.QWidget.layout(parent) is None else None
        layout = getattr(qt, className)(owner)
        layout.setObjectName(name)
        return layout


def widgetClass(className: str) -> type:
    """Return the host's class of this name; raise AttributeError where there is none."""
    return _CUSTOM[className] if className in _CUSTOM else getattr(qt, className)


def loadUI(path: str) -> Any:
    """Return the widget that a .ui file describes.

    Raises AttributeError for a class that the host has not, ValueError for a property, signal or slot that a class has
    not, RuntimeError where Qt cannot load the file.
    """
    if not Path(path).is_file():
        raise RuntimeError(f"Could not load UI file: file not found {path}")
    tree = ElementTree.parse(path)
    root = tree.getroot()
    connections = root.find("connections")
    wanted = [] if connections is None else list(connections)
    if connections is not None:
        root.remove(connections)  # made below: Qt's loader only prints a line where a signal is missing
    for element in root.iter("widget"):
        if element.get("class") not in _DESIGNER_ONLY:
            widgetClass(str(element.get("class")))
    filters = _takeFilters(root)
    buffer = QtCore.QBuffer()
    buffer.setData(ElementTree.tostring(root))
    buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
    loading["ui"] = True
    try:
        widget = _Loader().load(buffer)
    finally:
        loading["ui"] = False
    if widget is None:
        raise RuntimeError(f"Could not load UI file: {path}")
    byName = {child.objectName() if callable(child.objectName) else child.objectName: child
              for child in [widget, *QtCore.QObject.findChildren(widget, QtCore.QObject)]}
    _checkProperties(root, byName)
    for name, value in filters.items():
        byName[name].filters = int(value)
    for connection in wanted:
        _connect(connection, byName)
    return widget


def _takeFilters(root: ElementTree.Element) -> dict[str, Any]:
    """Take the filters of path edits out of the file: Qt's loader cannot read flags of a class made in Python."""
    filters = {}
    for element in root.iter("widget"):
        for entry in element.findall("property"):
            if element.get("class") == "ctkPathLineEdit" and entry.get("name") == "filters":
                value = ctk_widgets.ctkPathLineEdit.Filter(0)
                for word in str(entry.findtext("set")).split("|"):
                    value |= ctk_widgets.ctkPathLineEdit.Filter[word.strip().rpartition("::")[2]]
                filters[str(element.get("name"))] = value
                element.remove(entry)
    return filters


def _checkProperties(root: ElementTree.Element, byName: dict[str, Any]) -> None:
    for element in root.iter("widget"):
        if element.get("class") in _DESIGNER_ONLY:
            continue
        widget = byName[str(element.get("name"))]
        for entry in element.findall("property"):
            name = str(entry.get("name"))
            known = QtCore.QObject.metaObject(widget).indexOfProperty(name) >= 0
            if entry.get("stdset") != "0" and not known:
                raise ValueError(f"{element.get('class')} '{element.get('name')}' has no property '{name}'.")


def _connect(connection: ElementTree.Element, byName: dict[str, Any]) -> None:
    sender, signal, receiver, slot = (str(connection.findtext(key)) for key in ("sender", "signal", "receiver", "slot"))
    for name in (sender, receiver):
        if name not in byName:
            raise ValueError(f"The .ui file connects '{name}', which it does not contain.")
    target = getattr(byName[receiver], slot.partition("(")[0], None)
    if not callable(target):
        raise ValueError(f"'{receiver}' has no slot {slot}.")
    byName[sender].connect(signal, target)


def childWidgetVariables(widget: QtWidgets.QWidget) -> Any:
    """Return an object whose attributes are the named child widgets."""
    ui = type("", (), {})()
    for child in QtCore.QObject.findChildren(widget, QtWidgets.QWidget):
        name = QtCore.QObject.property(child, "objectName")
        if name and not name.startswith("qt_"):
            setattr(ui, name, child)
    return ui
