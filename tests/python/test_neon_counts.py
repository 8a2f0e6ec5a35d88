"""bench/neon_counts.py: instructions of inner loops, counted in a disassembly."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "bench" / "neon_counts.py"
COMPILER, OBJDUMP = "aarch64-linux-gnu-g++", "aarch64-linux-gnu-objdump"

#: Two loops, one in the other; the outer one holds more of the instruction.
TEXT = """
0000000000000000 <void outer(int const*)::inner<4ul>(int)>:
   0:\tmov\tx0, #0x0
   4:\tcnt\tv1.16b, v1.16b
   8:\tldr\tq0, [x1], #16
   c:\tand\tv0.16b, v0.16b, v1.16b
  10:\tcnt\tv0.16b, v0.16b
  14:\tadd\tv2.16b, v2.16b, v0.16b
  18:\tsubs\tx0, x0, #0x1
  1c:\tb.ne\t8 <void outer(int const*)::inner<4ul>(int)+0x8>  // b.any
  20:\tcbnz\tx2, 4 <void outer(int const*)::inner<4ul>(int)+0x4>
  24:\tret
"""


def test_the_innermost_loop_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    from disassembly import densest_loop, functions

    found = functions(TEXT)
    assert list(found) == ["void outer(int const*)::inner<4ul>(int)"]
    loop = densest_loop(found.values(), r"cnt\s", 9)
    assert loop is not None
    assert [i.address for i in loop] == list(range(8, 0x20, 4))
    assert [i.kind for i in loop] == ["load", "vector", "vector", "vector", "other", "other"]
    assert densest_loop(found.values(), "sdot", 9) is None


@pytest.mark.skipif(
    not (shutil.which(COMPILER) and shutil.which(OBJDUMP) and shutil.which("arm-linux-gnueabihf-objdump")),
    reason="no cross compilers",
)
def test_counting_takes_few_instructions(tmp_path: Path) -> None:
    (tmp_path / "neon").mkdir()
    source, output = ROOT / "cpp/src/kernels/neon/count_b1b1.cc", tmp_path / "neon" / "count_b1b1.cc.o"
    include = [f"-I{ROOT / 'cpp/src'}", f"-I{ROOT / 'cpp/include'}"]
    flags = ["-std=c++20", "-O3", "-fno-exceptions", "-fno-rtti", "-ffp-contract=off"]
    subprocess.run([COMPILER, *flags, *include, "-c", str(source), "-o", str(output)], check=True)
    done = counts("--json", "--objects", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["kernel"], row["isa"], row["bound"]) == ("counting", "neon", 3)
    assert 3 <= row["vector"] <= row["per_unit"] < 6


def test_a_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = counts()
    assert done.returncode == 2
    assert "aarch64-linux-gnu-g++ is missing (package g++-aarch64-linux-gnu)" in done.stderr
    assert "Traceback" not in done.stderr


def counts(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
