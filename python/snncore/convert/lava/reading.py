"""From a .net file to a model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from snncore import Error
from snncore.model import Model

from ..hdf5 import read_group
from .blocks import Block, blocks_of
from .emit import Emitter, Readout

InputDtype = Literal["u8", "b1"]


def from_lava_dl(
    path: str | os.PathLike[str],
    *,
    input_dtype: InputDtype | None = None,
    zero_point: int = 0,
    input_shape: Sequence[int] | None = None,
    layer_delay: bool = True,
    readout: Readout | None = None,
    timesteps: int = 1,
    labels: Sequence[str] | None = None,
    name: str | None = None,
) -> Model:
    """Convert a .net file of lava-dl (SLAYER): the fixed-point network that Lava runs, bit for bit.

    Blocks input, dense, dense_rec, conv, pool, flatten and average, neurons CUBA (or LOIHI). Weights stay the
    integers of the file; synaptic currents and membranes have 24 bits. `record` speaks of a block by its type
    and number: "conv1" its spikes, "conv1.i" and "conv1.v" the states u and v that Lava has.

    Parameters
    ----------
    path
        The file.
    input_dtype
        What `Model.run` takes. "b1": spikes, bool. "u8": for an input block with neurons, the bias of each of
        them, ``weight * x + bias`` with the block's own weight and bias, made an integer; uint8.
        Default: "u8" where the first block has neurons; "b1" leaves those out.
    zero_point
        Taken off each "u8" value, 0 to 255: how a negative bias comes in.
    input_shape
        [C, H, W] or [F], for a file that does not begin with an input block.
    layer_delay
        A synapse hears what was fired one step before, so each layer lags by one step, as in Lava. False: in
        the same step; spikes come earlier by one step a layer, and are otherwise the same where no block has
        a bias.
    readout
        What becomes of the output over time: "mean", "sum" or "last" gives [N, F]; default: spikes of every
        step. A file that ends in average needs one; then the default is "mean".
    timesteps
        Steps of a run whose input has no time axis.
    labels
        Names of the classes.
    name
        Stored with the model.

    Raises
    ------
    OSError
        The file cannot be opened.
    snncore.FormatError
        Not a .net file, or values that its blocks cannot have.
    snncore.Error
        Blocks that have no counterpart, all of them named.
    ValueError
        Options, or shapes of blocks, that do not fit; currents beyond 2^17. The message names the block.
    ImportError
        No h5py.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ValueError(f"from_lava_dl: expected a path, received {type(path).__name__}")
    file = Path(path)
    layers = read_group(file, "layer", "lava-dl", "it has no group 'layer'")
    blocks = blocks_of(layers, str(file))
    _check_order(blocks)
    _check_options(input_dtype, readout, zero_point)
    has_neurons = blocks[0].kind == "input" and blocks[0].neuron is not None
    if input_dtype == "u8" and not has_neurons:
        raise ValueError("from_lava_dl: input_dtype 'u8' needs an input block with neurons; expected 'b1'")
    values = has_neurons and input_dtype != "b1"
    emitter = Emitter(layer_delay=layer_delay, values=values, zero_point=zero_point)
    emitter.input(_input_shape(blocks[0], input_shape))
    for block in blocks[0 if values or blocks[0].kind != "input" else 1 :]:
        emitter.emit(block)
    emitter.output(readout)
    return emitter.builder.build(
        timesteps, labels=list(labels) if labels else None, provenance=_provenance(file, layers, name)
    )


def _check_order(blocks: Sequence[Block]) -> None:
    wrong = [b.label for b in blocks[1:] if b.kind == "input"]
    wrong += [b.label for b in blocks[:-1] if b.kind == "average"]
    if wrong:
        raise Error(
            f"from_lava_dl: expected input first and average last, received {', '.join(wrong)} between"
        )


def _check_options(input_dtype: Any, readout: Any, zero_point: Any) -> None:
    choices = {"input_dtype": (input_dtype, InputDtype), "readout": (readout, Readout)}
    for option, (value, allowed) in choices.items():
        if value is not None and value not in get_args(allowed):
            raise ValueError(
                f"from_lava_dl: {option} must be one of {', '.join(get_args(allowed))}, received {value!r}"
            )
    if not isinstance(zero_point, int) or not 0 <= zero_point <= 255:
        raise ValueError(f"from_lava_dl: zero_point must be 0 to 255, received {zero_point!r}")


def _input_shape(first: Block, given: Sequence[int] | None) -> tuple[int, ...]:
    if first.kind == "input":
        return first.shape
    if given is not None:
        shape = tuple(given)
        if len(shape) not in (1, 3) or not all(isinstance(n, int) and n > 0 for n in shape):
            raise ValueError(f"from_lava_dl: input_shape must be [F] or [C, H, W], received {list(shape)}")
        return shape
    if first.kind in ("dense", "dense_rec") and first.weight is not None:
        return (first.weight.shape[1],)
    raise ValueError(f"from_lava_dl: the file begins with {first.label} and does not say its input_shape")


def _provenance(file: Path, layers: dict[str, Any], name: str | None) -> dict[str, str]:
    """Note what a caller needs for the input: the transform that the input block holds."""
    facts = {"source": f"lava-dl, {file.name}"}
    for key in ("weight", "bias"):
        value = layers["0"].get(key) if layers["0"].get("neuron") and len(layers) else None
        if value is not None and getattr(value, "size", 0) == 1:
            facts[f"input_{key}"] = f"{float(value.item()):g}"
    return {"name": name, **facts} if name else facts
