#!/usr/bin/env python3
"""Count the instructions of the inner loops of the NEON kernels, beside what arithmetic alone would need.

    python bench/neon_counts.py

builds the kernels of the presets pi64 and pi32, disassembles them and prints a table; nothing is run, no time
is taken. A loop is counted whole: arithmetic on vectors, loads, stores, and the rest, which are addresses and
the branch. A Cortex-A72 or -A76 starts two vector instructions a cycle and others beside them, so loads and
addresses are nearly free while they are few.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from disassembly import count, densest_loop, disassemble, functions

ROOT = Path(__file__).parent.parent


class MissingToolError(Exception):
    """What is not installed, in a sentence."""


@dataclass(frozen=True)
class Preset:
    name: str
    folders: tuple[str, ...]  #: of kernels
    prefix: str
    packages: str

    @property
    def tools(self) -> list[str]:
        return [f"{self.prefix}-{tool}" for tool in ("g++", "objdump")]


PRESETS = (
    Preset("pi64", ("neon", "neon_dotprod"), "aarch64-linux-gnu", "g++-aarch64-linux-gnu"),
    Preset("pi32", ("neon32",), "arm-linux-gnueabihf", "g++-arm-linux-gnueabihf"),
)


@dataclass(frozen=True)
class Loop:
    """One kernel's inner loop, and the least that its arithmetic needs."""

    kernel: str
    source: str
    function: str  #: pattern of its demangled name
    instruction: dict[str, str]  #: folder of the kernels -> the instruction that does the work
    unit: str
    bound: float  #: vector instructions for one unit
    bound_is: str
    at_most: int = 1000  #: of the instruction in the loop, where another loop of the function holds more


COUNT = {"neon": r"cnt\s", "neon32": r"vcnt\.8\s+q"}
ADD8 = {"neon": r"add\s+v\d+\.16b", "neon32": r"vadd\.i8\s+q"}
ADD16 = {"neon": r"add\s+v\d+\.8h", "neon32": r"vadd\.i16\s+q"}
HALVE = {"neon": r"sshr\s+v\d+\.8h.*, #1$", "neon32": r"vqadd\.s16\s+q"}
DOT = {"neon_dotprod": r"sdot\s"}
WORD = "128-bit word"

LOOPS = (
    Loop("counting", "count_b1b1", "count_patches|count_tile<4ul?, 4", COUNT, WORD, 3, "EOR, CNT, ADD"),
    Loop("Hamming", "hamming_b1b1", "scan_wide<8|Counts<8", COUNT, WORD, 3, "EOR, CNT, ADD"),
    Loop("attention, first product", "gemm_b1b1", "count_tile<", COUNT, WORD, 3, "AND, CNT, ADD"),
    Loop("attention map", "gemm_b1b1", "map_tile<", COUNT, WORD, 3, "AND, CNT, ADD"),
    Loop(
        "attention, second product",
        "addrows_b1u16",
        "add_part<unsigned short.*, 8u",
        ADD16,
        "8 adds of int16",
        1,
        "ADD; its operand is a load",
        at_most=32,
    ),
    Loop(
        "gather",
        "addrows_b1i8",
        "gather_rows|add_slice",
        ADD8,
        "16 adds of int8",
        1,
        "ADD; its operand is a load",
    ),
    Loop(
        "dense products",
        "gemm_b1i8",
        "gemm_b1i8|DenseSums|DotSums",
        DOT,
        "16 products of int8",
        1,
        "SDOT; its operands are loads",
    ),
    Loop(
        "LIF, int16 state",
        "step_lif",
        r"step_lif_i16|step_tile<short, .*2, false",
        HALVE,
        "8 neurons",
        11,
        "7: shift, add, compare, reset, bits; and 4 before: 2 adds, 2 narrowed",
    ),
)
#: So much above the bound deserves a look.
TOLERANCE = 1.25
#: Stores for one unit; a loop that keeps its sums in registers has fewer.
STORES = 0.5


def main() -> int:
    arguments = _parser().parse_args()
    rows: list[dict[str, Any]] = []
    missing = []
    for preset in PRESETS:
        try:
            rows += count_preset(preset, arguments.objects)
        except MissingToolError as problem:
            missing.append(str(problem))
    for sentence in missing:
        print(f"neon_counts: {sentence}", file=sys.stderr)
    if rows:
        print(json.dumps(rows, indent=1) if arguments.json else markdown(rows))
    return 2 if missing else 0


def count_preset(preset: Preset, objects: Path | None) -> list[dict[str, Any]]:
    for tool in preset.tools:
        if shutil.which(tool) is None:
            raise MissingToolError(
                f"{tool} is missing (package {preset.packages}): no counts of `{preset.folders[0]}`"
            )
    rows = []
    for folder in preset.folders:
        place = build(preset, folder) if objects is None else objects
        for loop in LOOPS:
            path = place / folder / f"{loop.source}.cc.o"
            if folder in loop.instruction and (path.exists() or objects is None):
                rows.append(row(loop, folder, disassemble(preset.tools[1], path)))
    return rows


def build(preset: Preset, folder: str) -> Path:
    """Build the objects of the kernels, nothing else."""
    library = f"snncore_kernels_{folder}"
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if shutil.which("cmake", path=environment["PATH"]) is None:
        raise MissingToolError("cmake is missing: the kernels cannot be built")
    for command in (
        ["cmake", "--preset", preset.name],
        ["cmake", "--build", "--preset", preset.name, "--target", library],
    ):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(done.stdout + done.stderr, file=sys.stderr)
            raise MissingToolError(f"`{' '.join(command)}` failed")
    return ROOT / "build" / preset.name / "cpp" / "src" / "kernels" / "CMakeFiles" / f"{library}.dir"


def row(loop: Loop, isa: str, text: str) -> dict[str, Any]:
    name = re.compile(loop.function)
    codes = [code for function, code in functions(text).items() if name.search(function)]
    found = densest_loop(codes, loop.instruction[isa], loop.at_most)
    result: dict[str, Any] = {
        "kernel": loop.kernel,
        "isa": isa,
        "unit": loop.unit,
        "bound": loop.bound,
        "bound_is": loop.bound_is,
    }
    nothing = dict.fromkeys(("per_unit", "vector", "load", "store", "above"))
    if found is None:
        return {**result, "units": 0, **nothing}
    units = count(found, re.compile(loop.instruction[isa]))
    kinds = [i.kind for i in found]
    each = {kind: round(kinds.count(kind) / units, 2) for kind in ("vector", "load", "store")}
    if each["vector"] < loop.bound:  # less than the method needs: the compiler cut the loop in parts
        return {**result, "units": 0, **nothing}
    above = each["vector"] > TOLERANCE * loop.bound
    return {**result, "units": units, "per_unit": round(len(found) / units, 2), **each, "above": above}


def markdown(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| kernel | level | one unit | units in the loop | instructions a unit | of them on vectors | loads "
        "| stores | least on vectors | |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for r in rows:
        head = f"| {r['kernel']} | {r['isa']} | {r['unit']} |"
        if r["per_unit"] is None:
            lines.append(f"{head} - | - | - | - | - | {r['bound']:g} | the loop was not found |")
            continue
        figures = " | ".join(f"{r[key]:.2f}" for key in ("per_unit", "vector", "load", "store"))
        lines.append(f"{head} {r['units']:g} | {figures} | {r['bound']:g} | {r['bound_is']} |")
    above = [f"{r['kernel']} ({r['isa']})" for r in rows if r["above"]]
    if above:
        lines += ["", f"More than {TOLERANCE - 1:.0%} above the least: {', '.join(above)}."]
    spilled = [f"{r['kernel']} ({r['isa']})" for r in rows if (r["store"] or 0) > STORES]
    if spilled:
        lines += ["", f"Stores sums in the loop, for want of registers: {', '.join(spilled)}."]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="rows for other programs instead of a table")
    parser.add_argument(
        "--objects",
        type=Path,
        metavar="DIR",
        help="count the objects in DIR/neon, DIR/neon_dotprod and DIR/neon32 instead of building",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
