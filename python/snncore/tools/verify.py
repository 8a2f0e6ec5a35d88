"""`snncore verify`: the same spikes as the network it was made from, or as the integer reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

import snncore
from snncore.parity import verify as compare

from .common import load_model, random_input, sample_input, takes_bundled_images

RANDOM_SAMPLES = 16


@click.command()
@click.argument("model")
@click.argument("module", required=False)
@click.option("--input", "input_path", metavar="X.npy", help="Samples to run, in the model's own layout.")
@click.option("--threads", type=click.IntRange(1, 256), help="Threads for the engine.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def verify(
    model: str, module: str | None, input_path: str | None, threads: int | None, as_json: bool
) -> None:
    """Compare a .snn file, spike by spike, with MODULE, or with the integer reference where none is given.

    MODULE is a file of torch.save(network), network a snncore.reference.Network or torch.nn.Sequential;
    only classes of torch.nn and snncore.reference are read from it. Without --input the bundled images are
    used where they fit, and random samples. Exit status 2 where something differs.
    """
    loaded = load_model(model)
    network = None if module is None else load_module(module)
    if input_path is not None:
        report = compare(loaded, network, load_array(input_path), threads=threads)
    else:
        x, layout = default_input(loaded)
        report = compare(loaded, network, x, layout=layout, threads=threads)
    click.echo(report.to_json() if as_json else str(report))
    if not report.equal:
        raise snncore.Error(f"'{model}' and {report.against} do not agree")


def default_input(model: snncore.Model) -> tuple[Any, str]:
    """Give the bundled images where they fit, and random frames, without a time axis."""
    if len(model.inputs) != 1:
        raise ValueError("a model with several inputs cannot be verified from the command line")
    frames = [random_input(model, RANDOM_SAMPLES)]
    if takes_bundled_images(model):
        frames.insert(0, sample_input(model, 10))
    return np.concatenate(frames), "NCHW" if len(model.inputs[0].shape) == 3 else "NC"


def load_array(path: str) -> Any:
    """Read a .npy file of float32, uint8 or bool."""
    if not Path(path).is_file():
        raise FileNotFoundError(2, "No such file or directory", path)
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError):
        raise ValueError(f"'{path}' is not a .npy file of numbers") from None


def load_module(path: str) -> Any:
    """Read a network stored with ``torch.save(network)``, without running code from the file."""
    if not Path(path).is_file():
        raise FileNotFoundError(2, "No such file or directory", path)
    import torch

    from snncore import reference

    layers = [c for c in vars(torch.nn).values() if isinstance(c, type) and issubclass(c, torch.nn.Module)]
    ours = [reference.Network, reference.Conv2d, reference.Linear, reference.LIF, reference.IF]
    try:
        with torch.serialization.safe_globals([*layers, *ours, reference.WeightQuantizer]):
            content = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as why:  # whatever the unpickler meets in a file that is none
        detail = str(why).splitlines()[0] if str(why) else type(why).__name__
        raise ValueError(f"'{path}' is not a network stored with torch.save(network) ({detail})") from None
    if not isinstance(content, torch.nn.Module):
        raise ValueError(
            f"'{path}' holds {type(content).__name__}, not a network; store the whole of it with "
            "torch.save(network, path)"
        )
    return content
