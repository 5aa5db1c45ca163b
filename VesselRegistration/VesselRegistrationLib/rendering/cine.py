"""A followed run as files: result.json and a moving picture."""

from pathlib import Path

import numpy as np

from ..dicom.reading import XARun
from ..mesh.simplify import simplified
from ..mesh.surface import SurfaceModel
from ..pose.tracking import TRACKED, TrackedFrame
from ..progress import ProgressCallback, ignore_progress
from ..registration.cine import ASSUMED_FRAME_MS, CineResult
from ..registration.cine_file import cine_as_dict
from ..registration.result import ACCEPTED, CHECK
from ..registration.result_file import RESULT_FILE
from .contour import model_area_and_outline
from .files import save_json
from .legend import GRAY, NOTICE, WHITE, LegendText, with_legend, with_sides
from .new_folder import new_folder
from .pictures import STATUS_COLOURS, painted
from .xray import display_window, xray_gray

MOVIE_FILE = "overlay.gif"

_LARGEST_SIDE = 512
_TRIANGLES = 8000
_OUTLINE_PX = 1.5
_COLOURS = 64
_SHORTEST_MS = 20


def write_cine(result: CineResult, run: XARun, model: SurfaceModel, out: Path,
               progress: ProgressCallback = ignore_progress) -> None:
    """Write result.json and, where the model was followed, overlay.gif into the new folder ``out``.

    Raises UserError where ``out`` is not empty or cannot be written.
    """
    thin = simplified(model, _TRIANGLES)
    with new_folder(out) as folder:
        save_json(folder / RESULT_FILE, cine_as_dict(result, run.path.name))
        pictures = []
        window = display_window(run.frame(result.start_frame))
        for number, frame in enumerate(result.frames):
            progress(number / len(result.frames), "drawing")
            pictures.append(frame_picture(frame, run, thin, window))
        if pictures:
            _save_movie(folder / MOVIE_FILE, pictures, run.frame(0).frame_time_ms or ASSUMED_FRAME_MS)
    progress(1.0, "written")


def frame_picture(tracked: TrackedFrame, run: XARun, model: SurfaceModel, window: tuple[float, float]) -> np.ndarray:
    """The model on one frame of a run, (rows, columns, 3) uint8, its longer side at most 512 pixels.

    The colour tells whether the frame was followed or keeps the last good pose. ``window`` is the same for all frames,
    as an incoming contrast agent would make the others flicker.
    """
    from skimage.transform import resize

    frame = run.frame(tracked.frame_number)
    rows, columns = run.shape
    factor = max(1.0, max(rows, columns) / _LARGEST_SIDE)
    view = frame.view().resampled(round(rows / factor), round(columns / factor))
    gray = xray_gray(frame, window=window)
    if factor > 1:
        gray = resize(gray, (view.rows, view.columns), order=1, anti_aliasing=True).astype(np.float32)
    area, line = model_area_and_outline(model, view.projection_matrix @ tracked.model_to_world,
                                        (view.rows, view.columns), 1, _OUTLINE_PX)
    colour = STATUS_COLOURS[ACCEPTED if tracked.status == TRACKED else CHECK]
    picture = with_sides(painted(gray, area, line, colour), view)
    first = LegendText([(view.clinical_angles, WHITE), (f"    frame {tracked.frame_number}", GRAY)],
                       [(tracked.status.upper(), colour)])
    return with_legend(picture, [first, LegendText([], [(NOTICE, GRAY)])])


def _save_movie(path: Path, pictures: list[np.ndarray], frame_ms: float) -> None:
    from PIL import Image

    # One palette for all: pictures with palettes of their own flicker.
    sample = Image.fromarray(np.concatenate(pictures[:: max(1, len(pictures) // 8)], axis=0))
    palette = sample.quantize(_COLOURS, dither=Image.Dither.NONE)
    frames = [Image.fromarray(picture).quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=max(_SHORTEST_MS, round(frame_ms)), loop=0)
