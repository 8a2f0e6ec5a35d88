"""spyx' own modules against the reference, evaluated operation by operation (without jax.jit)."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import torch
from frameworks import against

pytest.importorskip("jax")
pytest.importorskip("spyx")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jax
    import spyx.nn
    from flax import nnx

from snncore.presets import spyx as preset


def framework(module, x, states):
    """Step by step; a module with a synapse keeps V and I side by side."""
    state = jax.numpy.zeros((*x.shape[1:-1], x.shape[-1] * states))
    steps = []
    for now in x.numpy():
        out, state = module(now, state)
        v, *current = np.split(np.asarray(state), states, -1)
        steps.append((np.asarray(out), v, current[0] if current else v))
    outs, vs, currents = (torch.from_numpy(np.stack(s)) for s in zip(*steps, strict=True))
    return outs, vs, currents if states == 2 else None


def rngs():
    return nnx.Rngs(0)


SHAPE = (against.NEURONS,)


def test_version():
    import importlib.metadata

    assert importlib.metadata.version("spyx") == preset.VERSION


def test_lif():
    against.check(
        [
            (
                preset.lif(b, th),
                lambda x, b=b, th=th: framework(spyx.nn.LIF(SHAPE, b, th, rngs=rngs()), x, 1),
            )
            for b, th in itertools.product([0.5, 0.9], [1.0, 0.6])
        ]
    )


def test_if():
    against.check(
        [(preset.if_(th), lambda x, th=th: framework(spyx.nn.IF(SHAPE, th), x, 1)) for th in (1.0, 0.6)]
    )


def test_cuba_lif():
    against.check(
        [
            (
                preset.cuba_lif(a, b, th),
                lambda x, a=a, b=b, th=th: framework(spyx.nn.CuBaLIF(SHAPE, a, b, th, rngs=rngs()), x, 2),
            )
            for a, b, th in itertools.product([0.5, 0.8], [0.5, 0.9], [1.0, 0.6])
        ]
    )


def test_psu_lif():
    against.check(
        [
            (preset.psu_lif(b, 1.0), lambda x, b=b: framework(spyx.nn.PSU_LIF(SHAPE, b, rngs=rngs()), x, 1))
            for b in (0.5, 0.9)
        ]
    )


def test_li():
    for x in against.inputs(6):
        against.compare(preset.li(0.9), x, framework(spyx.nn.LI(SHAPE, 0.9, rngs=rngs()), x, 1))
