"""A combo box that shows words and keeps a value of the parameter node."""

from collections.abc import Sequence
from typing import Any

from .session import PanelSession


class ChoiceBox:
    """Two-way connection of a combo box with a text parameter that takes one of a few values."""

    def __init__(self, box: Any, session: PanelSession, field: str, choices: Sequence[tuple[str, str]]) -> None:
        """``choices`` are pairs of value and words."""
        self._box, self._session, self._field = box, session, field
        for value, words in choices:
            box.addItem(words, value)
        box.connect("currentIndexChanged(int)", self._choose)

    def update(self) -> None:
        """Show the value of the parameter node."""
        if self._session.node is not None:
            index = self._box.findData(getattr(self._session.node, self._field))
            if index < 0:  # the scene comes from a computer that offers more
                setattr(self._session.node, self._field, self._box.itemData(0))
                index = 0
            if index != self._box.currentIndex:
                self._box.currentIndex = index

    def _choose(self, index: int) -> None:
        node = self._session.node
        if node is not None and index >= 0 and getattr(node, self._field) != self._box.itemData(index):
            setattr(node, self._field, self._box.itemData(index))
