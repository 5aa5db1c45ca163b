"""Spreads independent pieces of work over processes of this machine or over a Dask cluster."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

from .errors import UserError

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_PATIENCE_S = 15


def spread(function: Callable[[Item], Answer], items: Sequence[Item], workers: int = 1,
           scheduler: str | None = None) -> Iterator[Answer]:
    """Answers of ``function`` for ``items`` as they come, in any order; both have to be picklable.

    They are worked on in ``workers`` processes of one thread each, or on the Dask cluster at ``scheduler``. What is not
    yet begun is dropped when the caller stops listening. Raises what the function raises, and UserError where the
    cluster cannot be used or a process dies.
    """
    return _local(function, items, workers) if scheduler is None else _dask(function, items, scheduler)


def _local(function: Callable[[Item], Answer], items: Sequence[Item], workers: int) -> Iterator[Answer]:
    with _single_threaded(), ProcessPoolExecutor(workers, get_context("spawn"), _leave_interrupts_to_parent) as pool:
        left = iter(items)
        running = {pool.submit(function, item) for item in islice(left, workers)}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                # The pool cannot take back what waits in its own queue, so nothing waits there.
                running |= {pool.submit(function, item) for item in islice(left, len(done))}
                for future in done:
                    yield future.result()
        except BrokenExecutor:
            raise UserError("A worker process was ended from outside, perhaps for want of memory: try again with fewer "
                            "workers.") from None
        finally:
            pool.shutdown(wait=True)


def _leave_interrupts_to_parent() -> None:
    """Let Ctrl-C, which reaches all processes of a terminal, end what runs in order and not in the middle of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes started inside use one thread each: sums then do not depend on the machine, and CPU seconds count."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _dask(function: Callable[[Item], Answer], items: Sequence[Item], address: str) -> Iterator[Answer]:
    try:
        from distributed import Client, KilledWorker
        from distributed import as_completed as as_done
    except ImportError:
        raise UserError("Dask is not installed: install slicer-hybridor[dask], or leave --scheduler out.") from None
    try:
        client = Client(address, timeout=_PATIENCE_S)
    except (OSError, ValueError, TimeoutError):
        raise UserError(f"There is no Dask scheduler at {address}: start one, or leave --scheduler out.") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE_S)
        except TimeoutError:
            raise UserError(f"The Dask scheduler at {address} has no workers: start some.") from None
        futures = client.map(function, items, pure=False)
        try:
            for _, result in as_done(futures, with_results=True):
                yield result
        except KilledWorker:
            raise UserError("Dask workers were ended from outside, perhaps for want of memory: give them more.") \
                from None
        finally:
            client.cancel(futures)
