"""docs/quantize.md, run as it stands: its code in order, its outputs compared."""

from __future__ import annotations

import contextlib
import io
import os
import re
from pathlib import Path

import pytest

pytest.importorskip("spikingjelly")

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "quantize.md"
IMAGES = Path(os.environ.get("SNNCORE_DATA", ".")) / "mnist-t10k-images-idx3-ubyte.gz"


@pytest.mark.skipif(not IMAGES.is_file(), reason="SNNCORE_DATA does not hold MNIST")
def test_the_page(tmp_path, monkeypatch):
    blocks = re.findall(r"^```(python|text)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert [kind for kind, _ in blocks] == ["python", "python", "python", "text", "python", "text"]
    (tmp_path / "mnist_cnn.pt").symlink_to(HERE / "mnist_cnn.pt")
    (tmp_path / "t10k-images-idx3-ubyte.gz").symlink_to(IMAGES.resolve())
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    printed = ""
    for kind, text in blocks:
        if kind == "text":
            _check(text, printed)
            continue
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(text, str(PAGE), "exec"), names)
        printed = out.getvalue()
    assert names["report"].label_agreement >= 0.99
    assert names["rep"].samples == 1000 and names["rep"].label_agreement >= 0.99
    assert all(row.bits == 8 for row in names["report"].layers)
    assert (tmp_path / "mnist_cnn.snn").stat().st_size == names["report"].bytes_after


def _anywhere(text: str) -> str:
    """Leave out how many bytes weights take as they run: each level of kernels lays them out its own way."""
    return re.sub(r"weights [\d.]+ KiB -> [\d.]+ KiB,", "weights,", text)


def _check(text: str, printed: str) -> None:
    """The engine's own figures are the page's; SpikingJelly's sums differ a little from CPU to CPU."""
    if "Sequential" not in text:
        assert _anywhere(printed) == _anywhere(text)
        return
    found = [float(re.search(r"labels that agree: ([\d.]+) %", t).group(1)) for t in (text, printed)]
    assert abs(found[0] - found[1]) <= 0.2
