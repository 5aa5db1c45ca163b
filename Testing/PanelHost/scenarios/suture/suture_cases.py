"""Drawn frames with known points, and detectors that find them without a network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from scipy import ndimage
from SutureDetectionLib.detection.detector import Origin
from SutureDetectionLib.detection.points import SuturePoints, no_points

SHAPE = (96, 160)
CELLS = ((20, 20), (60, 20), (100, 22), (30, 60), (80, 62), (124, 64))
SURE = 4
"""The first stitches of a frame are drawn plainly, the others faintly."""


def drawnFrame(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Image (96, 160, 3) and points (6, 2, 2): entry (blue) and exit (yellow) of each stitch, (col, row)."""
    rng = np.random.default_rng(seed)
    image = np.full((*SHAPE, 3), 120.0)
    rows, columns = np.mgrid[:SHAPE[0], :SHAPE[1]]
    entries = np.array(CELLS, float) + rng.uniform(-4, 4, (len(CELLS), 2))
    points = np.stack([entries, np.add(entries, [12.0, 4.0])], axis=1)
    for number, stitch in enumerate(points):
        strength = 1.0 if number < SURE else 0.5
        for (col, row), colour in zip(stitch, ([20, 20, 250], [250, 250, 20]), strict=True):
            blob = strength * np.exp(-0.5 * ((columns - col) ** 2 + (rows - row) ** 2) / 1.5**2)[..., None]
            image = image * (1 - blob) + blob * np.array(colour)
    return np.clip(image, 0, 255).astype(np.uint8), points


def writeFrames(folder: Path, count: int = 4) -> list[np.ndarray]:
    """Drawn frames as pictures in a folder; gives the points of each."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    truth = []
    for number in range(count):
        image, points = drawnFrame(number)
        Image.fromarray(image).save(folder / f"frame_{number:03d}.png")
        truth.append(points)
    return truth


def writeLabels(folder: Path, truth: list[np.ndarray]) -> None:
    """labelme files: the true points of frame 0 without its first exit, and those of frame 2 with one more."""
    folder.mkdir()
    for number, points in ((0, truth[0].reshape(-1, 2)[[0, *range(2, 12)]]),
                           (2, np.vstack([truth[2].reshape(-1, 2), [[150.0, 90.0]]]))):
        shapes = [{"label": "suture", "points": [[float(col) + 0.5, float(row) + 0.5]], "group_id": None,
                   "shape_type": "point", "flags": {}} for col, row in points]
        (folder / f"frame_{number:03d}.json").write_text(json.dumps(
            {"version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": "", "imageData": None,
             "imageHeight": SHAPE[0], "imageWidth": SHAPE[1]}))



class ColourDetector:
    """Finds the drawn points by their colour; confidence about 0.9 for plain and 0.3 for faint ones."""

    threshold = 0.6
    tells_kinds = True
    origin = Origin("colours", "", {"architecture": "none"})

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self.calls = 0

    def detect(self, image: np.ndarray, threshold: float | None = None) -> SuturePoints:
        """The points of an image."""
        self.calls += 1
        values = image.astype(float)
        blueness = values[..., 2] - values[..., 0]
        parts = []
        for kind, strength in ((0, blueness), (1, -blueness)):
            regions, count = ndimage.label(strength > 20)
            numbers = np.arange(1, count + 1)
            centres = np.array(ndimage.center_of_mass(np.maximum(strength, 0), regions, numbers)).reshape(-1, 2)
            heights = np.array(ndimage.maximum(strength, regions, numbers)).reshape(-1)
            parts.append((centres[:, ::-1], np.where(heights > 160, 0.9, 0.3), np.full(count, kind)))
        positions, confidence, kinds = (np.concatenate(each) for each in zip(*parts, strict=True))
        pairs = np.full(len(positions), -1)
        for number, entry in enumerate(np.flatnonzero(kinds == 0)):
            exits = np.flatnonzero(kinds == 1)
            nearest = exits[np.argmin(np.linalg.norm(positions[exits] - positions[entry], axis=1))]
            pairs[[entry, nearest]] = number
        return SuturePoints(positions, confidence, kinds, pairs)


class TruthDetector(ColourDetector):
    """Knows the points of the images that it was told."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        super().__init__()
        self.known: dict[bytes, SuturePoints] = {}

    def tell(self, image: np.ndarray, points: SuturePoints) -> None:
        """Answer with these points for this image."""
        self.known[np.ascontiguousarray(image).tobytes()] = points

    def detect(self, image: np.ndarray, threshold: float | None = None) -> SuturePoints:
        """The points that were told."""
        self.calls += 1
        return self.known.get(np.ascontiguousarray(image).tobytes(), no_points())
