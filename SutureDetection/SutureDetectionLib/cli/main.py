"""Entry point of the command suture-detection. Nothing heavy is imported before the options are understood."""

from collections.abc import Sequence

from VesselRegistrationLib.cli.command_line import CommandParser, run_command_line

from .. import __version__
from . import demo, detect, evaluate, export, simulate, train

_COMMANDS = (detect, simulate, demo, train, export, evaluate)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit code: 0 done, 2 user error (one sentence), 1 bug, 130 stopped."""
    return run_command_line(_parser, argv)


def _parser() -> CommandParser:
    parser = CommandParser(prog="suture-detection", description="Find suture points in endoscopy of the mitral valve. "
                           "Research software, not a medical device; its networks never saw a real image.",
                           epilog="Frames are counted from 0; pixels are given as column, row, counted from 0.")
    parser.add_argument("--version", action="version", version=f"suture-detection {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser
