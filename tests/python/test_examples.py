from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "python"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_example(path):
    source = path.read_text()
    for package in ("torch", "PIL"):
        if f"import {package}" in source or (package == "PIL" and "images" in source):
            pytest.importorskip(package)
    if "import torch" in source:
        pytest.importorskip("safetensors")
    assert source.count("\n") < 60
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout and done.stderr == ""
