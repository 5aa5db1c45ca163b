"""The folders and split files of AdaptOR (MICCAI 2021) and of Cardio-AI.

``<op>/<video>/image_02`` and ``image_03`` hold the left and the right frames, named 000000.png on;
``<op>/<video>/point_labels`` holds one labelme file per frame, drawn on the top-bottom frame before it was split: a
"line" joins the same point in both eyes, a "point" is in one eye only, and what lies in the lower half belongs to the
right eye. A line of a split file is ``<op>/<video> <frame> <l|r>``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from VesselRegistrationLib.errors import UserError

from .labelme import file_content, labels_of_shapes, line_shape, point_shape, read_json, shapes_of
from .labels import Labels

LEFT = "l"
RIGHT = "r"
EYES = {LEFT: "image_02", RIGHT: "image_03"}
LABELS_FOLDER = "point_labels"
_HALF = 0.5
_LABEL = "suture"


@dataclass(frozen=True, order=True)
class FrameKey:
    """One eye's frame: ``video`` as <op>/<video>, ``frame`` counted from 0, ``eye`` l or r."""

    video: str
    frame: int
    eye: str

    @property
    def surgery(self) -> str:
        """The operation, by which data are split."""
        return self.video.split("/", 1)[0]

    def image_path(self, root: Path) -> Path:
        """Where the image is."""
        return root / self.video / EYES[self.eye] / f"{self.frame:06d}.png"

    def labels_path(self, root: Path) -> Path:
        """Where the labels of both eyes are."""
        return root / self.video / LABELS_FOLDER / f"{self.frame:06d}.json"


def find_frames(root: Path, labelled: bool = True) -> list[FrameKey]:
    """All frames below a folder, sorted; only those with labels unless ``labelled`` is False.

    Raises UserError where there are none.
    """
    keys = []
    for eye, folder in EYES.items():
        for path in root.glob(f"*/*/{folder}/*.png"):
            key = FrameKey(path.parent.parent.relative_to(root).as_posix(), _number(path), eye)
            if not labelled or key.labels_path(root).is_file():
                keys.append(key)
    if not keys:
        what = "labelled frames" if labelled else "frames"
        raise UserError(f"There are no {what} <op>/<video>/image_02/000000.png below {root}: give a folder laid out "
                        "as AdaptOR's.")
    return sorted(keys)


def is_adaptor_folder(root: Path) -> bool:
    """Whether a folder is laid out as AdaptOR's."""
    return any(next(root.glob(f"*/*/{folder}"), None) is not None for folder in EYES.values())


def read_labels(root: Path, key: FrameKey, shape: tuple[int, ...]) -> Labels:
    """Labels of one eye's frame of ``shape`` (height, width, ...), in its own pixels.

    Raises UserError where they cannot be read, or do not belong to a top-bottom frame of that size.
    """
    path = key.labels_path(root)
    return split_labels(path, shape)[0 if key.eye == LEFT else 1]


def split_labels(path: Path, shape: tuple[int, ...]) -> tuple[Labels, Labels]:
    """Left and right labels of a top-bottom labelme file, for eyes of ``shape`` (height, width, ...).

    Where both eyes' frames were shrunk after the split, the labels are shrunk with them. Raises UserError.
    """
    content = read_json(path)
    points, both = _pooled(path, content)
    height, width = int(content["imageHeight"]) / 2.0, int(content["imageWidth"])
    ratio = (width / height) / (shape[1] / shape[0])
    # The paper squeezes eyes of 1920 x 540 to 512 x 288: each eye was recorded at half its height.
    if not (0.99 < ratio < 1.01 or 1.98 < ratio < 2.02):
        raise UserError(f"{path.name} is of a top-bottom frame of {width} x {2 * height:g} pixels, whose halves do not "
                        f"fit the image of {shape[1]} x {shape[0]}: give the labels of this image.")
    labels = []
    for lower in (False, True):
        chosen = (points[:, 1] > height) == lower
        place = points[chosen] - [0.0, height if lower else 0.0]
        kinds, groups = both.kinds[chosen], both.pair_ids[chosen]
        labels.append(Labels.of_points(place * [shape[1] / width, shape[0] / height] - _HALF, kinds, groups))
    return labels[0], labels[1]


def _pooled(path: Path, content: dict[str, Any]) -> tuple[np.ndarray, Labels]:
    """Points (N, 2) of both eyes as labelme counts them, and the same as labels."""
    shapes = []
    for entry in shapes_of(path, content, None):
        if entry["shape_type"] not in ("point", "line"):
            raise UserError(f"{path.name} holds a {entry['shape_type']}: mark sutures as points, or as lines from the "
                            "upper to the lower eye.")
        shapes += [{**entry, "shape_type": "point", "points": [point]} for point in entry["points"]]
    both = labels_of_shapes(path, {**content, "shapes": shapes}, None)
    return both.points + _HALF, both


def top_bottom_content(left: np.ndarray, right: np.ndarray, matches: np.ndarray, image_name: str,
                       eye_shape: tuple[int, ...]) -> dict[str, Any]:
    """A labelme file for the points of both eyes, (N, 2) and (M, 2), in the top-bottom frame of two such eyes.

    ``matches`` (K, 2) are indices of the same point in both; they become lines, the others points.
    """
    lowered = np.reshape(right, (-1, 2)) + np.array([0.0, eye_shape[0]])
    shapes = [line_shape(left[one], lowered[other], _LABEL) for one, other in matches]
    alone = [left[index] for index in np.setdiff1d(np.arange(len(left)), matches[:, 0])]
    alone += [lowered[index] for index in np.setdiff1d(np.arange(len(lowered)), matches[:, 1])]
    shapes += [point_shape(point, _LABEL) for point in alone]
    return file_content(shapes, image_name, (2 * eye_shape[0], eye_shape[1]))


def read_split(path: Path) -> list[FrameKey]:
    """The frames that a split file names. Raises UserError for a file that is none."""
    keys = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UserError(f"The split file {path} cannot be read: name an existing text file.") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        parts = line.split()
        if len(parts) != 3 or not parts[1].isdigit() or parts[2] not in EYES:
            raise UserError(f"Line {number} of {path.name} is not of the form '<op>/<video> <frame> <l|r>': correct "
                            "it.")
        keys.append(FrameKey(parts[0], int(parts[1]), parts[2]))
    return keys


def split_text(keys: Sequence[FrameKey]) -> str:
    """The content of a split file."""
    return "".join(f"{key.video} {key.frame} {key.eye}\n" for key in keys)


def _number(path: Path) -> int:
    if not path.stem.isdigit():
        raise UserError(f"{path.name} is no frame of AdaptOR: frames are named by their number, as 000000.png.")
    return int(path.stem)
