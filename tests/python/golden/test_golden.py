"""Stored networks of each format still give the stored answers (make_golden.py made them)."""

from pathlib import Path

import numpy as np
import pytest

import snncore

FILES = sorted(Path(__file__).parent.glob("*.snn"))


def answers(path: Path) -> dict[str, np.ndarray]:
    """Give what the networks of one name give, whatever their format."""
    return dict(np.load(path.with_name(path.name.split(".")[0] + ".npz")))


def test_there_are_some_of_each_format() -> None:
    assert {snncore.load(path).metadata["format"] for path in FILES} == {1, 2}
    for path in FILES:
        assert path.name.split(".")[1] == str(snncore.load(path).metadata["format"])


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_answers(path: Path, threads: int) -> None:
    stored = answers(path)
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
def test_written_again_a_file_is_the_newest_one(path: Path) -> None:
    newest = path.with_name(path.name.split(".")[0] + ".2.snn")
    assert snncore.load(path).to_bytes() == newest.read_bytes()
