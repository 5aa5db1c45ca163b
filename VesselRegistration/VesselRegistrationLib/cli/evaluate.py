"""vessel-registration evaluate: scores of the whole pipeline, and of the networks, on cases with known truth."""

import argparse
from typing import TYPE_CHECKING

from .evaluate_networks import add_network_parsers
from .options import (
    FIELDS_OF_VIEW,
    add_device_option,
    add_method_option,
    add_output_folder,
    new_command,
    positive_number,
    whole_number,
)
from .progress_bar import progress_bar

if TYPE_CHECKING:
    from .options import Commands


def add_parser(commands: "Commands") -> None:
    """Add the command and its own commands to the command line."""
    text = "Measure the pipeline or single networks on cases with known truth."
    kinds = commands.add_parser("evaluate", help=text, description=text).add_subparsers(metavar="WHAT", required=True)
    parser = new_command(kinds, "registration", "Register unseen simulated cases with one and with two views, and "
                         "print overlap, errors in mm, times and memory.", run)
    parser.add_argument("--field-of-view", "--fov", required=True, choices=FIELDS_OF_VIEW,
                        help="lower: abdomen to legs; upper: chest")
    parser.add_argument("--cases", type=positive_number, default=40, metavar="N", help="how many (default 40)")
    parser.add_argument("--seed", type=whole_number, default=0, metavar="N", help="first case (default 0)")
    parser.add_argument("--true-masks", action="store_true",
                        help="match the true vessel masks instead of the network's, to measure matching alone")
    add_method_option(parser)
    add_device_option(parser)
    add_output_folder(parser, required=False)
    add_network_parsers(kinds)


def run(options: argparse.Namespace) -> None:
    """Evaluate, print, write."""
    from ..evaluation.cases import evaluate_cases
    from ..evaluation.report import report_as_dict, report_as_markdown
    from ..rendering.files import save_json
    from ..rendering.new_folder import check_new_folder, new_folder

    if options.out is not None:
        check_new_folder(options.out)
    with progress_bar() as progress:
        outcomes = evaluate_cases(options.field_of_view, options.cases, options.seed, method=options.method,
                                  true_masks=options.true_masks, device=options.device, progress=progress)
    command = _command(options)
    text = report_as_markdown(outcomes, command)
    print(text)
    if options.out is not None:
        with new_folder(options.out) as folder:
            (folder / "report.md").write_text(text, encoding="utf-8")
            save_json(folder / "report.json", report_as_dict(outcomes, command))


def _command(options: argparse.Namespace) -> str:
    return (f"vessel-registration evaluate registration --field-of-view {options.field_of_view} "
            f"--cases {options.cases} --seed {options.seed} --method {options.method}"
            f"{' --true-masks' if options.true_masks else ''}")
