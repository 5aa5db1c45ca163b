"""A folder that ``vessel-registration register`` wrote, as DICOM objects."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from ..registration.mask_file import read_mask
from ..registration.result import REJECTED
from ..registration.result_file import RESULT_FILE
from .pictures import CATHETERS, VESSELS
from .source import open_source
from .writing import ExportView, check_exportable, network_names, write_views

_BENT_MODEL_FILE = "bent_model.vtp"


def write_dicom_folder(result: Path, xrays: Sequence[Path], out: Path, cta: Path | None = None,
                       catheter_masks: Sequence[Path] = ()) -> tuple[Path, ...]:
    """Write the result in the folder ``result`` as DICOM files into the new folder ``out``; gives their paths.

    ``xrays`` are the XA files of its views, in their order, and are told again by their UIDs; ``catheter_masks`` are
    PNGs, one for each, or none. See ``write_dicom_result``.
    """
    content = _read(result)
    views = content["views"]
    check_exportable(content["status"] if content["model_to_world"] else REJECTED, len(views), len(xrays))
    if catheter_masks and len(catheter_masks) != len(views):
        raise UserError(f"There are {len(catheter_masks)} catheter masks for {len(views)} X-rays: give one for each.")
    if (result / _BENT_MODEL_FILE).exists():
        raise UserError("The model of this result was bent, which a rigid transform does not tell: register without "
                        "--deform for a DICOM object.")
    weights = [network["name"] for network in content["weights"]]
    exports = []
    for number, (view, path) in enumerate(zip(views, xrays, strict=True)):
        source = open_source(path, view["frame"], view["primary_angle_deg"], view["secondary_angle_deg"])
        recorded = view.get("instance_sha256")
        if recorded is None:
            raise UserError(f"{RESULT_FILE} does not say from which X-ray view {number} was made: register again.")
        if recorded != source.instance_sha256:
            raise UserError(f"View {number} was registered in another X-ray than {path.name}: give the X-rays of the "
                            "result in its order.")
        masks = {VESSELS: read_mask(result / f"mask_{number}.png")}
        if catheter_masks:
            masks[CATHETERS] = read_mask(catheter_masks[number])
        exports.append(ExportView(source, masks, network_names(view["mask_source"], weights),
                                  _read_picture(result / f"overlay_{number}.png")))
    return write_views(np.array(content["model_to_world"], dtype=float), exports, content["status"], out, cta)


def _read(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / RESULT_FILE).read_text(encoding="utf-8"))
        complete = {"model_to_world", "views", "status", "weights"} <= content.keys()
    except (OSError, ValueError, AttributeError):
        complete = False
    if not complete:
        raise UserError(f"{folder} is no result of a registration: give a folder that register or batch wrote.")
    return content


def _read_picture(path: Path) -> np.ndarray:
    """A picture (rows, columns, 3) uint8."""
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError):
        raise UserError(f"{path.name} cannot be read from the result's folder: register again.") from None
