"""Cases from a folder: one sub-folder each, with one model and one or two X-rays."""

from pathlib import Path

from ..dicom.overrides import GeometryOverrides
from ..errors import UserError
from ..mesh.formats import MODEL_ENDINGS
from .case import BatchCase, BatchDefaults, CaseRequest

MOST_XRAYS = 2

_MARK_AT, _MARK = 128, b"DICM"


def read_folder(path: Path, defaults: BatchDefaults) -> list[BatchCase]:
    """A case for each sub-folder, by its name, in order of names; the X-rays in order of theirs.

    What is wrong with one sub-folder is that case's ``problem``. Raises UserError where there is none.
    """
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    if not folders:
        raise UserError(f"The folder {path} has no sub-folders: put the files of each case into one of its own.")
    return [_case(folder.absolute(), defaults) for folder in folders]


def _case(folder: Path, defaults: BatchDefaults) -> BatchCase:
    files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
    models = [file for file in files if file.suffix.lower() in MODEL_ENDINGS]
    xrays = [file for file in files if _is_dicom(file)]
    if len(models) != 1:
        return BatchCase(folder.name, None, f"The folder holds {len(models)} model files "
                         f"({', '.join(MODEL_ENDINGS)}): it has to hold one.")
    if not 1 <= len(xrays) <= MOST_XRAYS:
        return BatchCase(folder.name, None, f"The folder holds {len(xrays)} DICOM files: it has to hold one or two.")
    count = len(xrays)
    return BatchCase(folder.name, CaseRequest(models[0], tuple(xrays), (None,) * count, (GeometryOverrides(),) * count,
                                              settings=defaults))


def _is_dicom(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            stream.seek(_MARK_AT)
            return stream.read(len(_MARK)) == _MARK
    except OSError:
        return False
