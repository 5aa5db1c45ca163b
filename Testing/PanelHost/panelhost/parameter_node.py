"""The module ``slicer.parameterNodeWrapper``: typed access to the parameters of a scripted module node of the scene.

Values are kept as in Slicer: texts as parameters, nodes as references, so that a saved scene keeps them. What a value
was is cached until the node says that it changed.
"""

from __future__ import annotations

import types
import typing
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PosixPath, PurePath, PurePosixPath
from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtWidgets

from .gui_connectors import Connector, createConnector

PROPERTY = "SlicerParameterName"
_PATHS = (Path, PosixPath, PurePath, PurePosixPath)


@dataclass(frozen=True)
class Default:
    """Annotation: the value where the scene has none."""

    value: Any


@dataclass(frozen=True)
class WithinRange:
    """Annotation: lowest and highest value."""

    minimum: float
    maximum: float

    def validate(self, value: Any) -> None:
        """Raise ValueError for a value outside."""
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within [{self.minimum}, {self.maximum}], was {value}")


@dataclass(frozen=True)
class Minimum:
    """Annotation: lowest value."""

    minimum: float

    def validate(self, value: Any) -> None:
        """Raise ValueError for a lower value."""
        if value < self.minimum:
            raise ValueError(f"Value must be at least {self.minimum}, was {value}")


@dataclass(frozen=True)
class Maximum:
    """Annotation: highest value."""

    maximum: float

    def validate(self, value: Any) -> None:
        """Raise ValueError for a higher value."""
        if value > self.maximum:
            raise ValueError(f"Value must be at most {self.maximum}, was {value}")


@dataclass(frozen=True)
class Choice:
    """Annotation: the values allowed."""

    choices: typing.Sequence[Any]

    def validate(self, value: Any) -> None:
        """Raise ValueError for any other value."""
        if value not in self.choices:
            raise ValueError(f"Value must be one of {list(self.choices)}, was {value}")


_VALIDATORS = (WithinRange, Minimum, Maximum, Choice)


class Field:
    """One typed parameter: how it is checked, written and read."""

    def __init__(self, name: str, annotated: Any, owner: type) -> None:
        notes: list[Any] = []
        kind = annotated
        if typing.get_origin(kind) is typing.Annotated:
            kind, *notes = typing.get_args(kind)
        self.name, self.notes = name, notes
        self.optional = False
        if typing.get_origin(kind) in (typing.Union, types.UnionType):
            kinds = [each for each in typing.get_args(kind) if each is not type(None)]
            self.optional = len(kinds) < len(typing.get_args(kind))
            if len(kinds) != 1:
                raise TypeError(f"The panel host has no parameters of type {annotated}.")
            kind = kinds[0]
        self.isNode = isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)
        if not self.isNode and (self.optional or kind not in (str, int, float, bool, *_PATHS)):
            raise TypeError(f"The panel host has no parameters of type {annotated}.")
        self.kind = kind
        self.validators = [note for note in notes if isinstance(note, _VALIDATORS)]
        defaults = [note.value for note in notes if isinstance(note, Default)]
        unknown = [note for note in notes if not isinstance(note, (*_VALIDATORS, Default))]
        if unknown:
            raise TypeError(f"The panel host does not know the annotations {unknown}.")
        own = getattr(owner, name, None)
        self.default = own if own is not None else defaults[0] if defaults else None if self.isNode else kind()

    def write(self, node: Any, value: Any) -> None:
        """Check a value and store it."""
        if self.isNode:
            if value is not None and not isinstance(value, self.kind):
                raise TypeError(f"{self.name} must be a {self.kind.__name__}, was {type(value).__name__}.")
            node.SetParameter(self.name, "")
            node.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
            return
        allowed = (int, float) if self.kind is float else self.kind
        if not isinstance(value, allowed):
            raise TypeError(f"{self.name} must be of type {self.kind.__name__}, was {value!r}.")
        for validator in self.validators:
            validator.validate(value)
        node.SetParameter(self.name, str(value))

    def read(self, node: Any) -> Any:
        """Return the stored value; a missing one becomes the default first."""
        if not node.HasParameter(self.name):
            self.write(node, self.default)
        if self.isNode:
            return node.GetNodeReference(self.name)
        text = node.GetParameter(self.name)
        return text == "True" if self.kind is bool else self.kind(text)


class _Wrapper:
    """Behaviour of every decorated class."""

    allParameters: dict[str, Field]

    def __init__(self, parameterNode: Any) -> None:
        self.__dict__["parameterNode"] = parameterNode
        self._guis: dict[int, tuple[dict[str, Connector], int]] = {}
        self._nextTag = 0
        self._showing = False
        self._writing = ""
        self._cache = {name: field.read(parameterNode) for name, field in self.allParameters.items()}
        # The node may outlive this object: an observer that held it would be torn apart by the garbage collector.
        alive = weakref.ref(self)
        tag = parameterNode.AddObserver(vtk.vtkCommand.ModifiedEvent,
                                        lambda *_: (wrapper := alive()) and wrapper._reread(), 1.0)
        weakref.finalize(self, parameterNode.RemoveObserver, tag)

    def _reread(self, *_: Any) -> None:
        for name, field in self.allParameters.items():
            if name != self._writing:
                self._cache[name] = field.read(self.parameterNode)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.allParameters:
            self.setValue(name, value)
        else:
            super().__setattr__(name, value)

    def getValue(self, name: str) -> Any:
        return self._cache[name]

    def setValue(self, name: str, value: Any) -> None:
        field, before = self.allParameters[name], self._writing
        self._writing = name
        try:
            with slicer.util.NodeModify(self.parameterNode):
                field.write(self.parameterNode, value)
                self._cache[name] = field.read(self.parameterNode)
        finally:
            self._writing = before

    def connectGui(self, gui: Any) -> int:
        widgets = QtCore.QObject.findChildren(gui, QtWidgets.QWidget) if isinstance(gui, QtWidgets.QWidget) else \
            list(vars(gui).values())
        mapping = {str(widget.property(PROPERTY)): widget for widget in widgets if widget.property(PROPERTY)}
        return self.connectParametersToGui(mapping)

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        for name in mapping:
            if name not in self.allParameters:
                raise ValueError(f"Cannot find a param with the given name: {name}")
        connectors = {name: createConnector(widget, self.allParameters[name]) for name, widget in mapping.items()}
        tag, self._nextTag = self._nextTag, self._nextTag + 1
        observer = self.parameterNode.AddObserver(vtk.vtkCommand.ModifiedEvent, self._show)
        self._guis[tag] = (connectors, observer)
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.onChanged(self._taker(name, connector))
        return tag

    def disconnectGui(self, tag: int) -> None:
        if tag in self._guis:
            connectors, observer = self._guis.pop(tag)
            for connector in connectors.values():
                connector.onChanged(None)
            self.parameterNode.RemoveObserver(observer)

    def _taker(self, name: str, connector: Connector) -> Callable[[], None]:
        def take() -> None:
            if not self._showing:
                self.setValue(name, connector.read())

        return take

    def _show(self, *_: Any) -> None:
        if self._showing:
            return
        self._showing = True
        try:
            with slicer.util.NodeModify(self.parameterNode):
                for connectors, _observer in list(self._guis.values()):
                    for name, connector in connectors.items():
                        connector.write(self.getValue(name))
        finally:
            self._showing = False

    def StartModify(self) -> int:
        return self.parameterNode.StartModify()

    def EndModify(self, wasModified: int) -> int:
        return self.parameterNode.EndModify(wasModified)

    def AddObserver(self, event: Any, callback: Callable[..., Any], priority: float = 0.0) -> int:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        self.parameterNode.Modified()


def parameterNodeWrapper(classtype: type | None = None) -> Any:
    """Decorate a class of annotated fields; with or without parentheses."""

    def decorate(cls: type) -> type:
        hints = typing.get_type_hints(cls, include_extras=True)
        fields = {name: Field(name, hint, cls) for name, hint in hints.items()}
        for name in fields:
            if hasattr(_Wrapper, name):
                raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
        members = {key: value for key, value in vars(cls).items() if key not in ("__dict__", "__weakref__")}
        members.update({name: property(lambda self, name=name: self.getValue(name)) for name in fields})
        return type(cls.__name__, (_Wrapper,), {**members, "allParameters": fields})

    return decorate if classtype is None else decorate(classtype)


MODULE = types.ModuleType("slicer.parameterNodeWrapper")
for _member in (parameterNodeWrapper, Default, WithinRange, Minimum, Maximum, Choice):
    setattr(MODULE, _member.__name__, _member)
