"""Entry point of the command suture-detection. Nothing heavy is imported before the options are understood."""

from collections.abc import Sequence

from VesselRegistrationLib.cli.command_line import CommandParser, command_parser, run_command_line

from .. import __version__
from . import demo, detect, evaluate, export, simulate, train

_COMMANDS = (detect, simulate, demo, train, export, evaluate)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit code: 0 done, 2 user error (one sentence), 1 bug, 130 stopped."""
    return run_command_line(_parser, argv)


def _parser() -> CommandParser:
    return command_parser("suture-detection", __version__, "Find suture points in endoscopy of the mitral valve. "
                          "Research software, not a medical device; its networks never saw a real image.", _COMMANDS)
