"""PySide6 classes under the conventions of PythonQt, the binding inside Slicer.

Properties are attributes (``button.enabled = True``), signals are connected by signature
(``button.connect("clicked(bool)", f)``), and an attribute that neither Qt nor the host knows raises AttributeError,
on reading and on writing.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

# These block until somebody clicks. A test has nobody, and a panel should speak in the panel.
_MODAL = {"QMessageBox", "QFileDialog", "QInputDialog", "QErrorMessage", "QProgressDialog", "QColorDialog"}
_SHIBOKEN_META = type(QtCore.QObject)
_wrapped: dict[type, type] = {}
_reading: set[tuple[int, str]] = set()
"""Properties being read. sizeHint is a virtual method as well: Shiboken asks for it by name while Qt reads it."""
loading = {"ui": False}
"""While a .ui file loads, PySide6 sets the children as attributes of the top widget; PythonQt does not."""


class _Meta(_SHIBOKEN_META):  # type: ignore[misc,valid-type]
    def __instancecheck__(cls, instance: object) -> bool:
        return super().__instancecheck__(instance) or isinstance(instance, cls._qtClass)


class PythonQtObject:
    """Mixin that gives a PySide6 object PythonQt's attribute access."""

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_"):
            found = _propertyName(self, name)
            if found is not None and (id(self), name) not in _reading:
                _reading.add((id(self), name))
                try:
                    return QtCore.QObject.property(self, found)  # type: ignore[call-overload]
                finally:
                    _reading.discard((id(self), name))
            if name in ("connect", "disconnect"):  # Shiboken would answer with its own
                return PythonQtObject.__dict__[name].__get__(self)
        return super().__getattribute__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):  # the host's own bookkeeping
            super().__setattr__(name, value)
            return
        found = _propertyName(self, name)
        if found is None:
            if loading["ui"] and isinstance(value, QtCore.QObject):
                return
            raise AttributeError(f"{type(self).__name__} has no property '{name}' to set.")
        if not QtCore.QObject.setProperty(self, found, value):  # type: ignore[call-overload]
            raise TypeError(f"{type(self).__name__}.{name} cannot be set to {value!r}.")

    def connect(self, signature: str, slot: Callable[..., Any]) -> bool:
        """Connect a signal given by its C++ signature, as PythonQt does."""
        signal, without = _signal(self, signature)
        count = 0 if without else _positional(slot)
        sent = 0 if without else signature.count(",") + 1
        # PySide6 chooses among the forms of a signal by the number of arguments that the callable takes.
        called: Callable[..., Any] = (
            slot, (lambda a: slot(*(a,)[:count])), (lambda a, b: slot(*(a, b)[:count])))[sent]
        signal.connect(called)
        self.__dict__.setdefault("_connections", []).append((signature, slot, called))
        return True

    def disconnect(self, signature: str, slot: Callable[..., Any]) -> bool:
        """Undo ``connect``; connections are matched by signature and callable."""
        for connection in self.__dict__.get("_connections", []):
            if connection[0] == signature and connection[1] == slot:
                _signal(self, signature)[0].disconnect(connection[2])
                self.__dict__["_connections"].remove(connection)
                return True
        return False

    def findChildren(self, kind: type = QtCore.QObject, name: str = "") -> list[Any]:
        """Return the children at any depth that are of ``kind``."""
        raw = getattr(kind, "_qtClass", kind)
        return QtCore.QObject.findChildren(self, raw, name or None)  # type: ignore[call-overload]

    def findChild(self, kind: type = QtCore.QObject, name: str = "") -> Any:
        """Return the first of ``findChildren``, or None."""
        found = self.findChildren(kind, name)
        return found[0] if found else None


def _propertyName(target: Any, name: str) -> str | None:
    if name == "name":  # PythonQt's short form
        return "objectName"
    if QtCore.QObject.metaObject(target).indexOfProperty(name) >= 0:
        return name
    return name if name.encode() in QtCore.QObject.dynamicPropertyNames(target) else None


def _signal(target: Any, signature: str) -> tuple[Any, bool]:
    """Return the bound signal and whether its arguments are to be dropped."""
    name, _, arguments = signature.partition("(")
    without = arguments == ")"
    declared = getattr(type(target), "_signatures", {})
    normal = bytes(QtCore.QMetaObject.normalizedSignature(signature)).decode()
    known = normal in declared or QtCore.QObject.metaObject(target).indexOfSignal(normal) >= 0
    if not known:
        raise ValueError(f"{type(target).__name__} has no signal {signature}.")
    return object.__getattribute__(target, declared.get(normal, name)), without


def _positional(slot: Callable[..., Any]) -> int | None:
    """How many arguments a slot takes; None for any number. PythonQt, too, drops what a slot does not take."""
    kinds = [parameter.kind for parameter in inspect.signature(slot).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return None
    return sum(kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD) for kind in kinds)


def wrap(qtClass: type) -> type:
    """Return (and remember) the PythonQt-like subclass of a QObject class of PySide6."""
    if qtClass not in _wrapped:
        _wrapped[qtClass] = _Meta(qtClass.__name__, (PythonQtObject, qtClass), {"_qtClass": qtClass})
    return _wrapped[qtClass]


class QtModule(types.ModuleType):
    """The module ``qt``: every class of QtCore, QtGui and QtWidgets, wrapped where it is a QObject."""

    def __getattr__(self, name: str) -> Any:
        if name in _MODAL:
            raise AttributeError(f"The panel host shows no modal dialogs: qt.{name} is not there.")
        for module in (QtWidgets, QtGui, QtCore, QtUiTools):
            if hasattr(module, name):
                found = getattr(module, name)
                if isinstance(found, type) and issubclass(found, QtCore.QObject):
                    return wrap(found)
                return found
        raise AttributeError(f"Qt has no class '{name}'.")


qt = QtModule("qt")
