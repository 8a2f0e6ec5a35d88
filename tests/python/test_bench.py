"""bench/: peers.py on small sizes, and the report made from its rows. Times are not looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import snncore

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


def bench(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCH / script), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
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


def test_the_workloads_are_those_of_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    import peers
    from workloads import WORKLOADS

    assert tuple(WORKLOADS) == peers.WORKLOADS


def test_codes_may_be_clustered() -> None:
    few = ["--workloads", "W6", "--codes", "clustered", "--peers", "numpy", "--json", "-"]
    done = bench("peers.py", "--quick", "--seconds", "0.001", *few)
    assert done.returncode == 0, done.stderr
    assert {row["variant"] for row in json.loads(done.stdout)} == {"k10-256-clustered"}


def test_one_query_is_a_variant() -> None:
    done = bench(
        "peers.py", "--quick", "--seconds", "0.001", "--workloads", "W6", "--queries", "1", "--json", "-"
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert {row["variant"] for row in rows} == {"k10-256-q1"} and all(row["equal"] for row in rows)


def test_results_are_kept_workload_by_workload(tmp_path: Path) -> None:
    path = tmp_path / "some.json"
    few = ["--workloads", "W3,W4", "--peers", "torch-f32", "--isa", "scalar"]
    done = bench("peers.py", "--quick", "--seconds", "0.001", *few, "--results", str(path))
    assert done.returncode == 0, done.stderr
    run = json.loads(path.read_text())
    assert {row["workload"] for row in run["rows"]} == {"W3", "W4"}
    assert run["isa"] == "scalar"
    assert run["limited_by"]["ATEN_CPU_CAPABILITY"] == "default"
    assert [p.name for p in tmp_path.iterdir()] == ["some.json"]


def test_what_fails_costs_no_other_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    from harness import Case, Subject, measure

    def broken(threads: int) -> Any:
        raise RuntimeError("no luck\nat all")

    def works(threads: int) -> Any:
        return int

    subjects = [Subject("snncore", works, lambda y: y == 0, "outside")]
    subjects += [Subject("peer", broken, lambda y: True), Subject("snncore-other", broken, lambda y: True)]
    case = Case("W0", "none", None, subjects)
    assert [row["peer"] for row in measure(case, 1, 0.001)] == ["snncore"]
    assert case.failed


def test_shares_are_of_limits_measured_before_and_after(tmp_path: Path) -> None:
    program, said = tmp_path / "limits", tmp_path / "said"
    result = {
        "name": "and_popcount",
        "isa": "scalar",
        "threads": 1,
        "unit": "bit/s",
        "best": 1e12,
        "median": 1e12,
    }
    program.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(said)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
        f"print({json.dumps({'results': [result]})!r})\n"
    )
    program.chmod(0o755)
    few = ["--workloads", "W3", "--peers", "numpy", "--quick", "--seconds", "0.001", "--limits", str(program)]
    rows = json.loads(bench("peers.py", *few, "--json", "-", SNNCORE_ISA="scalar").stdout)
    assert {row["limit_ms"] for row in rows if row["peer"] == "snncore"} == {0.46242}
    assert said.read_text().splitlines() == ["--filter and_popcount --threads 1 --json"] * 2
    assert "| share of limit |" in bench("peers.py", *few, SNNCORE_ISA="scalar").stdout


def test_limits_need_their_program() -> None:
    done = bench("peers.py", "--limits", "nowhere")
    assert done.returncode == 2 and "no nowhere: build" in done.stderr


def test_our_single_thread_takes_turns_with_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    from harness import Case, Subject, measure
    from rows import ours, speedup

    asked: list[int] = []

    def prepare(threads: int) -> Any:
        asked.append(threads)
        return lambda: threads

    packings = ("outside", "inside")
    subjects = [Subject("snncore", prepare, lambda _: True, packing) for packing in packings]
    rows = measure(Case("W0", "none", None, subjects), 2, 0.001)
    assert asked == [2, 2, 1]
    alone = [row for row in rows if row["peer"] == "snncore-1-thread"]
    assert [row["packing"] for row in alone] == ["outside"]
    assert speedup(rows, ours(rows, threads=2)[0]) == alone[0]["ratio"]


def test_a_peer_that_crashes_is_left_out(tmp_path: Path) -> None:
    """A module by NumKong's name ends the process when it is called."""
    body = "import os\ndef dots_pack(*_, dtype): ...\ndef dots_packed(*_): os.kill(os.getpid(), 9)\n"
    (tmp_path / "numkong.py").write_text(body)
    path = tmp_path / "some.json"
    few = ["--workloads", "W3", "--peers", "torch-f32,numkong", "--results", str(path)]
    done = bench("peers.py", "--quick", "--seconds", "0.001", *few, PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "W3: numkong crashed (signal 9); once more without it" in done.stderr
    assert {row["peer"] for row in json.loads(path.read_text())["rows"]} == {"snncore", "torch-f32"}


def test_a_level_that_the_cpu_lacks_is_a_sentence() -> None:
    lacking = "neon" if snncore.isa() in ("scalar", "avx2", "avx512", "avx512_amx") else "avx2"
    done = bench("peers.py", "--isa", lacking)
    assert done.returncode == 2
    assert done.stderr.startswith("peers: SNNCORE_ISA")
    assert done.stderr.count("\n") == 1


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
    assert "| W1 w4, 10 % | torch-int8 | 5x | 3.5x |" in page
    assert "stated for AVX-512" in page
    assert "| W6 k10-256, 2 threads | 1 thread |" in page
    assert "AVX2: W3, worst case" in page


def test_targets_are_met_or_missed_with_avx512_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    import targets

    def row(peer: str, threads: int, median: float, ratio: float) -> dict[str, Any]:
        values = ["W1", "w1", 20, threads, peer, "outside", median, median, True, ratio]
        return dict(zip(KEYS, values, strict=True))

    rows = [row("snncore", 1, 1.0, 1), row("torch-int8", 1, 4.0, 4), row("snncore", 2, 0.5, 1)]
    limits = [
        {"name": "and_popcount", "isa": isa, "threads": 1, "best": rate}
        for isa, rate in (("avx512", 604e9), ("avx2", 1e9))
    ]
    run = {"isa": "avx512", "avx512": True, "machine": "Some CPU", "rows": rows}
    found = {line[0]: line[4:] for line in targets.lines(run, limits, [])}
    assert found["W1 w1"] == ("4.00x at 20 %", "above the floor")
    assert found["W1 w1, 2 threads"] == ("2.00x", "met")
    assert found["W1 w1, share"] == ("100%", "met")
    assert found["W2 w1"] == ("-", "not measured")
    slower = {**run, "isa": "avx2", "rows": [row("snncore", 1, 4.0, 1)]}
    found = {line[0]: line[4:] for line in targets.lines(slower, limits, [run, slower])}
    assert found["AVX2: W1 w1"] == ("4.00x", "missed")
    assert found["W2 w1"] == ("-", "not measured here: needs AVX-512")


def test_compressed(tmp_path: Path) -> None:
    path = tmp_path / "some.json"
    done = bench("compressed.py", "--quick", "--seconds", "0.001", "--layers", "--json", str(path))
    assert done.returncode == 0, done.stderr
    found = json.loads(path.read_text())
    assert [list(row) for row in found["rows"]] == [KEYS] * 5
    peers = ["snncore", "snncore-quarter", "snncore-whole", "torch-f32", "torch-f32-pruned"]
    assert [row["peer"] for row in found["rows"]] == peers
    assert all(row["equal"] and row["variant"] == "vgg16-w4" for row in found["rows"])
    small, quarter, whole = found["networks"]
    assert sum(small["file_parts"].values()) == small["file_bytes"] < whole["file_bytes"]
    assert 0.08 < small["connections"] < 0.11 and whole["connections"] == 1
    assert 0.2 < quarter["connections"] < 0.3
    assert len(small["rates"]) == 13 and all(0.01 < rate < 0.5 for rate in small["rates"].values())
    assert list(found["layers_us"]) == [*small["rates"], "readout"]
    assert "snncore-whole" in done.stdout and "times as fast (asked for at 4 bits: 25)" in done.stdout
    assert bench("compressed.py", "--bits", "3").returncode == 2


def test_compressed_needs_torch(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no torch')\n")
    done = bench("compressed.py", "--quick", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == "compressed: this needs torch: the networks are built and compared in it\n"


@pytest.mark.full
@pytest.mark.parametrize(
    "size",
    [["--size", "4-384"], ["--size", "8-512", "--pixels", "224", "--timesteps", "1", "--bits", "1,8"]],
    ids=["4-384", "8-512"],
)
def test_whole_transformers_equal_the_reference(size: list[str]) -> None:
    done = bench("transformers.py", "--verify", *size)
    assert done.returncode == 0, done.stdout + done.stderr
    bits = 2 if "224" in size else 3  # BESTformer has no weights of 8
    assert done.stdout.count("every spike equal") == 5 * bits - 1


@pytest.mark.full
@pytest.mark.parametrize("ends", ["float", "int8"])
def test_bestformer_at_the_published_scale(ends: str) -> None:
    options = ["--networks", "BESTformer", "--bits", "1", "--scale", "0.125", "--ends", ends]
    done = bench("transformers.py", "--verify", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("every spike equal") == 1


def test_layers_of_a_transformer(tmp_path: Path) -> None:
    """A row for each kind, all operations, and shares of what a program says that the machine can do."""
    limits = [{"name": "and_popcount", "threads": 1, "isa": "scalar", "best": 2e12}]
    program = tmp_path / "limits"
    program.write_text(f"#!/bin/sh\necho '{json.dumps({'results': limits})}'\n")
    program.chmod(0o755)
    options = ["--networks", "BESTformer", "--size", "2-48", "--seconds", "0", "--scale", "0.125"]
    done = bench("transformers.py", "--layers", *options, "--limits", str(program), "--json", "-")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["found"]
    assert found["limit_tops"] == 2
    kinds = found["kinds"]
    tokenizer, rows, tokens, channels = (
        1024 * 12 * 6 + 1024 * 24 * 12 + 256 * 48 * 24 + 64 * 48 * 48,
        2,
        64,
        48,
    )
    assert {name: row["operations"] for name, row in kinds.items() if row["share"] is not None} == {
        "tokenizer, convolutions": 4 * 9 * tokenizer,
        "q, k, v": 4 * rows * 3 * tokens * channels**2,
        "map": 4 * rows * tokens**2 * channels,
        "map product": 4 * rows * tokens**2 * channels,
        "projection": 4 * rows * tokens * channels**2,
        "MLP 1": 4 * rows * 4 * tokens * channels**2,
        "MLP 2": 4 * rows * 4 * tokens * channels**2,
    }
    assert set(kinds) - {name for name, row in kinds.items() if row["share"] is not None} == {
        "tokenizer, first layer", "pools", "entry neurons", "heads",
    }  # fmt: skip
    assert sum(row["part"] for row in kinds.values()) == pytest.approx(1)


def test_layers_need_a_limit(tmp_path: Path) -> None:
    done = bench("transformers.py", "--layers", "--limits", str(tmp_path / "none"))
    assert done.returncode == 2
    assert "build the target bench_limits" in done.stderr
