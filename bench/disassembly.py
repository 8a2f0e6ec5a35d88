"""Functions and their innermost loops, read from what objdump prints."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

BRANCH = re.compile(
    r"(?:b|b\.?(?:eq|ne|cs|cc|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|any|none|first|nfrst)|cbn?z|tbn?z)(?:\.[nw])?$"
)
TARGET = re.compile(r"(?:^|,\s*)(?:0x)?([0-9a-f]+)(?:\s|$)")
LOAD = re.compile(r"v?ld")
STORE = re.compile(r"v?st")
VECTOR = re.compile(r"v[a-z]|[a-z0-9]+\s+v\d+\.")


@dataclass(frozen=True)
class Instruction:
    address: int
    text: str

    @property
    def name(self) -> str:
        return self.text.split(maxsplit=1)[0]

    @property
    def target(self) -> int | None:
        """Where a branch goes."""
        name, _, operands = self.text.partition("\t")
        found = TARGET.search(operands) if BRANCH.match(name.strip()) else None
        return int(found[1], 16) if found else None

    @property
    def kind(self) -> str:
        """Give "load", "store", "vector" (arithmetic) or "other"."""
        if LOAD.match(self.name):
            return "load"
        if STORE.match(self.name):
            return "store"
        return "vector" if VECTOR.match(self.text) else "other"


Code = list[Instruction]


def disassemble(objdump: str, path: Path) -> str:
    command = [objdump, "--disassemble", "--demangle", "--no-show-raw-insn", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def functions(text: str) -> dict[str, Code]:
    """Read `objdump --disassemble`: instructions of each function."""
    found: dict[str, Code] = {}
    code: Code = []
    for line in text.splitlines():
        if start := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            code = found.setdefault(start[1], [])
        elif step := re.match(r"\s+([0-9a-f]+):\t(.*)$", line):
            code.append(Instruction(int(step[1], 16), step[2]))
    return found


def innermost_loops(code: Code) -> list[Code]:
    """Give what lies between a branch back and its target, unless another such loop lies in it."""
    first = code[0].address if code else 0
    ends = [(i.target, i.address) for i in code if i.target is not None and first <= i.target <= i.address]
    inner = [
        (start, end)
        for start, end in ends
        if not any((s, e) != (start, end) and start <= s and e <= end for s, e in ends)
    ]
    return [[i for i in code if start <= i.address <= end] for start, end in inner]


def densest_loop(codes: Iterable[Code], instruction: str, at_most: int) -> Code | None:
    """Give the innermost loop with the most of an instruction (a pattern), of these the shortest."""
    pattern = re.compile(instruction)
    loops = [loop for code in codes for loop in innermost_loops(code) if 0 < count(loop, pattern) <= at_most]
    return max(loops, key=lambda loop: (count(loop, pattern), -len(loop)), default=None)


def count(code: Code, pattern: re.Pattern[str]) -> int:
    return sum(1 for i in code if pattern.match(i.text))
