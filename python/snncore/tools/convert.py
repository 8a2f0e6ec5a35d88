"""`snncore convert`: files of others to .snn, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

import snncore

from .common import load_model
from .inspect import text

T = TypeVar("T")

_NIR = ("dt", "reset", "method", "dialect", "input_dtype", "readout", "timesteps")
#: By the ending of SOURCE: what reads it, and the options that it takes.
READERS: Mapping[str, tuple[Callable[..., snncore.Model], tuple[str, ...]]] = {
    ".nir": (snncore.from_nir, _NIR),
    ".h5": (snncore.from_nir, _NIR),
    ".hdf5": (snncore.from_nir, _NIR),
    ".net": (snncore.from_lava_dl, ("input_dtype", "readout", "timesteps")),
    ".onnx": (snncore.from_onnx, ("readout", "timesteps")),
}


def _to_nir(model: snncore.Model, path: Path, given: Mapping[str, Any]) -> str:
    graph = snncore.to_nir(model, **given)
    import nir

    nir.write(path, graph)
    return f"{len(graph.nodes)} nodes, {len(graph.edges)} edges"


def _to_onnx(model: snncore.Model, path: Path, given: Mapping[str, Any]) -> str:
    made = snncore.to_onnx(model, path, **given)
    return f"{len(made.graph.node)} nodes, {len(made.functions)} functions"


#: By the ending of FILE: what writes a .snn there, and the options that it takes.
WRITERS: Mapping[str, tuple[Callable[..., str], tuple[str, ...]]] = {
    ".nir": (_to_nir, ("dt",)),
    ".onnx": (_to_onnx, ("timesteps",)),
}


@click.command()
@click.argument("source")
@click.option("-o", "--output", metavar="FILE", help="Where to write; default: SOURCE with the other ending.")
@click.option("--dt", type=float, help="Seconds of one step; a NIR file does not hold it.")
@click.option(
    "--reset",
    type=click.Choice(["zero", "value", "subtract"]),
    help="What a spike does to the membrane; a NIR file does not hold it.",
)
@click.option(
    "--method", type=click.Choice(["euler", "exponential"]), help="How equations become steps.  [euler]"
)
@click.option(
    "--dialect",
    type=click.Choice(["nir", "snntorch", "spikingjelly"]),
    help="Whose spikes to repeat, to the reset's step.  [nir]",
)
@click.option("--input", "input_dtype", type=click.Choice(["f32", "b1"]), help="Values or spikes.  [f32]")
@click.option(
    "--readout",
    type=click.Choice(["mean", "sum", "last"]),
    help="What becomes of outputs over time; default: every step.",
)
@click.option("--timesteps", type=click.IntRange(1, 4096), help="Steps of a run unless the input tells.  [1]")
def convert(source: str, output: str | None, **options: Any) -> None:
    """Convert SOURCE, a NIR or ONNX file, to a .snn file; or a .snn file to NIR or ONNX, as FILE ends.

    For NIR, what is printed ends with the strength of each neuron's input in one step, r * dt / tau: 1 where
    the right --dt was given for a file of snnTorch.
    """
    kind, given = Path(source).suffix.lower(), {k: v for k, v in options.items() if v is not None}
    if kind == ".snn":
        path = Path(output or Path(source).with_suffix(".nir"))
        write, used = _known(WRITERS, path.suffix.lower(), f"'{path}': convert writes {', '.join(WRITERS)}")
        _check_used(given, used, f"from .snn to {path.suffix.lower()}")
        click.echo(f"{write(load_model(source), path, given)}\nwritten: {path}")
        return
    read, used = _known(
        READERS,
        kind,
        f"'{source}': convert reads {', '.join(READERS)} and .snn; networks of PyTorch are converted in "
        "Python by snncore.from_torch",
    )
    _check_used(given, used, f"from {kind}")
    model = read(source, **given)
    path = Path(output or Path(source).with_suffix(".snn"))
    model.save(path)
    click.echo(f"{text(model)}\nwritten: {path}")


def _known(table: Mapping[str, T], ending: str, otherwise: str) -> T:
    if ending not in table:
        raise click.UsageError(otherwise)
    return table[ending]


def _check_used(given: Mapping[str, Any], used: Sequence[str], way: str) -> None:
    unused = sorted(set(given) - set(used))
    if unused:
        only = ", ".join(f"--{name}" for name in used)
        raise click.UsageError(f"{way} only {only} is used, received --{unused[0].replace('_', '-')}")
