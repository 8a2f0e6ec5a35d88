"""What `snncore run` shows of a run beside its labels."""

from __future__ import annotations

from typing import Any, NamedTuple

import click

import snncore
from snncore.parity.sides import Subject
from snncore.pictures import Picture, check_path


class Shown(NamedTuple):
    """What was asked for on the command line."""

    raster: bool
    rates: bool
    record: tuple[str, ...]
    picture: str | None

    @property
    def anything(self) -> bool:
        """Whether the run must record."""
        return self.raster or self.rates or bool(self.record) or self.picture is not None

    def check(self, files: tuple[str, ...]) -> None:
        """Refuse what cannot be shown, before anything is run."""
        if self.anything and len(files) != 1:
            raise click.UsageError(
                f"expected one file with --raster, --rates, --record or --picture, received {len(files)}"
            )
        if self.picture is not None:
            check_path(self.picture)

    def names(self, model: snncore.Model) -> list[str] | None:
        """Give what to record; None: nothing. The spikes of a layer whose membrane is traced, too."""
        if not self.anything:
            return None
        spiking = [name for name, bits in Subject(model).fires_bits.items() if bits]
        if not spiking:
            raise ValueError("no layer of this model fires bits that can be recorded")
        names = self.record or tuple(spiking)
        traced = [name.removesuffix(".v") for name in names if name.endswith(".v")]
        return list(dict.fromkeys([*names, *(layer for layer in traced if layer in spiking)]))

    def views(self, recorded: snncore.Result) -> list[Picture]:
        """Give the pictures: traces where membranes were asked for, else the raster."""
        states = [name for name in self.record if name in recorded.states]
        return [recorded.trace(name) for name in states] if states else [recorded.raster()]

    def save(self, recorded: snncore.Result) -> None:
        """Write the picture, where one was asked for."""
        if self.picture is not None:
            self.views(recorded)[0].save(self.picture)

    def texts(self, recorded: snncore.Result) -> list[str]:
        """Give what is printed after the labels."""
        views = [str(view) for view in self.views(recorded)] if self.raster or self.record else []
        return views + ([str(recorded.rates())] if self.rates else [])

    def facts(self, recorded: snncore.Result) -> dict[str, Any]:
        """Give the rates, for --json."""
        return {"rates": recorded.rates().values if recorded.spikes else {}}
