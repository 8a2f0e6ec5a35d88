"""`snncore convert`: files of others to .snn, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import snncore

from .common import load_model
from .inspect import text

NIR = (".nir", ".h5", ".hdf5")


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
    """Convert SOURCE, a NIR file, to a .snn file; or a .snn file to NIR (only --dt is used then).

    What is printed ends with the strength of each neuron's input in one step, r * dt / tau: 1 where the right
    --dt was given for a file of snnTorch.
    """
    kind, given = Path(source).suffix.lower(), {k: v for k, v in options.items() if v is not None}
    if kind == ".snn":
        _to_nir(source, Path(output or Path(source).with_suffix(".nir")), given)
        return
    if kind not in NIR:
        raise click.UsageError(
            f"'{source}': convert reads {', '.join(NIR)} and .snn; networks of PyTorch are converted in "
            "Python by snncore.from_torch"
        )
    model = snncore.from_nir(source, **given)
    path = Path(output or Path(source).with_suffix(".snn"))
    model.save(path)
    click.echo(f"{text(model)}\nwritten: {path}")


def _to_nir(source: str, path: Path, given: dict[str, Any]) -> None:
    unused = sorted(set(given) - {"dt"})
    if unused:
        raise click.UsageError(
            f"from .snn to NIR only --dt is used, received --{unused[0].replace('_', '-')}"
        )
    graph = snncore.to_nir(load_model(source), **given)
    import nir

    nir.write(path, graph)
    click.echo(f"{len(graph.nodes)} nodes, {len(graph.edges)} edges\nwritten: {path}")
