"""The camera of the view from the C-arm: what it shows lies on the X-ray pixel by pixel.

It stands at the source and looks along the central ray. What a plain camera cannot do goes into a transform of its
coordinates (x right, y up, looking along -z): a mirror, because an angiogram is looked at from the detector, and a
shear that brings the middle of the image into the middle of the view when the central ray does not hit it. Pixels
keep their shape in mm. The view angle is chosen so that the whole image fits into the view, however wide it is.
"""

import numpy as np
import slicer
import vtk

from ..geometry.carm import CArmView

_NEAREST = 0.02
_FARTHEST = 1.6
"""Clipping planes as shares of the SID; the image plane lies at 1."""


class CArmCamera:
    """Keeps the camera of a 3D view at the source of a C-arm view, whatever is dragged and however it is resized."""

    def __init__(self, cameraNode: slicer.vtkMRMLCameraNode, renderer: vtk.vtkRenderer | None = None) -> None:
        """``renderer`` shows the camera's view; without one the view counts as square."""
        self._cameraNode = cameraNode
        self._renderer = renderer
        self._view: CArmView | None = None
        self._observer = renderer.AddObserver(vtk.vtkCommand.StartEvent, self._aim) if renderer else None

    def look(self, view: CArmView) -> None:
        """Look from the source of a view."""
        self._view = view
        self._aim()
        # Not with every picture: Slicer sets the range by what is shown, and the two would answer each other forever.
        self._cameraNode.GetCamera().SetClippingRange(_NEAREST * view.sid_mm, _FARTHEST * view.sid_mm)

    def release(self) -> None:
        """Let the camera go: an ordinary one again, where it stands."""
        if self._renderer is not None and self._observer is not None:
            self._renderer.RemoveObserver(self._observer)
            self._observer = None
        if self._view is not None:
            self._cameraNode.GetCamera().SetUserViewTransform(None)
            self._view = None

    def _aim(self, caller: vtk.vtkObject | None = None, event: str | None = None) -> None:
        if self._view is not None:
            aimCamera(self._cameraNode.GetCamera(), self._view, self._aspect())

    def _aspect(self) -> float:
        width, height = self._renderer.GetSize() if self._renderer else (1, 1)
        return width / height if min(width, height) > 0 else 1.0


def cameraOf(viewNode: slicer.vtkMRMLViewNode) -> slicer.vtkMRMLCameraNode:
    """The camera node of a 3D view node, added where the view has none yet."""
    scene, name = viewNode.GetScene(), viewNode.GetLayoutName()
    for number in range(scene.GetNumberOfNodesByClass("vtkMRMLCameraNode")):
        cameraNode = scene.GetNthNodeByClass(number, "vtkMRMLCameraNode")
        if cameraNode.GetLayoutName() == name:
            return cameraNode
    cameraNode = scene.AddNewNodeByClass("vtkMRMLCameraNode", f"{viewNode.GetName()} camera")
    cameraNode.SetLayoutName(name)
    return cameraNode


def aimCamera(camera: vtk.vtkCamera, view: CArmView, aspect: float) -> None:
    """Put a camera at the source of a view; ``aspect`` is width over height of where it is shown."""
    axes = np.vstack([view.image_axes, view.beam_direction])
    mirrored = np.linalg.det(axes) < 0
    width, height = view.columns * view.column_spacing_mm, view.rows * view.row_spacing_mm
    camera.SetPosition(*view.source)
    camera.SetFocalPoint(*view.detector_centre)
    camera.SetViewUp(*-view.image_axes[1])
    camera.SetViewAngle(2 * np.degrees(np.arctan(0.5 * max(height, width / aspect) / view.sid_mm)))
    middle = _middle_mm(view)
    wanted = np.diag([-1.0 if mirrored else 1.0, 1.0, 1.0, 1.0])
    # A point at depth d has z = -d: moved by -middle * d / SID, so that the image's middle comes to lie on the axis.
    wanted[:2, 2] = middle / view.sid_mm * (1.0, -1.0)
    _setViewTransform(camera, wanted)


def displayFromPixels(view: CArmView, pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Where pixels (N, 2) as (col, row) appear in the view from the C-arm, (N, 2) in its pixels from the lower left.

    ``size`` is width and height of the view. As in VTK, whole numbers are edges of the view's pixels.
    """
    spacing = np.array([view.column_spacing_mm, view.row_spacing_mm])
    image = np.array([view.columns, view.rows]) * spacing
    scale = min(size[0] / image[0], size[1] / image[1])
    from_middle = (np.asarray(pixels, dtype=float) + 0.5) * spacing - 0.5 * image
    return 0.5 * np.asarray(size, dtype=float) + scale * from_middle * (1.0, -1.0)


def _middle_mm(view: CArmView) -> np.ndarray:
    """The middle of the image from the central ray, mm along (col, row)."""
    middle = np.array([(view.columns - 1) / 2, (view.rows - 1) / 2]) - view.central_pixel
    return middle * (view.column_spacing_mm, view.row_spacing_mm)


def _setViewTransform(camera: vtk.vtkCamera, wanted: np.ndarray) -> None:
    current = camera.GetUserViewTransform()
    if current is not None and np.array_equal(slicer.util.arrayFromVTKMatrix(current.GetMatrix()), wanted):
        return
    transform = vtk.vtkTransform()
    transform.SetMatrix(slicer.util.vtkMatrixFromArray(wanted))
    camera.SetUserViewTransform(transform)
