"""docs/train.md, run as it stands."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

PAGE = Path(__file__).parents[3] / "docs" / "train.md"


def test_the_page():
    blocks = re.findall(r"^```(python|text)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert [kind for kind, _ in blocks].count("python") == 6
    names: dict = {}
    printed = ""
    for kind, text in blocks:
        if kind == "text":
            assert printed == text
            continue
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(text, str(PAGE), "exec"), names)
        printed = out.getvalue()
    assert names["report"].label_agreement >= 0.9
    assert names["small"].layers.block1_1.body.conv1.out_channels == 8
