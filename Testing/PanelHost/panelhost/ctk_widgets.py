"""The CTK widgets that the panels use, on PySide6: same class, property and signal names."""

from __future__ import annotations

import enum
import types
from typing import Any, ClassVar

from PySide6 import QtCore, QtWidgets

from .pythonqt import PythonQtObject, _Meta

_NO_LIMIT = 16777215  # QWIDGETSIZE_MAX


class Widget(PythonQtObject, QtWidgets.QWidget, metaclass=_Meta):
    """Base of composite widgets."""

    _qtClass = QtWidgets.QWidget


class ctkCollapsibleButton(Widget):
    """A titled button on top of contents that it shows or hides."""

    contentsCollapsed = QtCore.Signal(bool)
    _signatures: ClassVar[dict[str, str]] = {"contentsCollapsed(bool)": "contentsCollapsed"}

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ""
        self._collapsed = False
        self._button = QtWidgets.QToolButton(self)
        self._button.setToolButtonStyle(QtCore.Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._button.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
        self._button.clicked.connect(lambda: self._setCollapsed(not self._collapsed))
        self._height = self._button.sizeHint().height()
        self.setContentsMargins(0, self._height, 0, 0)
        self._arrow()

    def _arrow(self) -> None:
        down = QtCore.Qt.ArrowType.DownArrow
        self._button.setArrowType(QtCore.Qt.ArrowType.RightArrow if self._collapsed else down)

    def resizeEvent(self, event: Any) -> None:
        """Keep the button as wide as the widget."""
        self._button.setGeometry(0, 0, QtWidgets.QWidget.width(self), self._height)
        QtWidgets.QWidget.resizeEvent(self, event)

    def event(self, event: Any) -> bool:
        """Hide contents that are added while collapsed, as soon as the layout runs."""
        done = QtWidgets.QWidget.event(self, event)
        if event.type() in (QtCore.QEvent.Type.LayoutRequest, QtCore.QEvent.Type.Show):
            self._showContents()
        return done

    def _showContents(self) -> None:
        self.setMaximumHeight(self._height if self._collapsed else _NO_LIMIT)
        for child in QtWidgets.QWidget.children(self):
            if isinstance(child, QtWidgets.QWidget) and child is not self._button:
                if self._collapsed and not child.isHidden():
                    child.hide()
                    child.setProperty("_hostHidden", True)
                elif not self._collapsed and child.property("_hostHidden"):
                    child.setProperty("_hostHidden", None)
                    child.show()

    def _getText(self) -> str:
        return self._title

    def _setText(self, text: str) -> None:
        self._title = text
        self._button.setText(text)

    def _getCollapsed(self) -> bool:
        return self._collapsed

    def _setCollapsed(self, collapsed: bool) -> None:
        if collapsed != self._collapsed:
            self._collapsed = collapsed
            self._arrow()
            self._showContents()
            self.contentsCollapsed.emit(collapsed)

    text = QtCore.Property(str, _getText, _setText)
    collapsed = QtCore.Property(bool, _getCollapsed, _setCollapsed)


class ctkPathLineEdit(Widget):
    """A line edit for the path of a file or folder, with a browse button."""

    currentPathChanged = QtCore.Signal(str)
    _signatures: ClassVar[dict[str, str]] = {"currentPathChanged(QString)": "currentPathChanged"}

    class Filter(enum.IntFlag):
        """What may be chosen: QDir's filters, as the C++ class declares them."""

        Dirs, Files, Drives, NoSymLinks = 0x1, 0x2, 0x4, 0x8
        Readable, Writable, Executable, Hidden = 0x10, 0x20, 0x40, 0x100
        NoDot, NoDotDot = 0x2000, 0x4000

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._edit = QtWidgets.QComboBox(self)
        self._edit.setEditable(True)
        self._browse = QtWidgets.QToolButton(self)
        self._browse.setText("…")
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._edit, 1)
        row.addWidget(self._browse)
        self._values: dict[str, Any] = {"nameFilters": [], "label": "", "settingKey": "", "showBrowseButton": True,
                                        "showHistoryButton": True}
        self._path = ""
        self._edit.editTextChanged.connect(self._edited)

    def _edited(self, text: str) -> None:
        if text != self._path:
            self._path = text
            self.currentPathChanged.emit(text)

    def _setPath(self, path: str) -> None:
        self._edit.setEditText(path)

    def setCurrentPath(self, path: str) -> None:
        """Set the path, as the slot of the C++ class."""
        self._setPath(path)

    def addCurrentPathToHistory(self) -> None:
        """Remember the path in the drop-down list."""
        if self._path and self._edit.findText(self._path) < 0:
            self._edit.addItem(self._path)

    def _setFilters(self, filters: int) -> None:
        self._filterBits = filters

    def _value(name: str, kind: Any) -> Any:  # type: ignore[misc]
        def read(self: Any) -> Any:
            return self._values[name]

        def write(self: Any, value: Any) -> None:
            self._values[name] = value
            self._browse.setVisible(bool(self._values["showBrowseButton"]))

        return QtCore.Property(kind, read, write)

    _filterBits = Filter.Files
    currentPath = QtCore.Property(str, lambda self: self._path, _setPath)
    nameFilters = _value("nameFilters", "QStringList")
    label = _value("label", str)
    settingKey = _value("settingKey", str)
    showBrowseButton = _value("showBrowseButton", bool)
    showHistoryButton = _value("showHistoryButton", bool)
    filters = QtCore.Property(int, lambda self: int(self._filterBits), _setFilters)


class ctkDoubleSpinBox(Widget):
    """A spin box for numbers."""

    valueChanged = QtCore.Signal(float)
    editingFinished = QtCore.Signal()
    _signatures: ClassVar[dict[str, str]] = {
        "valueChanged(double)": "valueChanged", "editingFinished()": "editingFinished"}

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._spin = QtWidgets.QDoubleSpinBox(self)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._row = row
        row.addWidget(self._spin)
        self._spin.valueChanged.connect(self.valueChanged)
        self._spin.editingFinished.connect(self.editingFinished)

    def setValue(self, value: float) -> None:
        """Set the value, as the slot of the C++ class."""
        self._spin.setValue(value)

    def setRange(self, minimum: float, maximum: float) -> None:
        """Set the limits, as the slot of the C++ class."""
        self._spin.setRange(minimum, maximum)

    def _forward(kind: Any, getter: str, setter: str) -> Any:  # type: ignore[misc]
        return QtCore.Property(kind, lambda self: getattr(self._spin, getter)(),
                               lambda self, value: getattr(self._spin, setter)(value))

    value = _forward(float, "value", "setValue")
    minimum = _forward(float, "minimum", "setMinimum")
    maximum = _forward(float, "maximum", "setMaximum")
    singleStep = _forward(float, "singleStep", "setSingleStep")
    decimals = _forward(int, "decimals", "setDecimals")
    suffix = _forward(str, "suffix", "setSuffix")
    prefix = _forward(str, "prefix", "setPrefix")


class ctkSliderWidget(ctkDoubleSpinBox):
    """A slider with a spin box."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal, self)
        self._slider.setRange(0, 1000)
        self._row.insertWidget(0, self._slider, 1)
        self._spin.valueChanged.connect(self._followSpin)
        self._slider.sliderMoved.connect(self._followSlider)

    def setRange(self, minimum: float, maximum: float) -> None:
        """Set the limits, as the slot of the C++ class."""
        super().setRange(minimum, maximum)
        self._followSpin(self._spin.value())

    def _limit(getter: str, setter: str) -> Any:  # type: ignore[misc]
        def write(self: Any, value: float) -> None:
            getattr(self._spin, setter)(value)
            self._followSpin(self._spin.value())  # the handle stands elsewhere between other limits

        return QtCore.Property(float, lambda self: getattr(self._spin, getter)(), write)

    minimum = _limit("minimum", "setMinimum")
    maximum = _limit("maximum", "setMaximum")

    def _followSpin(self, value: float) -> None:
        span = self._spin.maximum() - self._spin.minimum()
        self._slider.setValue(round(1000 * (value - self._spin.minimum()) / span) if span > 0 else 0)

    def _followSlider(self, position: int) -> None:
        low, high = self._spin.minimum(), self._spin.maximum()
        self._spin.setValue(low + (high - low) * position / 1000)


for _filter in ctkPathLineEdit.Filter:
    setattr(ctkPathLineEdit, str(_filter.name), _filter)
CLASSES = {each.__name__: each for each in (ctkCollapsibleButton, ctkPathLineEdit, ctkDoubleSpinBox, ctkSliderWidget)}


class CtkModule(types.ModuleType):
    """The module ``ctk``: the classes of this file, and no others."""

    def __getattr__(self, name: str) -> Any:
        if name in CLASSES:
            return CLASSES[name]
        raise AttributeError(f"The panel host has no ctk.{name}.")


ctk = CtkModule("ctk")
