"""`snncore prune`: channels or single weights taken out of a finished model."""

from __future__ import annotations

from typing import Any, get_args

import click

import snncore
from snncore.compress.scores import Criterion

from .common import load_array, load_model
from .outputs import new_file


@click.command()
@click.argument("model")
@click.option("-o", "--output", metavar="FILE", required=True, callback=new_file, help="Where to write.")
@click.option("--ratio", type=float, help="Share of the channels that goes, 0 to 1.  [0.5]")
@click.option("--calibration", metavar="X.npy", help="Samples, in the model's own layout.")
@click.option(
    "--criterion",
    type=click.Choice(get_args(Criterion)),
    default="svs",
    help="What stays: channels whose spike maps have the highest rank, the largest membranes or weights; or "
    "all that fire.  [svs]",
)
@click.option(
    "--layer",
    "ratios",
    metavar="NAME=RATIO",
    multiple=True,
    help="A ratio of one layer; may be given several times.",
)
@click.option("--unstructured", is_flag=True, help="Make single weights zero; with --criterion magnitude.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def prune(
    model: str,
    output: str,
    calibration: str | None,
    ratios: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Prune MODEL, a .snn file, without training, and print what became of each layer."""
    if calibration is not None:
        options["calibration"] = load_array(calibration)
    made, report = snncore.prune(load_model(model), ratios=dict(map(_named, ratios)), **options)
    made.save(output)
    click.echo(report.to_json() if as_json else f"{report}\nwritten: {output}")


def _named(text: str) -> tuple[str, float]:
    name, _, number = text.rpartition("=")
    try:
        return name, float(number)
    except ValueError:
        raise click.UsageError(f"--layer takes NAME=RATIO, such as conv1=0.5; received '{text}'") from None
