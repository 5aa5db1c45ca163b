"""Writes the DICOM objects of a registration into a new folder."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dicom.lookup import text_in
from ..errors import UserError
from ..registration.masks import GIVEN
from ..registration.result import REJECTED
from .pictures import CATHETERS, VESSELS, overlay_capture, require_highdicom, segmentation
from .source import SourceImage, open_source, silent
from .spatial_registration import spatial_registration

if TYPE_CHECKING:
    from ..mesh.surface import SurfaceModel
    from ..registration.result import RegistrationResult

REGISTRATION_FILE = "registration.dcm"


@dataclass(frozen=True)
class ExportView:
    """One view of a result: its X-ray, masks (rows, columns) bool by kind, the networks that made them by kind, and the
    overlay (rows, columns, 3) uint8."""

    source: SourceImage
    masks: dict[str, np.ndarray]
    networks: dict[str, str]
    overlay: np.ndarray = field(repr=False)


def write_dicom_result(
    result: "RegistrationResult",
    model: "SurfaceModel",
    xrays: Sequence[Path],
    out: Path,
    cta: Path | None = None,
    catheter_masks: Sequence[np.ndarray | None] | None = None,
) -> tuple[Path, ...]:
    """Write a result and its pictures as DICOM files into the new folder ``out``; gives their paths.

    ``xrays`` are the XA files of the result's views, in their order. ``cta`` is a DICOM file of the image that the
    model was made from, which then lends its frame of reference; else the model gets a new one. ``catheter_masks``
    (rows, columns) bool, one for each view or None, are written beside the vessels. Raises UserError where the result
    was rejected, where files do not belong together, or where ``out`` is not empty or cannot be written.
    """
    from ..rendering.pictures import overlay_picture

    check_exportable(result.status if result.found else REJECTED, len(result.views), len(xrays))
    views = []
    for number, (view, path) in enumerate(zip(result.views, xrays, strict=True)):
        source = open_source(path, view.frame.frame_number, view.view.primary_angle_deg, view.view.secondary_angle_deg)
        if view.frame.sop_instance_uid not in ("", source.instance_uid):
            raise UserError(f"View {number} was not registered in {path.name}: give its own X-ray.")
        masks = {VESSELS: view.mask}
        catheters = catheter_masks[number] if catheter_masks else None
        if catheters is not None:
            masks[CATHETERS] = catheters
        views.append(ExportView(source, masks, network_names(view.mask_source, result.weights),
                                overlay_picture(result, number, model)))
    return write_views(result.model_to_world, views, result.status, out, cta)


def check_exportable(status: str, views: int, xrays: int) -> None:
    """Refuse a rejected result, and another number of X-rays than it has views (UserError)."""
    if status == REJECTED:
        raise UserError("The registration was rejected, so there is no pose to hand on: register again.")
    if views != xrays:
        raise UserError(f"The result has {views} views and {xrays} X-rays are given: give the X-ray of each view, in "
                        "their order.")


def network_names(mask_source: str, weights: Any) -> dict[str, str]:
    """The network that made a vessel mask, by kind; none where the user gave the mask."""
    return {} if mask_source == GIVEN else {VESSELS: ", ".join(name for name in weights if "vessels" in name)
                                            or "vessel network"}


def write_views(model_to_world: np.ndarray, views: Sequence[ExportView], status: str, out: Path,
                cta: Path | None = None) -> tuple[Path, ...]:
    """Write a pose (4, 4) and its views as ``write_dicom_result`` does."""
    from ..rendering.new_folder import check_new_folder, new_folder

    check_new_folder(out)
    require_highdicom()
    sources = [view.source for view in views]
    objects = {REGISTRATION_FILE: spatial_registration(model_to_world, sources, _model_frame(cta, sources[0]), status)}
    for number, view in enumerate(views):
        objects[f"segmentation_{number}.dcm"] = segmentation(view.source, view.masks, view.networks)
        objects[f"overlay_{number}.dcm"] = overlay_capture(view.source, view.overlay, status)
    with new_folder(out) as folder, silent():
        for name, dataset in objects.items():
            dataset.save_as(folder / name, enforce_file_format=True)
    return tuple(out / name for name in objects)


def _model_frame(cta: Path | None, source: SourceImage) -> str:
    """The frame of reference of the model's coordinates."""
    from pydicom import dcmread
    from pydicom.uid import generate_uid

    if cta is None:
        return str(generate_uid())
    try:
        with silent():
            header = dcmread(cta, stop_before_pixels=True)
    except Exception:
        # A damaged file makes the parser fail in any way it likes; to the user it is one thing.
        raise UserError(f"{cta.name} is not a DICOM file that can be read: give a file of the CTA that the model was "
                        "made from.") from None
    uid = text_in(header, "FrameOfReferenceUID")
    if not uid:
        raise UserError(f"{cta.name} names no frame of reference: give a file of the CTA that the model was made from.")
    own, other = text_in(source.header, "PatientID"), text_in(header, "PatientID")
    if own and other and own != other:
        raise UserError(f"{cta.name} and {source.path.name} are of different patients: give the CTA of this one.")
    return uid
