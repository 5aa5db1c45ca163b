"""vessel-registration batch: many studies from a table, a folder and a row of results for each."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from .options import add_method_option, add_output_folder, add_segmentation_options, new_command, positive_number
from .progress_bar import progress_bar

if TYPE_CHECKING:
    from .options import Commands

_TABLE_HELP = """
The table is a CSV file with commas, in UTF-8, with one row for each case. Columns: case (a name of yours, that of the
folder), model, xa; and, where wanted: frame (counted from 0), mask, roi (X0;Y0;X1;Y1), method, field_of_view,
threshold, init, model_space, model_unit, primary, secondary, sid, sod, pixel_spacing. They mean what the options of
register mean, and the options here hold where a row does not say them. Several views stand in one cell, separated by
semicolons. Paths count from the table's folder.
"""


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "batch", "Register many cases named in a table; one that fails does not stop the "
                         "others.", run, epilog=_TABLE_HELP)
    parser.add_argument("--cases", type=Path, required=True, metavar="CSV",
                        help="table of cases (see below), or a folder with a sub-folder for each: one model file and "
                             "one or two DICOM files")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=positive_number, default=1, metavar="N",
                       help="processes of one thread each (default 1); the results do not depend on it")
    where.add_argument("--scheduler", metavar="ADDRESS",
                       help="Dask scheduler, e.g. tcp://host:8786; its workers have to see all files under the same "
                            "paths")
    parser.add_argument("--resume", action="store_true",
                        help="go on with an interrupted batch in --out: finished cases are not done again, failed ones "
                             "are")
    add_method_option(parser)
    add_segmentation_options(parser)
    add_output_folder(parser)


def run(options: argparse.Namespace) -> None:
    """Register, and print a line per case. Raises UserError at the end where cases failed."""
    from ..batch.case import FAILED, BatchDefaults
    from ..batch.results import TABLE_FILE
    from ..batch.running import read_cases, run_batch

    defaults = BatchDefaults(options.method, options.device, options.field_of_view, options.threshold,
                             options.vessel_network)
    cases = read_cases(options.cases, defaults)
    with progress_bar() as progress:
        rows = run_batch(cases, options.out, options.workers, options.scheduler, options.resume, progress)
    for row in rows:
        print(f"{row.case}: {row.verdict or row.status}: {row.reason}")
    print(f"Written to {options.out}")
    failed = sum(row.status == FAILED for row in rows)
    if failed:
        raise UserError(f"{failed} of {len(rows)} cases failed: {options.out / TABLE_FILE} says why; put it right and "
                        "go on with --resume.")
