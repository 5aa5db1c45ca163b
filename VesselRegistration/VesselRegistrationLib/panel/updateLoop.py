"""An update of a panel whose own changes ask for it again."""

from collections.abc import Callable

import slicer

UPDATES_AT_MOST = 3


class UpdateLoop:
    """Runs an update once at a time. What it changes in the scene asks for it again, and is waited for."""

    def __init__(self, update: Callable[[], None]) -> None:
        self._update = update
        self._running = self._again = False

    def run(self) -> None:
        """Update now; while the scene is read, or from inside an update, as soon as there is another one."""
        if slicer.mrmlScene.IsImporting() or self._running:
            self._again = True
            return
        self._running = True
        try:
            self._once()
            for _again in range(UPDATES_AT_MOST):
                if not self._again:
                    break
                self._once()
        finally:
            self._running = False

    def _once(self) -> None:
        self._again = False
        self._update()
