"""`snncore run`: images or recordings in, labels out."""

from __future__ import annotations

from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

import snncore
from snncore.json_text import json_text

from .common import class_name, load_model, logits, pictures, stack
from .recordings import classify, is_recording, window_of
from .shown import Shown


def ranked(model: snncore.Model, values: Any, top: int) -> list[dict[str, Any]]:
    """Give the `top` classes of one sample, best first; of equal values the lower index comes first."""
    order = np.argsort(-np.asarray(values), kind="stable")[:top]
    return [{"index": int(i), "label": class_name(model, int(i)), "score": float(values[i])} for i in order]


@click.command()
@click.argument("model")
@click.argument("files", nargs=-1, required=True)
@click.option("--top", default=1, show_default=True, type=click.IntRange(1), help="How many labels to show.")
@click.option("--threads", type=click.IntRange(1, 256), help="Threads to use.")
@click.option("--window-us", type=click.IntRange(1), help="Recordings: microseconds of a step.")
@click.option("--raster", is_flag=True, help="Print who fired when; one file.")
@click.option("--rates", is_flag=True, help="Print how often the layers fire; one file.")
@click.option(
    "--record",
    multiple=True,
    metavar="LAYER",
    help="What to show: a neuron layer, or its membrane, LAYER.v; may be repeated. Default: all layers.",
)
@click.option("--picture", metavar="FILE", help="Draw what was recorded: .png, .svg, .pdf, .txt or .npz.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def run(
    model: str,
    files: tuple[str, ...],
    top: int,
    threads: int | None,
    window_us: int | None,
    raster: bool,
    rates: bool,
    record: tuple[str, ...],
    picture: str | None,
    as_json: bool,
) -> None:
    """Classify images (PNG or JPEG, of any size) or recordings of an event camera with a .snn file.

    Recordings are .bin and .bs2 files of N-MNIST, or .npy and .npz files with x, y, p and t. With --record of
    a membrane (lif1.v), what is printed and drawn is its trace; else --raster and --picture show spikes.
    """
    shown = Shown(raster, rates, record, picture)
    shown.check(files)
    loaded = load_model(model)
    names = shown.names(loaded)
    if all(map(is_recording, files)):
        results, recorded = _recordings(loaded, files, top, threads, window_of(loaded, window_us), names)
    elif any(map(is_recording, files)):
        raise click.UsageError("expected images or recordings, received both")
    else:
        results, recorded = _images(loaded, files, top, threads, names)
    if recorded is not None:
        shown.save(recorded)
    if as_json:
        facts = {"model": model, "results": results}
        click.echo(json_text(facts if recorded is None else facts | shown.facts(recorded)))
        return
    for result in results:
        if result["note"]:
            click.echo(f"note: {result['note']}", err=True)
    Console(soft_wrap=True).print(_table(results))
    if recorded is not None:
        for part in shown.texts(recorded):
            click.echo(f"\n{part}")


def _images(
    model: snncore.Model, files: tuple[str, ...], top: int, threads: int | None, record: list[str] | None
) -> tuple[list[dict[str, Any]], snncore.Result | None]:
    read = pictures(files, model)
    ran = model.run(stack(read), layout="NCHW", threads=threads, record=record or [])
    values = logits(model, ran.outputs)
    results = [
        {"image": path, "top": ranked(model, row, top), "note": picture.note}
        for path, picture, row in zip(files, read, values, strict=True)
    ]
    return results, ran if record else None


def _recordings(
    model: snncore.Model,
    files: tuple[str, ...],
    top: int,
    threads: int | None,
    window_us: int,
    record: list[str] | None,
) -> tuple[list[dict[str, Any]], snncore.Result | None]:
    each = [classify(model, path, window_us, threads, record) for path in files]
    results = [
        {"recording": path, "top": ranked(model, r.values, top), "steps": r.steps, "note": r.note}
        for path, r in zip(files, each, strict=True)
    ]
    return results, each[0].recorded


def _table(results: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    what = next(iter(results[0]))
    for heading in (what, "label", "score"):
        table.add_column(heading, no_wrap=True, justify="right" if heading == "score" else "left")
    for result in results:
        for place, best in enumerate(result["top"]):
            table.add_row("" if place else result[what], best["label"], f"{best['score']:.3f}")
    return table
