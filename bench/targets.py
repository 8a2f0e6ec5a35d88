"""What was promised, and what a run shows of it. Ratios are how many times as long others take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from levels import WITH_AVX512
from rows import Row, ours, same_case, speedup, strongest
from shares import Limits, share

Run = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """A ratio with AVX-512 and one thread, at each of the densities."""

    workload: str
    variant: str
    density: int | None  #: None: the worst of what was measured
    peers: tuple[str, ...]  #: the fastest of them
    target: float
    floor: float


INT8 = ("torch-int8",)
TORCH = ("torch-f32", "torch-compile")
TARGETS = (
    Target("W1", "w1", None, INT8, 4.5, 3.5),
    Target("W2", "w1", None, INT8, 4.5, 3.5),
    Target("W1", "w4", 10, INT8, 5, 3.5),
    Target("W1", "w4", 20, INT8, 3, 2.5),
    Target("W1", "w4", 50, INT8, 2, 1.4),
    Target("W2", "w4", 10, INT8, 5, 3.5),
    Target("W2", "w4", 20, INT8, 3, 2.5),
    Target("W2", "w4", 50, INT8, 1.6, 1.3),
    Target("W1", "w4-pruned90", 20, ("snncore-dense",), 2, 1.3),
    Target("W1", "w4-pruned90", 50, ("snncore-dense",), 2, 1.5),
    Target("W8", "conv", 20, ("torch-f32",), 3, 2),
    Target("W8", "linear", 20, ("torch-f32",), 3, 2),
    Target("W3", "w1", None, ("numkong", "onnxruntime-int8"), 4, 3),
    Target("W4", "attention", 20, ("torch-f32",), 10, 6),
    Target("W5", "lif", None, ("torch-compile",), 5, 4),
    Target("W6", "k10-256", None, ("faiss",), 4.8, 4),
    Target("W7", "vgg16", None, TORCH, 14, 10),
    Target("W7", "resnet20", None, TORCH, 9, 6),
)
#: The neuron behind W1 takes at most this much of the layer's time.
FUSED_TARGET, FUSED_FLOOR = 0.10, 0.20
#: Two threads against one, at least.
SCALING = 1.8
SCALED = (("W1", "w1"), ("W3", "w1"), ("W6", "k10-256"), ("W7", "vgg16"), ("W7", "resnet20"))
#: For W7 resnet20 the ratio is shown, nothing is promised.
UNPROMISED = {("W7", "resnet20")}
#: W1 with 1-bit weights, of the measured AND + popcount.
SHARE = 0.85
SHARED = (("W1", "w1"), ("W3", "w1"))
#: AVX2 may take so many times as long as AVX-512 on the same machine.
AVX2_WITHIN = 3.5
AVX2_OF = (("W1", "w1"), ("W6", "k10-256"))

#: what, against, target, floor, measured, verdict
Line = tuple[str, str, str, str, str, str]
NEEDS = "not measured here: needs AVX-512"
ELSEWHERE = "- (stated for AVX-512)"


def lines(run: Run, limits: Limits, others: list[Run]) -> list[Line]:
    """Every promise, with what this run shows; `others` may hold the same machine at another level."""
    found = [_ratio(run, target) for target in TARGETS]
    found += [_fused(run), *_scaling(run), *_shares(run, limits)]
    return found + _avx2(run, others)


def _verdict(run: Run, value: float, target: float, floor: float) -> str:
    """Larger is better; a promise is of AVX-512."""
    if run["isa"] not in WITH_AVX512:
        return ELSEWHERE
    return "met" if value >= target else "above the floor" if value >= floor else "missed"


def _missing(run: Run) -> str:
    return "not measured" if run["isa"] in WITH_AVX512 else NEEDS


def _ratio(run: Run, t: Target) -> Line:
    density = {} if t.density is None else {"density": t.density}
    ratios = []
    for row in ours(run["rows"], workload=t.workload, variant=t.variant, threads=1, **density):
        peer = strongest(run["rows"], row, t.peers)
        if peer is not None:
            ratios.append((peer["ratio"], peer["peer"], row["density"]))
    what = f"{t.workload} {t.variant}" + (f", {t.density} %" if t.density else "")
    head = (what, " / ".join(t.peers), f"{t.target:g}x", f"{t.floor:g}x")
    if not ratios:
        return (*head, "-", _missing(run))
    ratio, peer, at = min(ratios)
    several = f" at {at} %" if t.density is None and at is not None else ""
    named = f" ({peer})" if len(t.peers) > 1 else ""
    return (*head, f"{ratio:.2f}x{several}{named}", _verdict(run, ratio, t.target, t.floor))


def _fused(run: Run) -> Line:
    extra = [
        1 / peer["ratio"] - 1
        for row in ours(run["rows"], workload="W5", variant="lif-fused", threads=1)
        if (peer := strongest(run["rows"], row, ("snncore-nolif",)))
    ]
    limits = (f"under {FUSED_TARGET:.0%} extra", f"under {FUSED_FLOOR:.0%}")
    head = ("W5 lif-fused", "W1 without LIF", *limits)
    if not extra:
        return (*head, "-", _missing(run))
    return (*head, f"{max(extra):+.0%}", _verdict(run, -max(extra), -FUSED_TARGET, -FUSED_FLOOR))


def scaling(rows: list[Row], row: Row) -> float | None:
    """How many times as fast two threads are, given our row of one."""
    case = {key: row[key] for key in ("workload", "variant", "density")}
    two = ours(rows, **case, threads=2)
    return speedup(rows, two[0]) if two else None


def _each(
    run: Run, cases: tuple[tuple[str, str], ...], value: Callable[[Row], float | None]
) -> list[tuple[str, str, list[float]]]:
    """Values of the rows with one thread, for each (workload, variant)."""
    return [
        (
            workload,
            variant,
            [
                found
                for row in ours(run["rows"], workload=workload, variant=variant, threads=1)
                if (found := value(row)) is not None
            ],
        )
        for workload, variant in cases
    ]


def _scaling(run: Run) -> list[Line]:
    result: list[Line] = []
    for workload, variant, ratios in _each(run, SCALED, lambda row: scaling(run["rows"], row)):
        promised = (workload, variant) not in UNPROMISED
        least = f"{SCALING:g}x" if promised else "-"
        head = (f"{workload} {variant}, 2 threads", "1 thread", least, least)
        if not ratios:
            result.append((*head, "-", "not measured"))
            continue
        verdict = _verdict(run, min(ratios), SCALING, SCALING) if promised else "-"
        result.append((*head, f"{min(ratios):.2f}x", verdict))
    return result


def _shares(run: Run, limits: Limits) -> list[Line]:
    result: list[Line] = []
    for workload, variant, shares in _each(run, SHARED, lambda row: share(row, limits, run["isa"])):
        promised = workload == "W1"
        least = f"{SHARE:.0%}" if promised else "-"
        head = (f"{workload} {variant}, share", f"AND + popcount limit, {run['isa']}", least, least)
        if not shares:
            result.append((*head, "-", "not measured"))
            continue
        verdict = _verdict(run, min(shares), SHARE, SHARE) if promised else "-"
        result.append((*head, f"{min(shares):.0%}", verdict))
    return result


def _avx2(run: Run, others: list[Run]) -> list[Line]:
    if run["isa"] != "avx2":
        return []
    return [*_beats_torch(run), *_within_avx512(run, others)]


def _beats_torch(run: Run) -> list[Line]:
    """The worst case of each workload, where torch is kept to AVX2 or there is no more than that."""
    limited = run["avx512"] is False or "ATEN_CPU_CAPABILITY" in run.get("limited_by", {})
    worst: dict[str, tuple[float, str]] = {}
    for row in ours(run["rows"], threads=1):
        for peer in same_case(run["rows"], row):
            if peer["peer"] == "torch-f32" and limited:
                case = f"{row['variant']}" + ("" if row["density"] is None else f", {row['density']} %")
                worst[row["workload"]] = min(
                    (peer["ratio"], case), worst.get(row["workload"], (float("inf"), ""))
                )
    return [
        (
            f"AVX2: {workload}, worst case",
            "torch-f32 at AVX2",
            "1x",
            "1x",
            f"{ratio:.2f}x ({case})",
            "met" if ratio > 1 else "missed",
        )
        for workload, (ratio, case) in worst.items()
    ]


def _within_avx512(run: Run, others: list[Run]) -> list[Line]:
    result: list[Line] = []
    wide = [r for r in others if r["isa"] in WITH_AVX512 and r["machine"] == run["machine"]]
    for workload, variant in AVX2_OF:
        case = {"workload": workload, "variant": variant, "threads": 1}
        head = (f"AVX2: {workload} {variant}", "our AVX-512", *(f"within {AVX2_WITHIN:g}x",) * 2)
        times = [
            row["median_ms"] / other["median_ms"]
            for row in ours(run["rows"], **case)
            for r in wide
            for other in ours(r["rows"], **case, density=row["density"])
        ]
        if not times:
            result.append((*head, "-", NEEDS))
            continue
        result.append((*head, f"{max(times):.2f}x", "met" if max(times) <= AVX2_WITHIN else "missed"))
    return result
