"""What a model says about itself."""

from __future__ import annotations

from typing import NamedTuple

from snncore import _core


class Port(NamedTuple):
    """An input or output. `shape` is one step of one sample: C, H, W or C."""

    name: str
    dtype: str  #: "u8" raw pixels, "b1" spikes, "u<p>" counts of p bits, "f32"
    shape: tuple[int, ...]
    layout: (
        str  #: the default layout, such as "NCHW"; outputs: "N..." (a readout), "TN..." (a value per step)
    )
    zero_point: tuple[int, ...]  #: raw pixels: value = (pixel - zero_point[c]) * scale; empty otherwise
    scale: float


class Layer(NamedTuple):
    """A row of `Model.summary`."""

    name: str
    op: str
    neuron: str  #: "lif", "if", "cuba_lif", "neuron" or "psn" that the sums of this layer go to, or ""
    shape: tuple[int, ...]  #: the output of one step of one sample
    weight_bits: int  #: 32 for float32 weights, 0 for none
    state_bits: int  #: bits of the membranes of that neuron, 0 for none
    bytes: int  #: stored bytes
    kept_channels: int  #: output channels in the file


def port(info: _core.PortInfo) -> Port:
    """Copy what the engine says about an input or output."""
    return Port(info.name, info.dtype, tuple(info.shape), info.layout, tuple(info.zero_point), info.scale)


def layer(info: _core.LayerInfo) -> Layer:
    """Copy what the engine says about a layer."""
    return Layer(
        info.name,
        info.op,
        info.neuron,
        tuple(info.shape),
        info.weight_bits,
        info.state_bits,
        info.bytes,
        info.kept_channels,
    )


def byte_text(count: int) -> str:
    """Write a size the way people read it: "312 B", "1.2 KiB"."""
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def port_text(p: Port) -> str:
    """Write "image u8 [3, 32, 32]"."""
    return f"{p.name} {p.dtype} {list(p.shape)}"


def summary(
    layers: tuple[Layer, ...],
    inputs: tuple[Port, ...],
    outputs: tuple[Port, ...],
    timesteps: int,
    file_bytes: int,
) -> str:
    """Write the table of `Model.summary`."""
    header = ("layer", "op", "shape", "weights", "state", "bytes")
    rows = [
        (
            row.name,
            f"{row.op} + {row.neuron}" if row.neuron and row.neuron != row.op else row.op,
            " x ".join(map(str, row.shape)),
            f"{row.weight_bits} bit" if row.weight_bits else "-",
            f"{row.state_bits} bit" if row.state_bits else "-",
            byte_text(row.bytes) if row.bytes else "-",
        )
        for row in layers
    ]
    widths = [max(len(line[i]) for line in (header, *rows)) for i in range(len(header))]
    right_aligned = {5}

    def line(cells: tuple[str, ...]) -> str:
        padded = (
            cell.rjust(width) if i in right_aligned else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join(padded).rstrip()

    facts = [
        "inputs: " + ", ".join(f"{port_text(p)} {p.layout}" for p in inputs),
        "outputs: " + ", ".join(port_text(p) for p in outputs),
        f"T = {timesteps}, file {byte_text(file_bytes)} ({file_bytes} bytes)",
    ]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([line(header), rule, *map(line, rows), rule, *facts])
