"""bench/ann.py on a small set, and the page made from its rows. Times are not looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BENCH = Path(__file__).parents[2] / "bench"
SMALL = ("--queries", "40", "--rounds", "1", "--seconds", "0.001", "--datasets", "synthetic-10k")
ROW = {
    *("dataset", "index", "params", "threads", "candidates", "codes_share"),
    *("recall", "recall_1.01", "recall_1.1", "relative"),
    *("qps", "p50_ms", "p95_ms", "p99_ms", "p99.9_ms", "singles", "batch_qps"),
}


@pytest.fixture(autouse=True)
def _bench_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))


def bench(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCH / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ.copy())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("ann")
    results = folder / "ann.json"
    done = bench("ann.py", *SMALL, "--cache", str(folder), "--results", str(results))
    assert done.returncode == 0, done.stderr
    assert "crashed" not in done.stderr, done.stderr
    assert "| `snncore-itq-scan` | rerank 200" in done.stdout
    assert {path.name for path in folder.iterdir()} == {"ann.json", "synthetic-10k-0-40.npy"}
    yield json.loads(results.read_text())


def test_rows_say_what_was_found_and_how_fast(run: dict[str, Any]) -> None:
    assert {"machine", "commit", "date", "versions", "load", "clock", "threads", "bits"} <= run.keys()
    assert run["sets"] == [{"dataset": "synthetic-10k", "vectors": 10_000, "dim": 128, "queries": 40}]
    for row in run["rows"]:
        assert set(row) == ROW
        assert 0 <= row["recall"] <= row["recall_1.01"] <= row["recall_1.1"] <= 1 <= row["relative"] + 1e-6
        assert row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] <= row["p99.9_ms"]
        assert row["qps"] > 0 and row["batch_qps"] > 0
        assert (row["codes_share"] is not None) == (
            row["index"] in ("faiss-lsh", "faiss-binaryflat", "faiss-multihash")
        )
    assert all(row["candidates"] == 10_000 for row in run["rows"] if row["index"].endswith("-scan"))


def test_indexes_say_what_they_take(run: dict[str, Any]) -> None:
    ours = {row["index"]: row for row in run["indexes"] if row["index"].startswith("snncore")}
    assert set(ours) == {f"snncore-{e}-{p}" for e in ("srp", "itq") for p in ("scan", "multi_table")}
    for name, row in ours.items():
        assert sum(row["sections"].values()) == row["bytes"] == pytest.approx(row["file_bytes"], rel=0.05)
        assert (row["sections"]["tables"] > 0) == name.endswith("multi_table")
        assert row["sections"]["vectors"] == pytest.approx(10_000 * 128 * 4, rel=0.001)


def test_the_same_codes_and_as_many_distances_find_the_same(run: dict[str, Any]) -> None:
    """Ties of codes may fall otherwise, so recall is nearly the same."""
    pytest.importorskip("faiss")

    def recall(index: str, **params: Any) -> float:
        rows = [r for r in run["rows"] if r["index"] == index and r["params"] == params]
        return float(rows[0]["recall"])

    for rerank in (20, 50, 100, 200, 500):
        ours = recall("snncore-itq-scan", rerank=rerank, asymmetric=False)
        # The same codes and candidates, but for which of equally far codes the last ones are.
        assert recall("faiss-binaryflat", rerank=rerank) == pytest.approx(ours, abs=0.02)
    assert recall("faiss-flat") == 1


def test_candidates_of_faiss_are_ranked_as_numpy_ranks_them() -> None:
    faiss = pytest.importorskip("faiss")
    from neighbours.faiss_indexes import _Ranking

    rng = np.random.default_rng(3)
    base = rng.integers(0, 200, (300, 9)).astype(np.float32)
    queries = rng.integers(0, 200, (7, 9)).astype(np.float32)
    lists = np.stack([rng.permutation(300)[:40] for _ in queries])
    lists[2, 25:] = lists[3, 3:] = -1  # as where too few codes are near
    found = _Ranking(faiss, base)(queries, lists, 10)
    for query, ids, row in zip(queries, lists, found, strict=True):
        ids = ids[ids >= 0]
        distances = np.sort(((base[ids] - query) ** 2).sum(1))[:10]
        there = row[row >= 0]
        assert len(there) == min(10, len(ids)) and set(there) <= set(ids)
        np.testing.assert_array_equal(((base[there] - query) ** 2).sum(1), distances)


def test_recall_counts_ties_and_counts_nobody_twice() -> None:
    from neighbours.data import Data
    from neighbours.quality import quality

    base = np.arange(40, dtype=np.float32).reshape(40, 1)
    distances = np.arange(1, 21, dtype=np.float32)[None] // 2  # of a query at 20: 0, 1, 1, 2, 2 ...
    data = Data("line", base, np.array([[20.0]], np.float32), distances)
    best = np.array([[20, 19, 21, 18, 22, 17, 23, 16, 24, 25]])
    assert quality(data, best) == {"recall": 1, "recall_1.01": 1, "recall_1.1": 1, "relative": 1}
    assert quality(data, np.array([[20, 19, 21, 18, 22, 17, 23, 16, 24, 15]]))["recall"] == 1  # a tie
    assert quality(data, np.array([[20] * 10]))["recall"] == pytest.approx(0.1)
    assert quality(data, np.array([[20, 19, 21, 18, 22, -1, -1, -1, -1, -1]]))["recall"] == pytest.approx(0.5)
    worse = quality(data, np.array([[20, 19, 21, 18, 22, 17, 23, 16, 24, 14]]))
    assert worse["recall"] == pytest.approx(0.9) and worse["relative"] == pytest.approx(26 / 25)


def test_true_distances_are_exact_however_they_are_summed() -> None:
    from neighbours.data import true_distances

    rng = np.random.default_rng(4)
    for dim in (128, 784):  # in float32, in float64
        base, queries = (rng.integers(0, 256, (n, dim)).astype(np.float32) for n in (150, 3))
        whole = ((base.astype(np.int64) - queries.astype(np.int64)[:, None]) ** 2).sum(2)
        expected = np.sqrt(np.sort(whole, axis=1)[:, :100]).astype(np.float32)
        np.testing.assert_array_equal(true_distances(base, queries), expected)


def test_a_front_keeps_what_nothing_beats() -> None:
    from neighbours.fronts import fastest, front

    rows = [{"recall": r, "qps": q} for r, q in ((0.9, 10), (0.8, 20), (0.85, 9), (0.8, 30), (1.0, 1))]
    assert [(row["recall"], row["qps"]) for row in front(rows)] == [(0.8, 30), (0.9, 10), (1.0, 1)]
    assert fastest(rows, 0.84) == {"recall": 0.9, "qps": 10} and fastest(rows[:3], 0.95) is None


def test_the_page_is_made_between_its_marks(run: dict[str, Any], tmp_path: Path) -> None:
    from neighbours.page import BEGIN, END

    page = tmp_path / "search.md"
    page.write_text(f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    (tmp_path / "ann.json").write_text(json.dumps(run))
    done = bench("report.py", "--search", str(tmp_path / "ann.json"), "--search-page", str(page))
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert text.startswith("# Before\n") and text.endswith("\n\nAfter.\n") and "old" not in text
    assert "10,000 vectors of 128, synthetic" in text and run["commit"] in text
    if "matplotlib" not in done.stderr:
        assert (tmp_path / "img" / "ann-synthetic-10k.png").stat().st_size > 10_000
    again = bench("report.py", "--search", str(tmp_path / "ann.json"), "--search-page", str(page))
    assert again.returncode == 0 and page.read_text() == text


def test_what_crashes_costs_nobody_else_a_row(capfd: pytest.CaptureFixture[str]) -> None:
    from neighbours.apart import apart

    def two_then_gone() -> Iterator[int]:
        yield from (1, 2)
        os.kill(os.getpid(), 9)

    def absent() -> Iterator[int]:
        import no_such_index  # noqa: F401

        yield 1

    assert list(apart("bad", two_then_gone)) == [1, 2]
    assert list(apart("absent", absent)) == []
    told = capfd.readouterr().err
    assert "bad: crashed (-9); what it gave before is kept" in told
    assert "absent: not installed (no_such_index)" in told


@pytest.mark.parametrize("wrong", ["--indexes nothing", "--datasets no-such-file.hdf5"])
def test_a_wrong_argument_is_a_sentence(wrong: str) -> None:
    done = bench("ann.py", *wrong.split())
    assert done.returncode == 2 and done.stderr.startswith("ann.py: ") and done.stderr.count("\n") == 1
