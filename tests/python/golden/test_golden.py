"""Stored networks still give the stored answers (make_golden.py made them)."""

from pathlib import Path

import numpy as np
import pytest

import snncore

FILES = sorted(Path(__file__).parent.glob("*.snn"))


def test_there_are_some() -> None:
    assert FILES


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_answers(path: Path, threads: int) -> None:
    stored = dict(np.load(path.with_suffix(".npz")))
    model = snncore.load(path)
    kinds = {"spikes": "{}", "v": "{}.v", "sum": "{}.sum"}
    keys = [key.split(":") for key in stored if key.split(":")[0] in kinds]
    result = model.run(stored["x"], threads=threads, record=[kinds[kind].format(name) for kind, name in keys])
    for kind, name in keys:
        ours = result.spikes[name].numpy() if kind == "spikes" else result.states[kinds[kind].format(name)]
        assert np.array_equal(ours, stored[f"{kind}:{name}"]), f"{kind} of {name}"
    for key in [key for key in stored if key.startswith("output:")]:
        name = key.removeprefix("output:")
        output = result.outputs[name] if isinstance(result.outputs, dict) else result.outputs
        assert np.array_equal(output, stored[key]), name


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_written_again_a_file_is_the_same(path: Path) -> None:
    assert snncore.load(path).to_bytes() == path.read_bytes()
