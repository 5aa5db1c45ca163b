"""What was found in one X-ray frame, vessels and devices, as pictures and JSON in a new folder."""

from pathlib import Path
from typing import Any

import numpy as np

from ..catheters.finding import FoundDevices
from ..catheters.tracing import DeviceCurve, curves_as_dicts
from ..dicom.frame import XAFrame
from ..registration.masks import VesselMask
from ..registration.result_file import software_versions, weights_as_list
from .files import save_json, save_png
from .legend import GRAY, NOTICE, WHITE, Colour, LegendText, with_legend
from .new_folder import new_folder
from .pictures import enlargement, frame_words, mask_overlay_picture, mask_picture
from .xray import xray_gray

SEGMENTATION_FILE = "segmentation.json"
DEVICE_COLOURS: tuple[Colour, ...] = ((255, 190, 60), (90, 200, 255), (120, 230, 120), (235, 120, 235))

_LINE_WIDTH = 0.0025
_TIP_RADIUS = 0.012


def write_segmentation(frame: XAFrame, vessels: VesselMask | None, devices: FoundDevices | None, out: Path) -> None:
    """Write segmentation.json into the new folder ``out``, with mask_0.png and overlay_0.png where vessels were looked
    for, and device_mask_0.png and device_overlay_0.png where devices were.

    Curves and tips of devices stand in the JSON file, in pixels (column, row) counted from 0. Raises UserError where
    ``out`` is not empty or cannot be written.
    """
    content: dict[str, Any] = {"schema_version": 1, "file": frame.path.name, "frame": frame.frame_number,
                               "usable_pixels": int(frame.usable.sum()), "software": software_versions()}
    weights: dict[str, str] = {}
    with new_folder(out) as folder:
        if vessels is not None:
            weights |= vessels.weights
            content |= {"field_of_view": vessels.field_of_view, "mask_source": vessels.source,
                        "mask_pixels": int(vessels.mask.sum())}
            save_png(folder / "mask_0.png", mask_picture(vessels.mask))
            save_png(folder / "overlay_0.png", mask_overlay_picture(frame, vessels.mask, ", ".join(vessels.weights)))
        if devices is not None:
            weights |= devices.weights
            content |= {"device_pixels": int(devices.mask.sum()), "device_threshold": devices.threshold,
                        "devices": curves_as_dicts(devices.curves)}
            save_png(folder / "device_mask_0.png", mask_picture(devices.mask))
            save_png(folder / "device_overlay_0.png", device_overlay_picture(frame, devices))
        save_json(folder / SEGMENTATION_FILE, content | {"weights": weights_as_list(weights)})


def device_overlay_picture(frame: XAFrame, devices: FoundDevices) -> np.ndarray:
    """The devices' centrelines, each in its colour, on their X-ray, (rows, columns, 3) uint8; rings mark the tips."""
    from PIL import Image, ImageDraw

    factor = enlargement(frame.attenuation.shape)
    gray = np.rint(255 * xray_gray(frame, factor)).astype(np.uint8)
    canvas = Image.fromarray(np.repeat(gray[..., None], 3, axis=2))
    draw = ImageDraw.Draw(canvas)
    side = max(gray.shape)
    legend: list[tuple[str, Colour]] = []
    for number, curve in enumerate(devices.curves):
        colour = DEVICE_COLOURS[number % len(DEVICE_COLOURS)]
        draw.line([tuple(point) for point in _enlarged(curve.points, factor)], fill=colour,
                  width=max(2, round(_LINE_WIDTH * side)))
        if curve.tip is not None:
            [(col, row)] = _enlarged(curve.tip[None], factor)
            radius = _TIP_RADIUS * side
            draw.ellipse((col - radius, row - radius, col + radius, row + radius), outline=colour,
                         width=max(2, round(_LINE_WIDTH * side)))
        legend.append((f"{_words(curve)}    ", colour))
    first = LegendText([(frame_words(frame), WHITE), (f"    {', '.join(devices.weights)}", GRAY)], [(NOTICE, GRAY)])
    return with_legend(np.asarray(canvas), [first, LegendText(legend or [("no device found", GRAY)], [])])


def _enlarged(points: np.ndarray, factor: int) -> np.ndarray:
    """Points (N, 2) px (col, row) of the frame in the picture, whose pixels are repeated ``factor`` times."""
    return (points + 0.5) * factor - 0.5


def _words(curve: DeviceCurve) -> str:
    tip = "no tip" if curve.tip is None else f"tip {curve.tip[0]:.0f}, {curve.tip[1]:.0f}"
    return f"{curve.length_px:.0f} px, {tip}"
