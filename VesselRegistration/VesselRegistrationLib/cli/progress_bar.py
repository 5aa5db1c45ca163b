"""A progress bar on the terminal, and nothing where the output is not a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..progress import ProgressCallback, ignore_progress


@contextmanager
def progress_bar() -> Iterator[ProgressCallback]:
    """Give a callback that moves a bar on standard error until the block ends."""
    if not sys.stderr.isatty():
        yield ignore_progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeElapsedColumn(),
               TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)

        def report(fraction: float, text: str) -> None:
            bar.update(task, completed=fraction, description=text)

        yield report
