"""bench/: peers.py on small sizes, and the report made from its rows. Times are not looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

BENCH = Path(__file__).parents[2] / "bench"
KEYS = [
    "workload",
    "variant",
    "density",
    "threads",
    "peer",
    "packing",
    "median_ms",
    "min_ms",
    "equal",
    "ratio",
]


def bench(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH / script), *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    done = bench("peers.py", "--quick", "--seconds", "0.001", "--density", "10,50", "--json", "-")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_rows_have_the_promised_keys(rows: list[dict[str, Any]]) -> None:
    assert all(list(row) == KEYS for row in rows)
    assert {row["packing"] for row in rows} == {"outside", "inside"}
    assert all(0 < row["min_ms"] <= row["median_ms"] for row in rows)
    assert all(row["ratio"] == 1 for row in rows if row["peer"] == "snncore")


def test_every_result_is_equal(rows: list[dict[str, Any]]) -> None:
    assert [row for row in rows if not row["equal"]] == []


def test_workloads_variants_and_peers(rows: list[dict[str, Any]]) -> None:
    variants = {(row["workload"], row["variant"]) for row in rows if row["peer"] == "snncore"}
    convolutions = {(w, v) for w in ("W1", "W2") for v in ("w1", "w4", "w8", "w4-pruned90")}
    others = {("W3", "w1"), ("W5", "lif"), ("W5", "lif-fused"), ("W7", "vgg16"), ("W7", "resnet20")}
    assert convolutions | others | {("W8", "conv"), ("W8", "linear")} <= variants
    own = {row["peer"] for row in rows if row["peer"].startswith("snncore-")}
    assert own == {"snncore-dense", "snncore-nolif"}
    assert {"torch-f32", "torch-bf16", "torch-int8"} <= {row["peer"] for row in rows}


def test_one_thing_may_be_asked_for() -> None:
    few = ["--workloads", "W3", "--peers", "torch-f32", "--threads", "1,2"]
    done = bench("peers.py", "--quick", "--seconds", "0.001", *few)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("| w1, 20 % |") == 2
    assert "torch-int8" not in done.stdout


@pytest.mark.parametrize("wrong", ["--workloads W9", "--density 0", "--threads x", "--peers nobody"])
def test_a_wrong_argument_is_refused(wrong: str) -> None:
    done = bench("peers.py", *wrong.split())
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_the_report_names_its_machine(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    run = {
        "machine": "Some CPU",
        "cores": 2,
        "isa": "avx2",
        "avx512": False,
        "commit": "0123456789ab",
        "date": "2030-01-02",
        "versions": {"snncore": "0.1.0"},
        "rows": rows,
    }
    limit = {
        "name": "and_popcount",
        "isa": "avx2",
        "threads": 1,
        "unit": "bit/s",
        "best": 1e12,
        "median": 9e11,
    }
    (tmp_path / "some.json").write_text(json.dumps(run))
    (tmp_path / "some.limits.json").write_text(json.dumps({"results": [limit]}))
    done = bench("report.py", str(tmp_path / "some.json"), "--output", str(tmp_path / "page.md"))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.md").read_text()
    assert "Some CPU, 2 cores" in page
    assert "2030-01-02" in page
    assert "no AVX-512" in page
    assert "| W1 w1, 10 % | 1 |" in page
    assert "1000.0" in page
