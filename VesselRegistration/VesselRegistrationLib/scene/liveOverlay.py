"""The model on an X-ray while it moves: quick while sliders are dragged, exact once they rest.

While it moves, the silhouette of a thinned mesh is written straight into the labelmap that the slice view shows. At
rest the silhouette of the whole mesh is drawn, and what the style needs: the model projected flat, or its thickness.
"""

from enum import Enum

import numpy as np
import slicer

from ..geometry.carm import CArmView
from ..mesh.simplify import simplified
from ..mesh.surface import SurfaceModel
from ..projection.rasterizer import path_length, silhouette
from .nodeRoles import nodeInRole
from .overlayNodes import SILHOUETTE_LABEL, comparisonLabels, showFlattened, showLabelmap, showThickness
from .volumeBridge import usablePixels

MOVING_TRIANGLES = 20_000
"""At most so many triangles are drawn while the model moves; the edge stays within a pixel at 1024 x 1024."""


class OverlayStyle(Enum):
    """How the model lies on the X-ray; ``OverlayStyle("fill")`` gives the one of a word."""

    CONTOUR = "contour"
    FILL = "fill"
    SHADED = "shaded"
    COMPARISON = "comparison"
    MASK = "mask"
    NONE = "none"


def thinnedModel(model: SurfaceModel) -> SurfaceModel:
    """The model with as many triangles as can be drawn while it moves; takes a second for a large one."""
    return simplified(model, MOVING_TRIANGLES)


class LiveOverlay:
    """One model on one X-ray.

        overlay = LiveOverlay(surfaceFromModel(modelNode), xrayNode)
        overlay.setStyle(OverlayStyle.CONTOUR, 0.5, sliceLogic)
        overlay.update(viewFromVolume(xrayNode), modelToWorld)   # on every move
        overlay.settle()                                         # when the slider is let go
    """

    def __init__(self, model: SurfaceModel, xrayNode: slicer.vtkMRMLScalarVolumeNode,
                 thinned: SurfaceModel | None = None) -> None:
        """``model`` in its own RAS mm; ``thinned`` is what is drawn while it moves, made here where not given."""
        self.xrayNode = xrayNode
        self._model = model
        self._thinned = thinned or thinnedModel(model)
        self._view: CArmView | None = None
        self._pose = np.eye(4)
        self._settled = False
        self._style, self._opacity = OverlayStyle.FILL, 0.5
        self._comparedMask = 0
        self._sliceLogic: slicer.vtkMRMLSliceLogic | None = None

    def setStyle(self, style: OverlayStyle, opacity: float,
                 sliceLogic: slicer.vtkMRMLSliceLogic | None = None) -> None:
        """Choose how the overlay looks, how strongly it covers the X-ray (0 to 1), and the slice view that shows it."""
        redraw = style is not self._style
        self._style, self._opacity, self._sliceLogic = style, opacity, sliceLogic
        redraw = redraw or self._maskTime() not in (0, self._comparedMask)
        if redraw and self._settled:
            self._drawExactly()
        self._show()

    def update(self, view: CArmView, modelToWorld: np.ndarray) -> None:
        """Show the model, moved by ``modelToWorld`` (4, 4), as the view sees it. Does nothing where nothing changed."""
        if view == self._view and np.array_equal(modelToWorld, self._pose):
            return
        self._view, self._pose, self._settled = view, np.array(modelToWorld, dtype=float), False
        self._fill(self._silhouette(self._thinned))
        self._show()

    def settle(self) -> None:
        """The model rests: draw it exactly."""
        if self._view is not None and not self._settled:
            self._settled = True
            self._drawExactly()
            self._show()

    def clear(self) -> None:
        """Take the overlay off the X-ray; its nodes stay."""
        self._view, self._settled = None, False
        self._show()

    def _drawExactly(self) -> None:
        if self._view is None:
            return
        projection = self._view.projection_matrix @ self._pose
        drawn = self._silhouette(self._model)
        self._fill(drawn)
        if self._style is OverlayStyle.FILL:
            showFlattened(self.xrayNode, self._model, projection)
        elif self._style is OverlayStyle.SHADED:
            showThickness(self.xrayNode, path_length(self._model, projection, drawn.shape))
        elif self._style is OverlayStyle.COMPARISON:
            maskNode, self._comparedMask = nodeInRole(self.xrayNode, "mask"), self._maskTime()
            if maskNode is not None:
                mask = slicer.util.arrayFromVolume(maskNode)[0] > 0
                showLabelmap(self.xrayNode, "comparison", "Comparison of model and mask",
                             comparisonLabels(drawn, mask, usablePixels(self.xrayNode)))

    def _maskTime(self) -> int:
        """Grows when the mask to compare with changes; 0 where none is compared."""
        maskNode = nodeInRole(self.xrayNode, "mask") if self._style is OverlayStyle.COMPARISON else None
        image = maskNode.GetImageData() if maskNode is not None else None
        return 0 if image is None else image.GetMTime()

    def _silhouette(self, model: SurfaceModel) -> np.ndarray:
        assert self._view is not None
        return silhouette(model, self._view.projection_matrix @ self._pose, (self._view.rows, self._view.columns))

    def _fill(self, drawn: np.ndarray) -> None:
        """Write a silhouette into its labelmap, in place where it has the right size already."""
        labelmap = nodeInRole(self.xrayNode, "silhouette")
        image = labelmap.GetImageData() if labelmap is not None else None
        rows, columns = drawn.shape
        if image is None or image.GetDimensions() != (columns, rows, 1) or image.GetScalarTypeAsString() != (
                "unsigned char"):
            showLabelmap(self.xrayNode, "silhouette", "Projected silhouette", drawn * SILHOUETTE_LABEL)
            return
        np.multiply(drawn, np.uint8(SILHOUETTE_LABEL), out=slicer.util.arrayFromVolume(labelmap)[0])
        slicer.util.arrayFromVolumeModified(labelmap)

    def _show(self) -> None:
        """Let the slice view show what the style and the state call for."""
        shown = self._style if self._view is not None else OverlayStyle.NONE
        exact = self._settled
        flat = nodeInRole(self.xrayNode, "projectedModel")
        if flat is not None:
            displayNode = flat.GetDisplayNode()
            displayNode.SetVisibility(shown is OverlayStyle.FILL and exact)
            displayNode.SetSliceIntersectionOpacity(self._opacity)
        if self._sliceLogic is None:
            return
        label = {OverlayStyle.CONTOUR: "silhouette", OverlayStyle.MASK: "mask", OverlayStyle.NONE: None,
                 OverlayStyle.FILL: None if exact else "silhouette",
                 OverlayStyle.SHADED: None if exact else "silhouette",
                 OverlayStyle.COMPARISON: "comparison" if exact else "silhouette"}[shown]
        labelmap = nodeInRole(self.xrayNode, label) if label else None
        if labelmap is None and shown is OverlayStyle.COMPARISON:  # no mask to compare with
            labelmap = nodeInRole(self.xrayNode, "silhouette")
        thickness = nodeInRole(self.xrayNode, "thickness") if shown is OverlayStyle.SHADED and exact else None
        composite, sliceNode = self._sliceLogic.GetSliceCompositeNode(), self._sliceLogic.GetSliceNode()
        composite.SetLabelVolumeID(labelmap.GetID() if labelmap else None)
        composite.SetLabelOpacity(self._opacity)
        composite.SetForegroundVolumeID(thickness.GetID() if thickness else None)
        composite.SetForegroundOpacity(self._opacity if thickness else 0.0)
        sliceNode.SetUseLabelOutline(shown is OverlayStyle.CONTOUR)
