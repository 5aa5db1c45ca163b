"""Which widget can stand for a parameter of which type, as in Slicer's parameterNodeWrapper."""

from __future__ import annotations

import typing
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from .ctk_widgets import ctkDoubleSpinBox, ctkPathLineEdit, ctkSliderWidget
from .mrml_widgets import qMRMLNodeComboBox
from .pythonqt import qt

if typing.TYPE_CHECKING:
    from .parameter_node import Field


class Connector:
    """Two-way connection of one widget property with one parameter."""

    def __init__(self, widget: Any, signal: str, read: Callable[[], Any], write: Callable[[Any], None]) -> None:
        self._widget, self._signal = widget, signal
        self.read, self.write = read, write
        self._callback: Callable[[], None] | None = None

    def onChanged(self, callback: Callable[[], None] | None) -> None:
        """Call this when the user changes the widget; None ends that."""
        if self._callback is not None and self._signal:
            self._widget.disconnect(self._signal, self._changed)
        self._callback = callback
        if callback is not None and self._signal:
            self._widget.connect(self._signal, self._changed)

    def _changed(self, *_: Any) -> None:
        if self._callback is not None:
            self._callback()


def createConnector(widget: Any, field: Field) -> Connector:  # noqa: PLR0911 - one line for each pair
    """Return the connector for a widget and a parameter; raise RuntimeError where Slicer has none."""
    kind, of = field.kind, type(widget)
    if field.isNode and of is qMRMLNodeComboBox:
        widget.nodeTypes = [kind.__name__]
        return Connector(widget, "currentNodeChanged(vtkMRMLNode*)", widget.currentNode, widget.setCurrentNode)
    if kind is bool and of in (qt.QCheckBox, qt.QPushButton):
        if of is qt.QPushButton:
            widget.checkable = True
        return _property(widget, "toggled(bool)", "checked", bool)
    if kind is int and of in (qt.QSpinBox, qt.QSlider):
        _setRange(widget, field)
        return _property(widget, "valueChanged(int)", "value", int)
    if kind in (int, float) and of in (qt.QDoubleSpinBox, ctkDoubleSpinBox, ctkSliderWidget):
        _setRange(widget, field)
        return _property(widget, "valueChanged(double)", "value", kind)
    if kind is str and of is qt.QLineEdit:
        return _property(widget, "textChanged(QString)", "text", str)
    if kind is str and of is qt.QLabel:
        return _property(widget, "", "text", str)
    if of is qt.QComboBox and kind in (str, int, float):
        return _choice(widget, field)
    if of is ctkPathLineEdit and issubclass(kind, PurePath):
        return Connector(widget, "currentPathChanged(QString)", lambda: kind(widget.currentPath),
                         lambda value: setattr(widget, "currentPath", str(value)))
    raise RuntimeError(f"Unable to create GUI connector from datatype '{kind}' to widget type '{of}'.")


def _property(widget: Any, signal: str, name: str, kind: type) -> Connector:
    def write(value: Any) -> None:
        if getattr(widget, name) != value:
            setattr(widget, name, value)

    return Connector(widget, signal, lambda: kind(getattr(widget, name)), write)


def _choice(widget: Any, field: Field) -> Connector:
    found = [note.choices for note in field.notes if hasattr(note, "choices")]
    if not found:
        raise RuntimeError(f"A combo box needs the annotation Choice on the parameter {field.name}.")
    choices = list(found[0])
    widget.clear()
    widget.addItems([str(choice) for choice in choices])
    return Connector(widget, "currentIndexChanged(int)", lambda: choices[widget.currentIndex],
                     lambda value: setattr(widget, "currentIndex", choices.index(value)))


def _setRange(widget: Any, field: Field) -> None:
    lows = [note.minimum for note in field.notes if hasattr(note, "minimum")]
    highs = [note.maximum for note in field.notes if hasattr(note, "maximum")]
    if type(widget) in (ctkSliderWidget, qt.QSlider) and not (lows and highs):
        raise RuntimeError(f"A slider needs both limits annotated on the parameter {field.name}.")
    if lows:
        widget.minimum = lows[0]
    if highs:
        widget.maximum = highs[0]
