"""The products of attention, counts and masks."""

from __future__ import annotations

from typing import Literal

from .edges import Edges


class Attention(Edges):
    """A method for each of them."""

    def attention(self, name: str, q: str, k: str, v: str, *, heads: int = 1) -> str:
        """Add attention without soft-max: ``(q k^T) v`` in each head, exact.

        Parameters
        ----------
        q, k, v
            Spikes [D, H, W] of one shape. The H * W pixels are the tokens; each head has D / heads channels,
            one behind the other.
        heads
            Divides D.

        Returns
        -------
        str
            The sum [D, H, W], of 0 to H * W * D / heads. Its scale is 1: what a network multiplies it by is
            the `input_gain` of the `lif` or `neuron`, or the `batch_norm`, that comes next.
        """
        return self._core.attention(name, q, k, v, heads=heads)

    def map_scores(self, name: str, x: str, y: str, *, variant: Literal["qk", "kv"], heads: int = 1) -> str:
        """Add the scores of an attention map, in each head: how often both of a pair fire, exact.

        Parameters
        ----------
        x, y
            Spikes [D, H, W] of one shape. The H * W pixels are the tokens; each head has d = D / heads
            channels.
        variant
            "qk": token a of `x` and token b of `y` (queries and keys), counted over the d channels; "kv":
            channel a of `x` and channel b of `y` (values and keys), counted over the tokens.
        heads
            Divides D.

        Returns
        -------
        str
            The sum [b, heads, a], of scale 1, for the map's neuron.
        """
        return self._core.map_scores(name, x, y, variant=variant, heads=heads)

    def map_product(
        self, name: str, maps: str, x: str, *, variant: Literal["qk", "kv"], heads: int = 1
    ) -> str:
        """Add what an attention map selects, in each head: a sum [D, H, W] of scale 1, exact.

        Parameters
        ----------
        maps
            Spikes [b, heads, a], which a neuron fired behind `map_scores` of the same variant.
        x
            Spikes [D, H, W]: the values of variant "qk", the queries of "kv".
        variant
            "qk": ``y[c, n] = sum_b maps[n, b] * x[c, b]`` over the tokens b; "kv":
            ``y[c, n] = sum_b maps[c, b] * x[b, n]`` over the channels b of the head.
        heads
            Divides D.
        """
        return self._core.map_product(name, maps, x, variant=variant, heads=heads)

    def count(
        self,
        name: str,
        x: str,
        y: str | None = None,
        *,
        over: Literal["channels", "tokens", "all"],
        heads: int = 1,
    ) -> str:
        """Add a count of spikes over channels or tokens (pixels): a sum of scale 1, as `attention` gives.

        Parameters
        ----------
        x, y
            Spikes [D, H, W]. With `y`, of the same shape, what is counted are the places where both fire.
        over
            "channels": those of each head, [heads, H, W]; "tokens": [D, 1, 1]; "all": [heads, 1, 1].
        heads
            Divides D; 1 over tokens.
        """
        return self._core.count(name, x, y or "", over=over, heads=heads)

    def mask(self, name: str, x: str, mask: str) -> str:
        """Add the spikes of `x` [D, H, W] that `mask` lets through.

        `mask` has spikes [G, H, W], where each holds for D / G channels one behind the other (a head), or
        [D, 1, 1], where each holds for all tokens.
        """
        return self._core.mask(name, x, mask)
