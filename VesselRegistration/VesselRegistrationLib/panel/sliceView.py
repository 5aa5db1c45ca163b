"""The X-ray in the red slice view."""

import slicer

VIEW_NAME = "Red"


def showInSliceView(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Show an X-ray upright and whole; does nothing where Slicer has no window."""
    layoutManager = slicer.app.layoutManager()
    if layoutManager is None:
        return
    sliceLogic = layoutManager.sliceWidget(VIEW_NAME).sliceLogic()
    sliceLogic.GetSliceCompositeNode().SetBackgroundVolumeID(xrayNode.GetID())
    # The volume lies in the axial plane; rotating to the volume plane would turn it by 180 degrees.
    sliceLogic.GetSliceNode().SetOrientationToAxial()
    sliceLogic.FitSliceToBackground()


def showLabel(labelNode: slicer.vtkMRMLLabelMapVolumeNode | None, opacity: float) -> None:
    """Lay a labelmap, or none, over the X-ray."""
    layoutManager = slicer.app.layoutManager()
    if layoutManager is None:
        return
    composite = layoutManager.sliceWidget(VIEW_NAME).sliceLogic().GetSliceCompositeNode()
    composite.SetLabelVolumeID(labelNode.GetID() if labelNode else None)
    composite.SetLabelOpacity(opacity)
