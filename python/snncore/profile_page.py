"""A profile as a page: bars of time, layer by layer, in one HTML file without scripts."""

from __future__ import annotations

from html import escape
from itertools import chain, repeat

from snncore.pictures.picture import LINES, PALE
from snncore.profile import HEADINGS, LayerProfile, Profile, cells, percent

#: Colours of operations that are seen on white and on black.
_COLOURS = tuple(colour for colour in LINES if colour != "#000000")

_STYLE = """
:root { color-scheme: light dark; --ink: #222; --soft: #666; --line: #e2e2e2; --back: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --soft: #a0a0a0; --line: #3a3a3a; --back: #161616; }
}
body { margin: 2rem auto; padding: 0 1.5rem; max-width: 76rem; background: var(--back); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.35rem; margin: 0; overflow-wrap: anywhere; }
p { margin: .3rem 0; color: var(--soft); }
.strip { display: flex; height: 2rem; margin: 1.2rem 0 .6rem; border-radius: 4px; overflow: hidden; }
.strip i { box-shadow: inset -1px 0 var(--back); }
.key { display: inline-block; margin-right: 1.2rem; color: var(--ink); }
.key i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 2px; }
.rows { overflow-x: auto; margin: 1.2rem 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { font-weight: 600; color: var(--soft); }
th, td { padding: .22rem .6rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th:nth-child(-n+3), td:nth-child(-n+3) { text-align: left; }
.bar { min-width: 9rem; width: 30%; }
.bar i { display: block; height: 1.05em; min-width: 1px; border-radius: 0 3px 3px 0; }
"""

_NOTES = (
    "Bars and shares are of the sum of the layers' medians. The row of a neuron has all that is computed on "
    "the way into it.",
    "operations: weights times inputs, or bits compared, zeros and borders included. effective: the share of "
    "NeuroBench's dense synaptic operations, which leave borders out, whose weight and input are not zero. "
    "fires: the share of neurons and steps with a spike.",
)


def page(profile: Profile, title: str) -> str:
    """Write the page; `title` is any text."""
    colours = dict(zip(_by_op(profile), chain(_COLOURS, repeat(PALE)), strict=False))
    rows = list(zip(profile.layers, profile.shares, strict=True))
    longest = max(profile.shares, default=0.0) or 1.0
    headings = (*HEADINGS[:2], "", *HEADINGS[2:])
    body = (
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(profile.conditions)}</p>",
        f"<p>{escape(profile.work)}</p>",
        f'<div class="strip">{"".join(_piece(*row, colours) for row in rows)}</div>',
        f"<p>{_keys(profile, colours)}</p>",
        '<div class="rows"><table>',
        f"<thead><tr>{''.join(f'<th>{heading}</th>' for heading in headings)}</tr></thead>",
        "<tbody>",
        *(_row(layer, share, longest, colours) for layer, share in rows),
        "</tbody></table></div>",
        *(f"<p>{note}</p>" for note in _NOTES),
    )
    head = f'<meta charset="utf-8"><title>{escape(title)}</title>\n<style>{_STYLE}</style>'
    lines = "\n".join(body)
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n<body>\n{lines}\n</body>\n</html>\n'


def _by_op(profile: Profile) -> dict[str, float]:
    """Give the share of each kind of layer, the largest first."""
    found: dict[str, float] = {}
    for layer, share in zip(profile.layers, profile.shares, strict=True):
        found[layer.op] = found.get(layer.op, 0.0) + share
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def _piece(layer: LayerProfile, share: float, colours: dict[str, str]) -> str:
    hint = escape(f"{layer.label}: {layer.milliseconds:.4f} ms, {percent(share)}")
    return f'<i style="width:{100 * share:.3f}%;background:{colours[layer.op]}" title="{hint}"></i>'


def _keys(profile: Profile, colours: dict[str, str]) -> str:
    marks = {op: f'<i style="background:{colour}"></i>' for op, colour in colours.items()}
    return "".join(
        f'<span class="key">{marks[op]}{escape(op or "-")} {percent(share)}</span>'
        for op, share in _by_op(profile).items()
    )


def _row(layer: LayerProfile, share: float, longest: float, colours: dict[str, str]) -> str:
    name, op, *numbers = map(escape, cells(layer, share))
    bar = f'<i style="width:{100 * share / longest:.2f}%;background:{colours[layer.op]}"></i>'
    hint = escape(", ".join(layer.sums))
    first = f'<td title="{hint}">{name}</td><td>{op}</td><td class="bar">{bar}</td>'
    return f"<tr>{first}{''.join(f'<td>{number}</td>' for number in numbers)}</tr>"
