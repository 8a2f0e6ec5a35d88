"""The installed package as a whole: names, versions, environment, the stub."""

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

import snncore
import snncore._core

STUB = Path(__file__).parent / "stubs" / "_core.pyi"


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_public_name_exists() -> None:
    assert [name for name in snncore.__all__ if not hasattr(snncore, name)] == []


def test_version_is_that_of_the_distribution() -> None:
    assert snncore.__version__ == importlib.metadata.version("snncore")


def test_build_info_is_one_line_that_names_the_version() -> None:
    assert snncore.__version__ in snncore.build_info()
    assert "\n" not in snncore.build_info()


def test_the_import_needs_neither_torch_nor_the_command_line_packages() -> None:
    done = run_python(
        "import sys, snncore; "
        "print([m for m in ('torch', 'click', 'rich', 'PIL', 'matplotlib', 'onnx') if m in sys.modules])"
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_the_environment_forces_an_isa() -> None:
    assert run_python("import snncore; print(snncore.isa())", SNNCORE_ISA="scalar").stdout.strip() == "scalar"


def test_an_unknown_isa_is_refused_with_its_name() -> None:
    done = run_python("import snncore; snncore.isa()", SNNCORE_ISA="sse9")
    assert done.returncode != 0
    assert "ValueError" in done.stderr
    assert "sse9" in done.stderr


def test_the_package_is_typed() -> None:
    assert (Path(snncore.__file__).parent / "py.typed").is_file()


def test_the_stub_is_the_one_that_was_reviewed() -> None:
    installed = Path(snncore._core.__file__).parent / "_core.pyi"
    if not installed.is_file():
        pytest.fail(f"no stub beside {snncore._core.__file__}")
    if installed.read_text() != STUB.read_text():
        pytest.fail(f"the bindings changed: review the difference, then copy {installed} to {STUB}")
