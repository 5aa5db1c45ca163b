"""The host itself: puts the modules in place that a scripted module imports, and records what a user would notice."""

from __future__ import annotations

import importlib.util
import sys
import traceback
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer
import slicer.util
from PySide6 import QtCore, QtWidgets

from . import parameter_node, scripted_module
from .application import Application
from .ctk_widgets import ctk
from .mrml_widgets import ModulePanel, qMRMLNodeComboBox, qMRMLWidget
from .pythonqt import qt
from .ui_file import childWidgetVariables, loadUI


@dataclass
class Notice:
    """What reached the user outside the panel."""

    popups: list[str] = field(default_factory=list)
    statusMessages: list[str] = field(default_factory=list)
    modulesOpened: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Tracebacks of exceptions that ended in a slot or an observer; Slicer prints them to its console."""


class Modules(types.SimpleNamespace):
    """``slicer.modules``."""


class ModuleRecord:
    """What Slicer keeps of a module: the ``parent`` of the module object and ``slicer.modules.<name>``."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.name = Path(path).stem
        self.title, self.helpText, self.acknowledgementText = self.name, "", ""
        self.categories: list[str] = []
        self.dependencies: list[str] = []
        self.contributors: list[str] = []
        self.hidden = False
        self._panel: ModulePanel | None = None

    def widgetRepresentation(self) -> ModulePanel:
        """Return the panel's parent widget, made on first use."""
        if self._panel is None:
            self._panel = ModulePanel()
        return self._panel


class Host:
    """A running host. Make one per process, before the module file is imported."""

    def __init__(self) -> None:
        self.notice = Notice()
        self.application = Application()
        self._installModules()
        self._installFunctions()
        sys.excepthook = self._recordError

    def openPanel(self, moduleFile: Path) -> Any:
        """Import a module file, build and enter its panel; returns the widget object, ``parent`` is shown."""
        name = moduleFile.stem
        if str(moduleFile.parent) not in sys.path:
            sys.path.insert(0, str(moduleFile.parent))
        record = ModuleRecord(str(moduleFile))
        setattr(slicer.modules, name.lower(), record)
        module = _importFile(moduleFile)
        setattr(slicer.modules, name + "Instance", getattr(module, name)(record))
        widget = self._build(name)
        self.application.startupCompleted.emit()
        self.enter(widget)
        return widget

    def enter(self, widget: Any) -> None:
        """The user opens the module."""
        widget.parent._entered = True
        widget.parent.show()
        widget.enter()
        self.settle()

    def leave(self, widget: Any) -> None:
        """The user goes to another module."""
        widget.parent._entered = False
        widget.exit()
        self.settle()

    def close(self, widget: Any) -> None:
        """Slicer unloads the module."""
        self.application.moduleManager().moduleAboutToBeUnloaded.emit(widget.moduleName)
        widget.cleanup()
        _letGo(widget.parent)
        self.settle()

    def settle(self) -> None:
        """Let all waiting events happen."""
        for _ in range(5):
            QtWidgets.QApplication.processEvents()

    def _build(self, name: str) -> Any:
        panel = getattr(slicer.modules, name.lower()).widgetRepresentation()
        panel.setMRMLScene(slicer.mrmlScene)
        widget = getattr(sys.modules[name], name + "Widget")(panel)
        setattr(slicer.modules, name + "Widget", widget)
        panel._python = widget
        widget.setup()
        return widget

    def _reload(self, name: str) -> Any:
        """Stand for ``slicer.util.reloadScriptedModule``."""
        module = _importFile(Path(slicer.util.modulePath(name)))
        old = getattr(slicer.modules, name + "Widget")
        panel = old.parent
        old.cleanup()
        layout = panel.layout()
        while layout.count():
            item = layout.takeAt(0)
            if item.widget() is not None:
                _letGo(item.widget())
                item.widget().hide()
                item.widget().deleteLater()
        widget = self._build(name)
        if panel.isEntered:
            widget.enter()
        return module

    def _recordError(self, kind: type[BaseException], error: BaseException, trace: Any) -> None:
        text = "".join(traceback.format_exception(kind, error, trace))
        self.notice.errors.append(text)
        print(text, file=sys.stderr)

    def _installModules(self) -> None:
        i18n, packaging, sampleData = (types.ModuleType(name) for name in (
            "slicer.i18n", "slicer.packaging", "SampleData"))
        i18n.tr = lambda text: text  # type: ignore[attr-defined]
        i18n.translate = lambda context, text: text  # type: ignore[attr-defined]
        packaging.pip_ensure = lambda requirements, **options: None  # type: ignore[attr-defined]
        sampleData.SampleDataLogic = SampleDataLogic  # type: ignore[attr-defined]
        sys.modules.update({"qt": qt, "ctk": ctk, "SampleData": sampleData})
        for module in (i18n, packaging, parameter_node.MODULE, scripted_module.MODULE):
            sys.modules[module.__name__] = module
            setattr(slicer, module.__name__.split(".")[1], module)
        slicer.app = self.application
        slicer.mrmlScene = self.application.mrmlScene()
        slicer.modules = Modules(segmenteditor=SegmentEditorModule())
        slicer.selfTests = {}
        slicer.qMRMLWidget, slicer.qMRMLNodeComboBox = qMRMLWidget, qMRMLNodeComboBox

    def _installFunctions(self) -> None:
        popup = self._popup
        replaced: dict[str, Any] = {
            "loadUI": loadUI, "childWidgetVariables": childWidgetVariables, "reloadScriptedModule": self._reload,
            "mainWindow": lambda: None, "selectModule": self.notice.modulesOpened.append,
            "showStatusMessage": lambda text, duration=0: self.notice.statusMessages.append(text),
            "tryWithErrorDisplay": contextmanager(self._tryWithErrorDisplay), "pip_install": _refuseInstallation,
            "saveScene": lambda path, properties=None: slicer.mrmlScene.WriteToMRB(str(path)),
            "loadScene": self._loadScene,
            "getModuleLogic": lambda name: getattr(slicer.modules, f"{name}Widget").logic,
            **{name: popup(name, None) for name in ("infoDisplay", "warningDisplay", "errorDisplay", "delayDisplay")},
            **{name: popup(name, True) for name in (
                "messageBox", "confirmOkCancelDisplay", "confirmYesNoDisplay", "confirmRetryCloseDisplay")}}
        for name, function in replaced.items():
            if not hasattr(slicer.util, name):
                raise RuntimeError(f"slicer.util has no {name}.")
            setattr(slicer.util, name, function)

    def _popup(self, name: str, answer: Any) -> Any:
        def show(text: str, *_: Any, **__: Any) -> Any:
            self.notice.popups.append(f"{name}: {text}")
            return answer

        return show

    def _tryWithErrorDisplay(self, message: str | None = None, show: bool = True,
                             waitCursor: bool = False) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if show:
                slicer.util.errorDisplay(f"{message}\n\n{error}" if message else str(error))
            raise

    def _loadScene(self, path: str, properties: dict[str, Any] | None = None) -> bool:
        """Replace the scene by a bundle, as File > Open does."""
        return bool(slicer.mrmlScene.ReadFromMRB(str(path), bool((properties or {}).get("clear", True))))


class SegmentEditorModule:
    """``slicer.modules.segmenteditor``: notes what it was asked to edit."""

    def __init__(self) -> None:
        self.editor = self
        self.segmentationNode: Any = None
        self.sourceVolumeNode: Any = None

    def widgetRepresentation(self) -> SegmentEditorModule:
        """Return the panel."""
        return self

    def self(self) -> SegmentEditorModule:
        """Return the Python object of the panel, with its ``editor``."""
        return self

    def setSegmentationNode(self, node: Any) -> None:
        """Edit this segmentation."""
        self.segmentationNode = node

    def setSourceVolumeNode(self, node: Any) -> None:
        """Edit on this volume."""
        self.sourceVolumeNode = node


class SampleDataLogic:
    """``SampleData.SampleDataLogic``: remembers what modules register."""

    sources: list[dict[str, Any]] = []  # noqa: RUF012 - Slicer's own is shared as well

    @staticmethod
    def registerCustomSampleDataSource(**source: Any) -> None:
        """Remember a sample data set."""
        SampleDataLogic.sources.append(source)


def _refuseInstallation(requirements: Any, **_: Any) -> None:
    raise RuntimeError(f"The panel host installs nothing: {requirements}")


def _letGo(widget: Any) -> None:
    """Let the selectors of a panel that goes follow the scene no more."""
    for child in QtCore.QObject.findChildren(widget, QtWidgets.QWidget):
        if type(child) is qMRMLNodeComboBox:  # isinstance takes every QWidget for one
            child.setMRMLScene(None)


def _importFile(path: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
