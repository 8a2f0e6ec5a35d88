"""snncore: binary and quantised spiking networks on ordinary CPUs.

>>> model = snncore.load("net.snn")
>>> logits = model.run(image)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snncore import encoders, events, functional, presets, vectors
from snncore._core import Error, FormatError, build_info, isa, version
from snncore.bits import BitTensor, pack
from snncore.builder import GraphBuilder
from snncore.compress import prune, quantize
from snncore.index import Index
from snncore.infos import Layer, Port
from snncore.lsh import BinaryIndex
from snncore.memory import Memory
from snncore.model import Model, load
from snncore.neuron import Neuron
from snncore.profile import Profile
from snncore.recording import Result
from snncore.session import EventSteps, Session

if TYPE_CHECKING:
    from snncore.compress.ann_report import AnnReport
    from snncore.parity import VerifyReport

__all__ = [
    "BinaryIndex",
    "BitTensor",
    "Error",
    "EventSteps",
    "FormatError",
    "GraphBuilder",
    "Index",
    "Layer",
    "Memory",
    "Model",
    "Neuron",
    "Port",
    "Profile",
    "Result",
    "Session",
    "__version__",
    "build_info",
    "convert_ann",
    "encoders",
    "events",
    "from_lava_dl",
    "from_nir",
    "from_norse",
    "from_onnx",
    "from_sinabs",
    "from_snntorch",
    "from_spikingjelly",
    "from_torch",
    "functional",
    "isa",
    "load",
    "pack",
    "presets",
    "prune",
    "quantize",
    "to_nir",
    "to_onnx",
    "vectors",
    "verify",
]

__version__ = version()

for _type in (Error, FormatError):
    _type.__module__ = __name__  # how users import it is how a traceback names it


def from_nir(source: Any, **options: Any) -> Model:
    """Convert a NIR graph: see `snncore.convert.nir.from_nir`. Needs ``snncore[nir]``.

    >>> model = snncore.from_nir("net.nir", dt=1e-4, reset="zero")

    Parameters
    ----------
    source
        The path of a .nir file, or a `nir.NIRGraph`.
    options
        Passed on; `dt` and `reset` are what a file does not hold.

    Raises
    ------
    ValueError, snncore.Error, snncore.FormatError
        What cannot be converted, or what is missing; the message names the node.
    ImportError
        No h5py.
    """
    from snncore.convert.nir import from_nir as convert

    return convert(source, **options)


def from_lava_dl(path: Any, **options: Any) -> Model:
    """Convert a .net file of lava-dl: see `snncore.convert.lava.from_lava_dl`. Needs ``snncore[lava]``.

    >>> model = snncore.from_lava_dl("net.net")

    Parameters
    ----------
    path
        The file.
    options
        Passed on.

    Raises
    ------
    ValueError, snncore.Error, snncore.FormatError
        What cannot be converted; the message names the block.
    ImportError
        No h5py.
    """
    from snncore.convert.lava import from_lava_dl as convert

    return convert(path, **options)


def to_nir(model: Model, **options: Any) -> Any:
    """Write a model of float weights as a `nir.NIRGraph`: see `snncore.convert.nir.to_nir`.

    Parameters
    ----------
    model
        What to convert.
    options
        Passed on; `dt` is the seconds that a step stands for.

    Raises
    ------
    snncore.Error
        Layers that NIR has no node for; the message names all of them.
    ImportError
        No package nir.
    """
    from snncore.convert.nir import to_nir as convert

    return convert(model, **options)


def from_onnx(source: Any, **options: Any) -> Model:
    """Convert an ONNX file: see `snncore.convert.onnx.from_onnx`. Needs ``snncore[onnx]``.

    >>> model = snncore.from_onnx("net.onnx")

    Parameters
    ----------
    source
        The path of a file, its bytes, or an `onnx.ModelProto`.
    options
        Passed on; `timesteps` is what a file of others does not hold.

    Raises
    ------
    ValueError, snncore.Error, snncore.FormatError
        What cannot be converted, or what is missing; the message names the node.
    ImportError
        No package onnx.
    """
    from snncore.convert.onnx import from_onnx as convert

    return convert(source, **options)


def to_onnx(model: Model, path: Any = None, **options: Any) -> Any:
    """Write a model as ONNX, for onnxruntime as it is: see `snncore.convert.onnx.to_onnx`.

    Parameters
    ----------
    model, path
        What to convert, and where to write it, unless None; the `onnx.ModelProto` is returned.
    options
        Passed on; `record` names layers whose spikes become outputs.

    Raises
    ------
    snncore.Error
        A layer that cannot be written; the message names it.
    ImportError
        No package onnx.
    """
    from snncore.convert.onnx import to_onnx as convert

    return convert(model, path, **options)


def from_torch(module: Any, example: Any, **options: Any) -> Model:
    """Convert a PyTorch module: see `snncore.convert.torch.from_torch`. Needs ``snncore[torch]``.

    Parameters
    ----------
    module
        Made of modules of `snncore.reference` and plain ``torch.nn``, in evaluation mode.
    example
        An input, which gives shape and dtype.
    options
        Passed on.

    Raises
    ------
    ValueError, snncore.Error
        A module that has no counterpart here; the message names it.
    ImportError
        No torch.
    """
    from snncore.convert.torch import from_torch as convert

    model: Model = convert(module, example, **options)
    return model


def from_spikingjelly(module: Any, example: Any, **options: Any) -> Model:
    """Convert a SpikingJelly network, bit for bit. Needs spikingjelly and torch.

    See `snncore.convert.frameworks.from_spikingjelly`.

    Parameters, errors: as for `from_torch`.
    """
    from snncore.convert.frameworks import from_spikingjelly as convert

    model: Model = convert(module, example, **options)
    return model


def from_snntorch(module: Any, example: Any, **options: Any) -> Model:
    """Convert an snnTorch network, bit for bit. Needs snntorch and torch.

    See `snncore.convert.frameworks.from_snntorch`.

    Parameters, errors: as for `from_torch`.
    """
    from snncore.convert.frameworks import from_snntorch as convert

    model: Model = convert(module, example, **options)
    return model


def from_sinabs(module: Any, example: Any, **options: Any) -> Model:
    """Convert a sinabs network, bit for bit. Needs sinabs and torch.

    See `snncore.convert.frameworks.from_sinabs`.

    Parameters, errors: as for `from_torch`.
    """
    from snncore.convert.frameworks import from_sinabs as convert

    model: Model = convert(module, example, **options)
    return model


def from_norse(module: Any, example: Any, **options: Any) -> Model:
    """Convert a Norse ``SequentialState``, bit for bit. Needs norse and torch.

    See `snncore.convert.frameworks.from_norse`.

    Parameters, errors: as for `from_torch`.
    """
    from snncore.convert.frameworks import from_norse as convert

    model: Model = convert(module, example, **options)
    return model


def convert_ann(module: Any, example: Any, calibration: Any, **options: Any) -> tuple[Model, AnnReport]:
    """Convert a plain ReLU network to integrate-and-fire neurons: see `snncore.compress.ann.convert_ann`.

    >>> model, report = snncore.convert_ann(net, torch.zeros(1, 1, 28, 28), images)

    Parameters
    ----------
    module, example, calibration
        The trained network, an input of its shape, and samples on which thresholds are balanced.
    options
        Passed on: `timesteps` are what is tried.

    Errors: as for `from_torch`.
    """
    from snncore.compress.ann import convert_ann as convert

    return convert(module, example, calibration, **options)


def verify(model: Model, module: Any, x: Any, **options: Any) -> VerifyReport:
    """Compare a model with the module or NIR graph it was made from: see `snncore.parity.verify`.

    Parameters
    ----------
    model, module, x
        The model, the module, path or graph (None: the reference), and input for both.
    options
        Passed on.

    Raises
    ------
    ValueError
        A model and a module that do not belong together.
    ImportError
        No torch.
    """
    from snncore.parity import verify as compare

    return compare(model, module, x, **options)
