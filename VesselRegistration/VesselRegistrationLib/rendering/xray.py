"""An X-ray frame as a picture to look at: vessels dark, as on the monitor of the C-arm."""

import numpy as np

from ..dicom.frame import XAFrame

_PERCENTILES = (4.0, 99.7)


def xray_gray(frame: XAFrame, factor: int = 1) -> np.ndarray:
    """Brightness (rows * factor, columns * factor) float32, 0 black to 1 white; more attenuation is darker.

    The window is set by the usable pixels; a larger ``factor`` enlarges smoothly.
    """
    from skimage.transform import resize

    attenuation = frame.attenuation
    values = attenuation[frame.usable] if frame.usable.any() else attenuation
    low, high = np.percentile(values, _PERCENTILES)
    gray = 1.0 - np.clip((attenuation - low) / max(float(high - low), 1e-6), 0.0, 1.0)
    if factor == 1:
        return gray.astype(np.float32)
    shape = (gray.shape[0] * factor, gray.shape[1] * factor)
    return np.clip(resize(gray.astype(np.float32), shape, order=1, mode="edge"), 0.0, 1.0)
