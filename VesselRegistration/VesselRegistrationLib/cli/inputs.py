"""From options to models, frames and masks. Heavy imports happen when they are needed."""

import argparse
from typing import TYPE_CHECKING

from ..errors import UserError
from .options import for_each

if TYPE_CHECKING:
    import numpy as np

    from ..dicom.frame import XAFrame
    from ..dicom.reading import XARun
    from ..mesh.surface import SurfaceModel


def model_of(options: argparse.Namespace) -> "SurfaceModel":
    """The model that the options name."""
    from ..mesh.reading import read_model

    return read_model(options.model, options.model_space, options.model_unit)


def runs_of(options: argparse.Namespace) -> "list[XARun]":
    """The X-ray files that the options name, opened with the geometry that they give."""
    from ..dicom.overrides import GeometryOverrides
    from ..dicom.reading import open_xa

    count = len(options.xa)
    given = (for_each(options.primary, count, "--primary"), for_each(options.secondary, count, "--secondary"),
             for_each(options.sid, count, "--sid"), for_each(options.sod, count, "--sod"),
             for_each(options.pixel_spacing, count, "--pixel-spacing"))
    overrides = [GeometryOverrides(*values) for values in zip(*given, strict=True)]
    return [open_xa(path, override) for path, override in zip(options.xa, overrides, strict=True)]


def frames_of(options: argparse.Namespace, runs: "list[XARun]") -> "list[XAFrame]":
    """Of every run the frame that the options name, or the one with the strongest contrast."""
    numbers = for_each(options.frame, len(runs), "--frame")
    return [run.frame(run.strongest_contrast_frame() if number is None else number)
            for run, number in zip(runs, numbers, strict=True)]


def masks_of(options: argparse.Namespace) -> "tuple[np.ndarray | None, ...] | None":
    """The masks that the options name, one for each X-ray; None where they name none."""
    if not options.mask:
        return None
    from ..registration.mask_file import read_mask

    if len(options.mask) != len(options.xa):
        raise UserError(f"There are {len(options.mask)} masks for {len(options.xa)} X-rays: give one mask for "
                        "each --xa, in the same order, or none.")
    return tuple(read_mask(path) for path in options.mask)
