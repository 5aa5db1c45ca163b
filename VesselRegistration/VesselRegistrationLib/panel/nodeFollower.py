"""Nodes of the scene that the panel listens to while they are chosen."""

from collections.abc import Callable, Iterable
from typing import Any

import slicer

Followed = tuple[slicer.vtkMRMLNode | None, int, Callable[[], None]]
"""A node, or None, one of its events, and what is done then."""


class NodeFollower:
    """Observes exactly the nodes that it was told last."""

    def __init__(self) -> None:
        """Nothing is observed yet."""
        self._tags: dict[tuple[Any, int], int] = {}

    def follow(self, wanted: Iterable[Followed]) -> None:
        """Listen to these nodes and to no others."""
        actions = {(node, event): action for node, event, action in wanted if node is not None}
        for key in [key for key in self._tags if key not in actions]:
            key[0].RemoveObserver(self._tags.pop(key))
        for key, action in actions.items():
            if key not in self._tags:
                self._tags[key] = key[0].AddObserver(key[1], self._slot(action))

    @staticmethod
    def _slot(action: Callable[[], None]) -> Callable[..., None]:
        return lambda caller, event: action()
