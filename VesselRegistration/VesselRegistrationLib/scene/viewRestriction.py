"""Which views show a node."""

from collections.abc import Iterable

import slicer


def restrictTo(displayNode: slicer.vtkMRMLDisplayNode,
               viewNodes: Iterable[slicer.vtkMRMLAbstractViewNode | None]) -> None:
    """Show something in these views alone; None counts as no view. Whether it is visible stays as it is."""
    wanted = [node.GetID() for node in viewNodes if node is not None]
    if [displayNode.GetNthViewNodeID(number) for number in range(displayNode.GetNumberOfViewNodeIDs())] != wanted:
        displayNode.RemoveAllViewNodeIDs()
        for identifier in wanted:
            displayNode.AddViewNodeID(identifier)


def showOnlyIn(displayNode: slicer.vtkMRMLDisplayNode,
               viewNodes: Iterable[slicer.vtkMRMLAbstractViewNode | None]) -> None:
    """Show something in these views alone, and nowhere when there is none."""
    views = [node for node in viewNodes if node is not None]
    restrictTo(displayNode, views)
    displayNode.SetVisibility(bool(views))


def keepOutOf(displayNode: slicer.vtkMRMLDisplayNode,
              viewNodes: Iterable[slicer.vtkMRMLAbstractViewNode | None]) -> None:
    """Show something in all views but these, where it is not restricted to some views already."""
    if displayNode.GetNumberOfViewNodeIDs():
        return
    scene, unwanted = displayNode.GetScene(), {node.GetID() for node in viewNodes if node is not None}
    for className in ("vtkMRMLViewNode", "vtkMRMLSliceNode"):
        for number in range(scene.GetNumberOfNodesByClass(className)):
            identifier = scene.GetNthNodeByClass(number, className).GetID()
            if identifier not in unwanted:
                displayNode.AddViewNodeID(identifier)
