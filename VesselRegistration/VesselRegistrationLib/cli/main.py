"""Entry point of the command vessel-registration. Nothing heavy is imported before the options are understood."""

from collections.abc import Sequence

from .. import __version__
from . import (
    advise,
    batch,
    benchmark,
    demo,
    evaluate,
    export_dicom,
    inspect,
    project,
    register,
    segment,
    simulate,
    track,
    train,
)
from .command_line import CommandParser, run_command_line

_COMMANDS = (register, batch, track, advise, inspect, project, segment, simulate, demo, export_dicom, train,
             evaluate, benchmark)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit code: 0 done, 2 user error (one sentence), 1 bug, 130 stopped."""
    return run_command_line(_parser, argv)


def _parser() -> CommandParser:
    parser = CommandParser(prog="vessel-registration", description="Register vessel models from CTA to X-ray "
                           "angiography and fuse them. Research software, not a medical device.",
                           epilog="Frames are counted from 0; pixels are given as column, row, counted from 0.")
    parser.add_argument("--version", action="version", version=f"vessel-registration {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser
