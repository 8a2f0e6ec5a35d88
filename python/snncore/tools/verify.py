"""`snncore verify`: the same spikes as the network it was made from, or as the integer reference."""

from __future__ import annotations

from typing import Any

import click
import numpy as np

import snncore
from snncore.parity import VerifyReport
from snncore.parity import verify as compare
from snncore.pictures import check_path

from .common import load_array, load_model, random_input, sample_input, takes_bundled_images
from .modules import load_origin

RANDOM_SAMPLES, RANDOM_STEPS = 16, 16


@click.command()
@click.argument("model")
@click.argument("module", required=False)
@click.option("--input", "input_path", metavar="X.npy", help="Samples to run, in the model's own layout.")
@click.option("--threads", type=click.IntRange(1, 256), help="Threads for the engine.")
@click.option(
    "--raster", is_flag=True, help="Print the spikes of both sides, of the sample that parts first."
)
@click.option(
    "--picture", metavar="FILE", help="Draw them, and what differs: .png, .svg, .pdf, .txt or .npz."
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def verify(
    model: str,
    module: str | None,
    input_path: str | None,
    threads: int | None,
    raster: bool,
    picture: str | None,
    as_json: bool,
) -> None:
    """Compare a .snn file, spike by spike, with MODULE, or with the integer reference where none is given.

    MODULE is the NIR file that the model was made from, or a file of torch.save(network), network a
    snncore.reference.Network or torch.nn.Sequential; only classes of torch.nn and snncore.reference are read
    from it. Without --input the bundled images are
    used where they fit, and random samples. Exit status 2 where something differs.
    """
    if picture is not None:
        check_path(picture)
    loaded = load_model(model)
    network = None if module is None else load_origin(module)
    if input_path is not None:
        report = compare(loaded, network, load_array(input_path), threads=threads)
    else:
        x, layout = default_input(loaded)
        report = compare(loaded, network, x, layout=layout, threads=threads)
    show(report, raster, picture, as_json)
    if not report.equal:
        raise snncore.Error(f"'{model}' and {report.against} do not agree")


def show(report: VerifyReport, raster: bool, picture: str | None, as_json: bool) -> None:
    """Print a report, and draw it where asked to."""
    if picture is not None:
        report.picture(picture)
    if as_json:
        click.echo(report.to_json())
        return
    click.echo(str(report))
    if raster:
        click.echo(f"\n{report.picture()}")


def default_input(model: snncore.Model) -> tuple[Any, str]:
    """Give random input and its layout: sequences where the model takes them; else frames.

    The bundled images come before those frames where they fit.
    """
    if len(model.inputs) != 1:
        raise ValueError("a model with several inputs cannot be verified from the command line")
    axes = "NCHW" if len(model.inputs[0].shape) == 3 else "NC"
    if "T" in model.inputs[0].layout:
        steps = max(model.timesteps, RANDOM_STEPS)
        frames = random_input(model, steps * RANDOM_SAMPLES)
        return frames.reshape(steps, RANDOM_SAMPLES, *frames.shape[1:]), f"T{axes}"
    frames = random_input(model, RANDOM_SAMPLES)
    if takes_bundled_images(model):
        frames = np.concatenate([sample_input(model, 10), frames])
    return frames, axes
