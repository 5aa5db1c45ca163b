"""The pictures of a registration: overlay on the X-ray, comparison of silhouette and mask, and the mask itself."""

import numpy as np

from ..dicom.frame import XAFrame
from ..mesh.surface import SurfaceModel
from ..registration.region import counted_pixels
from ..registration.result import ACCEPTED, CHECK, REJECTED, ROI, RegistrationResult, ViewResult
from .contour import SUPERSAMPLING, averaged, model_area_and_outline, outline
from .legend import GRAY, NOTICE, WHITE, Colour, LegendText, with_legend, with_sides
from .xray import xray_gray

STATUS_COLOURS: dict[str, Colour] = {ACCEPTED: (70, 230, 160), CHECK: (255, 190, 60), REJECTED: (255, 90, 90)}
MASK_COLOUR: Colour = (90, 200, 255)
TRUE_POSITIVE: Colour = (255, 255, 0)
FALSE_POSITIVE: Colour = (255, 0, 255)
FALSE_NEGATIVE: Colour = (0, 255, 255)

_LEAST_SIDE = 1000
_FILL_STRENGTH = 0.14
_OUTLINE_WIDTH = 0.0022
_DIMMED = 0.45


def overlay_picture(result: RegistrationResult, number: int, model: SurfaceModel) -> np.ndarray:
    """The registered model on X-ray ``number`` of a result, (rows, columns, 3) uint8.

    Outline and translucent fill are drawn from the mesh itself; their colour tells the status. Small X-rays are
    enlarged by a whole factor.
    """
    view = result.views[number]
    colour = STATUS_COLOURS[result.status]
    shape = view.silhouette.shape
    factor = enlargement(shape)
    area, line = model_area_and_outline(model, view.projection, (shape[0], shape[1]), factor,
                                        _outline_px(shape, factor))
    picture = painted(xray_gray(view.frame, factor), area, line, colour)
    first = LegendText([(view.view.clinical_angles, WHITE), (f"    {frame_words(view.frame)}", GRAY)],
                       [(result.status.upper(), colour), (f"    Dice {view.overlap.dice:.2f}", WHITE)])
    second = LegendText([(f"SID {view.view.sid_mm:.0f} mm    SOD {view.view.sod_mm:.0f} mm", GRAY)], [(NOTICE, GRAY)])
    return with_legend(with_sides(picture, view.view), [first, second])


def comparison_picture(view: ViewResult, roi: ROI | None) -> np.ndarray:
    """Where registered silhouette and vessel mask agree, (rows, columns, 3) uint8, on a dimmed X-ray.

    Colours of Li et al., Fig. 9: both yellow, silhouette alone magenta, mask alone cyan. Pixels that do not count are
    left gray.
    """
    shape = view.silhouette.shape
    factor = enlargement(shape)
    counted = counted_pixels(view.frame.usable, roi, view.affine)
    picture = np.repeat((255 * _DIMMED * xray_gray(view.frame, factor)).astype(np.uint8)[..., None], 3, axis=2)
    both, alone = view.silhouette & view.mask, view.silhouette & ~view.mask
    missed = view.mask & ~view.silhouette
    for pixels, colour in ((both, TRUE_POSITIVE), (alone, FALSE_POSITIVE), (missed, FALSE_NEGATIVE)):
        picture[enlarged(pixels & counted, factor)] = colour
    overlap = view.overlap
    first = LegendText([(view.view.clinical_angles, WHITE), (f"    {frame_words(view.frame)}", GRAY)],
                       [(f"Dice {overlap.dice:.2f}    precision {overlap.precision:.2f}    "
                         f"recall {overlap.recall:.2f}", WHITE)])
    second = LegendText([("model and vessel mask", TRUE_POSITIVE), ("    model only", FALSE_POSITIVE),
                         ("    vessel mask only", FALSE_NEGATIVE)], [(NOTICE, GRAY)])
    return with_legend(picture, [first, second])


def mask_overlay_picture(frame: XAFrame, mask: np.ndarray, network: str) -> np.ndarray:
    """A vessel mask (rows, columns) bool on its X-ray, (rows, columns, 3) uint8; needs no geometry."""
    factor = enlargement(mask.shape)
    inside = enlarged(mask, factor * SUPERSAMPLING)
    picture = painted(xray_gray(frame, factor), averaged(inside), outline(inside, _outline_px(mask.shape, factor)),
                      MASK_COLOUR)
    return with_legend(picture, [LegendText([(frame_words(frame), WHITE), (f"    {network}", MASK_COLOUR)],
                                            [(NOTICE, GRAY)])])


def mask_picture(mask: np.ndarray) -> np.ndarray:
    """A mask (rows, columns) bool as uint8, 0 and 255, pixel by pixel."""
    return np.where(mask, np.uint8(255), np.uint8(0))


def shaded_picture(length_mm: np.ndarray) -> np.ndarray:
    """Path lengths (rows, columns) mm as uint8: black beside the model, white where it is thickest."""
    return np.rint(255.0 * length_mm / max(float(length_mm.max()), 1e-6)).astype(np.uint8)


def painted(gray: np.ndarray, area: np.ndarray, line: np.ndarray, colour: Colour) -> np.ndarray:
    """A translucent area and an opaque line, coverages 0 to 1, in a colour on a gray picture 0 to 1; uint8."""
    paint = np.array(colour, dtype=np.float32) / 255.0
    shadow = gray[..., None] * (1.0 - _FILL_STRENGTH * area[..., None]) + _FILL_STRENGTH * area[..., None] * paint
    picture = shadow * (1.0 - line[..., None]) + line[..., None] * paint
    return np.rint(255 * np.clip(picture, 0.0, 1.0)).astype(np.uint8)


def enlargement(shape: tuple[int, ...]) -> int:
    """The whole factor by which an X-ray (rows, columns) is enlarged for its pictures."""
    return max(1, -(-_LEAST_SIDE // max(shape)))


def enlarged(pixels: np.ndarray, factor: int) -> np.ndarray:
    """Every pixel repeated ``factor`` times in both directions."""
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def frame_words(frame: XAFrame) -> str:
    """Which frame of how many, counted from 0 as everywhere."""
    return f"frame {frame.frame_number} (of 0 to {frame.frame_count - 1})" if frame.frame_count > 1 else "single frame"


def _outline_px(shape: tuple[int, ...], factor: int) -> float:
    return max(1.5, _OUTLINE_WIDTH * max(shape) * factor)
