#!/usr/bin/env python3
"""Time spiking transformers, 1-bit and 8-bit weights, against the same networks in PyTorch float32.

    python bench/transformers.py --compile                the networks at 4-384
    python bench/transformers.py --networks BESTformer --size 8-512 --pixels 224
    python bench/transformers.py --networks Spikformer --json -
    python bench/transformers.py --layers                 where our time goes, and its share of AND + popcount
    python bench/transformers.py --tokens                 attention of 64 to 4096 tokens
    python bench/transformers.py --skips net.snn --images cifar10.npz
    python bench/transformers.py --verify                 nothing is timed: every spike against the reference
    python bench/transformers.py --verify --size 8-512 --pixels 224 --bits 1,8

Weights are random; batch normalisation is set on random images. Pictures are 32 x 32, T = 4, batch 1, one
thread; from 128 pixels on a network is that for ImageNet. BESTformer has 1-bit weights only. Each of our
models is held to the integer reference, spike for spike, and each form of the twin to its module, before
anything is timed; then subjects take turns, and medians are compared.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import shares
import snncore
from facts import facts
from files import write
from harness import Call, Case, MissingError, Subject, alternate, measure, note
from layer_kinds import layers_text, profiled
from peers import numbers

#: Times as fast as the faster form in PyTorch: what the project asks for at 1 and at 8 bits.
ASKED = {
    "SNN-ViT": (12.0, 4.0),
    "Spike-driven Transformer": (12.0, 4.0),
    "Spikformer": (8.0, 4.0),
    "QKFormer": (None, 4.0),
    "BESTformer": (12.0, None),
}
#: 10^6 bytes that a file of 1-bit weights may have.
MOST_MB = {("BESTformer", "4-384"): 1.40, ("BESTformer", "8-512"): 8.2}
PEERS = {"snncore": 1, "snncore-8bit": 8}
TWINS = ("torch-f32", "torch-compile")
#: Of the attention whose tokens grow, and what four times the tokens may take.
WIDTH, HEADS, SIDES, MOST_GROWTH = 384, 8, (8, 16, 32, 64), 4.4
STEPS, FIRES = 4, 0.2
IMAGES = 16
COLORS = {"saccadic": "#1b6e8c", "ssa": "#c2410c"}
IMAGE = Path(__file__).parent.parent / "docs" / "img" / "attention-tokens.png"


def transformer(name: str, arguments: argparse.Namespace) -> Any:
    """Make the workload that the command line describes."""
    from workloads.transformers import Transformer

    sizes = (arguments.size, arguments.pixels, arguments.timesteps)
    return Transformer(name, *sizes, scale=arguments.scale, ends=arguments.ends)


def subject(peer: str, model: snncore.Model, image: np.ndarray) -> Subject:
    exact = snncore.verify(model, None, image).equal

    def prepare(threads: int) -> Call:
        return lambda: model.run(image, threads=threads)

    return Subject(peer, prepare, lambda y: exact, "outside" if peer == "snncore" else "both")


def rate(model: snncore.Model, image: np.ndarray) -> float:
    """Give the share of neurons that fire, all steps and layers."""
    spikes = model.run(image, record=[row.name for row in model.layers if row.op == "lif"]).spikes.values()
    return sum(int(s.numpy().sum()) for s in spikes) / sum(s.numpy().size for s in spikes)


def timed_networks(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    found = []
    for name in arguments.networks:
        net = transformer(name, arguments)
        models = {peer: net.model(bits) for peer, bits in PEERS.items() if net.has(bits)}
        subjects = [subject(peer, model, net.image) for peer, model in models.items()]
        subjects += net.torch_subjects(arguments.compile)
        rows = measure(Case("transformers", name, None, subjects), 1, arguments.seconds)
        rates = {peer: round(rate(model, net.image), 4) for peer, model in models.items()}
        sizes = {"size": arguments.size, "pixels": arguments.pixels}
        found.append({"network": name, **sizes, "rates": rates, "rows": rows})
    return found


def networks_text(found: list[dict[str, Any]]) -> str:
    lines = [
        "| network | PyTorch float32 | 8-bit weights | 1-bit weights | neurons fire (1 bit) |",
        "|---|---:|---:|---:|---:|",
    ]
    for one in found:
        times = {row["peer"]: row["median_ms"] for row in one["rows"]}
        twin = min((peer for peer in TWINS if peer in times), key=times.__getitem__)
        ours = [
            f"{times[p]:.2f} ms, {times[twin] / times[p]:.1f} times" if p in times else ""
            for p in reversed(PEERS)
        ]
        fire = f"{100 * one['rates']['snncore']:.0f} %"
        name = f"{one['network']} {one['size']}" + ("" if one["pixels"] == 32 else f" at {one['pixels']}")
        lines.append(f"| {name} | {times[twin]:.1f} ms ({twin}) | {' | '.join(ours)} | {fire} |")
    return "\n".join([*lines, "", *(line for one in found for line in missed(one))])


def missed(one: dict[str, Any]) -> list[str]:
    """Say what is asked for and not reached, and what differs."""
    name, times = one["network"], {row["peer"]: row["median_ms"] for row in one["rows"]}
    twin = min(times[peer] for peer in TWINS if peer in times)
    lines = [f"{name}: {row['peer']} DIFFERS" for row in one["rows"] if not row["equal"]]
    for (peer, bits), least in zip(PEERS.items(), ASKED[name], strict=True):
        published = one["size"] == "4-384" or (name, one["size"]) in MOST_MB
        if published and least and twin / times[peer] < least:
            lines.append(
                f"{name}, {bits} bit: {twin / times[peer]:.1f} times as fast, {least:g} are asked for"
            )
    return lines


def verified(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Hold the networks to the reference, in every layer and step: integers, and with 32 bits float32."""
    found = []
    for name in arguments.networks:
        net = transformer(name, arguments)
        for bits in filter(net.has, arguments.bits):
            started = time.time()
            model = net.model(bits)
            report = snncore.verify(model, None, net.images(arguments.count), batch=1)
            note(f"{name}, {bits} bits: equal {report.equal}, {time.time() - started:.0f} s")
            size = len(model.to_bytes())
            one = {"network": name, "bits": bits, "equal": report.equal, "images": report.samples}
            one |= {"layers": len(report.layers), "spikes": report.spikes}
            one |= {"logits": report.max_abs_difference, "report": str(report), "bytes": size}
            asked = bits == 1 and arguments.ends == "float"
            most = MOST_MB.get((name, arguments.size)) if asked else None
            found.append(one | {"fits": most is None or size <= most * 1e6})
    return found


def verified_text(found: list[dict[str, Any]], arguments: argparse.Namespace) -> str:
    where = f"{arguments.size}, {arguments.pixels} x {arguments.pixels}, T = {arguments.timesteps}"
    words = {True: "every spike equal", False: "DIFFERS"}
    lines = [
        f"| {where} | bits | MB | images | layers | spikes, silences | to the reference | logits apart |",
        "|---|---:|---:|---:|---:|---:|---|---:|",
    ]
    for one in found:
        size = f"{one['bits']} | {one['bytes'] / 1e6:.3f}"
        counts = f"{one['images']} | {one['layers']} | {one['spikes']:,}"
        result = f"{words[one['equal']]} | {one['logits']:g}"
        lines.append(f"| {one['network']} | {size} | {counts} | {result} |")
    reports = [one["report"] for one in found if not one["equal"]]
    reports += [f"{one['network']}: the file is larger than it may be" for one in found if not one["fits"]]
    return "\n".join([*lines, *reports])


def timed_skips(path: str, images: np.ndarray, seconds: float) -> dict[str, Any]:
    """Time a model on images with and without what it leaves out: the same numbers, or it says so."""
    model = snncore.load(path)
    from snncore import _core

    common = {"mode": _core.Mode.SEQUENCE, "timesteps": 0, "batch": len(images), "threads": 1, "layout": ""}
    session = _core.Session(_core.Program(model._core, **common, record=[], outputs=True))

    def call(on: bool) -> Call:
        def run() -> np.ndarray:
            _core.set_skips(on)
            session.run([images])
            return session.output()

        return run

    calls = [call(True), call(False)]
    equal = bool(np.array_equal(*(np.array(run()) for run in calls)))
    times = [statistics.median(spent) for spent in alternate(calls, 1, seconds)]
    _core.set_skips(True)
    gates = [row.name for row in model.layers if row.op == "saccade"]
    spikes = model.run(images, record=gates).spikes if gates else {}
    looked = [float(s.numpy().mean()) for s in spikes.values()]
    ever = [float(s.numpy().any(axis=0).mean()) for s in spikes.values()]
    return {
        "model": Path(path).name,
        "images": len(images),
        "rate": round(rate(model, images), 4),
        "looked_at": [round(share, 3) for share in looked],
        "ever_looked_at": [round(share, 3) for share in ever],
        "ms": [round(t / len(images), 4) for t in times],
        "ratio": round(times[1] / times[0], 3),
        "equal": equal,
    }


def skips_text(found: list[dict[str, Any]]) -> str:
    lines = [
        "| model | neurons fire | patches looked at in a step (ever) | ms an image | skipping | times |",
        "|---|---:|---|---:|---:|---:|",
    ]
    for one in found:
        pairs = zip(one["looked_at"], one["ever_looked_at"], strict=True)
        looked = ", ".join(f"{100 * a:.0f} % ({100 * b:.0f} %)" for a, b in pairs) or "all"
        fire, (on, off) = f"{100 * one['rate']:.0f} %", one["ms"]
        differs = "" if one["equal"] else " DIFFERS"
        lines.append(f"| {one['model']} | {fire} | {looked} | {off} | {on} | {one['ratio']}{differs} |")
    return "\n".join(lines)


def timed_layers(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    limits = shares.measured(arguments.limits, "and_popcount")
    found = []
    for name in arguments.networks:
        net = transformer(name, arguments)
        model = net.model(1)
        fire = round(rate(model, net.image), 4)
        sizes = {"size": arguments.size, "pixels": arguments.pixels, "rate": fire}
        found.append({"network": name, **sizes, **profiled(model, net.image, limits, arguments.seconds)})
    return found


def some_images(path: str | None, count: int, model: str) -> np.ndarray:
    """Take test images of recipes/snnvit_cifar10.py's cache; without one, random pixels."""
    shape = snncore.load(model).inputs[0].shape
    if path is None:
        return np.random.default_rng(5).integers(0, 256, (count, *shape), dtype=np.uint8)
    with np.load(path) as file:
        return np.ascontiguousarray(file["test_images"][:count].transpose(0, 3, 1, 2))


def timed_tokens(seconds: float) -> list[dict[str, Any]]:
    """Time both kinds of attention, from spikes through their 1-bit layers and without those."""
    from workloads.transformers import attention

    found: list[dict[str, Any]] = []
    for kind in ("saccadic", "ssa"):
        for rows in (False, True):
            calls = []
            for side in SIDES:
                model = attention(kind, WIDTH, HEADS, side, STEPS, rows)
                calls.append(_call(model, STEPS, side))
            times = [statistics.median(spent) for spent in alternate(calls, 1, seconds)]
            growth = [round(b / a, 2) for a, b in itertools.pairwise(times)]
            found.append(
                {
                    "kind": kind,
                    "layers": rows,
                    "tokens": [side * side for side in SIDES],
                    "ms": [round(t, 4) for t in times],
                    "growth": growth,
                }
            )
    return found


def _call(model: snncore.Model, steps: int, side: int) -> Call:
    rng = np.random.default_rng(side)
    spikes = {
        port.name: snncore.pack(rng.random((steps, 1, WIDTH, side, side)) < FIRES, axis=2)
        for port in model.inputs
    }
    return lambda: model.run(spikes, layout="TNCHW", threads=1, packed=True)


def tokens_text(found: list[dict[str, Any]]) -> str:
    tokens = found[0]["tokens"]
    lines = [
        f"| tokens of {WIDTH} channels, ms | {' | '.join(map(str, tokens))} | for 4 times the tokens |",
        "|---" + "|---:" * (len(tokens) + 1) + "|",
    ]
    for one in found:
        times = " | ".join(f"{ms:.3g}" for ms in one["ms"])
        lines.append(f"| {_title(one)} | {times} | {', '.join(map(str, one['growth']))} |")
    return "\n".join([*lines, "", f"most: {worst(found)} times ({MOST_GROWTH} are allowed)"])


def worst(found: list[dict[str, Any]]) -> float:
    """Give the most that four times the tokens take."""
    return max(max(one["growth"]) for one in found)


def _title(one: dict[str, Any]) -> str:
    return f"{one['kind']}{' with its layers' if one['layers'] else ''}"


def plot_tokens(found: list[dict[str, Any]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for one in found:
        color = COLORS[one["kind"]]
        axes.plot(one["tokens"], one["ms"], "o-" if one["layers"] else "o--", color=color, label=_title(one))
    axes.set_xscale("log", base=4)
    axes.set_yscale("log")
    axes.set_xticks(found[0]["tokens"], [str(n) for n in found[0]["tokens"]])
    axes.set_xlabel(f"tokens of {WIDTH} channels, T = {STEPS}")
    axes.set_ylabel("milliseconds, one thread")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plt.close(figure)


def main() -> int:
    arguments = _parser().parse_args()
    started = time.time()
    try:
        if arguments.verify:
            found = verified(arguments)
            text = verified_text(found, arguments)
            well = all(one["equal"] and one["fits"] for one in found)
        elif arguments.skips:
            shown = [(path, some_images(arguments.images, IMAGES, path)) for path in arguments.skips]
            found = [timed_skips(path, images, arguments.seconds) for path, images in shown]
            text, well = skips_text(found), all(one["equal"] for one in found)
        elif arguments.layers:
            found = timed_layers(arguments)
            text, well = layers_text(found), True
        elif arguments.tokens:
            found = timed_tokens(arguments.seconds)
            plot_tokens(found, arguments.plot)
            text, well = tokens_text(found), worst(found) <= MOST_GROWTH
        else:
            found = timed_networks(arguments)
            text, well = networks_text(found), all(row["equal"] for one in found for row in one["rows"])
    except MissingError as problem:
        print(f"transformers: {problem}", file=sys.stderr)
        return 2
    note(f"measured in {time.time() - started:.0f} s")
    where = facts()
    if arguments.json:
        write(arguments.json, json.dumps({**where, "found": found}, indent=1))
    if arguments.json != "-":
        print(f"{where['machine']}, kernels {where['isa']}, load {where['load']}\n\n{text}")
    return 0 if well else 1


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in ASKED]
    if unknown:
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(ASKED)}, got {unknown[0]!r}")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--networks", metavar="NAMES", type=_names, default=list(ASKED), help="SNN-ViT,...; default: all")
    add("--size", default="4-384", help="blocks and channels; default: 4-384")
    add("--compile", action="store_true", help="also torch.compile, which takes minutes to get ready")
    add("--tokens", action="store_true", help="attention of 64 to 4096 tokens, instead of the networks")
    add("--layers", action="store_true", help="where the time of the 1-bit networks goes, one thread")
    add(
        "--limits",
        metavar="PROGRAM",
        type=Path,
        default=shares.PROGRAM,
        help="of --layers: where bench_limits is",
    )
    add("--skips", nargs="+", metavar="MODEL", help="what a model's skips are worth, on and off")
    add("--images", metavar="FILE", help="of --skips: recipes/cifar10.py's cache; default: random pixels")
    add("--verify", action="store_true", help="hold the networks to the reference, instead of timing them")
    add(
        "--bits",
        metavar="NUMBERS",
        type=numbers(1, 32),
        default=[1, 8, 32],
        help="of --verify; default: 1,8,32",
    )
    add("--pixels", type=int, default=32, help="32, or 224 for the network of ImageNet; default: 32")
    add(
        "--scale",
        type=float,
        default=1.0,
        help="of the sums behind BESTformer's maps; default: 1, published: 0.125",
    )
    add("--ends", choices=("float", "int8"), default="float", help="of BESTformer: first layer and heads")
    add("--timesteps", type=int, default=STEPS, help=f"default: {STEPS}")
    add("--count", type=int, default=1, help="of --verify: random images; default: 1")
    add("--plot", metavar="FILE", type=Path, default=IMAGE, help=f"of --tokens; default: {IMAGE.name}")
    add("--seconds", type=float, default=10.0, help="for each network or curve; default: 10")
    add("--json", metavar="FILE", help="write everything; - is standard output, instead of the text")
    return parser


if __name__ == "__main__":
    sys.exit(main())
