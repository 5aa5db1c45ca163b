"""X-ray angiography objects (PS3.3 A.14) of simulated pictures, with the whole geometry in their headers."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..dicom.patient_axes import letters_of
from ..errors import UserError
from ..geometry.carm import CArmView

RELATIONSHIPS = ("LIN", "LOG", "DISP")

_XA_STORAGE = "1.2.840.10008.5.1.4.1.1.12.1"
_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
_DAY = "20000101"
_DISPLAY_GAMMA = 0.8
_DARK_MARGIN = 0.06


@dataclass(frozen=True)
class PixelStorage:
    """How attenuation becomes stored values.

    ``relationship``: LIN stores intensity, LOG its logarithm, DISP a display curve of the logarithm; in all of them
    bright means little attenuation (MONOCHROME2, sign 1). ``bits`` are stored per pixel, 8 to 16. ``compressed`` uses
    lossless JPEG.
    """

    relationship: str = "LIN"
    bits: int = 12
    compressed: bool = True


DEFAULT_STORAGE = PixelStorage()


@dataclass(frozen=True)
class RunLabels:
    """What a file says beside pixels and geometry; none of it is a real person's."""

    seed: int
    series_number: int = 1
    body_part: str = "CHEST"
    frame_time_ms: float = 66.7
    tube_voltage_kv: float = 75.0


def write_xa(
    path: Path,
    attenuation: np.ndarray,
    views: Sequence[CArmView],
    labels: RunLabels,
    usable: np.ndarray | None = None,
    storage: PixelStorage = DEFAULT_STORAGE,
) -> None:
    """Write one XA file, replacing ``path`` in one step.

    ``attenuation`` (frames, rows, columns) in -ln units, larger = more. ``views`` is one view, or one per frame, which
    makes the positioner, and the table, dynamic. ``usable`` (rows, columns) bool is stored as a shutter where it is a
    rectangle, and blackened where it is False. UIDs follow from the labels. Raises UserError for sizes that do not
    fit together, for a geometry that classic XA cannot express, or where the file cannot be written.
    """
    frames = np.asarray(attenuation)
    if frames.ndim != 3 or len(views) not in (1, len(frames)):
        raise UserError(f"{len(views)} views do not fit {len(frames)} frames: give one view, or one for each frame.")
    if any((view.rows, view.columns) != frames.shape[1:] for view in views):
        raise UserError("The views are of another image size than the frames: resample them first.")
    dataset = _dataset(frames, views, labels, storage)
    if usable is not None:
        _add_shutter(dataset, usable)
    levels = stored_levels(frames, usable, storage)
    handle, name = tempfile.mkstemp(suffix=".dcm", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        _save(dataset, levels, temporary, storage.compressed)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def stored_levels(attenuation: np.ndarray, usable: np.ndarray | None, storage: PixelStorage) -> np.ndarray:
    """Stored values (frames, rows, columns) uint8 or uint16 for attenuation in -ln units."""
    if storage.relationship not in RELATIONSHIPS or not 8 <= storage.bits <= 16:
        raise UserError(f"Pixels cannot be stored as {storage.relationship} with {storage.bits} bits: "
                        "use LIN, LOG or DISP with 8 to 16.")
    shown = np.ones(attenuation.shape[1:], dtype=bool) if usable is None else usable
    inside = attenuation[:, shown]
    low, high = float(np.quantile(inside, 0.0005)), float(inside.max())
    highest = 2**storage.bits - 1
    if storage.relationship == "LIN":
        share = np.exp(-(attenuation - low))
    else:
        share = 1 - (1 - _DARK_MARGIN) * (attenuation - low) / max(high - low, 1e-3)
        if storage.relationship == "DISP":
            share = np.clip(share, 0, 1) ** _DISPLAY_GAMMA
    levels = np.rint(np.clip(share, 0, 1) * highest) * shown
    return levels.astype(np.uint8 if storage.bits == 8 else np.uint16)


def _dataset(frames: np.ndarray, views: Sequence[CArmView], labels: RunLabels, storage: PixelStorage) -> Any:
    """The header of a run without its pixels."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, generate_uid

    def uid(*words: object) -> str:
        return generate_uid(entropy_srcs=["HybridOR simulation", str(labels.seed), *map(str, words)])

    count, rows, columns = frames.shape
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = UID(_XA_STORAGE)
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(uid("instance", labels.series_number))
    dataset.file_meta.TransferSyntaxUID = UID(_EXPLICIT_LITTLE_ENDIAN)
    dataset.SOPClassUID, dataset.SOPInstanceUID = _XA_STORAGE, uid("instance", labels.series_number)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid("study"), uid("series", labels.series_number)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "SINGLE PLANE"]
    dataset.Modality, dataset.Manufacturer = "XA", "HybridOR simulation"
    dataset.PatientName, dataset.PatientID = "HybridOR^Simulated", f"SIMULATED-{labels.seed}"
    dataset.PatientBirthDate, dataset.PatientSex, dataset.PatientPosition = "", "O", "HFS"
    for keyword in ("StudyDate", "SeriesDate", "ContentDate"):
        setattr(dataset, keyword, _DAY)
    for keyword in ("StudyTime", "ContentTime"):
        setattr(dataset, keyword, "120000")
    dataset.AccessionNumber = dataset.ReferringPhysicianName = dataset.Laterality = ""
    dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber = "1", labels.series_number, 1
    dataset.StudyDescription, dataset.SeriesDescription = "Simulated angiography", views[0].clinical_angles
    dataset.BodyPartExamined = labels.body_part
    dataset.ContrastBolusAgent = "Simulated iodine"
    dataset.KVP, dataset.RadiationSetting, dataset.XRayTubeCurrent = f"{labels.tube_voltage_kv:g}", "GR", 400
    dataset.ExposureTime, dataset.AveragePulseWidth = 8, "8"

    dataset.Rows, dataset.Columns = rows, columns
    dataset.NumberOfFrames = count
    if count > 1:
        dataset.FrameTime = _number(labels.frame_time_ms)
        dataset.CineRate = round(1000 / labels.frame_time_ms)
        dataset.FrameIncrementPointer = 0x00181063
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
    dataset.BitsAllocated, dataset.BitsStored = (8 if storage.bits == 8 else 16), storage.bits
    dataset.HighBit = storage.bits - 1
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = storage.relationship, 1
    dataset.RecommendedViewingMode = "NAT"
    dataset.WindowCenter, dataset.WindowWidth = _number(2 ** (storage.bits - 1)), _number(2**storage.bits)
    _add_geometry(dataset, views)
    return dataset


def _add_geometry(dataset: Any, views: Sequence[CArmView]) -> None:
    """Positioner, distances, detector, field of view and table (PS3.3 C.8.7.4, C.8.7.5, C.8.11.4)."""
    first = views[0]
    shared = {(view.sid_mm, view.sod_mm, view.row_spacing_mm, view.column_spacing_mm, view.image_rotation_deg,
               view.horizontal_flip) for view in views}
    if len(shared) > 1 or any(view.detector_rotation_deg or view.principal_point for view in views):
        raise UserError("Classic XA has one set of distances for all frames and the central ray in the image's middle, "
                        "on a detector that is not turned: simulate such views.")
    shifts = np.array([view.table_shift_mm for view in views])
    if np.any(shifts[0]):
        raise UserError("Classic XA counts table moves from the first frame: its table shift has to be 0.")
    dataset.PositionerPrimaryAngle = _number(first.primary_angle_deg)
    dataset.PositionerSecondaryAngle = _number(first.secondary_angle_deg)
    angles = np.array([(view.primary_angle_deg, view.secondary_angle_deg) for view in views])
    dataset.PositionerMotion = "DYNAMIC" if np.ptp(angles, axis=0).any() else "STATIC"
    if dataset.PositionerMotion == "DYNAMIC":
        dataset.PositionerPrimaryAngleIncrement = [_number(value) for value in angles[:, 0] - angles[0, 0]]
        dataset.PositionerSecondaryAngleIncrement = [_number(value) for value in angles[:, 1] - angles[0, 1]]
    dataset.TableMotion = "DYNAMIC" if shifts.any() else "STATIC"
    if dataset.TableMotion == "DYNAMIC":
        # "Longitudinal" is toward the patient's left and "lateral" toward the head; vertical counts downwards.
        dataset.TableLongitudinalIncrement = [_number(-shift) for shift in shifts[:, 0]]
        dataset.TableLateralIncrement = [_number(shift) for shift in shifts[:, 2]]
        dataset.TableVerticalIncrement = [_number(-shift) for shift in shifts[:, 1]]
    dataset.DistanceSourceToDetector = _number(first.sid_mm)
    dataset.DistanceSourceToPatient = _number(first.sod_mm)
    dataset.EstimatedRadiographicMagnificationFactor = _number(first.sid_mm / first.sod_mm)
    spacing = [_number(first.row_spacing_mm), _number(first.column_spacing_mm)]
    dataset.ImagerPixelSpacing = spacing
    dataset.DetectorElementSpacing = spacing
    turned = first.image_rotation_deg in (90, 270)
    # Pixel spacings are those of the stored image; the field of view is the detector's, before rotation.
    height, width = first.rows * first.row_spacing_mm, first.columns * first.column_spacing_mm
    dataset.FieldOfViewShape = "RECTANGLE"
    dataset.FieldOfViewDimensions = [round(value) for value in ((height, width) if turned else (width, height))]
    dataset.FieldOfViewOrigin = [_number(0.0), _number(0.0)]
    dataset.FieldOfViewRotation = _number(first.image_rotation_deg)
    dataset.FieldOfViewHorizontalFlip = "YES" if first.horizontal_flip else "NO"
    dataset.PatientOrientation = [letters_of(axis) for axis in first.image_axes]


def _add_shutter(dataset: Any, usable: np.ndarray) -> None:
    """A rectangular shutter where the usable part is a rectangle smaller than the image (PS3.3 C.7.6.11)."""
    rows, columns = np.flatnonzero(usable.any(axis=1)), np.flatnonzero(usable.any(axis=0))
    if usable.all() or not len(rows) or not usable[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all():
        return
    dataset.ShutterShape = "RECTANGULAR"
    dataset.ShutterLeftVerticalEdge, dataset.ShutterRightVerticalEdge = int(columns[0]) + 1, int(columns[-1]) + 1
    dataset.ShutterUpperHorizontalEdge, dataset.ShutterLowerHorizontalEdge = int(rows[0]) + 1, int(rows[-1]) + 1
    dataset.ShutterPresentationValue = 0


def _save(dataset: Any, levels: np.ndarray, path: Path, compressed: bool) -> None:
    """Write header and pixels, uncompressed or as lossless JPEG."""
    from pydicom import dcmread
    from pydicom.uid import UID

    raw = levels.tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OB" if levels.dtype == np.uint8 else "OW"
    dataset.save_as(path, enforce_file_format=True)
    if not compressed:
        return
    import gdcm

    reader, change = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax()
    reader.SetFileName(str(path))
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    if not reader.Read():
        raise UserError("The simulated pictures cannot be compressed: store them uncompressed.")
    change.SetInput(reader.GetImage())
    if not change.Change():
        raise UserError("The simulated pictures cannot be compressed: store them uncompressed.")
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    if not writer.Write():
        raise UserError("The simulated pictures cannot be written: is the disk full?")
    # The pixels are taken over; the header stays as it was made here.
    dataset.PixelData = dcmread(path).PixelData
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = UID(_JPEG_LOSSLESS)
    dataset.save_as(path, enforce_file_format=True)


def _number(value: float) -> str:
    """A decimal string (VR DS) of at most 16 characters."""
    from pydicom.valuerep import format_number_as_ds

    return format_number_as_ds(float(value))
