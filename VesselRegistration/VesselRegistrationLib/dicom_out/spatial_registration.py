"""The pose as a Spatial Registration object (PS3.3 A.39.1, C.20.2).

Its frame of reference is that of the registration's world: the axes of the patient with the origin at the C-arm's
isocentre when the first frame of the first X-ray was made. One item brings the model's frame of reference there. DICOM
coordinates are LPS: with L = diag(-1, -1, 1, 1) the matrix is L times ``model_to_world`` times L. Projection images of
classic XA have no frame of reference of their own, so the X-rays are named as images that are registered to this one,
with the identity; those that do have one are only listed, for the standard does not tie it to the isocentre.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from ..dicom.lookup import text_in
from .source import SourceImage, describe_equipment, reference_to, series_number, silent, stamp, take_over

STORAGE = "1.2.840.10008.5.1.4.1.1.66.1"
LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])

_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_SERIES_KIND = 0
_ROUNDING = 1e-6


def world_frame_uid(source: SourceImage) -> str:
    """The UID of the world's frame of reference: always the same for the same first X-ray."""
    from pydicom.uid import generate_uid

    return generate_uid(entropy_srcs=["HybridOR world frame: patient axes at the isocentre", source.instance_uid])


def matrix_type(model_to_world: np.ndarray) -> str:
    """RIGID or AFFINE (PS3.3 C.20.2.1.2) for a pose (4, 4)."""
    turn = model_to_world[:3, :3]
    rigid = np.allclose(turn @ turn.T, np.eye(3), atol=_ROUNDING) and np.linalg.det(turn) > 0
    return "RIGID" if rigid else "AFFINE"


def spatial_registration(model_to_world: np.ndarray, sources: Sequence[SourceImage], model_frame_uid: str,
                         status: str) -> Any:
    """The object for a pose (4, 4), model RAS mm to world mm, found in the X-rays ``sources``.

    ``model_frame_uid`` is the frame of reference of the model's coordinates. It belongs to the study of the first
    X-ray and makes a series of its own.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.sr.codedict import codes
    from pydicom.uid import UID, generate_uid

    with silent():
        dataset = Dataset()
        take_over(dataset, sources[0])
        describe_equipment(dataset)
        stamp(dataset, "Series", "Content", "InstanceCreation")
        dataset.SOPClassUID, dataset.SOPInstanceUID = STORAGE, generate_uid()
        dataset.SeriesInstanceUID, dataset.SeriesNumber = generate_uid(), series_number(sources[0], _SERIES_KIND)
        dataset.Modality, dataset.InstanceNumber = "REG", 1
        dataset.SeriesDescription = f"Vessel registration ({status})"
        dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = world_frame_uid(sources[0]), ""
        dataset.ContentLabel, dataset.ContentCreatorName = "VESSEL_MODEL", ""
        dataset.ContentDescription = f"Vessel model to X-ray ({status})"
        model = _item(LPS_FROM_RAS @ model_to_world @ LPS_FROM_RAS, codes.DCM.ImageContentBasedAlignment,
                      "Vessel model to patient axes at the isocentre")
        model.FrameOfReferenceUID = model_frame_uid
        dataset.RegistrationSequence = [model]
        without_frame = [source for source in sources if not text_in(source.header, "FrameOfReferenceUID")]
        if without_frame:
            xrays = _item(np.eye(4), codes.DCM.FrameOfReferenceIdentity, "X-rays: patient axes at the isocentre")
            xrays.ReferencedImageSequence = [reference_to(source, frame=True) for source in without_frame]
            dataset.RegistrationSequence.append(xrays)
        _refer(dataset, sources)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = UID(_EXPLICIT_LITTLE_ENDIAN)
        return dataset


def _item(matrix: np.ndarray, method: Any, comment: str) -> Any:
    """What brings one frame of reference to the object's, without saying yet whose."""
    from pydicom.dataset import Dataset
    from pydicom.valuerep import format_number_as_ds

    inner, middle, outer, code = Dataset(), Dataset(), Dataset(), Dataset()
    inner.FrameOfReferenceTransformationMatrixType = matrix_type(matrix)
    inner.FrameOfReferenceTransformationMatrix = [format_number_as_ds(float(value)) for value in matrix.ravel()]
    code.CodeValue, code.CodingSchemeDesignator = method.value, method.scheme_designator
    code.CodeMeaning = method.meaning
    middle.MatrixSequence, middle.RegistrationTypeCodeSequence = [inner], [code]
    middle.FrameOfReferenceTransformationComment = comment
    outer.MatrixRegistrationSequence = [middle]
    return outer


def _refer(dataset: Any, sources: Sequence[SourceImage]) -> None:
    """List the X-rays by study and series (PS3.3 C.12.2)."""
    from pydicom.dataset import Dataset

    def series_of(some: Sequence[SourceImage]) -> list[Any]:
        found = []
        for uid, members in groupby(sorted(some, key=_series_uid), key=_series_uid):
            series = Dataset()
            series.SeriesInstanceUID = uid
            once = {source.instance_uid: reference_to(source, frame=False) for source in members}
            series.ReferencedInstanceSequence = list(once.values())
            found.append(series)
        return found

    dataset.ReferencedSeriesSequence = series_of([one for one in sources if one.study_uid == sources[0].study_uid])
    others = sorted((one for one in sources if one.study_uid != sources[0].study_uid), key=lambda one: one.study_uid)
    studies = []
    for uid, members in groupby(others, key=lambda one: one.study_uid):
        study = Dataset()
        study.StudyInstanceUID, study.ReferencedSeriesSequence = uid, series_of(list(members))
        studies.append(study)
    if studies:
        dataset.StudiesContainingOtherReferencedInstancesSequence = studies


def _series_uid(source: SourceImage) -> str:
    return str(source.header.SeriesInstanceUID)
