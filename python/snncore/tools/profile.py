"""`snncore profile`: where the time of a run goes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

import snncore
from snncore.files import write_atomically
from snncore.json_text import json_text

from .common import load_array, load_model, pictures, stack
from .outputs import new_file
from .recordings import is_recording, window_of, windows
from .timing import Seconds


@click.command()
@click.argument("model")
@click.argument("files", nargs=-1)
@click.option("--input", "input_path", metavar="X.npy", help="Samples in the model's own layout, no files.")
@click.option("--window-us", type=click.IntRange(1), help="A recording: microseconds of a step.")
@click.option("--threads", type=click.IntRange(1, 256), help="Threads to use.")
@click.option("--seconds", default=1.0, show_default=True, type=Seconds(0), help="How long to run.")
@click.option(
    "--trace", callback=new_file, metavar="T.json", help="For chrome://tracing and ui.perfetto.dev."
)
@click.option("--html", callback=new_file, metavar="P.html", help="A page of bars; needs no network.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def profile(
    model: str,
    files: tuple[str, ...],
    input_path: str | None,
    window_us: int | None,
    threads: int | None,
    seconds: float,
    trace: str | None,
    html: str | None,
    as_json: bool,
) -> None:
    """Tell what the layers of a .snn file take: time, bytes, operations, and how often neurons fire.

    FILES are images (PNG or JPEG, of any size), which are run together, as one batch, or one recording of an
    event camera (.bin, .bs2, .npy, .npz), all of its windows. Times are medians: of the processor with one
    thread, else wall time. The trace lays them end to end; it is not a record of one run.
    """
    if bool(files) == (input_path is not None):
        raise click.UsageError("expected one of: images, a recording, --input X.npy")
    if len(files) > 1 and any(map(is_recording, files)):
        raise click.UsageError(f"expected images or one recording, received {len(files)} files")
    if trace is not None and trace == html:
        raise click.UsageError(f"expected two names for --trace and --html, received '{trace}' twice")
    loaded = load_model(model)
    x, layout, notes = _input(loaded, files, input_path, window_us)
    found = loaded.profile(x, layout=layout, threads=threads, seconds=seconds)
    inputs = [input_path] if input_path else list(files)
    if trace is not None:
        found.chrome_trace(trace)
    if html is not None:
        write_atomically(html, found.to_html(_title(model, inputs)).encode(errors="replace"))
    if as_json:
        click.echo(json_text({"model": model, "inputs": inputs, "isa": snncore.isa(), **asdict(found)}))
        return
    for note in notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"{found.table()}, kernels {snncore.isa()}")
    for path in filter(None, (trace, html)):
        click.echo(f"written: {path}")


def _input(
    model: snncore.Model, files: tuple[str, ...], input_path: str | None, window_us: int | None
) -> tuple[Any, str | None, list[str]]:
    """Give the samples, their layout, and what was done to images to make them fit."""
    if input_path is not None:
        return load_array(input_path), None, []
    if is_recording(files[0]):
        x = windows(model, files[0], window_of(model, window_us))
        return x, "TNCHW" if x.ndim == 5 else "TNC", []
    read = pictures(files, model)
    return stack(read), "NCHW", [picture.note for picture in read if picture.note]


def _title(model: str, files: list[str]) -> str:
    shown = Path(files[0]).name if len(files) == 1 else f"{len(files)} images"
    return f"{Path(model).name}, {shown}, kernels {snncore.isa()}"
