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
from .command_line import CommandParser, command_parser, run_command_line

_COMMANDS = (register, batch, track, advise, inspect, project, segment, simulate, demo, export_dicom, train,
             evaluate, benchmark)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit code: 0 done, 2 user error (one sentence), 1 bug, 130 stopped."""
    return run_command_line(_parser, argv)


def _parser() -> CommandParser:
    return command_parser("vessel-registration", __version__, "Register vessel models from CTA to X-ray "
                          "angiography and fuse them. Research software, not a medical device.", _COMMANDS)
