"""The papers' sizes, from the definitions of their networks."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from snncore.compress import model_size, size_mb

torch = pytest.importorskip("torch")
from snncore.reference.networks import q_snn, qp_snn, resnet19, vgg16  # noqa: E402

RECIPES = Path(__file__).parents[3] / "recipes"


def recipe(name="qpsnn_sizes"):
    spec = importlib.util.spec_from_file_location(name, RECIPES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_every_size_of_table_1():
    made = recipe()
    assert len(made.TABLE_1) == 13
    for entry in made.TABLE_1:
        assert len(entry.published) == 3
        for ours, paper in zip(made.sizes(entry), entry.published, strict=True):
            assert abs(ours - paper) < 0.01, (entry.data, entry.network, ours, paper)


def test_the_others_within_a_tenth_of_a_per_cent():
    made = recipe()
    for entry in made.OTHERS:
        for ours, paper in zip(made.sizes(entry), entry.published, strict=True):
            assert abs(ours - paper) < max(0.01, 0.0005 * paper), (entry.network, ours, paper)


def test_the_recipe_prints_a_line_for_each(capsys):
    made = recipe()
    assert made.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 3 * 13 + 6
    assert lines[2].split() == ["CIFAR-10", "ResNet20", "8", "bit", "6.267", "6.27", "-0.003"]


def test_what_is_counted():
    with torch.device("meta"):
        size = model_size(resnet19(10, scheme=q_snn(2)))
    assert size.weights_of(1) == 12_550_144 and size.weights_of(8) == 8_576
    norms = [layer.weights for layer in size.layers if layer.kind == "BatchNorm2d"]
    assert sum(norms) == 5_248
    assert size.mb == pytest.approx((12_550_144 + 8 * 8_576 + 32 * (2 * 5_248 + 10)) / 8e6)
    with torch.device("meta"):
        plain = model_size(vgg16(10))
    assert plain.parameters == 14_724_042 + 64  # the first bias
    assert plain.bytes == 4 * plain.parameters and size_mb(torch.nn.Linear(3, 2)) == 32e-6
    assert model_size(torch.nn.Linear(3, 2)).layers[0].name == ""


def test_one_bit_less_is_one_bit_less():
    with torch.device("meta"):
        sizes = [model_size(vgg16(scheme=qp_snn(bits))) for bits in (8, 4, 2, 1)]
    weights = sizes[0].weights_of(8)
    assert [sizes[0].bytes - s.bytes for s in sizes[1:]] == [weights / 2, weights * 6 / 8, weights * 7 / 8]


def test_wrong_arguments():
    with pytest.raises(ValueError, match="expected a torch module, received str"):
        model_size("vgg16")
    with pytest.raises(ValueError, match="has no parameters"):
        model_size(torch.nn.ReLU())


def test_bestformer():
    """The published parameters; under 1.40 MB for CIFAR-10 and 8.2 MB for ImageNet."""
    rows = {(data, ends): rest for data, _, ends, *rest in recipe("bestformer_sizes").sizes()}
    assert rows["CIFAR-10", "float"][:2] == [9_314_884, 9_275_904]
    small, large = rows["CIFAR-10", "float"][2], rows["ImageNet", "float"][2]
    assert small == pytest.approx((9_275_904 + 32 * 38_980) / 8e6) and small < 1.40
    assert rows["ImageNet", "float"][:2] == [30_178_064, 29_073_408]
    assert large == pytest.approx((29_073_408 + 32 * 1_104_656) / 8e6) and large < 8.2
    heads, image = 2 * 512 * 1000, 3 * 64 * 9
    saved = 24 * (heads + image) / 8e6
    assert rows["ImageNet", "int8"][2] == pytest.approx(large - saved)


def test_bestformer_keeps_little_when_it_recomputes():
    memory = recipe("bestformer_sizes").memory
    (_, two), (plain, four) = memory(2), memory(4)
    assert two == four and plain > 6 * four
