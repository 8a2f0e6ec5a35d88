"""What an index of a million codes of 256 bits takes in memory: opened, searched, shared, by its own word."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snncore import Index

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/smaps").exists(), reason="pages are counted in /proc/self/smaps, which Linux has"
)

COUNT, DIM, BITS = 1_000_000, 8, 256
QUERIES = np.linspace(-1, 1, 4 * DIM, dtype=np.float32).reshape(4, DIM)

#: Reads commands, one a line, and answers each with a line of JSON.
CHILD = """
import json, sys
import numpy as np
from snncore import Index

FIELDS = ("Size", "Rss", "Pss", "Shared_Clean", "Private_Clean", "Private_Dirty")

def mapping():
    "Bytes of the file's mapping, from /proc/self/smaps."
    found, inside = dict.fromkeys(FIELDS, 0), False
    for line in open("/proc/self/smaps"):
        name, _, rest = line.partition(":")
        if "-" in name.split(" ")[0]:
            inside = line.rstrip().endswith(sys.argv[1])
        elif inside and name in FIELDS:
            found[name] += 1024 * int(rest.split()[0])
    return found

def resident():
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS:"):
            return 1024 * int(line.split()[1])

Q = np.array(json.loads(sys.argv[2]), np.float32)
small = Index(Q.shape[1], 64, encoder="srp", store="f32").fit(Q)  # what a first call takes is here already
small.add(None, Q)
small.search(Q, k=2)
before = resident()
for line in sys.stdin:
    command = line.strip()
    if command.startswith("open"):
        index = Index.open(sys.argv[1], mmap="read" not in command, verify="verify" in command)
    elif command:
        index.search(Q[:1], k=10, plan=command)
    told = index.stats()
    print(json.dumps({"mapping": mapping(), "grown": resident() - before, "bytes": told.bytes}), flush=True)
"""


class Child:
    """A process that opens and searches the index when it is told to."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path), json.dumps(QUERIES.tolist())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def does(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("million") / "million.snn"
    X = np.random.default_rng(5).standard_normal((COUNT, DIM), dtype=np.float32)
    index = Index(DIM, BITS, encoder="srp", store=None).fit(X[:1000])
    index.add(None, X)
    index.save(path)
    yield path
    path.unlink()


def test_opening_touches_less_than_10_mb(million: Path) -> None:
    with Child(million) as child:
        opened = child.does("open")
        assert opened["mapping"]["Size"] > COUNT * BITS // 8
        assert opened["mapping"]["Rss"] < 10e6 and opened["grown"] < 10e6
        asked = child.does("multi_table")
        assert asked["mapping"]["Rss"] > opened["mapping"]["Rss"]
        scanned = child.does("scan")
        assert scanned["mapping"]["Rss"] >= COUNT * BITS // 8


def test_a_mapped_index_tells_the_bytes_of_its_file(million: Path) -> None:
    with Child(million) as child:
        told = child.does("open")["bytes"]
        assert sum(told.values()) == pytest.approx(million.stat().st_size, rel=0.05)
        assert told["codes"] == pytest.approx(2 * COUNT * BITS / 8, rel=0.05)  # in blocks and in rows
        assert told["tables"] == pytest.approx(8 * 4 * (COUNT + 2**16), rel=0.05)
        touched = child.does("open verify")
        assert touched["mapping"]["Rss"] == pytest.approx(sum(told.values()), rel=0.05)


def test_an_index_in_memory_tells_the_bytes_that_it_takes(million: Path) -> None:
    with Child(million) as child:
        read = child.does("open read")
        assert read["mapping"]["Size"] == 0
        assert read["grown"] == pytest.approx(sum(read["bytes"].values()), rel=0.05)


def test_processes_share_the_pages_of_a_file(million: Path) -> None:
    with ExitStack() as stack:
        first, second = (stack.enter_context(Child(million)) for _ in range(2))
        alone = first.does("open verify")["mapping"]
        second.does("open verify")
        shared = first.does("")["mapping"]
        assert shared["Rss"] >= alone["Rss"] > 0.95 * million.stat().st_size
        assert shared["Private_Dirty"] == 0
        assert shared["Shared_Clean"] > 0.98 * shared["Rss"]
        assert shared["Pss"] < 0.55 * shared["Rss"]
