"""An X-ray frame as a picture to look at: vessels dark, as on the monitor of the C-arm."""

import numpy as np

from ..dicom.frame import XAFrame

_PERCENTILES = (4.0, 99.7)


def display_window(frame: XAFrame) -> tuple[float, float]:
    """The attenuation that is shown white and the one that is shown black, from the frame's usable pixels."""
    values = frame.attenuation[frame.usable] if frame.usable.any() else frame.attenuation
    low, high = np.percentile(values, _PERCENTILES)
    return float(low), float(high)


def xray_gray(frame: XAFrame, factor: int = 1, window: tuple[float, float] | None = None) -> np.ndarray:
    """Brightness (rows * factor, columns * factor) float32, 0 black to 1 white; more attenuation is darker.

    ``window`` is the frame's own where not given; a larger ``factor`` enlarges smoothly.
    """
    from skimage.transform import resize

    low, high = display_window(frame) if window is None else window
    gray = 1.0 - np.clip((frame.attenuation - low) / max(high - low, 1e-6), 0.0, 1.0)
    if factor == 1:
        return gray.astype(np.float32)
    shape = (gray.shape[0] * factor, gray.shape[1] * factor)
    return np.clip(resize(gray.astype(np.float32), shape, order=1, mode="edge"), 0.0, 1.0)
