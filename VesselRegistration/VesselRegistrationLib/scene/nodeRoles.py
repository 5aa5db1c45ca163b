"""The nodes that an X-ray volume node keeps, found again by their role."""

import slicer

ROLE_PREFIX = "HybridOR."


def nodeInRole(xrayNode: slicer.vtkMRMLScalarVolumeNode, role: str) -> slicer.vtkMRMLNode | None:
    """The node that an X-ray keeps in a role, None where there is none."""
    return xrayNode.GetNodeReference(ROLE_PREFIX + role)


def ownNode(xrayNode: slicer.vtkMRMLScalarVolumeNode, role: str, className: str, name: str) -> slicer.vtkMRMLNode:
    """The node that an X-ray keeps in a role, added where there is none yet."""
    node = nodeInRole(xrayNode, role)
    if node is None:
        scene = xrayNode.GetScene()
        node = scene.AddNewNodeByClass(className, scene.GenerateUniqueName(name))
        xrayNode.SetNodeReferenceID(ROLE_PREFIX + role, node.GetID())
    return node
