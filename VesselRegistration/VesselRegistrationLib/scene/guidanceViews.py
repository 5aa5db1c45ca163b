"""Everything that the module's layout shows: X-rays with the fused overlay, the view from the C-arm, the C-arm itself.

    views = GuidanceViews(slicer.mrmlScene, slicer.app.layoutManager())
    views.show([xrayNode], modelNode, transformNode)
    views.setStyle(OverlayStyle.CONTOUR, 0.5)

After that the views follow by themselves: the transform (sliders, handles, replay of a sequence of poses) and the
X-rays (frames, live images, angles that the user gives). Without a window nothing is drawn, but nothing fails: the
layout manager may be None, and the nodes are made all the same.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import slicer
import vtk

from ..errors import UserError
from ..geometry.carm import CArmView
from ..mesh.surface import SurfaceModel
from . import viewLayout
from .cArmCamera import CArmCamera, cameraOf
from .cArmModel import cArmOf, showCArm
from .cornerText import CornerText
from .imagePlane import IMAGE_PLANE_ROLE, showImagePlane
from .liveOverlay import LiveOverlay, OverlayStyle, thinnedModel
from .modelBridge import surfaceFromModel
from .nodeRoles import nodeInRole
from .placedModel import cArmDisplay, roomDisplay, showNearSide, showPlacedModel
from .viewRestriction import keepOutOf, restrictTo, showOnlyIn
from .volumeBridge import asIfNote, frameNumbers, viewFromVolume

_ROOM_CAMERA, _ROOM_FOCUS = (-750.0, -1050.0, -2150.0), (0.0, -180.0, 0.0)
"""From beyond the feet of the patient, who lies on the back: anterior is up. The X-ray is seen under the detector."""


class GuidanceViews:
    """The views of one scene. Make one for the panel, ``close`` it with the panel or the scene."""

    def __init__(self, scene: slicer.vtkMRMLScene, layoutManager: Any = None) -> None:
        """``layoutManager`` is ``slicer.app.layoutManager()``, None where Slicer has no window."""
        self._scene, self._layoutManager = scene, layoutManager
        self._xrays: list[_XrayOnShow] = []
        self._active = 0
        self._style, self._opacity = OverlayStyle.FILL, 0.5
        self._transformNode: slicer.vtkMRMLTransformNode | None = None
        self._placed: slicer.vtkMRMLModelNode | None = None
        self._camera: CArmCamera | None = None
        self._cArmText: CornerText | None = None
        self._roomRenderer: vtk.vtkRenderer | None = None
        self._observers: list[tuple[vtk.vtkObject, int]] = []
        self._models: dict[tuple[Any, ...], tuple[SurfaceModel, SurfaceModel]] = {}
        self._updating = False

    def show(self, xrayNodes: Sequence[slicer.vtkMRMLScalarVolumeNode],
             modelNode: slicer.vtkMRMLModelNode | None = None,
             transformNode: slicer.vtkMRMLTransformNode | None = None, switchLayout: bool = True) -> None:
        """Show one or two X-rays, and the model where the transform (model RAS to world, mm) puts it.

        Without model or transform the X-rays are shown alone. ``switchLayout`` False leaves the user's layout as it is.
        Raises UserError where the model cannot be used.
        """
        model = self._drawable(modelNode) if modelNode is not None and transformNode is not None else None
        with self._undisturbed():
            self._leave()
            self._begin(xrayNodes, modelNode, transformNode, model, switchLayout)
        self._observe()
        self.setStyle(self._style, self._opacity)
        self.update()
        self.settle()

    def setStyle(self, style: OverlayStyle, opacity: float) -> None:
        """How the model lies on the X-rays, and how strongly it covers them (0 to 1), here and from the C-arm."""
        self._style, self._opacity = style, opacity
        with self._undisturbed():
            for xray in self._xrays:
                xray.setStyle(style, opacity)
        if self._placed is not None and self._placed.GetScene() is not None:
            cArmDisplay(self._placed).SetOpacity(opacity)

    def lookFrom(self, number: int) -> None:
        """Let the view from the C-arm be that of X-ray 0 or 1."""
        self._active = number if 0 <= number < len(self._xrays) else 0
        self.update()

    def update(self, caller: vtk.vtkObject | None = None, event: str | None = None) -> None:
        """Show what transform and X-rays say now; quick, and called by itself whenever they change."""
        if self._updating:
            return
        with self._undisturbed():
            self._xrays = [xray for xray in self._xrays if xray.node.GetScene() is not None]
            self._active = min(self._active, max(len(self._xrays) - 1, 0))
            for xray in self._xrays:
                xray.update(self._pose())
            self._updateThreeD()

    def settle(self) -> None:
        """The sliders rest: draw the overlays exactly."""
        with self._undisturbed():
            for xray in self._xrays:
                xray.settle()

    def close(self) -> None:
        """Let go of scene and views; the user's layout stays as it is."""
        self._leave()
        self._models.clear()
        if self._cArmText is not None:
            self._cArmText.remove()
            self._cArmText = None

    def _begin(self, xrayNodes: Sequence[slicer.vtkMRMLScalarVolumeNode], modelNode: slicer.vtkMRMLModelNode | None,
               transformNode: slicer.vtkMRMLTransformNode | None, model: tuple[SurfaceModel, SurfaceModel] | None,
               switchLayout: bool) -> None:
        if switchLayout and xrayNodes:
            viewLayout.showLayout(self._scene, len(xrayNodes))
        self._xrays = [_XrayOnShow(self._layoutManager, number, node, model)
                       for number, node in enumerate(xrayNodes[:len(viewLayout.XRAY_VIEW_NAMES)])]
        self._active = min(self._active, max(len(self._xrays) - 1, 0))
        self._transformNode = transformNode if model is not None else None
        if model is not None and self._xrays:
            self._placed = showPlacedModel(self._xrays[0].node, model[0], transformNode)
            self._hideElsewhere(modelNode)
        self._prepareViews()

    def _leave(self) -> None:
        """Stop following what was shown."""
        for observed, tag in self._observers:
            observed.RemoveObserver(tag)
        self._observers.clear()
        for xray in self._xrays:
            xray.leave()
        self._xrays, self._transformNode, self._placed = [], None, None
        if self._camera is not None:
            self._camera.release()
            self._camera = None

    def _drawable(self, modelNode: slicer.vtkMRMLModelNode) -> tuple[SurfaceModel, SurfaceModel]:
        """The closed surface of a model node and a thinned one; mending and thinning are done once for each mesh."""
        transform = modelNode.GetParentTransformNode()
        mesh = modelNode.GetPolyData()
        key = (modelNode.GetID(), mesh.GetMTime() if mesh else 0, transform.GetMTime() if transform else 0)
        if key not in self._models:
            model = surfaceFromModel(modelNode)
            self._models = {key: (model, thinnedModel(model))}
        return self._models[key]

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """What is written to the nodes here must not come back as an event."""
        before, self._updating = self._updating, True
        try:
            yield
        finally:
            self._updating = before

    def _pose(self) -> Any:
        node = self._transformNode
        if node is None or node.GetScene() is None:
            return None
        return slicer.util.arrayFromTransformMatrix(node, toWorld=True)

    def _observe(self) -> None:
        events = [(xray.node, vtk.vtkCommand.ModifiedEvent) for xray in self._xrays]
        events += [(xray.node, slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent) for xray in self._xrays]
        if self._transformNode is not None:
            events.append((self._transformNode, slicer.vtkMRMLTransformableNode.TransformModifiedEvent))
        self._observers = [(node, node.AddObserver(event, self.update)) for node, event in events]

    def _threeDViews(self) -> tuple[slicer.vtkMRMLViewNode | None, slicer.vtkMRMLViewNode | None]:
        return (viewLayout.viewNode(self._scene, viewLayout.CARM_VIEW_NAME),
                viewLayout.viewNode(self._scene, viewLayout.ROOM_VIEW_NAME))

    def _prepareViews(self) -> None:
        """Cameras and text of the 3D views, as far as there are such views."""
        cArmView, roomView = self._threeDViews()
        renderer = viewLayout.renderer(self._layoutManager, viewLayout.CARM_VIEW_NAME)
        if cArmView is not None:
            self._camera = CArmCamera(cameraOf(cArmView), renderer)
        if renderer is not None and self._cArmText is None:
            self._cArmText = CornerText(renderer)
        self._roomRenderer = viewLayout.renderer(self._layoutManager, viewLayout.ROOM_VIEW_NAME)
        if roomView is not None and roomView.GetAttribute("HybridOR.aimed") is None:
            roomView.SetAttribute("HybridOR.aimed", "1")  # only once: afterwards it is the user's
            camera = cameraOf(roomView)
            camera.SetPosition(*_ROOM_CAMERA)
            camera.SetFocalPoint(*_ROOM_FOCUS)
            camera.SetViewUp(0.0, 1.0, 0.0)

    def _updateThreeD(self) -> None:
        cArmView, roomView = self._threeDViews()
        for number, xray in enumerate(self._xrays):
            xray.showInThreeD(roomView, cArmView if number == self._active else None)
        active = self._xrays[self._active] if self._xrays else None
        view = active.view if active is not None else None
        if self._camera is not None and view is not None:
            self._camera.look(view)
        if self._cArmText is not None:
            frame = frameNumbers(active.node) if active is not None else (0, 1)
            self._cArmText.show(view, frame, asIfNote(active.node) if active is not None else "")
        if self._placed is not None and self._placed.GetScene() is not None:
            shown = view is not None and self._pose() is not None
            showOnlyIn(roomDisplay(self._placed), [roomView if shown else None])
            showOnlyIn(cArmDisplay(self._placed), [cArmView if shown else None])
            if view is not None:
                showNearSide(cArmDisplay(self._placed), view)
        if self._roomRenderer is not None:
            self._roomRenderer.ResetCameraClippingRange()

    def _hideElsewhere(self, modelNode: slicer.vtkMRMLModelNode) -> None:
        """Keep the model as it was loaded, and the one of an earlier result, out of the two 3D views."""
        for node in (modelNode, nodeInRole(self._xrays[0].node, "registeredModel")):
            if node is not None and node.GetDisplayNode() is not None:
                keepOutOf(node.GetDisplayNode(), self._threeDViews())


class _XrayOnShow:
    """One X-ray with what is shown of it."""

    def __init__(self, layoutManager: Any, number: int, node: slicer.vtkMRMLScalarVolumeNode,
                 model: tuple[SurfaceModel, SurfaceModel] | None) -> None:
        name = viewLayout.XRAY_VIEW_NAMES[number]
        self.node, self._number = node, number
        self.view: CArmView | None = None
        self._overlay = None if model is None else LiveOverlay(model[0], node, model[1])
        self._sliceLogic = viewLayout.sliceLogic(layoutManager, name)
        self._sliceNode = viewLayout.viewNode(node.GetScene(), name)
        renderer = viewLayout.renderer(layoutManager, name)
        self._text = None if renderer is None else CornerText(renderer)
        self._drawnCArm: CArmView | None = None
        if self._sliceLogic is not None and (
                self._sliceLogic.GetSliceCompositeNode().GetBackgroundVolumeID() != node.GetID()):
            viewLayout.showXray(self._sliceLogic, node)  # where it is shown already the user's zoom stays

    def update(self, pose: Any) -> None:
        """Geometry, overlay and text as the X-ray and the pose say now."""
        try:
            self.view = viewFromVolume(self.node)
        except UserError:  # the panel says what is missing
            self.view = None
        if self._overlay is not None:
            if self.view is None or pose is None:
                self._overlay.clear()
            else:
                self._overlay.update(self.view, pose)
        if self._text is not None:
            self._text.show(self.view, frameNumbers(self.node), asIfNote(self.node))

    def setStyle(self, style: OverlayStyle, opacity: float) -> None:
        """How the overlay looks."""
        if self._overlay is not None and self.node.GetScene() is not None:
            self._overlay.setStyle(style, opacity, self._sliceLogic)
            self._keepFlatModelHere()

    def settle(self) -> None:
        """Draw the overlay exactly."""
        if self._overlay is not None and self.node.GetScene() is not None:
            self._overlay.settle()
            self._keepFlatModelHere()

    def _keepFlatModelHere(self) -> None:
        """All X-rays lie in one plane of the scene: each flat model belongs to its own view only."""
        flat = nodeInRole(self.node, "projectedModel")
        if flat is not None and self._sliceNode is not None:
            restrictTo(flat.GetDisplayNode(), [self._sliceNode])

    def showInThreeD(self, roomView: Any, cArmView: Any) -> None:
        """C-arm and image plane in the free view, the image plane also in the one from the C-arm where given."""
        if self.view is None or self.node.GetDisplayNode() is None:
            for node in self._threeDNodes():
                node.GetDisplayNode().SetVisibility(False)
            return
        if self.view != self._drawnCArm:
            self._drawnCArm = self.view
            showCArm(self.node, self.view, self._number)
            showImagePlane(self.node, self.view)
        for node in self._threeDNodes():
            isPlane = node is nodeInRole(self.node, IMAGE_PLANE_ROLE)
            showOnlyIn(node.GetDisplayNode(), [roomView, cArmView] if isPlane else [roomView])
            if isPlane:
                node.GetDisplayNode().Modified()  # the image may be new

    def leave(self) -> None:
        """Take text and overlay off the view."""
        if self._text is not None:
            self._text.remove()
        if self.node.GetScene() is None:
            return
        if self._overlay is not None:
            self._overlay.clear()
        for node in self._threeDNodes():
            node.GetDisplayNode().SetVisibility(False)

    def _threeDNodes(self) -> list[slicer.vtkMRMLModelNode]:
        nodes = [nodeInRole(self.node, IMAGE_PLANE_ROLE), *(cArmOf(self.node) or ())]
        return [node for node in nodes if node is not None and node.GetDisplayNode() is not None]
