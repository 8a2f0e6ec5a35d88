import json
from pathlib import Path

import numpy as np
import pytest

from snncore import Index
from snncore.tools.cli import main

pytest.importorskip("click")
pytest.importorskip("rich")


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str, str]:
    X = np.random.default_rng(5).integers(0, 50, (300, 12)).astype(np.float32)
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "ids.npy", np.arange(300) * 7)
    return str(tmp_path / "x.npy"), str(tmp_path / "ids.npy"), str(tmp_path / "i.snn")


def prints(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_build_search_info(capsys: pytest.CaptureFixture[str], files: tuple[str, str, str]) -> None:
    x, ids, made = files
    build = ("index", "build", x, "-o", made, "--ids", ids, "--bits", "64", "--encoder", "srp", "--json")
    facts = json.loads(prints(capsys, *build))
    assert facts["vectors"] == 300 and facts["dim"] == 12 and facts["bytes"]["vectors"] >= 300 * 24
    assert facts["build_s"] >= facts["fit_s"] > 0
    found = json.loads(prints(capsys, "index", "search", made, x, "-k", "3", "--rerank", "300", "--json"))
    assert [r["ids"][0] for r in found["results"]] == [7 * i for i in range(300)]
    assert all(r["distances"][0] == 0 and len(r["ids"]) == 3 for r in found["results"])
    assert "7" in prints(capsys, "index", "search", made, x, "-k", "1")
    out = str(Path(made).with_suffix(".npz"))
    prints(capsys, "index", "search", made, x, "-o", out)
    assert np.load(out)["ids"].shape == (300, 10)
    assert json.loads(prints(capsys, "index", "search", made, x, "-o", out, "--json"))["output"] == out
    info = json.loads(prints(capsys, "index", "info", made, "--verify", "--json"))
    assert {k: info[k] for k in info if k != "bytes"} == {
        "file": made,
        "vectors": 300,
        "removed": 0,
        "segments": 1,
        "dim": 12,
        "bits": 64,
        "metric": "l2",
        "encoder": "srp",
        "tables": 4,
        "store": "f16",
    }
    assert "300 vectors" in prints(capsys, "index", "info", made)
    assert len(Index.open(made)) == 300


@pytest.mark.parametrize("store", ["f32", "i8"])
def test_large_ids_and_vectors(capsys: pytest.CaptureFixture[str], tmp_path: Path, store: str) -> None:
    X = np.eye(4, dtype=np.float32)
    X[3] = 2.0**55
    np.save(tmp_path / "x.npy", X)
    index = Index(dim=4, bits=64, encoder="srp", store=store)
    index.fit(X)
    ids = [0, 5, 2**63, 2**64 - 2]
    index.add(np.array(ids, np.uint64), X)
    index.save(tmp_path / "i.snn")
    arguments = ("index", "search", str(tmp_path / "i.snn"), str(tmp_path / "x.npy"), "-k", "7", "--json")
    for row in json.loads(prints(capsys, *arguments), parse_constant=pytest.fail)["results"]:
        assert sorted(row["ids"]) == ids and np.isfinite(row["distances"]).all()


def test_what_goes_wrong_is_one_sentence(
    capsys: pytest.CaptureFixture[str], files: tuple[str, str, str]
) -> None:
    x, ids, made = files
    archive, text = (str(Path(made).with_name(name)) for name in ("a.npz", "text.npy"))
    np.savez(archive, x=np.arange(3))
    Path(text).write_text("hello")
    for arguments in (
        ("index", "build", x, "-o", made, "--ids", archive),
        ("index", "build", x, "-o", made, "--ids", text),
        ("index", "build", text, "-o", made),
        ("index", "build", "none.npy", "-o", made),
        ("index", "build", x, "-o", made, "--bits", "65"),
        ("index", "build", x, "-o", made, "--ids", x),
        ("index", "search", x, x),
        ("index", "info", "none.snn"),
        ("index", "build", ids, "-o", made),
        ("index", "build", x, "-o", str(Path(made).parent / "none" / "i.snn")),
        ("index", "search", made, x, "-o", str(Path(made).with_suffix(".csv"))),
    ):
        assert main(arguments) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("snncore: ") and err.count("\n") == 1
        assert "pickle" not in err and "attribute" not in err
