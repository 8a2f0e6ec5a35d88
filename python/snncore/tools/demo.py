"""`snncore demo`: the bundled model on the bundled images, with nothing downloaded."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.columns import Columns
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

import snncore
from snncore.images import Picture
from snncore.json_text import json_text

from .bench import inputs, size_line
from .common import BUNDLED_MODEL, bundled_images, load_model, logits, pictures, stack
from .machine import machine
from .run import ranked
from .subjects import Subject, ours, peer
from .thumbnails import thumbnail
from .timing import Seconds, Times, alternate

_THUMBNAIL = 14


def classified(
    model: snncore.Model, images: Sequence[Picture], classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Run the images: true class, label, margin over the next, right or wrong."""
    values = logits(model, model.run(stack(images), layout="NCHW"))
    results = []
    for true, row in zip(classes, values, strict=True):
        first, second = ranked(model, row, 2)
        results.append(
            {
                "image": true,
                "label": first["label"],
                "margin": first["score"] - second["score"],
                "next": second["label"],
                "correct": first["label"] == true,
            }
        )
    return results


def _gallery(images: Sequence[Picture], results: Sequence[dict[str, Any]]) -> Columns:
    cards = []
    for picture, r in zip(images, results, strict=True):
        verdict = Text(f"{r['label']} {'✓' if r['correct'] else '✗'}", "green" if r["correct"] else "red")
        margin = Text(f"+{r['margin']:.2f} {r['next']}", "dim")
        cards.append(Group(thumbnail(picture.pixels, _THUMBNAIL), verdict, margin, Text()))
    return Columns(cards, width=_THUMBNAIL + 1, padding=(0, 0))


def _table(results: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("image", "label", "", "margin", "over"):
        table.add_column(heading, justify="right" if heading == "margin" else "left", no_wrap=True)
    for r in results:
        verdict = "right" if r["correct"] else "wrong"
        table.add_row(r["image"], r["label"], verdict, f"{r['margin']:.2f}", r["next"])
    return table


def _has_torch() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("torch", "safetensors"))


def _timed(model: snncore.Model, seconds: float) -> tuple[list[Subject], list[Times], list[NDArray[Any]]]:
    """Time one image at a time, one thread; beside it PyTorch where it is installed."""
    batches = inputs(model, 1)
    subjects = [ours(model, batches, 1)]
    if _has_torch():
        subjects.append(peer("torch", model, batches, 1))
    return subjects, alternate(subjects, len(batches), seconds), batches


def _same_spikes(model: snncore.Model, images: Sequence[Picture]) -> str:
    """Compare every spike with the integer reference, which reads the same file on its own."""
    report = snncore.verify(model, None, stack(images), layout="NCHW")
    verdict = "all equal" if report.equal else "DIFFERENT"
    return f"spikes against the integer reference in PyTorch: {report.spikes:,} compared, {verdict}"


@click.command()
@click.option("--seconds", default=1.0, show_default=True, type=Seconds(0.01), help="Timing, each subject.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def demo(seconds: float, as_json: bool) -> None:
    """Classify the ten bundled images with the bundled model; no downloads."""
    model = load_model(BUNDLED_MODEL)
    files = bundled_images()
    images = pictures(list(files.values()), model)
    results = classified(model, images, list(files))
    subjects, times, batches = _timed(model, seconds)
    if as_json:
        timed = [{"subject": s.name, "median_ms": t.median} for s, t in zip(subjects, times, strict=True)]
        facts = {"file_bytes": model.file_bytes, "machine": machine(), "isa": snncore.isa()}
        click.echo(json_text({"results": results, "times": timed, **facts}))
        return
    console = Console()
    colourful = console.is_terminal and console.color_system in ("256", "truecolor")
    console.print(_gallery(images, results) if colourful else _table(results))
    right = sum(r["correct"] for r in results)
    click.echo(f"{right} of {len(results)} right (ten CIFAR-10 (JPEG) test images, the last of each class)")
    click.echo(size_line(model))
    click.echo(
        f"time for one image, one thread: {times[0].median:.3f} ms (median of {times[0].count} runs; "
        f"{machine()}, kernels {snncore.isa()})"
    )
    if len(subjects) == 1:
        click.echo("to compare with PyTorch: pip install 'snncore[torch]' and run this again")
        return
    same = all(np.array_equal(*(s.run(i).argmax(1) for s in subjects)) for i in range(len(batches)))
    click.echo(
        f"the same network in {subjects[1].note}: {times[1].median:.3f} ms, "
        f"{times[1].median / times[0].median:.1f} times as long; labels {'agree' if same else 'DIFFER'}"
    )
    click.echo(_same_spikes(model, images))
