"""What a folder of frames cannot say itself."""

from dataclasses import dataclass

from ...errors import UserError

DARK = "dark"
BRIGHT = "bright"


@dataclass(frozen=True)
class FolderOptions:
    """How to read a folder of annotated frames.

    ``polarity`` says whether contrast and devices are "dark" or "bright" in picture files; DICOM files say it
    themselves. ``labels`` are the labelme labels that count, all where empty. ``class_ids`` are the values of mask
    pixels, or the classes of outlines in text files, that count; without them a mask may hold 0 and one other value,
    and all outlines count. ``line_width`` in px is that of labelme lines, which have none.
    """

    polarity: str = DARK
    labels: tuple[str, ...] = ()
    class_ids: tuple[int, ...] = ()
    line_width: float = 3.0

    def __post_init__(self) -> None:
        """Raise UserError for what cannot be."""
        if self.polarity not in (DARK, BRIGHT):
            raise UserError(f"The polarity '{self.polarity}' is not known: choose {DARK} (contrast is darker than its "
                            f"surroundings) or {BRIGHT}.")
        if not 0.0 < self.line_width < 200.0:
            raise UserError(f"The line width {self.line_width:g} is impossible: give one in pixels, such as 3.")
