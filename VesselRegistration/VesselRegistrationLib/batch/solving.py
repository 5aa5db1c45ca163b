"""Does one case of a batch: reads its files, registers, writes its folder. Runs in any process that sees the files."""

import threading
import time
from pathlib import Path

from ..dicom.reading import open_xa
from ..errors import Cancelled, UserError
from ..mesh.reading import read_model
from ..mesh.surface import SurfaceModel
from ..pose.pose_file import read_initial_pose
from ..pose.table import read_reference, same_reference
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, part_of
from ..registration.mask_file import read_mask
from ..registration.pipeline import RegistrationRequest, register
from ..registration.result import RegistrationResult
from ..rendering.files import write_result
from .case import BatchCase, CaseRequest, CaseRow
from .results import CASE_FILE, case_content, finished_row

# Networks and scenes are not made for use by two threads at once, and Dask workers can have several.
_ONE_AT_A_TIME = threading.Lock()


def solve_case(case: BatchCase, out: Path, progress: ProgressCallback = ignore_progress,
               should_stop: StopCheck = never_stop) -> CaseRow:
    """Register a case into the new folder ``out``/name and give its row; a case that fails gives a row, too.

    A case that is finished already is not done again. Raises Cancelled on request, and nothing else.
    """
    with _ONE_AT_A_TIME:
        started = time.perf_counter()
        try:
            return finished_row(case, out) or _solved(case, out, progress, should_stop)
        except UserError as problem:
            return CaseRow.of_failure(case.name, str(problem), time.perf_counter() - started)
        except Cancelled:
            raise
        except Exception as problem:
            return CaseRow.of_failure(case.name, f"This is a bug in vessel-registration ({type(problem).__name__}: "
                                      f"{problem}): register this case alone with --debug and report what it prints.",
                                      time.perf_counter() - started)


def _solved(case: BatchCase, out: Path, progress: ProgressCallback, should_stop: StopCheck) -> CaseRow:
    if case.request is None:
        raise UserError(case.problem)
    started = time.perf_counter()
    fingerprint = case.request.fingerprint()
    result, model, notes = register_files(case.request, part_of(progress, 0.0, 0.9), should_stop)
    row = CaseRow.of_result(case.name, result, notes, time.perf_counter() - started)
    write_result(result, model, out / case.name, part_of(progress, 0.9, 1.0),
                 {CASE_FILE: case_content(row, fingerprint)})
    return row


def register_files(
    request: CaseRequest, progress: ProgressCallback = ignore_progress, should_stop: StopCheck = never_stop
) -> tuple[RegistrationResult, SurfaceModel, tuple[str, ...]]:
    """Read the files and register: the result, the model, and what had to be taken on trust, in sentences.

    Raises UserError for files that cannot be used and Cancelled on request.
    """
    progress(0.0, "reading")
    masks = tuple(read_mask(path) for path in request.masks) or None
    runs = [open_xa(path, given) for path, given in zip(request.xrays, request.geometry, strict=True)]
    model = read_model(request.model, request.model_space, request.model_unit)
    frames = [run.frame(run.strongest_contrast_frame() if number is None else number)
              for run, number in zip(runs, request.frames, strict=True)]
    shared = same_reference(frames, [read_reference(path) for path in request.xrays])
    settings = request.settings
    result = register(
        RegistrationRequest(model, shared.frames, masks, request.roi, settings.method, settings.device,
                            settings.field_of_view, settings.threshold,
                            None if request.start is None else read_initial_pose(request.start),
                            network=settings.network),
        part_of(progress, 0.1, 1.0), should_stop)
    concerns = [f"{run.path.name}: {row.item}: {row.says}" for run in runs for row in run.sanity.rows
                if row.level != "ok"]
    return result, model, (*shared.notes, *model.notes, *concerns)


