"""A path line for a network of the user's, kept in a text parameter."""

from pathlib import Path
from typing import Any

from .session import PanelSession


class NetworkLine:
    """Two-way connection of a path line with a text parameter; empty stands for the shipped network."""

    def __init__(self, line: Any, session: PanelSession, field: str) -> None:
        """Follow the line from now on."""
        self._line, self._session, self._field = line, session, field
        line.connect("currentPathChanged(QString)", self._choose)

    def update(self) -> None:
        """Show the value of the parameter node."""
        if self._session.node is not None and self._line.currentPath != getattr(self._session.node, self._field):
            self._line.currentPath = getattr(self._session.node, self._field)

    def _choose(self, path: str) -> None:
        node = self._session.node
        if node is not None and getattr(node, self._field) != path:
            setattr(node, self._field, path)


def ownFile(path: str) -> Path | None:
    """The file that such a parameter names, None for the shipped network."""
    return Path(path) if path else None
