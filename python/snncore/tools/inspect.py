"""`snncore inspect`: what is in a file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

import snncore
from snncore.json_text import json_text
from snncore.memory import Memory, memory_held

from .common import BUNDLED_MODEL, load_model


def facts(model: snncore.Model) -> dict[str, Any]:
    """Give what `--json` prints; the keys stay."""
    return {
        "format": model.metadata["format"],
        "layers": [layer._asdict() for layer in model.layers],
        "bytes": model.file_bytes,
        "timesteps": model.timesteps,
        "inputs": [port._asdict() for port in model.inputs],
        "outputs": [
            {"name": port.name, "dtype": port.dtype, "shape": port.shape, "layout": port.layout}
            for port in model.outputs
        ],
    }


def text(model: snncore.Model) -> str:
    """Write the summary and what is stored beside the network."""
    known = model.metadata
    lines = [model.summary()]
    if known["labels"]:
        lines.append("labels: " + ", ".join(known["labels"]))
    if known["preprocess"]:
        height, width = known["preprocess"]["size"]
        lines.append(
            f"images: {width}x{height}, {known['preprocess']['color']}, crop {known['preprocess']['crop']}"
        )
    lines += [f"{key}: {value}" for key, value in known["provenance"].items()]
    return "\n".join(lines)


@click.command()
@click.argument("model", default=str(BUNDLED_MODEL), metavar="[MODEL]")
@click.option("--memory", is_flag=True, help="Also what running takes, one sample: all steps, and a stream.")
@click.option("--threads", type=int, default=1, help="Of --memory.  [1]")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def inspect(model: str, memory: bool, threads: int, as_json: bool) -> None:
    """Show layers, shapes, bits, bytes and time steps of a .snn file (default: the bundled model)."""
    loaded = load_model(model)
    held = running(loaded, threads) if memory else []
    if as_json:
        added = {"memory": [record(m) for m in held]} if memory else {}
        click.echo(json_text({**facts(loaded), **added}))
    else:
        click.echo("\n".join([text(loaded), *map(str, held)]))


def running(model: snncore.Model, threads: int) -> list[Memory]:
    """Give the memory of a run, and of a stream where the model has one."""
    run, stream = model.memory(threads=threads), memory_held(model, threads)
    return [run, stream] if stream.stream else [run]


def record(memory: Memory) -> dict[str, Any]:
    """Give what `--json` prints of one way to run; the keys stay."""
    return {**asdict(memory), "session": memory.session}
