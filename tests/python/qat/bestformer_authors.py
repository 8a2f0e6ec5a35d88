"""A BESTformer state dict under the authors' names, and the network once more, from its formulas alone."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F


def stages(layout):
    """Their names of the five stages of the tokenizer."""
    if layout == "CIFAR":
        return [f"block{i}" for i in range(5)]
    return ["proj", "proj1", "proj2", "proj3", "proj4"]


def state(layout, blocks, channels, heads, steps, classes, ratio=4):
    made = {}

    def conv(name, *shape):
        made[f"{name}_conv.weight"] = torch.randn(*shape) * 0.1 + 0.02
        made[f"{name}_bn.weight"] = torch.rand(shape[0]) + 0.5
        made[f"{name}_bn.bias"] = torch.rand(shape[0]) * 3.0
        made[f"{name}_bn.running_mean"] = torch.randn(shape[0]) * 0.1
        made[f"{name}_bn.running_var"] = (torch.rand(shape[0]) + 0.5) * (
            0.2 if shape[1] == 3 else math.prod(shape[1:]) / 6
        )
        made[f"{name}_bn.num_batches_tracked"] = torch.tensor(3)

    widths = [3, channels // 8, channels // 4, channels // 2, channels, channels]
    for i, name in enumerate(stages(layout)):
        conv(f"patch_embed.{name}", widths[i + 1], widths[i], 3, 3)
    for b in range(blocks):
        for row in ("q", "k", "v", "proj"):
            conv(f"block.{b}.attn.{row}", channels, channels, 1)
        made[f"block.{b}.attn.lambda_attn"] = torch.rand(steps, 1, heads, 1, 1) * 4 + 1
        conv(f"block.{b}.mlp.mlp1", ratio * channels, channels, 1, 1)
        conv(f"block.{b}.mlp.mlp2", channels, ratio * channels, 1, 1)
    for head in ("head", "head2"):
        made[f"{head}.weight"] = torch.randn(classes, channels) * 0.2
        made[f"{head}.bias"] = torch.randn(classes)
    return made


def lif(x, threshold=1.0, soft=False):
    v, spikes = torch.zeros_like(x[0]), []
    for step in x:
        h = v + (step - v) / 2
        s = (h >= threshold).to(x.dtype)
        v = h - threshold * s if soft else torch.where(s > 0, 0.0, h)
        spikes.append(s)
    return torch.stack(spikes)


class Run:
    """Their forward pass in float64; streams are [T, B, D, H, W]."""

    def __init__(self, made, layout, heads):
        self.made = {k: v.double() for k, v in made.items()}
        self.layout, self.heads = layout, heads

    def layer(self, name, x, binary=True):
        """Convolution and norm of [T, B, C, H, W]."""
        w = self.made[f"{name}_conv.weight"]
        if binary:
            w = torch.where(w >= w.flatten(1).mean(1).view(-1, *[1] * (w.dim() - 1)), 1.0, -1.0).double()
        w = w.unsqueeze(-1) if w.dim() == 3 else w
        y = F.conv2d(x.flatten(0, 1), w, padding=w.shape[-1] // 2)
        norm = [self.made[f"{name}_bn.{r}"] for r in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(y, *norm, eps=1e-5).unflatten(0, x.shape[:2])

    def tokens(self, image, steps):
        first, *others = stages(self.layout)
        pools = (False, False, True, True) if self.layout == "CIFAR" else (True,) * 4
        x = self.layer(f"patch_embed.{first}", image.double().expand(steps, *image.shape), binary=False)
        for name, pool in zip(others, pools, strict=True):
            x = lif(x)
            if pool:
                x = F.max_pool2d(x.flatten(0, 1), 3, 2, 1).unflatten(0, x.shape[:2])
            x = self.layer(f"patch_embed.{name}", x)
        return x

    def attention(self, b, x):
        name = f"block.{b}.attn"
        s = lif(x)
        q, k, v = (lif(self.layer(f"{name}.{row}", s)) for row in "qkv")
        q, k, v = (t.flatten(3).unflatten(2, (self.heads, -1)).transpose(-1, -2) for t in (q, k, v))
        if self.layout == "CIFAR":  # all [T, B, heads, N, d]
            z = lif(q @ k.transpose(-1, -2), soft=True) @ v
        else:
            z = q @ lif(k.transpose(-1, -2) @ v, soft=True)
        z = z * 0.125 * self.made[f"{name}.lambda_attn"]
        return self.layer(f"{name}.proj", lif(z.transpose(-1, -2).reshape(x.shape), threshold=0.5))

    def mlp(self, b, x):
        hidden = self.layer(f"block.{b}.mlp.mlp1", lif(x))
        return self.layer(f"block.{b}.mlp.mlp2", lif(hidden))

    def logits(self, image, blocks, steps):
        x0, x1 = None, self.tokens(image, steps)
        for b in range(blocks):
            x2 = self.attention(b, x1) + (x1 if x0 is None else (x0 + x1) / 2)
            x0, x1 = x2, self.mlp(b, x2) + (x1 + x2) / 2
        return [
            x.mean((0, 3, 4)) @ self.made[f"{head}.weight"].T + self.made[f"{head}.bias"]
            for x, head in ((x0, "head"), (x1, "head2"))
        ]
