"""Which axes of a tensor are the features of one step of one sample, and what reshaping does to them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from .calls import Shape


@dataclass(frozen=True)
class Axes:
    """The last `count` axes: 3, an image [C, H, W]; 2, its tokens [C, H * W]; 1, a vector [F]."""

    count: int
    features: Shape  #: [C, H, W], of tokens too, or [F]

    @classmethod
    def of(cls, count: int, shape: Shape) -> Axes:
        """Give those of an image or a vector."""
        return cls(count, shape[-count:])

    def after(self, shape: Shape) -> Axes:
        """Give those of what a layer makes, of this shape; it keeps how many there are."""
        if self.count == 2:
            c, tokens = shape[-2:]
            same = tokens == prod(self.features[1:])
            return Axes(2, (c, *self.features[1:]) if same else (c, 1, tokens))
        return Axes.of(self.count, shape)

    def reshaped(self, before: Shape, after: Shape) -> Axes | None:
        """Give those of the same values in another shape; None: no image, tokens or vector any more.

        The leading axes, time and samples, may be joined or split as long as the features stay as they are.
        """
        held = before[-self.count :]
        if after[-self.count :] == held:
            return self
        if self.count == 1:
            return None
        c, h, w = self.features
        lead = len(before) - self.count
        if len(after) == lead + 2 and after[-2:] == (c, h * w):
            return Axes(2, self.features)
        if len(after) == lead + 3 and after[-3:] == self.features:
            return Axes(3, self.features)
        whole = after[-1] == c * h * w and after[-3:] != self.features
        return Axes(1, (c * h * w,)) if whole else None
