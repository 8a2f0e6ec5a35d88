"""`snncore convert`: files of others to .snn, and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

import snncore

from .common import load_model
from .inspect import text

_RUN = ("input_dtype", "readout", "timesteps")
_NIR = (snncore.from_nir, ("dt", "reset", "method", "dialect", *_RUN))
#: What reads a file, by its ending, and the options that it takes.
READERS: dict[str, tuple[Callable[..., snncore.Model], tuple[str, ...]]] = {
    ".nir": _NIR,
    ".h5": _NIR,
    ".hdf5": _NIR,
    ".net": (snncore.from_lava_dl, _RUN),
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
@click.option(
    "--input",
    "input_dtype",
    type=click.Choice(["f32", "u8", "b1"]),
    help="Values (NIR: f32, lava-dl: u8) or spikes.  [values]",
)
@click.option(
    "--readout",
    type=click.Choice(["mean", "sum", "last"]),
    help="What becomes of outputs over time; default: every step.",
)
@click.option("--timesteps", type=click.IntRange(1, 4096), help="Steps of a run unless the input tells.  [1]")
def convert(source: str, output: str | None, **options: Any) -> None:
    """Convert SOURCE to a .snn file: a NIR file, or a .net file of lava-dl. Or a .snn file to NIR.

    What is printed of a NIR file ends with the strength of each neuron's input in one step, r * dt / tau: 1
    where the right --dt was given for a file of snnTorch.
    """
    kind, given = Path(source).suffix.lower(), {k: v for k, v in options.items() if v is not None}
    if kind == ".snn":
        _to_nir(source, Path(output or Path(source).with_suffix(".nir")), given)
        return
    if kind not in READERS:
        raise click.UsageError(
            f"'{source}': convert reads {', '.join(READERS)} and .snn; networks of PyTorch are converted in "
            "Python by snncore.from_torch"
        )
    read, taken = READERS[kind]
    _refuse_unused(kind, given, taken)
    model = read(source, **given)
    path = Path(output or Path(source).with_suffix(".snn"))
    model.save(path)
    click.echo(f"{text(model)}\nwritten: {path}")


def _refuse_unused(kind: str, given: dict[str, Any], taken: tuple[str, ...]) -> None:
    unused = sorted(set(given) - set(taken))
    if unused:
        flags = ", ".join(f"--{name.removesuffix('_dtype')}" for name in taken)
        raise click.UsageError(
            f"from {kind} only {flags} {'is' if len(taken) == 1 else 'are'} used, received "
            f"--{unused[0].removesuffix('_dtype')}"
        )


def _to_nir(source: str, path: Path, given: dict[str, Any]) -> None:
    _refuse_unused(".snn", given, ("dt",))
    graph = snncore.to_nir(load_model(source), **given)
    import nir

    nir.write(path, graph)
    click.echo(f"{len(graph.nodes)} nodes, {len(graph.edges)} edges\nwritten: {path}")
