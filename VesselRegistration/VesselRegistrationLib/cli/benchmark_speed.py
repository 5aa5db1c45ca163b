"""vessel-registration benchmark speed: all networks, side by side in one run."""

import argparse
from typing import TYPE_CHECKING

from .options import new_command, positive_number

if TYPE_CHECKING:
    from .options import Commands


def add_speed(kinds: "Commands") -> None:
    """Add the command to the benchmarks."""
    parser = new_command(kinds, "speed", "Time every network on one 256x256 image on the CPU, as published and by our "
                         "engine, beside its peer; print milliseconds and ratios.", run)
    parser.add_argument("--threads", type=positive_number, default=2, metavar="N", help="CPU threads (default 2)")
    parser.add_argument("--repeats", type=positive_number, default=15, metavar="N",
                        help="turns of three timed runs of each network; the median counts (default 15)")


def run(options: argparse.Namespace) -> None:
    """Time and print."""
    from ..benchmark.network_speed import measure_speed, speed_as_markdown

    print(speed_as_markdown(*measure_speed(options.threads, options.repeats)))
