"""Scenario files of the panel host, run by pytest in one process of their own, which may even crash."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

HOST = Path(__file__).parents[1] / "PanelHost"
ENVIRONMENT = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "2"}


def scenario_names(files: tuple[str, ...]) -> list[str]:
    """All scenarios of the files, without importing them: name of the file and function."""
    return [f"{Path(file).name}::{node.name}" for file in files
            for node in ast.parse((HOST / "scenarios" / file).read_text()).body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test")]


def run_scenarios(files: tuple[str, ...], folder: Path) -> dict[str, list[str]]:
    """Run all scenarios of the files; for each one the failures of its cases. ``folder`` takes the report."""
    report = folder / "report.xml"
    run = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}",
         "-o", "python_functions=test*", *(str(HOST / "scenarios" / file) for file in files)],
        env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=600)
    assert report.is_file(), f"The process of the scenarios ended with {run.returncode}:\n{run.stdout}\n{run.stderr}"
    found: dict[str, list[str]] = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname', '').rpartition('.')[2]}.py::{case.get('name', '').partition('[')[0]}"
        problems = [problem.text or "" for kind in ("failure", "error", "skipped") for problem in case.findall(kind)]
        found.setdefault(name, []).extend(problems)
    return found
