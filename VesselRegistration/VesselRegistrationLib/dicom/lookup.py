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


def value_in(item: Any, keyword: str) -> Any:
    """The value of one element of a data set as pydicom gives it, None where absent or empty.

    pydicom decodes an element only now. Raises UserError where the element is damaged.
    """
    try:
        value = item.get(keyword)
        return None if value is None or value == "" else value
    except Exception:
        # A damaged element makes the parser fail in any way it likes; to the user it is one thing.
        raise UserError(f"The header's {keyword} {tag_of(keyword)} is damaged: copy the file again.") from None


def items_in(item: Any, keyword: str) -> list[Any]:
    """The items of a sequence, none where it is absent. Raises UserError where the element is no sequence."""
    value = value_in(item, keyword)
    if value is None:
        return []
    if not all(hasattr(entry, "get") for entry in (value if hasattr(value, "__iter__") else [value])):
        raise UserError(f"The header's {keyword} {tag_of(keyword)} is damaged: copy the file again.")
    return list(value)


def numbers_in(item: Any, keyword: str) -> list[float] | None:
    """The numbers of one element of a data set; None where it is absent or empty.

    Raises UserError where the element holds something else than numbers.
    """
    value = value_in(item, keyword)
    if value is None:
        return None
    try:
        values = list(value) if hasattr(value, "__iter__") and not isinstance(value, str | bytes) else [value]
        return [float(entry) for entry in values] or None
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"The header's {keyword} {tag_of(keyword)} is not a number: the file is damaged.") from None


def words_in(item: Any, keyword: str) -> list[str]:
    """All values of a code or text element in capitals without blanks around them; empty where it is absent."""
    value = value_in(item, keyword)
    if value is None:
        return []
    values = list(value) if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
    return [str(entry).strip().upper() for entry in values]


def text_in(item: Any, keyword: str) -> str:
    """The first value of a code or text element in capitals; empty where it is absent."""
    return next(iter(words_in(item, keyword)), "")


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
            for functional in self._functional_groups():
                found.extend(items_in(functional, group)[:1])
        return [*found, self.dataset]

    def group(self, name: str) -> Any | None:
        """The first item of a functional group that this frame has, or None."""
        items = self.items(name)
        return items[0] if len(items) > 1 else None

    def group_items(self, name: str) -> list[Any]:
        """All items of a functional group of this frame (its own, else the shared one, else at the top)."""
        for functional in [*self._functional_groups(), self.dataset]:
            items = items_in(functional, name)
            if items:
                return items
        return []

    def _functional_groups(self) -> list[Any]:
        """The frame's own functional groups, then the shared ones, as far as there are any."""
        per_frame = items_in(self.dataset, "PerFrameFunctionalGroupsSequence")
        shared = items_in(self.dataset, "SharedFunctionalGroupsSequence")
        return [*per_frame[self.frame:self.frame + 1], *shared[:1]]

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
