"""`snncore quantize`: float weights to 1, 2, 4 or 8 bits, and integer neurons."""

from __future__ import annotations

from typing import Any, get_args

import click

import snncore
from snncore.compress.codes import Gamma, Granularity
from snncore.compress.options import STATES

from .common import load_array, load_model
from .outputs import new_file


@click.command()
@click.argument("model")
@click.option("-o", "--output", metavar="FILE", required=True, callback=new_file, help="Where to write.")
@click.option("--bits", type=click.Choice(["1", "2", "4", "8"]), default="8", help="Of the weights.  [8]")
@click.option(
    "--calibration", metavar="X.npy", help="Samples, in the model's own layout: how well it agrees."
)
@click.option(
    "--method",
    type=click.Choice(["symmetric", "rescaw"]),
    help="How weights are rounded; default: symmetric for 8 bits, else rescaw.",
)
@click.option("--gamma", type=click.Choice(get_args(Gamma)), help="The scale of rescaw.  [mean]")
@click.option("--granularity", type=click.Choice(get_args(Granularity)), help="One scale a ...  [channel]")
@click.option("--state", type=click.Choice([*STATES, "auto"]), help="Bits of membranes.  [i16]")
@click.option("--profile", type=click.Choice(["W", "U", "auto"]), help="Unit of membranes.  [W]")
@click.option("--zero-point", type=int, help="With --scale: the input takes raw pixels.")
@click.option("--scale", type=float, help="A value is (pixel - zero point) * scale.")
@click.option("--strict", is_flag=True, help="Refuse where a layer would stay float.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def quantize(
    model: str,
    output: str,
    bits: str,
    calibration: str | None,
    zero_point: int | None,
    scale: float | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Quantise MODEL, a .snn file of float weights, without training, and print what became of each layer."""
    if (zero_point is None) != (scale is None):
        raise click.UsageError("--zero-point and --scale go together")
    given = {name: value for name, value in options.items() if value is not None}
    if scale is not None:
        given["preprocess"] = {"zero_point": zero_point, "scale": scale}
    if calibration is not None:
        given["calibration"] = load_array(calibration)
    made, report = snncore.quantize(load_model(model), bits=int(bits), **given)
    made.save(output)
    click.echo(report.to_json() if as_json else f"{report}\nwritten: {output}")
