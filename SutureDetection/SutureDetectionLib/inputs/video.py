"""Videos by PyAV, which is installed only where it is wanted."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from VesselRegistrationLib.errors import UserError

from .frame import Frame, Problem

SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".mpg", ".mpeg", ".m4v", ".webm", ".wmv", ".ts")
USUAL_RATE = 25.0
_CODECS = ("libx264", "mpeg4")


class VideoSource:
    """The frames of a video file."""

    def __init__(self, path: Path) -> None:
        """Open a video. Raises UserError where PyAV is missing or the file is no video."""
        self.path = path
        self.follows = True
        av = import_av()
        try:
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                self.rate: float | None = float(stream.average_rate) if stream.average_rate else None
                self.count: int | None = stream.frames or None
        except (av.FFmpegError, IndexError, OSError):
            raise UserError(f"{path.name} cannot be read as a video: it is damaged, cut short, or holds no "
                            "picture.") from None

    def frames(self) -> Iterator[Frame | Problem]:
        """The frames as RGB; where the file ends too early, the rest is one problem."""
        av = import_av()
        number = 0
        try:
            with av.open(str(self.path)) as container:
                for picture in container.decode(video=0):
                    yield Frame(picture.to_ndarray(format="rgb24"), self.path.name, number)
                    number += 1
        except (av.FFmpegError, OSError):
            yield self._cut_short(number)
            return
        if self.count is not None and number < self.count:
            yield self._cut_short(number)

    def _cut_short(self, number: int) -> Problem:
        return Problem(f"{self.path.name} ends after {number} frames although it says it has more: the file is cut "
                       "short or damaged.", self.path.name, number)


class VideoWriter:
    """Writes frames of one size as MP4."""

    def __init__(self, path: Path, rate: float, shape: tuple[int, ...]) -> None:
        """For frames of ``shape`` (height, width, ...). Raises UserError where PyAV or all codecs are missing."""
        av = import_av()
        self._height, self._width = shape[0] // 2 * 2, shape[1] // 2 * 2  # the codecs want even sizes
        self._container = av.open(str(path), "w")
        self._stream = _stream(self._container, av, rate)
        self._stream.width, self._stream.height = self._width, self._height
        self._stream.pix_fmt = "yuv420p"

    def add(self, image: np.ndarray) -> None:
        """Append a frame (height, width, 3) uint8."""
        av = import_av()
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:self._height, :self._width]), format="rgb24")
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Finish the file."""
        self._container.mux(self._stream.encode())
        self._container.close()


def write_video(path: Path, images: Sequence[np.ndarray], rate: float = USUAL_RATE) -> None:
    """Write frames (height, width, 3) uint8 of one size as MP4."""
    writer = VideoWriter(path, rate, images[0].shape)
    for image in images:
        writer.add(image)
    writer.close()


def import_av() -> Any:
    """PyAV. Raises UserError where it is not installed."""
    try:
        import av
    except ImportError:
        raise UserError("Videos need the Python package PyAV: install it with 'pip install av'.") from None
    return av


def can_write_video() -> bool:
    """Whether PyAV is installed."""
    try:
        import_av()
    except UserError:
        return False
    return True


def _stream(container: Any, av: Any, rate: float) -> Any:
    from fractions import Fraction

    for codec in _CODECS:
        try:
            return container.add_stream(codec, rate=Fraction(rate).limit_denominator(1001))
        except (av.FFmpegError, ValueError):
            continue
    raise UserError("The installed PyAV cannot write MP4: install another version of it.")
