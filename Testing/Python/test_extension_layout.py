"""The extension as Slicer's build and packaging see it."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "VesselRegistration"
SUTURES = ROOT / "SutureDetection"
MODULES = (MODULE, SUTURES)
LIBRARIES = {module.name: module / f"{module.name}Lib" for module in MODULES}
SLICER_PACKAGES = {"panel", "scene"}
# Reached by the others only from inside functions.
TORCH_PACKAGES = {"experiment", "frame_folder", "matching", "networks", "training"}
FILE_SCOPE_IMPORTS = {"VesselRegistrationLib", "numpy", "scipy", "vtk", "vtkmodules", "SimpleITK",
                      *sys.stdlib_module_names}


def cmake_list(name, module=MODULE):
    """The entries of a list in a module's CMakeLists.txt, as written."""
    text = (module / "CMakeLists.txt").read_text(encoding="utf-8")
    body = re.search(rf"set\({name}\n(.*?)\n\s*\)", text, re.DOTALL)
    assert body, f"{module.name}/CMakeLists.txt has no list {name}"
    return [line.strip().replace("${MODULE_NAME}", module.name) for line in body[1].splitlines()]


def on_disk(*patterns, module=MODULE):
    files = {path for pattern in patterns for path in module.glob(pattern) if path.is_file()}
    return sorted(path.relative_to(module).as_posix() for path in files
                  if not any(part.startswith(".") or part == "__pycache__" for part in path.parts[len(module.parts):]))


def assert_complete(name, expected, module):
    listed = cmake_list(name, module)
    missing, surplus = sorted(set(expected) - set(listed)), sorted(set(listed) - set(expected))
    whole = "\n  ".join(expected).replace(module.name, "${MODULE_NAME}")
    assert not missing and not surplus, (
        f"{name} in {module.name}/CMakeLists.txt does not match the disk.\n"
        f"Not listed: {missing}\nListed but absent: {surplus}\nThe whole list has to be:\n  {whole}")
    assert listed == expected, f"{name} is not sorted or names a file twice"


def module_name(module):
    return module.name


@pytest.mark.parametrize("module", MODULES, ids=module_name)
def test_every_script_is_listed_and_present(module):
    assert_complete("MODULE_PYTHON_SCRIPTS", on_disk("*.py", f"{module.name}Lib/**/*.py", module=module), module)


@pytest.mark.parametrize("module", [module for module in MODULES if (module / "Resources").is_dir()], ids=module_name)
def test_every_resource_is_listed_and_present(module):
    assert_complete("MODULE_PYTHON_RESOURCES", on_disk("Resources/**/*", module=module), module)


@pytest.mark.parametrize("module", MODULES, ids=module_name)
def test_a_module_folder_holds_no_python_file_but_the_module(module):
    # Slicer takes every .py in the folder of an installed module for a module.
    assert {path.name for path in module.glob("*.py")} <= {f"{module.name}.py"}


def test_resources_of_all_modules_can_be_merged_into_one_folder():
    names = [path.relative_to(resources).as_posix().lower() for resources in ROOT.glob("*/Resources")
             for path in resources.rglob("*") if path.is_file()]
    assert len(names) == len(set(names))


def test_no_installed_package_has_a_name_that_others_use():
    for module in MODULES:
        packages = {path.parent.name for path in module.rglob("__init__.py")}
        top = {path.parent.name for path in module.glob("*/__init__.py")}
        assert top == {f"{module.name}Lib"}
        assert "utils" not in {package.lower() for package in packages}


def test_pip_installs_every_package_and_the_resources():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    packages = {".".join(path.parent.relative_to(module).parts)
                for module in MODULES for path in LIBRARIES[module.name].rglob("__init__.py")}
    packages |= {f"{module.name}Lib.Resources" for module in MODULES if (module / "Resources").is_dir()}
    assert set(settings["packages"]) == packages


def file_scope_imports(path):
    """Absolute modules that importing a file imports, with those under ``if`` and ``try`` but not inside functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    pending = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not _type_checking(node):
            pending.extend(ast.iter_child_nodes(node))


def _type_checking(node):
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


LIBRARY_FILES = sorted(path for library in LIBRARIES.values() for path in library.rglob("*.py"))


@pytest.mark.parametrize("path", LIBRARY_FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_file_scope_imports_are_what_every_slicer_has(path):
    extra = {name: {"slicer", "qt"} for name in SLICER_PACKAGES} | {name: {"torch", "monai"} for name in TORCH_PACKAGES}
    assert set(file_scope_imports(path)) <= FILE_SCOPE_IMPORTS | extra.get(path.parent.name, set())


@pytest.mark.parametrize("module", MODULES, ids=module_name)
def test_the_module_file_imports_only_what_every_slicer_has(module):
    assert set(file_scope_imports(module / f"{module.name}.py")) <= FILE_SCOPE_IMPORTS | {
        "slicer", "qt", "ctk", "VesselRegistrationLib", f"{module.name}Lib"}


@pytest.mark.parametrize("module", MODULES, ids=module_name)
def test_the_rest_imports_without_slicer_and_without_heavy_packages(module):
    light = [path for path in LIBRARY_FILES
             if path.is_relative_to(module) and path.parent.name not in TORCH_PACKAGES | SLICER_PACKAGES]
    names = [".".join(path.relative_to(module).with_suffix("").parts).removesuffix(".__init__") for path in light]
    heavy = {"slicer", "torch", "monai", "pydicom", "skimage", "matplotlib", "PIL", "rich", "safetensors"}
    program = ("import importlib, sys\n"
               f"for name in {names}: importlib.import_module(name)\n"
               f"print({heavy} & set(sys.modules))\n")
    done = subprocess.run([sys.executable, "-c", program], cwd=module, capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, MODULES))})
    assert done.stdout.strip() == "set()"


# What Slicer's CMake package offers to an extension, reduced to recording what it is given. The checks of the macro are
# those of Slicer's own: unknown words and files that do not exist stop the configuration.
SLICER_CONFIG = """
set(Slicer_USE_FILE "${CMAKE_CURRENT_LIST_DIR}/UseSlicer.cmake")
"""
USE_SLICER = """
set(Slicer_EXTENSION_GENERATE_CONFIG "${CMAKE_CURRENT_LIST_DIR}/Generate.cmake")
set(Slicer_EXTENSION_CPACK "${CMAKE_CURRENT_LIST_DIR}/CPack.cmake")
set(BUILD_TESTING ON)
function(record)
  file(APPEND "${CMAKE_BINARY_DIR}/record.txt" "${ARGN}\\n")
endfunction()
function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MY "WITH_GENERIC_TESTS;WITH_SUBDIR;VERBOSE" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(MY_UNPARSED_ARGUMENTS OR NOT MY_NAME)
    message(FATAL_ERROR "wrong arguments ${MY_UNPARSED_ARGUMENTS}")
  endif()
  foreach(file IN LISTS MY_SCRIPTS MY_RESOURCES)
    if(NOT EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
      message(FATAL_ERROR "nonexistent file ${file}")
    endif()
    configure_file("${CMAKE_CURRENT_SOURCE_DIR}/${file}" "${CMAKE_BINARY_DIR}/modules/${file}" COPYONLY)
  endforeach()
  record("module ${MY_NAME} generic tests ${MY_WITH_GENERIC_TESTS}")
endfunction()
function(slicer_add_python_unittest)
  cmake_parse_arguments(MY "" "SCRIPT;TESTNAME_PREFIX" "SLICER_ARGS" ${ARGN})
  if(NOT EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${MY_SCRIPT}")
    message(FATAL_ERROR "nonexistent test ${MY_SCRIPT}")
  endif()
  record("test ${MY_SCRIPT}")
endfunction()
"""
CPACK = """
foreach(name HOMEPAGE CATEGORY CONTRIBUTORS DESCRIPTION ICONURL SCREENSHOTURLS DEPENDS)
  record("${name} ${EXTENSION_${name}}")
endforeach()
foreach(file "${EXTENSION_README_FILE}" "${EXTENSION_LICENSE_FILE}")
  if(NOT EXISTS "${file}")
    message(FATAL_ERROR "nonexistent file ${file}")
  endif()
endforeach()
record("package ${PROJECT_NAME}")
"""


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_the_extension_configures_and_its_modules_import_as_they_are_installed(tmp_path):
    package, build = tmp_path / "slicer", tmp_path / "build"
    package.mkdir()
    (package / "SlicerConfig.cmake").write_text(SLICER_CONFIG)
    (package / "UseSlicer.cmake").write_text(USE_SLICER)
    (package / "Generate.cmake").write_text('record("config")\n')
    (package / "CPack.cmake").write_text(CPACK)
    done = subprocess.run(["cmake", "-S", ROOT, "-B", build, f"-DSlicer_DIR={package}"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    record = (build / "record.txt").read_text().splitlines()
    assert record[:7] == ["module VesselRegistration generic tests TRUE", "test VesselRegistration.py",
                          "test VesselRegistrationPanelTest.py", "test VesselRegistrationPanelTest.py",
                          "module SutureDetection generic tests TRUE", "test SutureDetection.py", "config"]
    assert record[-1] == "package HybridOR"
    facts = dict(line.split(" ", 1) for line in record[7:-1])
    assert facts["DEPENDS"] == "PyTorch"
    assert all(facts.values())
    repository = facts["HOMEPAGE"].removesuffix("#readme").replace("github.com", "raw.githubusercontent.com")
    for url in (facts["ICONURL"], *facts["SCREENSHOTURLS"].split()):
        start, _, file = url.partition("/main/")
        assert start == repository
        assert file.endswith((".png", ".jpg", ".gif"))
        assert (ROOT / file).is_file(), f"{url} names a file that is not in the repository"
    # The copy holds what Slicer would install: it has to be importable on its own, and to find its resources.
    program = ("import VesselRegistrationLib.resources as r; import VesselRegistrationLib.registration.pipeline;"
               "import SutureDetectionLib.detection.session;"
               "print(sorted(p.name for p in r.resource_directory().iterdir()))")
    listing = subprocess.run([sys.executable, "-c", program], cwd=build / "modules", capture_output=True, text=True,
                             check=True).stdout
    expected = {each.name for module in MODULES for each in (module / "Resources").iterdir()}
    assert listing.strip() == str(sorted(expected))


def test_the_licence_is_apache_2():
    text = (ROOT / "LICENSE.txt").read_text(encoding="utf-8")
    assert "Apache License" in text and "Version 2.0, January 2004" in text and "END OF TERMS AND CONDITIONS" in text


@pytest.mark.parametrize("icon", ["Resources/Icons/HybridOR.png",
                                  "SutureDetection/Resources/Icons/SutureDetection.png",
                                  "VesselRegistration/Resources/Icons/VesselRegistration.png"])
def test_icons_are_png_of_128_pixels(icon):
    head = (ROOT / icon).read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(head[16:20]), int.from_bytes(head[20:24])) == (128, 128)
