"""Stored indexes of each format still give the stored codes and answers (make_index.py made them)."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from snncore import Index

FILES = sorted(Path(__file__).parent.glob("*.snn"))


def test_there_is_one_of_each_format() -> None:
    assert [path.name for path in FILES] == ["index.1.snn", "index.2.snn"]
    for path in FILES:
        assert f'\\"format\\":{path.stem[-1]}'.encode() in path.read_bytes()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("plan", ["scan", "multi_table", "mih"])
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_answers(path: Path, plan: str, threads: int) -> None:
    stored = np.load(path.with_suffix(".npz"))
    index = Index.open(path, verify=True)
    np.testing.assert_array_equal(index.encode(stored["X"]), stored["codes"])
    ids, distances = index.search(stored["Q"], 5, plan=plan, probes=2, rerank=8, threads=threads)
    np.testing.assert_array_equal(ids, stored[f"{plan}:ids"])
    np.testing.assert_array_equal(distances, stored[f"{plan}:distances"])


def test_an_old_file_is_written_again_as_a_new_one(tmp_path: Path) -> None:
    stored = np.load(FILES[0].with_suffix(".npz"))
    Index.open(FILES[0]).save(tmp_path / "again.snn")
    again = Index.open(tmp_path / "again.snn", verify=True)
    assert b'\\"format\\":2' in (tmp_path / "again.snn").read_bytes()
    np.testing.assert_array_equal(again.search(stored["Q"], 5, rerank=8, plan="scan")[0], stored["scan:ids"])


@pytest.mark.parametrize("isa", ["scalar", None])
def test_made_again_it_is_the_same_to_the_byte(tmp_path: Path, isa: str | None) -> None:
    maker = Path(__file__).with_name("make_index.py")
    environment = os.environ if isa is None else os.environ | {"SNNCORE_ISA": isa}
    subprocess.run([sys.executable, str(maker), str(tmp_path)], check=True, env=environment)
    assert (tmp_path / "index.2.snn").read_bytes() == FILES[1].read_bytes()
