"""`snncore convert`: files of others to .snn, and back."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Collection, Mapping
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import click

import snncore
from snncore.files import write_atomically
from snncore.json_text import json_text
from snncore.parity import VerifyReport
from snncore.parity import verify as compare
from snncore.pictures import check_path

from .common import load_model, package_for
from .inspect import text
from .modules import NIR, load_module
from .outputs import new_file
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
    options: tuple[str, ...]


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


def _from_onnx(source: str, **options: Any) -> Converted:
    return Converted(snncore.from_onnx(source, **options))


def _from_lava_dl(source: str, **options: Any) -> Converted:
    return Converted(snncore.from_lava_dl(source, **options))


_NIR = Kind(_from_nir, ("dt", "reset", "method", "dialect", "input_dtype", "readout", "timesteps"))
_TORCH = Kind(_from_torch, ("example", "input_dtype", "timesteps"))

#: What `convert` reads, by the ending of SOURCE.
READERS: Mapping[str, Kind] = {
    **dict.fromkeys(NIR, _NIR),
    ".pt": _TORCH,
    ".pth": _TORCH,
    ".onnx": Kind(_from_onnx, ("readout", "timesteps")),
    ".net": Kind(_from_lava_dl, ("input_dtype", "readout", "timesteps")),
}


def _to_nir(model: snncore.Model, path: Path, given: Mapping[str, Any]) -> str:
    graph = snncore.to_nir(model, **given)
    import nir

    buffer = BytesIO()
    nir.write(buffer, graph)
    write_atomically(path, buffer.getvalue())
    return f"{len(graph.nodes)} nodes, {len(graph.edges)} edges"


def _to_onnx(model: snncore.Model, path: Path, given: Mapping[str, Any]) -> str:
    made = snncore.to_onnx(model, path, **given)
    return f"{len(made.graph.node)} nodes, {len(made.functions)} functions"


#: What a .snn file becomes, by the ending of FILE: what writes it, and the options that it takes.
WRITERS: Mapping[str, tuple[Callable[..., str], tuple[str, ...]]] = {
    ".nir": (_to_nir, ("dt",)),
    ".onnx": (_to_onnx, ("timesteps",)),
}


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
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    callback=new_file,
    help="Where to write; default: SOURCE with the other ending.",
)
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
@click.option(
    "--input",
    "input_dtype",
    type=click.Choice(["f32", "u8", "b1"]),
    help="Values (lava-dl: u8, others: f32) or spikes.  [values]",
)
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
    """Convert SOURCE to .snn: NIR, ONNX, a .pt of PyTorch or a .net of lava-dl. Or .snn to NIR or ONNX.

    A .pt file is one of torch.save(network), network made of torch.nn and snncore.reference; a spiking
    framework's network is converted in Python, since reading it from a file would run the file's code.

    What is printed ends with a comparison on random input, spike by spike: with the network of a .pt file,
    with the equations of a NIR file, and for the others with the reference of the model itself. For NIR the
    strength of each neuron's input in one step comes before it, r * dt / tau: 1 where the right --dt was
    given for a file of snnTorch.
    """
    ending, given = Path(source).suffix.lower(), {k: v for k, v in options.items() if v is not None}
    if picture is not None:
        check_path(picture)
    if ending == ".snn":
        extra = {"no_verify": no_verify, "picture": picture is not None, "json": as_json}
        given |= {option: True for option, used in extra.items() if used}
        _write(source, Path(output or Path(source).with_suffix(".nir")), given)
        return
    kind = READERS.get(ending)
    if kind is None:
        raise click.UsageError(
            f"'{source}': convert reads {', '.join(READERS)} and .snn; other networks are converted in "
            "Python, by snncore.from_torch"
        )
    _check_used(given, kind.options, f"from {ending}")
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
        click.echo(json_text(facts))
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


def _check_used(given: Collection[str], used: tuple[str, ...], way: str) -> None:
    unused = sorted(set(given) - set(used))
    if unused:
        flags = ", ".join(f"--{_flag(name)}" for name in used)
        raise click.UsageError(
            f"{way} only {flags} {'is' if len(used) == 1 else 'are'} used, received --{_flag(unused[0])}"
        )


def _write(source: str, path: Path, given: dict[str, Any]) -> None:
    ending = path.suffix.lower()
    if ending not in WRITERS:
        raise click.UsageError(f"'{path}': convert writes {', '.join(WRITERS)}")
    write, options = WRITERS[ending]
    _check_used(given, options, f"from .snn to {ending}")
    click.echo(f"{write(load_model(source), path, given)}\nwritten: {path}")
