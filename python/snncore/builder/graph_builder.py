"""The builder itself: inputs, every family of layers, outputs, the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snncore import _core
from snncore.arguments import whole
from snncore.model import Model

from .attention import Attention
from .layers import Layers
from .neurons import Neurons
from .streams import Streams
from .typed import typed


@typed
class GraphBuilder(Layers, Neurons, Streams, Attention):
    """Adds layers in order and builds a `Model`.

    Every method that adds a layer takes its name and the name of the edge it reads, and returns the name of
    its own edge, which is the layer's name. Shapes are those of one step of one sample: [C, H, W] or [C].
    Every method raises ValueError, or TypeError for a value of another type, with layer, expected and
    received for arguments that do not fit. One thread at a time.

    >>> b = GraphBuilder()
    >>> x = b.input("x", "b1", [100])
    >>> x = b.lif("hidden", b.linear("fc1", x, weight1), decay=0.5)
    >>> b.output("logits", b.readout("head", b.linear("fc2", x, weight2)))
    >>> model = b.build(timesteps=4)
    """

    def input(
        self,
        name: str,
        dtype: str,
        shape: Sequence[int],
        zero_point: Sequence[int] | None = None,
        scale: float | None = None,
        layout: str | None = None,
    ) -> str:
        """Add an input.

        Parameters
        ----------
        name, dtype, shape
            "u8" raw pixels, "b1" spikes, "f32" values, "count2" to "count16" counts of so many bits.
        zero_point, scale
            A pixel's value is ``(pixel - zero_point[c]) * scale``. "u8" needs both; with "f32" they let
            callers hand over pixels too.
        layout
            The default layout of arrays: a permutation of N C H W or T N C H W. Default: NCHW, or NC.
        """
        given = () if zero_point is None else zero_point
        points = [whole(f"input '{name}': zero_point", z) for z in given]
        return self._core.input(
            name,
            dtype,
            list(shape),
            zero_point=points,
            scale=0.0 if scale is None else scale,
            layout=layout or "",
        )

    def output(self, name: str, edge: str) -> None:
        """Make an edge an output: a readout, spikes, counts or float32 values."""
        self._core.output(name, edge)

    def build(
        self,
        timesteps: int,
        labels: Sequence[str] | None = None,
        preprocess: Mapping[str, Any] | None = None,
        provenance: Mapping[str, str] | None = None,
    ) -> Model:
        """Fold, compute every integer constant once, check, and make the model.

        Parameters
        ----------
        timesteps
            Steps of a run unless told otherwise, 1 to 4096.
        labels
            Names of the classes.
        preprocess
            As `Model.metadata` gives it: ``{"size": [height, width], "crop": "center" | "stretch", "color":
            "rgb" | "gray"}``.
        provenance
            Where the model comes from.

        Raises
        ------
        ValueError
            A layer whose constants do not fit; no input or output.
        snncore.Error
            A graph that this version cannot run.
        """
        core = self._core.build(
            timesteps,
            labels=list(labels or ()),
            preprocess=_preprocess(preprocess),
            provenance=dict(provenance or {}),
        )
        return Model(core)


def _preprocess(preprocess: Mapping[str, Any] | None) -> _core.PreprocessInfo | None:
    if preprocess is None:
        return None
    if set(preprocess) != {"size", "crop", "color"}:
        raise ValueError(f"preprocess: expected the keys size, crop and color, received {sorted(preprocess)}")
    height, width = (whole("preprocess: size", side) for side in preprocess["size"])
    return _core.PreprocessInfo(height, width, preprocess["crop"], preprocess["color"])
