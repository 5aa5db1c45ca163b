"""How long operations report back: plain callables, so that a bar, a panel or a test can listen."""

from collections.abc import Callable

from .errors import Cancelled

ProgressCallback = Callable[[float, str], None]
"""Called with the fraction done (0 to 1) and a short text."""

StopCheck = Callable[[], bool]
"""Asked between steps; True means that the user wants to stop."""


def ignore_progress(fraction: float, text: str) -> None:
    """Listen to nothing."""


def never_stop() -> bool:
    """Run to the end."""
    return False


def raise_if_stopped(should_stop: StopCheck) -> None:
    """Raise Cancelled when the user asked to stop."""
    if should_stop():
        raise Cancelled("Stopped on request; nothing was written.")


def part_of(progress: ProgressCallback, first: float, last: float) -> ProgressCallback:
    """A callback for one step of a longer operation: its 0 to 1 becomes ``first`` to ``last``."""
    def report(fraction: float, text: str) -> None:
        progress(first + (last - first) * fraction, text)

    return report
