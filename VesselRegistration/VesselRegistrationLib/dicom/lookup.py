"""Values of a header, whether they stand at its top (XA, XRF) or in functional groups (Enhanced XA, Enhanced XRF)."""

import math
from dataclasses import dataclass
from typing import Any

from ..errors import UserError


def tag_of(keyword: str) -> str:
    """The tag of a DICOM keyword as ``(gggg,eeee)``."""
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"{keyword} is no DICOM keyword")
    return f"({tag >> 16:04x},{tag & 0xFFFF:04x})"


def numbers_in(item: Any, keyword: str) -> list[float] | None:
    """The numbers of one element of a data set; None where it is absent or empty.

    Raises UserError where the element holds something else than numbers.
    """
    try:
        value = item.get(keyword)
        if value is None or value == "":
            return None
        values = list(value) if hasattr(value, "__iter__") and not isinstance(value, str | bytes) else [value]
        if not values:
            return None
        return [float(entry) for entry in values]
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"The header's {keyword} {tag_of(keyword)} is not a number: the file is damaged.") from None


def text_in(item: Any, keyword: str) -> str:
    """One code or text element in capitals without blanks around it; empty where it is absent."""
    value = item.get(keyword)
    if value is None:
        return ""
    if hasattr(value, "__iter__") and not isinstance(value, str):
        value = next(iter(value), "")
    return str(value).strip().upper()


def words_in(item: Any, keyword: str) -> list[str]:
    """All values of a code element in capitals; empty where it is absent."""
    value = item.get(keyword)
    if value is None or value == "":
        return []
    values = [value] if isinstance(value, str) else list(value)
    return [str(entry).strip().upper() for entry in values]


@dataclass(frozen=True)
class FrameHeader:
    """What a header says about one frame (0-based).

    A value is looked for in the frame's own functional group, then in the shared one, then at the top of the header
    (PS3.3 C.7.6.16), so that one call serves classic and enhanced objects.
    """

    dataset: Any
    frame: int

    def items(self, group: str | None) -> list[Any]:
        """The data sets that may hold a value of a functional group, the most specific first."""
        found = []
        if group is not None:
            per_frame = self.dataset.get("PerFrameFunctionalGroupsSequence") or []
            shared = self.dataset.get("SharedFunctionalGroupsSequence") or []
            for functional in [*per_frame[self.frame:self.frame + 1], *shared[:1]]:
                found.extend(list(functional.get(group) or [])[:1])
        return [*found, self.dataset]

    def group(self, name: str) -> Any | None:
        """The first item of a functional group that this frame has, or None."""
        items = self.items(name)
        return items[0] if len(items) > 1 else None

    def group_items(self, name: str) -> list[Any]:
        """All items of a functional group of this frame (its own, else the shared one, else at the top)."""
        per_frame = self.dataset.get("PerFrameFunctionalGroupsSequence") or []
        shared = self.dataset.get("SharedFunctionalGroupsSequence") or []
        for functional in [*per_frame[self.frame:self.frame + 1], *shared[:1], self.dataset]:
            items = functional.get(name)
            if items:
                return list(items)
        return []

    def numbers(self, keyword: str, group: str | None = None) -> list[float] | None:
        """Numbers of one element, or None. Raises UserError where they are no numbers."""
        for item in self.items(group):
            values = numbers_in(item, keyword)
            if values is not None:
                return values
        return None

    def number(self, keyword: str, group: str | None = None) -> float | None:
        """The first number of one element, or None."""
        values = self.numbers(keyword, group)
        return None if values is None else values[0]

    def text(self, keyword: str, group: str | None = None) -> str:
        """A code or text in capitals, empty where absent."""
        for item in self.items(group):
            value = text_in(item, keyword)
            if value:
                return value
        return ""

    def words(self, keyword: str, group: str | None = None) -> list[str]:
        """All values of a code element in capitals, empty where absent."""
        for item in self.items(group):
            values = words_in(item, keyword)
            if values:
                return values
        return []


def is_set(value: float | None) -> bool:
    """Whether a length or ratio was given; scanners write 0 where they do not know it."""
    return value is not None and not (math.isfinite(value) and value == 0)
