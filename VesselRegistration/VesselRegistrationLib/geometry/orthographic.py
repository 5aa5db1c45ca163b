"""The paper's projection (Li et al., Eq. 3), corrected.

As printed, ``[x_p y_p d_p] = Rot_z(a) Rot_x(b) [x y z]`` turns the positioner's way instead of the points', takes the
third coordinate for depth where it is anterior-posterior, and has no perspective divide. Corrected and still
orthographic: ``(u, v, d) = C (Rz(a) Rx(b))^T p`` with C = rows (-x; -z; y). It is the limit of the perspective view
for a source infinitely far away; with a real C-arm it is wrong by millimetres and only serves as the paper's baseline.
"""

import numpy as np

from .carm import CArmView

_PERMUTATION = np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def project_orthographic(view: CArmView, points: np.ndarray) -> np.ndarray:
    """Project world points (N, 3) mm along the central ray to (N, 3): u and v in mm from the isocentre, depth d in mm.

    u grows to the patient's left and v to the feet at angles 0/0; d grows from source to detector, 0 at the isocentre.
    """
    return np.asarray(points, dtype=float) @ (_PERMUTATION @ view.rotation.T).T
