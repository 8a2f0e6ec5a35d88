"""`snncore convert`: files of others to .snn, and back."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import click

import snncore
from snncore.parity import VerifyReport
from snncore.parity import verify as compare
from snncore.pictures import check_path

from .common import load_model, package_for
from .inspect import text
from .modules import NIR, load_module
from .verify import default_input

#: Values of an example, at most: 64 MB of float32.
_MOST_VALUES = 2**24


class Converted(NamedTuple):
    """A model, what `verify` compares it with (None: the reference), and the package that this needs."""

    model: snncore.Model
    origin: Any = None
    needs: str = "torch"


class Kind(NamedTuple):
    """How files with one ending are read, and which options mean something for them."""

    read: Callable[..., Converted]
    options: frozenset[str]


def _from_nir(source: str, **options: Any) -> Converted:
    return Converted(snncore.from_nir(source, **options), source, "h5py")


def _from_torch(source: str, *, example: tuple[int, ...] | None = None, **options: Any) -> Converted:
    network = load_module(source)
    if example is None:
        raise click.UsageError(
            f"'{source}': a network does not say what it takes: give --example 1,3,32,32 (N,C,H,W or N,F; "
            "T in front for a sequence)"
        )
    import torch

    dtype = torch.bool if options.pop("input_dtype", None) == "b1" else torch.float32
    return Converted(snncore.from_torch(network, torch.zeros(example, dtype=dtype), **options), network)


_NIR = Kind(
    _from_nir,
    frozenset({"dt", "reset", "method", "dialect", "input_dtype", "readout", "timesteps"}),
)
_TORCH = Kind(_from_torch, frozenset({"example", "input_dtype", "timesteps"}))

#: What `convert` reads, by ending.
KINDS: Mapping[str, Kind] = {**dict.fromkeys(NIR, _NIR), ".pt": _TORCH, ".pth": _TORCH}


def _shape(_context: click.Context, _option: click.Parameter, given: str | None) -> tuple[int, ...] | None:
    if given is None:
        return None
    parts = given.split(",")
    if not all(p.strip().isascii() and p.strip().isdigit() and len(p) < 10 for p in parts):
        raise click.BadParameter(f"expected whole numbers with commas, such as 1,3,32,32, received '{given}'")
    shape = tuple(map(int, parts))
    if not 2 <= len(shape) <= 5 or 0 in shape or prod(shape) > _MOST_VALUES:
        raise click.BadParameter(
            f"expected 2 to 5 sizes from 1 on, of at most {_MOST_VALUES:,} values in all, received '{given}'"
        )
    return shape


@click.command()
@click.argument("source")
@click.option("-o", "--output", metavar="FILE", help="Where to write; default: SOURCE with the other ending.")
@click.option("--example", callback=_shape, metavar="SHAPE", help="What a .pt network takes: 1,3,32,32.")
@click.option("--dt", type=float, help="Seconds of one step; a NIR file does not hold it.")
@click.option(
    "--reset",
    type=click.Choice(["zero", "value", "subtract"]),
    help="What a spike does to the membrane; a NIR file does not hold it.",
)
@click.option(
    "--method", type=click.Choice(["euler", "exponential"]), help="How equations become steps.  [euler]"
)
@click.option(
    "--dialect",
    type=click.Choice(["nir", "snntorch", "spikingjelly"]),
    help="Whose spikes to repeat, to the reset's step.  [nir]",
)
@click.option("--input", "input_dtype", type=click.Choice(["f32", "b1"]), help="Values or spikes.  [f32]")
@click.option(
    "--readout",
    type=click.Choice(["mean", "sum", "last"]),
    help="What becomes of outputs over time; default: every step.",
)
@click.option("--timesteps", type=click.IntRange(1, 4096), help="Steps of a run unless the input tells.  [1]")
@click.option("--no-verify", is_flag=True, help="Leave the comparison with the source out.")
@click.option(
    "--picture", metavar="FILE", help="Draw the spikes of both sides: .png, .svg, .pdf, .txt or .npz."
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def convert(
    source: str, output: str | None, no_verify: bool, picture: str | None, as_json: bool, **options: Any
) -> None:
    """Convert SOURCE, a NIR file or a .pt of PyTorch, to .snn; or a .snn file to NIR (only --dt is used).

    A .pt file is one of torch.save(network), network made of torch.nn and snncore.reference; a spiking
    framework's network is converted in Python, since reading it from a file would run the file's code.

    What is printed ends with a comparison on random input, spike by spike: with the network of a .pt file, or
    with the equations of a NIR file. For NIR the strength of each neuron's input in one step comes before it,
    r * dt / tau: 1 where the right --dt was given for a file of snnTorch.
    """
    ending, given = Path(source).suffix.lower(), {k: v for k, v in options.items() if v is not None}
    if picture is not None:
        check_path(picture)
    if ending == ".snn":
        extra = {"no_verify": no_verify, "picture": picture is not None, "json": as_json}
        given |= {option: True for option, used in extra.items() if used}
        _to_nir(source, Path(output or Path(source).with_suffix(".nir")), given)
        return
    kind = KINDS.get(ending)
    if kind is None:
        raise click.UsageError(
            f"'{source}': convert reads {', '.join(KINDS)} and .snn; other networks are converted in Python, "
            "by snncore.from_torch"
        )
    unused = sorted(set(given) - kind.options)
    if unused:
        raise click.UsageError(f"'{source}': --{_flag(unused[0])} says nothing about {ending} files")
    converted = kind.read(source, **given)
    path = Path(output or Path(source).with_suffix(".snn"))
    converted.model.save(path)
    report, why = (None, "--no-verify") if no_verify else _compared(converted)
    if picture is not None:
        if report is None:
            raise snncore.Error(f"'{path}' is written, but there is nothing to draw: not compared, {why}")
        report.picture(picture)
    if as_json:
        parity = None if report is None else report.to_dict()
        facts = {"source": source, "output": str(path), "bytes": path.stat().st_size, "parity": parity}
        click.echo(json.dumps(facts))
        return
    click.echo(f"{text(converted.model)}\nwritten: {path}\n")
    click.echo(f"parity: not compared, {why}" if report is None else f"parity: {report}")


def _compared(converted: Converted) -> tuple[VerifyReport | None, str]:
    """Compare on random input, where that can be done: a report, else why there is none."""
    if importlib.util.find_spec(converted.needs) is None:
        package = package_for(converted.needs)
        return None, f"this needs the package '{converted.needs}': pip install '{package}'"
    if len(converted.model.inputs) != 1:
        return None, "the model has several inputs"
    x, layout = default_input(converted.model)
    return compare(converted.model, converted.origin, x, layout=layout), ""


def _flag(option: str) -> str:
    return {"input_dtype": "input"}.get(option, option.replace("_", "-"))


def _to_nir(source: str, path: Path, given: dict[str, Any]) -> None:
    unused = sorted(set(given) - {"dt"})
    if unused:
        raise click.UsageError(f"from .snn to NIR only --dt is used, received --{_flag(unused[0])}")
    graph = snncore.to_nir(load_model(source), **given)
    import nir

    nir.write(path, graph)
    click.echo(f"{len(graph.nodes)} nodes, {len(graph.edges)} edges\nwritten: {path}")
