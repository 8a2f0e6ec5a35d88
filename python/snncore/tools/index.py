"""`snncore index`: make an index of a file of vectors, search it, look into it."""

from __future__ import annotations

import io
import time
from typing import Any, get_args

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from snncore import vectors
from snncore.convert.progress import tracked
from snncore.files import write_atomically
from snncore.index import Index, MetricName, PlanName, StoreName
from snncore.json_text import json_text

from .common import load_array
from .outputs import new_file

FIT_ROWS = 100_000
ADD_ROWS = 50_000
ENCODERS = ("itq", "srp", "mlp", "e2lsh", "cross_polytope")


def _archive(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.endswith(".npz"):
        raise click.BadParameter(f"'{value}': expected a name that ends in .npz")
    return new_file(context, option, value)


@click.group()
def index() -> None:
    """Nearest neighbours of vectors by learned binary codes: make an index, search it."""


@index.command()
@click.argument("file", metavar="VECTORS")
@click.option("-o", "--output", metavar="FILE", required=True, callback=new_file, help="Where to write.")
@click.option("--ids", metavar="IDS.npy", help="An id for each vector; default: 0, 1, 2 ...")
@click.option("--bits", type=int, default=256, help="Of a code: 64 to 1024, a multiple of 64.  [256]")
@click.option("--encoder", type=click.Choice(ENCODERS), default="itq", help="How codes are made.  [itq]")
@click.option("--metric", type=click.Choice(get_args(MetricName)), default="l2", help="Which distance.  [l2]")
@click.option("--tables", type=int, help="Hash tables; 0: scan only.  [8, or as many as fit]")
@click.option("--key-bits", type=int, default=16, help="Bits that are a table's key.  [16]")
@click.option(
    "--store",
    type=click.Choice([*get_args(StoreName), "none"]),
    default="f16",
    help="How vectors are kept for exact distances.  [f16]",
)
@click.option("--bytes-first", is_flag=True, help="Also bytes, which choose whose exact distances count.")
@click.option("--seed", type=int, default=0, help="Of random numbers.  [0]")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def build(file: str, output: str, ids: str | None, store: str, as_json: bool, **options: Any) -> None:
    """Make an index of VECTORS (.npy, .fvecs, .bvecs), a row each."""
    rows = vectors.load(file, mmap=True)
    named = np.arange(len(rows), dtype=np.uint64) if ids is None else _ids(ids, len(rows))
    made = Index(rows.shape[1], store=None if store == "none" else store, **options)  # type: ignore[arg-type]
    begin = time.perf_counter()
    made.fit(rows[_spread(len(rows))])
    fitted = time.perf_counter()
    for first in tracked(range(0, len(rows), ADD_ROWS), "adding", None):
        made.add(named[first : first + ADD_ROWS], rows[first : first + ADD_ROWS])
    made.compact()
    made.save(output)
    facts = {"file": output, **_facts(made), "fit_s": fitted - begin, "build_s": time.perf_counter() - begin}
    click.echo(json_text(facts) if as_json else f"{_text(facts)}\nwritten: {output}")


@index.command()
@click.argument("file", metavar="INDEX")
@click.argument("queries", metavar="QUERIES")
@click.option("-k", type=int, default=10, help="How many neighbours.  [10]")
@click.option("--probes", type=int, default=32, help="Buckets for each table.  [32]")
@click.option("--rerank", type=int, help="Exact distances for each query.  [max(64, 10 k)]")
@click.option("--asymmetric", is_flag=True, help="Rank codes by how sure the query is of each bit.")
@click.option("--plan", type=click.Choice(get_args(PlanName)), default="auto", help="How.  [auto]")
@click.option("--threads", type=click.IntRange(1, 256), help="Threads to use.")
@click.option(
    "-o",
    "--output",
    metavar="FILE.npz",
    callback=_archive,
    help="Write 'ids' and 'distances' there instead.",
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def search(
    file: str, queries: str, k: int, threads: int | None, output: str | None, as_json: bool, **options: Any
) -> None:
    """Find the nearest vectors of each of QUERIES (.npy, .fvecs, .bvecs) in INDEX."""
    opened, rows = Index.open(file), vectors.load(queries)
    begin = time.perf_counter()
    ids, distances = opened.search(rows, k, threads=threads, **options)
    seconds = time.perf_counter() - begin
    facts = {"index": file, "k": k, "seconds": seconds}
    if output is not None:
        _write(output, ids, distances)
        text = f"{len(rows)} queries, {seconds:.3f} s\nwritten: {output}"
        click.echo(json_text({**facts, "output": output}) if as_json else text)
        return
    found = [_found(*row) for row in zip(ids, distances, strict=True)]
    if as_json:
        click.echo(json_text({**facts, "results": [{"ids": i, "distances": d} for i, d in found]}))
        return
    table = Table("query", "ids", "distances")
    for q, (i, d) in enumerate(found):
        table.add_row(str(q), " ".join(map(str, i)), " ".join(f"{x:.4g}" for x in d))
    Console().print(table)


def _write(output: str, ids: NDArray[np.int64], distances: NDArray[np.float32]) -> None:
    archive = io.BytesIO()
    np.savez(archive, ids=ids, distances=distances)
    write_atomically(output, archive.getvalue())


def _found(ids: NDArray[np.int64], distances: NDArray[np.float32]) -> tuple[list[int], list[float]]:
    """Give the neighbours that are there: ids of 64 bits without sign, and distances."""
    there = (ids != -1) | np.isfinite(distances)
    return ids[there].astype(np.uint64).tolist(), distances[there].tolist()


@index.command()
@click.argument("file", metavar="INDEX")
@click.option("--verify", is_flag=True, help="Also check the checksum of everything.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def info(file: str, verify: bool, as_json: bool) -> None:
    """Show what INDEX holds, and the bytes of each section."""
    facts = {"file": file, **_facts(Index.open(file, verify=verify))}
    click.echo(json_text(facts) if as_json else _text(facts))


def _facts(index: Index) -> dict[str, Any]:
    """Give what `--json` prints; the keys stay."""
    stats = index.stats()
    return {
        "vectors": stats.vectors,
        "removed": stats.removed,
        "segments": stats.segments,
        "dim": index.dim,
        "bits": index.bits,
        "metric": index.metric,
        "encoder": index.encoder,
        "tables": index.tables,
        "store": index.store,
        "bytes": stats.bytes,
    }


def _text(facts: dict[str, Any]) -> str:
    sections = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in facts["bytes"].items())
    return (
        f"{facts['vectors']} vectors of {facts['dim']} numbers, {facts['metric']}; {facts['bits']}-bit codes "
        f"of {facts['encoder']}, {facts['tables']} tables, stored as {facts['store']}\n{sections}"
    )


def _spread(count: int) -> NDArray[np.int64]:
    """Choose the rows that an encoder is fitted to, spread evenly."""
    return np.linspace(0, count - 1, min(count, FIT_ROWS)).astype(np.int64)


def _ids(path: str, count: int) -> NDArray[Any]:
    array: NDArray[Any] = load_array(path)
    if array.ndim != 1 or len(array) != count:
        raise ValueError(f"'{path}': expected {count} ids, one for each vector, received {list(array.shape)}")
    return array
