"""Slice and 3D views that really draw, offscreen: the displayable managers of slicer-core on VTK render windows.

The views of a layout are those that Slicer's own layout logic makes from the layout node's description. Of
``qMRMLLayoutManager`` and its widgets there is what the modules here use. Nothing needs Qt. A picture needs OpenGL: EGL
or OSMesa; without them VTK ends the process, so ask :func:`drawingProblem` first.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any
from xml.etree import ElementTree

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

PACKAGES = "libegl1 libgl1, or libosmesa6 with VTK_DEFAULT_OPENGL_WINDOW=vtkOSOpenGLRenderWindow"

VIEW_SIZE = (512, 512)
"""Width and height of a view until it is resized."""

_PROBE = """
import vtk
window = vtk.vtkRenderWindow()
window.SetOffScreenRendering(1)
window.SetSize(8, 8)
window.AddRenderer(vtk.vtkRenderer())
window.Render()
"""
_SLICE_MANAGERS = ("vtkMRMLVolumeGlyphSliceDisplayableManager", "vtkMRMLModelSliceDisplayableManager",
                   "vtkMRMLMarkupsDisplayableManager")
_THREE_D_MANAGERS = ("vtkMRMLViewDisplayableManager", "vtkMRMLCameraDisplayableManager",
                     "vtkMRMLModelDisplayableManager", "vtkMRMLMarkupsDisplayableManager")


def drawingProblem() -> str:
    """Why VTK cannot draw here, in one sentence; empty where it can. A process of its own tries it."""
    probe = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, check=False, timeout=120)
    return "" if probe.returncode == 0 else f"VTK cannot draw offscreen here: on Debian install {PACKAGES}"


class View:
    """A render window with the displayable managers of a view node."""

    def __init__(self, node: Any, factory: Any, managers: tuple[str, ...], applicationLogic: Any,
                 size: tuple[int, int]) -> None:
        self._window = vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(0)
        self._window.SetSize(*size)
        self._renderer = vtk.vtkRenderer()
        self._window.AddRenderer(self._renderer)
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        factory.SetMRMLApplicationLogic(applicationLogic)
        for manager in managers:
            if not factory.IsDisplayableManagerRegistered(manager):
                factory.RegisterDisplayableManager(manager)
        self._group = factory.InstantiateDisplayableManagers(self._renderer)
        self._group.SetMRMLDisplayableNode(node)

    def renderWindow(self) -> vtk.vtkRenderWindow:
        """Return the render window."""
        return self._window

    def displayableManagerGroup(self) -> Any:
        """Return the vtkMRMLDisplayableManagerGroup."""
        return self._group

    def resize(self, width: int, height: int) -> None:
        """Give the view another size in pixels."""
        self._window.SetSize(width, height)

    def picture(self) -> np.ndarray:
        """Draw; returns (rows, columns, 3) uint8, first row on top."""
        self._window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self._window)
        grab.ReadFrontBufferOff()
        grab.Update()
        width, height, _ = grab.GetOutput().GetDimensions()
        return vtk_to_numpy(grab.GetOutput().GetPointData().GetScalars()).reshape(height, width, 3)[::-1].copy()

    def close(self) -> None:
        """Let go of the node; a camera manager that outlives its view node ends the process."""
        self._group.SetMRMLDisplayableNode(None)
        self._group.SetRenderer(None)
        self._window.Finalize()


class SliceView(View):
    """``qMRMLSliceView``."""

    def __init__(self, logic: Any, applicationLogic: Any, size: tuple[int, int]) -> None:
        super().__init__(logic.GetSliceNode(), slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance(),
                         _SLICE_MANAGERS, applicationLogic, size)
        self._logic = logic
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._image = vtk.vtkActor2D()
        self._image.SetMapper(self._mapper)
        self._image.GetProperty().SetDisplayLocationToBackground()
        self._image.VisibilityOff()
        self._renderer.AddViewProp(self._image)
        self.resize(*size)

    def resize(self, width: int, height: int) -> None:
        """Give the view and its slice another size in pixels."""
        super().resize(width, height)
        self._logic.ResizeSliceNode(width, height)

    def picture(self) -> np.ndarray:
        """Draw; returns (rows, columns, 3) uint8, first row on top."""
        image = self._logic.GetImageDataConnection()  # None where no volume is chosen
        self._image.SetVisibility(image is not None)
        if image is not None:
            self._mapper.SetInputConnection(image)
        return super().picture()


class ThreeDView(View):
    """``qMRMLThreeDView``."""

    def __init__(self, node: Any, applicationLogic: Any, size: tuple[int, int]) -> None:
        super().__init__(node, slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance(), _THREE_D_MANAGERS,
                         applicationLogic, size)


class SliceWidget:
    """``qMRMLSliceWidget``: the real slice logic; the view is made when it is first asked for."""

    def __init__(self, node: Any, applicationLogic: Any) -> None:
        self._application = applicationLogic
        self._logic = slicer.vtkMRMLSliceLogic()
        self._logic.SetMRMLScene(node.GetScene())
        self._logic.SetSliceNode(node)
        self._logic.ResizeSliceNode(*VIEW_SIZE)
        self._view: SliceView | None = None

    def sliceLogic(self) -> Any:
        """Return the vtkMRMLSliceLogic."""
        return self._logic

    def mrmlSliceNode(self) -> Any:
        """Return the slice node."""
        return self._logic.GetSliceNode()

    def sliceView(self) -> SliceView:
        """Return the view."""
        if self._view is None:
            self._view = SliceView(self._logic, self._application, VIEW_SIZE)
        return self._view

    def close(self) -> None:
        """Let go of the view."""
        if self._view is not None:
            self._view.close()


class ThreeDWidget:
    """``qMRMLThreeDWidget``; the view is made when it is first asked for."""

    def __init__(self, node: Any, applicationLogic: Any) -> None:
        self._node, self._application = node, applicationLogic
        self._view: ThreeDView | None = None

    def mrmlViewNode(self) -> Any:
        """Return the view node."""
        return self._node

    def threeDView(self) -> ThreeDView:
        """Return the view."""
        if self._view is None:
            self._view = ThreeDView(self._node, self._application, VIEW_SIZE)
        return self._view

    def close(self) -> None:
        """Let go of the view."""
        if self._view is not None:
            self._view.close()


class LayoutManager:
    """``slicer.app.layoutManager()``: a widget for every view node that the scene's layout has ever asked for."""

    def __init__(self, scene: Any, applicationLogic: Any) -> None:
        self._scene, self._application = scene, applicationLogic
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
        self._layoutLogic = slicer.vtkMRMLLayoutLogic()
        self._layoutLogic.SetMRMLScene(scene)
        self._slices: dict[str, SliceWidget] = {}
        self._threeDs: dict[str, ThreeDWidget] = {}

    def layoutLogic(self) -> Any:
        """Return the vtkMRMLLayoutLogic."""
        return self._layoutLogic

    def sliceViewNames(self) -> list[str]:
        """Return the names of the slice views."""
        for node in self._nodes("vtkMRMLSliceNode"):
            if node.GetLayoutName() not in self._slices:
                self._slices[node.GetLayoutName()] = SliceWidget(node, self._application)
        return list(self._slices)

    def sliceWidget(self, name: str) -> SliceWidget:
        """Return a slice view; raises KeyError for a name that there is not."""
        self.sliceViewNames()
        return self._slices[name]

    @property
    def threeDViewCount(self) -> int:
        """The number of 3D views."""
        for node in self._nodes("vtkMRMLViewNode"):
            if node.GetLayoutName() not in self._threeDs:
                self._threeDs[node.GetLayoutName()] = ThreeDWidget(node, self._application)
        return len(self._threeDs)

    def threeDWidget(self, which: int | str) -> ThreeDWidget:
        """Return a 3D view by its number or name; raises IndexError or KeyError where there is none."""
        count = self.threeDViewCount
        if isinstance(which, str):
            return self._threeDs[which]
        if which >= count:
            raise IndexError(which)
        return list(self._threeDs.values())[which]

    def resetSliceViews(self) -> None:
        """Fit all slice views to their background."""
        for name in self.sliceViewNames():
            self._slices[name].sliceLogic().FitSliceToBackground()

    def picture(self, width: int, height: int) -> np.ndarray:
        """Draw all views of the layout as they lie beside each other, (height, width, 3) uint8."""
        picture = np.zeros((height, width, 3), np.uint8)
        description = self._layoutLogic.GetLayoutNode().GetCurrentLayoutDescription()
        self._draw(ElementTree.fromstring(description), picture)
        return picture

    def _draw(self, element: ElementTree.Element, picture: np.ndarray) -> None:
        """Draw a layout or a view into its part of a picture."""
        if element.tag == "view":
            name = element.get("singletontag", "")
            isSlice = element.get("class") == "vtkMRMLSliceNode"
            view = self.sliceWidget(name).sliceView() if isSlice else self.threeDWidget(name).threeDView()
            view.resize(picture.shape[1], picture.shape[0])
            if isSlice:
                self.sliceWidget(name).sliceLogic().FitSliceToBackground()
            picture[:] = view.picture()
            return
        items, axis = element.findall("item"), 1 if element.get("type") == "horizontal" else 0
        shares = np.cumsum([0.0, *(float(item.get("splitSize", 1)) for item in items)])
        edges = np.rint(shares / shares[-1] * picture.shape[axis]).astype(int)
        for item, first, last in zip(items, edges[:-1], edges[1:], strict=True):
            self._draw(item[0], picture[:, first:last - 2] if axis else picture[first:last - 2])

    def close(self) -> None:
        """Let go of all views, before the scene goes."""
        for widget in (*self._slices.values(), *self._threeDs.values()):
            widget.close()
        self._slices, self._threeDs = {}, {}

    def _nodes(self, className: str) -> list[Any]:
        count = self._scene.GetNumberOfNodesByClass(className)
        return [self._scene.GetNthNodeByClass(number, className) for number in range(count)]
