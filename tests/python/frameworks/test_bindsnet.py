"""BindsNET's own layers against the reference."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from pathlib import Path

import pytest
import torch
from frameworks import against

from snncore.presets import bindsnet as preset


def _nodes():
    """The module of its layers alone: the package imports games, images and data frames with itself."""
    spec = importlib.util.find_spec("bindsnet")
    if spec is None or spec.origin is None:
        pytest.skip("bindsnet is not installed", allow_module_level=True)
    path = Path(spec.origin).parent / "network" / "nodes.py"
    own = importlib.util.spec_from_file_location("bindsnet_nodes", path)
    module = importlib.util.module_from_spec(own)
    sys.modules["bindsnet_nodes"] = module
    own.loader.exec_module(module)
    return module


nodes = _nodes()


def framework(layer, x):
    layer.set_batch_size(x.shape[1])
    layer.reset_state_variables()
    outs, vs, currents = [], [], []
    for now in x:
        layer.forward(now.clone())  # the layer writes into its input
        outs.append(layer.s.float().clone())
        vs.append(layer.v.clone())
        currents.append(layer.i.clone() if hasattr(layer, "i") else layer.v)
    current = torch.stack(currents) if hasattr(layer, "i") else None
    return torch.stack(outs), torch.stack(vs), current


def made(kind, **options):
    layer = kind(n=against.NEURONS, **options)
    layer.compute_decays(1.0)
    return layer


def test_version():
    import importlib.metadata

    assert importlib.metadata.version("bindsnet") == preset.VERSION


def test_if():
    cases = []
    for refrac, least in itertools.product([0, 1, 5], [None, -66.0]):
        layer = made(nodes.IFNodes, refrac=refrac, lbound=least)
        n = preset.if_nodes(refrac=refrac, lbound=least)
        cases.append((n, lambda x, layer=layer: framework(layer, x)))
    against.check(cases, scale=8.0)


def test_lif():
    cases = []
    for tc, refrac, least in itertools.product([100.0, 1 / 0.6931471805599453], [0, 2, 5], [None, -66.0]):
        layer = made(nodes.LIFNodes, tc_decay=tc, refrac=refrac, lbound=least)
        n = preset.lif_nodes(layer.decay.item(), refrac=refrac, lbound=least)
        cases.append((n, lambda x, layer=layer: framework(layer, x)))
    against.check(cases, scale=8.0, shift=3.0)


def test_boosted_lif():
    cases = []
    for tc, refrac in itertools.product([100.0, 1 / 0.6931471805599453], [0, 5]):
        layer = made(nodes.BoostedLIFNodes, tc_decay=tc, refrac=refrac)
        n = preset.boosted_lif_nodes(layer.decay.item(), refrac=refrac)
        cases.append((n, lambda x, layer=layer: framework(layer, x)))
    against.check(cases, scale=8.0, shift=3.0)


def test_current_lif():
    cases = []
    for tc, refrac, least in itertools.product([100.0, 1 / 0.6931471805599453], [0, 1, 5], [None, -66.0]):
        layer = made(nodes.CurrentLIFNodes, tc_decay=tc, tc_i_decay=tc, refrac=refrac, lbound=least)
        n = preset.current_lif_nodes(layer.decay.item(), layer.i_decay.item(), refrac=refrac, lbound=least)
        cases.append((n, lambda x, layer=layer: framework(layer, x)))
    against.check(cases, scale=4.0, shift=1.0)
