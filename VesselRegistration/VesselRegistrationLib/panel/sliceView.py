"""The X-ray in the red slice view, with the registered model or its projection over it."""

import slicer

VIEW_NAME = "Red"


def showInSliceView(xrayNode: slicer.vtkMRMLScalarVolumeNode, labelNode: slicer.vtkMRMLLabelMapVolumeNode | None,
                    opacity: float) -> None:
    """Show an X-ray upright and whole, with a labelmap over it; does nothing where Slicer has no window."""
    layoutManager = slicer.app.layoutManager()
    if layoutManager is None:
        return
    sliceLogic = layoutManager.sliceWidget(VIEW_NAME).sliceLogic()
    composite = sliceLogic.GetSliceCompositeNode()
    composite.SetBackgroundVolumeID(xrayNode.GetID())
    composite.SetLabelVolumeID(labelNode.GetID() if labelNode else None)
    composite.SetLabelOpacity(opacity)
    # The volume lies in the axial plane; rotating to the volume plane would turn it by 180 degrees.
    sliceLogic.GetSliceNode().SetOrientationToAxial()
    sliceLogic.FitSliceToBackground()


def setOverlayOpacity(opacity: float) -> None:
    """Change how strongly the labelmap covers the X-ray."""
    layoutManager = slicer.app.layoutManager()
    if layoutManager is not None:
        layoutManager.sliceWidget(VIEW_NAME).sliceLogic().GetSliceCompositeNode().SetLabelOpacity(opacity)
