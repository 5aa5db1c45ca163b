"""Which files of a folder are frames, and which annotation belongs to which.

Three layouts are known, each with sub-folders (of patients, say) or without:

- ``images/`` beside ``masks/`` (pictures of the same stem) or ``labels/`` (text files with outlines, one per line);
- frames beside PixelAnnotationTool's ``STEM_watershed_mask.png`` or ``STEM_mask.png`` (``_color_mask`` is ignored);
- frames beside labelme's ``STEM.json``.

In any of them a frame may be a DICOM file. The masks of a run are called ``STEM_N``, N being the frame's number from 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError
from .masks import LABELME_SUFFIX, OUTLINES_SUFFIX
from .pictures import ARRAY_SUFFIX, PICTURE_SUFFIXES, frame_count, is_dicom, is_frame_file

IMAGES = "images"
_ANNOTATIONS = ("masks", "labels")
_WATERSHED = "_watershed_mask"
_PAINTED = "_mask"
_FOR_EYES = "_color_mask"
_NOTES = (".txt", ".md", ".csv", ".json", ".xml", ".toml")


@dataclass(frozen=True)
class AnnotatedFrame:
    """A frame (``number`` counts from 0 in a run) with its annotation.

    ``group`` is what must not be torn apart: the sub-folder, else the run, else "".
    """

    picture: Path
    number: int
    annotation: Path
    group: str


def find_frames(folder: Path) -> list[AnnotatedFrame]:
    """All annotated frames of a folder in the order of their names.

    Raises UserError for a folder that is not there, empty or of one frame, frames without annotation, annotations
    without frame, and files of another kind among the frames.
    """
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}: name the one that holds your annotated frames.")
    files = sorted(path for path in folder.rglob("*")
                   if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts))
    annotations = {path for path in files if _is_annotation(path, folder)}
    frames: list[AnnotatedFrame] = []
    for path in files:
        if path in annotations or path.stem.endswith(_FOR_EYES):
            continue
        if is_frame_file(path):
            frames += _frames_of(path, folder, annotations)
        elif IMAGES in _parts(path, folder) or path.suffix.lower() not in _NOTES:
            raise UserError(f"{path.name} is no frame that can be read: give PNG, JPEG, TIFF, NumPy or DICOM files "
                            "only.")
    unused = annotations - {frame.annotation for frame in frames} - set(_second_choices(frames, annotations))
    if unused:
        raise UserError(f"The annotation {min(unused).name} has no frame of the same name: add the frame or remove it.")
    if len(frames) < 2:
        raise UserError(f"The folder {folder} holds {'one annotated frame' if frames else 'no annotated frames'}: "
                        "training needs at least two, and some tens for a good result.")
    return frames


def _parts(path: Path, folder: Path) -> tuple[str, ...]:
    return path.relative_to(folder).parts[:-1]


def _is_annotation(path: Path, folder: Path) -> bool:
    parts = _parts(path, folder)
    if path.stem.endswith(_FOR_EYES):
        return False
    if any(name in parts for name in _ANNOTATIONS):
        return path.suffix.lower() in (*PICTURE_SUFFIXES, ARRAY_SUFFIX, OUTLINES_SUFFIX)
    if IMAGES in parts:
        return path.suffix.lower() == LABELME_SUFFIX
    return path.suffix.lower() == LABELME_SUFFIX or (
        path.stem.endswith((_WATERSHED, _PAINTED)) and path.suffix.lower() in PICTURE_SUFFIXES)


def _frames_of(path: Path, folder: Path, annotations: set[Path]) -> list[AnnotatedFrame]:
    group = next((part for part in _parts(path, folder) if part != IMAGES), "")
    found = next((candidate for candidate in _candidates(path, path.stem, folder) if candidate in annotations), None)
    if found is not None:
        if is_dicom(path) and frame_count(path) > 1:
            raise UserError(f"{path.name} holds several frames: call their masks {path.stem}_0, {path.stem}_1 and so "
                            "on, counted from 0.")
        return [AnnotatedFrame(path, 0, found, group)]
    frames = []
    if is_dicom(path):
        run = group or path.name
        for number in range(frame_count(path)):
            names = {f"{path.stem}_{number:0{digits}d}" for digits in range(1, 7)}
            match = next((entry for name in sorted(names) for entry in _candidates(path, name, folder)
                          if entry in annotations), None)
            if match is not None:
                frames.append(AnnotatedFrame(path, number, match, run))
    if not frames:
        raise UserError(f"The frame {path.name} has no mask or annotation of the same name: add it or remove the "
                        "frame.")
    return frames


def _candidates(path: Path, stem: str, folder: Path) -> Iterator[Path]:
    parts = _parts(path, folder)
    if IMAGES in parts:
        place = len(parts) - 1 - parts[::-1].index(IMAGES)
        for name in _ANNOTATIONS:
            other = folder.joinpath(*parts[:place], name, *parts[place + 1:])
            for suffix in (*PICTURE_SUFFIXES, ARRAY_SUFFIX, OUTLINES_SUFFIX):
                yield other / f"{stem}{suffix}"
    yield from (path.parent / f"{stem}{ending}.png" for ending in (_WATERSHED, _PAINTED))
    yield path.parent / f"{stem}{LABELME_SUFFIX}"


def _second_choices(frames: list[AnnotatedFrame], annotations: set[Path]) -> Iterator[Path]:
    # PixelAnnotationTool leaves the painted markers beside the watershed that was made of them.
    for frame in frames:
        if frame.annotation.stem.endswith(_WATERSHED):
            painted = frame.annotation.with_name(frame.annotation.name.replace(_WATERSHED, _PAINTED))
            if painted in annotations:
                yield painted
