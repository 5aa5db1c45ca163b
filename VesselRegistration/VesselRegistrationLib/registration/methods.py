"""The registration methods by the names that users give them."""

from ..errors import UserError
from .affine_method import find_affine_pose
from .pose_method import find_rigid_pose
from .task import PoseMethod

AFFINE = "affine"
POSE = "pose"
METHODS: dict[str, PoseMethod] = {POSE: find_rigid_pose, AFFINE: find_affine_pose}


def method_named(name: str) -> PoseMethod:
    """The method of a name. Raises UserError for one that does not exist."""
    if name not in METHODS:
        raise UserError(f"The method '{name}' is not known: choose one of {', '.join(METHODS)}.")
    return METHODS[name]
