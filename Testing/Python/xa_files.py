"""Small XA files for the tests, written with pydicom and with nothing of the code under test."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

XA = "1.2.840.10008.5.1.4.1.1.12.1"
XRF = "1.2.840.10008.5.1.4.1.1.12.2"
ENHANCED_XA = "1.2.840.10008.5.1.4.1.1.12.1.1"

PATIENT = {"PatientName": "Secret^Person", "PatientID": "ID-4711", "PatientBirthDate": "19560203"}


def item(**elements: Any) -> Dataset:
    """A data set, as it stands in a sequence."""
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def group(**elements: Any) -> Sequence:
    """A sequence of one item."""
    return Sequence([item(**elements)])


def levels_image(rows: int = 12, columns: int = 16, frames: int = 1, top: int = 200) -> np.ndarray:
    """Stored values (frames, rows, columns) uint8 without any symmetry, every frame different."""
    values = np.arange(frames * rows * columns).reshape(frames, rows, columns)
    return (40 + values * 7 % (top - 40)).astype(np.uint8)


def xa_dataset(levels: np.ndarray | None = None, sop_class: str = XA, **elements: Any) -> Dataset:
    """An XA data set with uncompressed pixels (frames, rows, columns) or (rows, columns).

    An element of value None is left out. By default: MONOCHROME2, DISP, all bits stored, no geometry.
    """
    levels = levels_image() if levels is None else levels
    levels = levels[None] if levels.ndim == 2 else levels
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    bits = 8 * levels.dtype.itemsize
    values = {
        **PATIENT, "Modality": "XA", "ImageType": ["ORIGINAL", "PRIMARY", "SINGLE PLANE"],
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "Rows": levels.shape[1],
        "Columns": levels.shape[2], "NumberOfFrames": len(levels), "BitsAllocated": bits, "BitsStored": bits,
        "PixelRepresentation": int(levels.dtype.kind == "i"), "PixelIntensityRelationship": "DISP", **elements,
    }
    values.setdefault("HighBit", values["BitsStored"] - 1)
    for keyword, value in values.items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.PixelData = levels.tobytes() + b"\0" * (levels.nbytes % 2)
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
    return dataset


def write_xa(path: Path, levels: np.ndarray | None = None, sop_class: str = XA, **elements: Any) -> Path:
    """Write an XA file and return its path."""
    xa_dataset(levels, sop_class, **elements).save_as(path, enforce_file_format=True)
    return path


FULL_GEOMETRY: dict[str, Any] = {
    "PositionerPrimaryAngle": 30, "PositionerSecondaryAngle": -20, "DistanceSourceToDetector": 1100,
    "DistanceSourceToPatient": 760, "ImagerPixelSpacing": [0.3, 0.2],
}
