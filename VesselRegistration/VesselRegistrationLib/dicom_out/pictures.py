"""Masks as a Segmentation object (PS3.3 A.51) and an overlay as a Secondary Capture (PS3.3 A.8), both by highdicom."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import __version__
from ..errors import UserError
from .source import (
    MANUFACTURER,
    MODEL_NAME,
    SERIAL_NUMBER,
    SourceImage,
    describe_equipment,
    reference_to,
    series_number,
    silent,
    stamp,
    take_over,
)

VESSELS = "vessels"
CATHETERS = "catheters"
KINDS = (VESSELS, CATHETERS)

_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_SERIES_KINDS = {"segmentation": 1, "overlay": 2}
_SINGLE_FRAME_CLASS = "1.2.840.10008.5.1.4.1.1.1.1"


def require_highdicom() -> Any:
    """The library highdicom. Raises UserError where it is not installed."""
    try:
        import highdicom
    except ImportError:
        raise UserError("Masks and overlays as DICOM need the package highdicom: install slicer-hybridor[dicom].") \
            from None
    return highdicom


def segmentation(source: SourceImage, masks: Mapping[str, np.ndarray], networks: Mapping[str, str]) -> Any:
    """A binary Segmentation of one X-ray frame: ``masks`` (rows, columns) bool by kind, vessels or catheters.

    ``networks`` says by kind which network made a mask; the others count as made by hand. Raises UserError where a mask
    is of another size than the frame.
    """
    highdicom = require_highdicom()
    kinds = [kind for kind in KINDS if kind in masks]
    for kind in kinds:
        if masks[kind].shape != source.shape:
            (rows, columns), (mask_rows, mask_columns) = source.shape, masks[kind].shape
            raise UserError(f"The mask of {kind} has {mask_columns} x {mask_rows} pixels and {source.path.name} "
                            f"{columns} x {rows}: give a mask of the X-ray's size.")
    with silent():
        dataset = highdicom.seg.Segmentation(
            source_images=[_stand_in(source)],
            pixel_array=np.stack([masks[kind] for kind in kinds], axis=-1).astype(np.uint8)[None],
            segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=[_segment(number, kind, networks.get(kind)) for number, kind in enumerate(kinds, 1)],
            series_instance_uid=highdicom.UID(),
            series_number=series_number(source, _SERIES_KINDS["segmentation"]),
            sop_instance_uid=highdicom.UID(),
            instance_number=1,
            manufacturer=MANUFACTURER,
            manufacturer_model_name=MODEL_NAME,
            software_versions=__version__,
            device_serial_number=SERIAL_NUMBER,
            transfer_syntax_uid=_EXPLICIT_LITTLE_ENDIAN,
            content_label="VESSEL_MASK",
            content_description="What was matched in the X-ray",
            series_description="Vessel registration: masks",
            omit_empty_frames=False,
        )
        take_over(dataset, source)
        stamp(dataset, "Series")
        dataset.PatientOrientation = list(source.orientation)
        _point_at(source, dataset)
        return dataset


def overlay_capture(source: SourceImage, picture: np.ndarray, status: str) -> Any:
    """A Secondary Capture of a picture (rows, columns, 3) uint8 of the registered model on one X-ray frame."""
    highdicom = require_highdicom()
    with silent():
        dataset = highdicom.sc.SCImage(
            pixel_array=np.ascontiguousarray(picture),
            photometric_interpretation="RGB",
            bits_allocated=8,
            coordinate_system="PATIENT",
            patient_orientation=("L", "F"),
            study_instance_uid=source.study_uid,
            series_instance_uid=highdicom.UID(),
            series_number=series_number(source, _SERIES_KINDS["overlay"]),
            sop_instance_uid=highdicom.UID(),
            instance_number=1,
            manufacturer=MANUFACTURER,
            series_description=f"Vessel registration: overlay ({status})",
            transfer_syntax_uid=_EXPLICIT_LITTLE_ENDIAN,
        )
        take_over(dataset, source)
        describe_equipment(dataset)
        stamp(dataset, "Series")
        # highdicom takes one letter an axis only, and no purpose or source.
        dataset.PatientOrientation = list(source.orientation)
        dataset.ConversionType, dataset.BurnedInAnnotation = "WSD", "NO"
        dataset.DerivationDescription = "Registered vessel model drawn on one X-ray frame"
        dataset.SourceImageSequence = [reference_to(source, frame=True)]
        return dataset


def _segment(number: int, kind: str, network: str | None) -> Any:
    from pydicom.sr.codedict import codes

    highdicom = require_highdicom()
    category, what = {VESSELS: (codes.SCT.AnatomicalStructure, codes.SCT.BloodVessel),
                      CATHETERS: (codes.SCT.PhysicalObject, codes.SCT.Catheter)}[kind]
    kinds = highdicom.seg.SegmentAlgorithmTypeValues
    made_by = None if network is None else highdicom.AlgorithmIdentificationSequence(
        network, codes.DCM.ArtificialIntelligence, __version__)
    return highdicom.seg.SegmentDescription(number, kind, category, what,
                                            kinds.MANUAL if network is None else kinds.AUTOMATIC, made_by)


def _stand_in(source: SourceImage) -> Any:
    """A header with which highdicom takes a frame as the source of a segmentation.

    It wants a class of single projection images, and plane geometry from all others. It names nobody, for highdicom
    reports names that it finds odd.
    """
    from pydicom.dataset import Dataset

    header = Dataset()
    header.file_meta = source.header.file_meta
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Rows", "Columns"):
        header[keyword] = source.header[keyword]
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "ReferringPhysicianName",
                    "AccessionNumber", "StudyID", "StudyDate", "StudyTime"):
        setattr(header, keyword, "")
    header.SOPClassUID = _SINGLE_FRAME_CLASS
    return header


def _point_at(source: SourceImage, dataset: Any) -> None:
    """Let the references to the stand-in be those to the X-ray, and to its frame where a purpose says so."""
    def correct(item: Any, element: Any) -> None:
        if element.keyword == "ReferencedSOPInstanceUID":
            item.ReferencedSOPClassUID = source.header.SOPClassUID
            if "PurposeOfReferenceCodeSequence" in item and source.frame_count > 1:
                item.ReferencedFrameNumber = source.frame_number + 1

    dataset.walk(correct)
