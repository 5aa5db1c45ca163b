"""vessel-registration benchmark: the pose solver on public, seeded cases with known truth."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .benchmark_catheter import add_catheter
from .benchmark_speed import add_speed
from .benchmark_vessels import add_vessels
from .options import add_output_folder, new_command, positive_number, whole_number
from .progress_bar import progress_bar

if TYPE_CHECKING:
    from ..benchmark.pose import BenchmarkRequest
    from .options import Commands

_DEFAULT_CASES, _FULL_CASES, _CALIBRATION_CASES = 210, 2000, 900


def add_parser(commands: "Commands") -> None:
    """Add the command and its own commands to the command line."""
    text = "Measure the pose solver against other methods on simulated cases with known truth."
    kinds = commands.add_parser("benchmark", help=text, description=text).add_subparsers(metavar="WHAT", required=True)
    parser = new_command(kinds, "pose", "Solve seeded cases over strata of initial error, mask quality and views; "
                         "print errors, success, capture range, overlap, times, memory and every failure.", run)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--cases", type=positive_number, metavar="N",
                      help=f"cases of the ordinary strata (default {_DEFAULT_CASES}, about 5 minutes on 2 cores); "
                           "worse masks and masks of our networks come on top")
    size.add_argument("--full", action="store_true", help=f"the full run of {_FULL_CASES} cases")
    parser.add_argument("--seed", type=whole_number, default=0, metavar="S", help="seed of all cases (default 0)")
    parser.add_argument("--model", type=Path, action="append", default=[], metavar="FILE",
                        help="a vessel mesh in mm to use beside the simulated anatomies; give it again for more")
    parser.add_argument("--workers", type=positive_number, default=0, metavar="W",
                        help="processes (default: one for each CPU); they do not change the results")
    parser.add_argument("--scheduler", metavar="ADDRESS",
                        help="address of a Dask scheduler whose workers do the cases (needs slicer-hybridor[dask])")
    parser.add_argument("--peer", choices=("nanodrr",),
                        help="compare with registration by this differentiable renderer on a few cases more (minutes)")
    parser.add_argument("--calibrate", action="store_true",
                        help="fit the coefficients of the solver's confidence instead, on seeds and anatomies of their "
                             f"own (default {_CALIBRATION_CASES} cases), and write them into --out")
    add_output_folder(parser, required=False)
    add_vessels(kinds)
    add_catheter(kinds)
    add_speed(kinds)


def run(options: argparse.Namespace) -> None:
    """Run, print, write."""
    from ..benchmark.pose import BenchmarkRequest

    count = _FULL_CASES if options.full else options.cases
    if count is None:
        count = _CALIBRATION_CASES if options.calibrate else _DEFAULT_CASES
    request = BenchmarkRequest(count, options.seed, tuple(options.model), options.workers, options.scheduler,
                               options.peer is not None, _command(options, count))
    if options.calibrate:
        _calibrate(request, options.out)
    else:
        _benchmark(request, options.out)


def _benchmark(request: "BenchmarkRequest", out: Path | None) -> None:
    from ..benchmark.plots import save_plots
    from ..benchmark.pose import run_benchmark
    from ..benchmark.report import report_as_markdown
    from ..rendering.files import save_json
    from ..rendering.new_folder import check_new_folder, new_folder

    if out is not None:
        check_new_folder(out)
    with progress_bar() as progress:
        outcomes, content = run_benchmark(request, progress)
    text = report_as_markdown(content)
    print(text)
    if out is not None:
        with new_folder(out) as folder:
            (folder / "report.md").write_text(text, encoding="utf-8")
            save_json(folder / "report.json", content)
            save_plots(outcomes, content, folder / "report.png")


def _calibrate(request: "BenchmarkRequest", out: Path | None) -> None:
    from ..benchmark.pose import run_calibration
    from ..rendering.files import save_json
    from ..rendering.new_folder import check_new_folder, new_folder

    if out is not None:
        check_new_folder(out)
    with progress_bar() as progress:
        content = run_calibration(request, progress)
    print(f"{content['cases']} cases on {content['anatomies']} anatomies, {content['failures']} not within 2 mm.")
    for name, value in content["cross_validated"].items():
        print(f"  {name.replace('_', ' ')}, anatomy left out: {value:.4f}")
    print(f"  accepted from a probability of {content['accepted_from']:.3f}")
    if out is not None:
        with new_folder(out) as folder:
            save_json(folder / "pose_confidence.json", content)


def _command(options: argparse.Namespace, count: int) -> str:
    """The command that gives these numbers again, without the paths of this machine."""
    models = "".join(f" --model {path.name}" for path in options.model)
    return (f"vessel-registration benchmark pose{' --calibrate' if options.calibrate else ''} --cases {count} "
            f"--seed {options.seed}{models}{f' --peer {options.peer}' if options.peer else ''}")
