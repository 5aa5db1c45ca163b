"""Seconds per stage."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StageClock:
    """Adds up the wall-clock seconds of named stages in ``seconds``."""

    def __init__(self) -> None:
        """Start with no stage."""
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time until the block ends to the stage ``name``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
