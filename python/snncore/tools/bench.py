"""`snncore bench`: how fast, and how much faster than the same network elsewhere."""

from __future__ import annotations

from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

import snncore
from snncore.infos import byte_text
from snncore.json_text import json_text

from . import peak
from .common import BUNDLED_MODEL, load_model, sample_input
from .machine import machine
from .subjects import PEERS, Subject, ours, peer
from .timing import Seconds, alternate

Row = dict[str, Any]
HEADINGS = (
    "subject",
    "threads",
    "batch",
    "median ms",
    "min ms",
    "p95 ms",
    "peak memory",
    "labels",
    "times ours",
)


def checkpoint_bytes(model: snncore.Model) -> int | None:
    """Give the size of the float32 parameters and batch-norm statistics, where the file tells it."""
    values = model.metadata["provenance"].get("float32_values", "")
    return 4 * int(values) if values.isdigit() else None


def size_line(model: snncore.Model) -> str:
    """Compare the file with the checkpoint it came from."""
    line = f"file: {byte_text(model.file_bytes)}"
    float32 = checkpoint_bytes(model)
    if float32 is None:
        return line
    return (
        f"{line}; float32 checkpoint of the same network: {byte_text(float32)} "
        f"({float32 // 4:,} weights and batch-norm values of 4 bytes), "
        f"{float32 / model.file_bytes:.1f} times as large"
    )


def measure(
    path: str, model: snncore.Model, threads: int, batch: int, against: tuple[str, ...], seconds: float
) -> tuple[list[Row], list[str]]:
    """Run all subjects at one number of threads: rows of the table, and notes on the peers."""
    batches = inputs(model, batch)
    subjects = [ours(model, batches, threads), *(peer(name, model, batches, threads) for name in against)]
    labels = [_labels(s, len(batches)) for s in subjects]
    times = alternate(subjects, len(batches), seconds)
    rows: list[Row] = []
    for subject, found, t in zip(subjects, labels, times, strict=True):
        rows.append(
            {
                "subject": subject.name,
                "threads": threads,
                "batch": batch,
                "median_ms": t.median,
                "min_ms": t.minimum,
                "p95_ms": t.p95,
                "peak_rss_bytes": peak.measure(path, subject.name, threads, batch),
                "equal": bool(np.array_equal(found, labels[0])),
                "ratio": t.median / times[0].median,
            }
        )
    return rows, [f"{s.name}: {s.note}" for s in subjects if s.note]


def inputs(model: snncore.Model, batch: int) -> list[NDArray[Any]]:
    """Cut ten batches from the sample input."""
    frames = sample_input(model, 10 + batch - 1)
    return [np.ascontiguousarray(frames[i : i + batch]) for i in range(10)]


def _labels(subject: Subject, count: int) -> NDArray[np.int64]:
    subject.prepare()
    return np.concatenate([subject.run(i).argmax(axis=1) for i in range(count)])


def cells(row: Row) -> list[str]:
    """Write a row of the table."""
    rss = row["peak_rss_bytes"]
    return [
        row["subject"],
        str(row["threads"]),
        str(row["batch"]),
        *(f"{row[key]:.3f}" for key in ("median_ms", "min_ms", "p95_ms")),
        "-" if rss is None else byte_text(rss),
        "agree" if row["equal"] else "DIFFER",
        f"{row['ratio']:.2f}",
    ]


def markdown(rows: list[Row]) -> str:
    """Write the table for a document."""
    lines = [HEADINGS, ("---",) + ("---:",) * (len(HEADINGS) - 1), *map(cells, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _print(rows: list[Row]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "subject" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*cells(row))
    Console(width=max(100, Console().width)).print(table)


def _numbers(_context: click.Context, _option: click.Parameter, value: str) -> tuple[int, ...]:
    numbers = [part.strip() for part in value.split(",")]
    if not all(n.isdigit() and 1 <= int(n) <= 256 for n in numbers):
        raise click.BadParameter(f"expected numbers from 1 to 256, separated by commas, received '{value}'")
    return tuple(map(int, numbers))


def _names(_context: click.Context, _option: click.Parameter, value: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in value.split(",") if part.strip())
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise click.BadParameter(f"'{unknown[0]}' is unknown; known: {', '.join(PEERS)}")
    return names


@click.command()
@click.argument("model", default=str(BUNDLED_MODEL), metavar="[MODEL]")
@click.option("--threads", default="1", show_default=True, callback=_numbers, help="One or several: 1,2")
@click.option("--against", default="", callback=_names, help=f"Compare with: {', '.join(PEERS)}")
@click.option("--batch", default=1, show_default=True, type=click.IntRange(1), help="Samples a run.")
@click.option("--seconds", default=3.0, show_default=True, type=Seconds(0.01), help="For each subject.")
@click.option("--format", "form", default="table", type=click.Choice(["table", "md", "json"]), help="Output.")
def bench(
    model: str, threads: tuple[int, ...], against: tuple[str, ...], batch: int, seconds: float, form: str
) -> None:
    """Time a .snn file (default: the bundled model), alone or against the same network in PyTorch.

    Subjects take turns; a run is one call with a batch of single images shown at every time step. Labels
    are compared before anything is timed. PyTorch runs the network in float32, rebuilt from the file, in
    evaluation and inference mode, with batch norm folded.
    """
    loaded = load_model(model)
    rows: list[Row] = []
    notes: list[str] = []
    for count in threads:
        more, notes = measure(model, loaded, count, batch, against, seconds)
        rows += more
    facts = {"model": model, "file_bytes": loaded.file_bytes, "machine": machine(), "isa": snncore.isa()}
    if form == "json":
        click.echo(json_text({**facts, "rows": rows}))
        return
    click.echo(f"machine: {facts['machine']}; snncore {snncore.__version__}, kernels {facts['isa']}")
    click.echo(size_line(loaded))
    for note in notes:
        click.echo(note)
    click.echo()
    if form == "md":
        click.echo(markdown(rows))
    else:
        _print(rows)
