"""Sequences and their browsers: which one shows a node, and what else it can show."""

import slicer

_INDEX_NAME = "frame"


def browserOf(node: slicer.vtkMRMLNode) -> slicer.vtkMRMLSequenceBrowserNode | None:
    """The sequence browser that drives a node, None where there is none."""
    scene = node.GetScene()
    if scene is None:
        return None
    for number in range(scene.GetNumberOfNodesByClass("vtkMRMLSequenceBrowserNode")):
        browser = scene.GetNthNodeByClass(number, "vtkMRMLSequenceBrowserNode")
        if browser.IsProxyNode(node.GetID()):
            return browser
    return None


def sequenceItems(node: slicer.vtkMRMLNode) -> list[slicer.vtkMRMLNode]:
    """All items of the sequence that a node shows, in order; none where it shows none."""
    browser = browserOf(node)
    sequence = browser.GetSequenceNode(node) if browser is not None else None
    return [] if sequence is None else [sequence.GetNthDataNode(k) for k in range(sequence.GetNumberOfDataNodes())]


def showItem(node: slicer.vtkMRMLNode, number: int) -> None:
    """Let the browser of a node, and all that it drives, show an item (0-based); nothing where there is none.

    The node's pixels must not be written instead: it shares them with the item that it shows.
    """
    browser = browserOf(node)
    if browser is not None:
        browser.SetSelectedItemNumber(number)
        # Slicer's own logic does this as well; a scene outside of Slicer has none.
        slicer.vtkSlicerSequencesLogic().UpdateProxyNodesFromSequences(browser)


def addSequence(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLSequenceNode:
    """A new sequence for frames counted from 0."""
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    sequence.SetIndexName(_INDEX_NAME)
    sequence.SetIndexUnit("")
    sequence.SetIndexTypeFromString("numeric")
    return sequence


def addBrowser(node: slicer.vtkMRMLNode, sequence: slicer.vtkMRMLSequenceNode,
               number: int = 0) -> slicer.vtkMRMLSequenceBrowserNode:
    """A new browser that lets a node show an item (0-based) of a sequence."""
    browser = node.GetScene().AddNewNodeByClass("vtkMRMLSequenceBrowserNode", f"{node.GetName()} browser")
    # In one change: Slicer gives a sequence without a node one of its own at once.
    wasModifying = browser.StartModify()
    browser.AddSynchronizedSequenceNode(sequence)
    browser.SetSelectedItemNumber(number)
    browser.AddProxyNode(node, sequence, False)
    browser.EndModify(wasModifying)
    return browser
