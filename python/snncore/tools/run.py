"""`snncore run`: images in, labels out."""

from __future__ import annotations

import json
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

import snncore

from .common import class_name, load_model, logits, pictures, stack


def ranked(model: snncore.Model, values: Any, top: int) -> list[dict[str, Any]]:
    """Give the `top` classes of one sample, best first; of equal values the lower index comes first."""
    order = np.argsort(-np.asarray(values), kind="stable")[:top]
    return [{"index": int(i), "label": class_name(model, int(i)), "score": float(values[i])} for i in order]


@click.command()
@click.argument("model")
@click.argument("images", nargs=-1, required=True)
@click.option("--top", default=1, show_default=True, type=click.IntRange(1), help="How many labels to show.")
@click.option("--threads", type=click.IntRange(1, 256), help="Threads to use.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def run(model: str, images: tuple[str, ...], top: int, threads: int | None, as_json: bool) -> None:
    """Classify images (PNG or JPEG, of any size) with a .snn file."""
    loaded = load_model(model)
    read = pictures(images, loaded)
    values = logits(loaded, loaded.run(stack(read), layout="NCHW", threads=threads))
    results = [
        {"image": path, "top": ranked(loaded, row, top), "note": picture.note}
        for path, picture, row in zip(images, read, values, strict=True)
    ]
    if as_json:
        click.echo(json.dumps({"model": model, "results": results}))
        return
    for picture in read:
        if picture.note:
            click.echo(f"note: {picture.note}", err=True)
    Console(soft_wrap=True).print(_table(results))


def _table(results: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("image", "label", "score"):
        table.add_column(heading, no_wrap=True, justify="right" if heading == "score" else "left")
    for result in results:
        for place, best in enumerate(result["top"]):
            table.add_row("" if place else result["image"], best["label"], f"{best['score']:.3f}")
    return table
