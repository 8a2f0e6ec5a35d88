"""State dicts under the names of the authors' code, and the networks once more, from the formulas alone."""

from __future__ import annotations

import torch
import torch.nn.functional as F

VGG16 = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512]
VGGSNN = [64, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512]


class State(dict):
    """A state dict in the making; `wrapped` modules are registered twice and have two names."""

    def conv(self, name, c_out, c_in, kernel, *, bias=False, rescaw=False):
        self[f"{name}.weight"] = torch.randn(c_out, c_in, kernel, kernel) * 0.2 + 0.01
        if bias:
            self[f"{name}.bias"] = torch.randn(c_out) * 0.1
        if rescaw:
            self[f"{name}.clip_val"], self[f"{name}.zero"] = torch.tensor([2.0]), torch.tensor([0.0])

    def norm(self, name, channels):
        values = {
            "weight": torch.rand(channels) + 0.6,
            "bias": torch.rand(channels) * 0.5,
            "running_mean": torch.randn(channels) * 0.1,
            "running_var": torch.rand(channels) + 0.5,
            "num_batches_tracked": torch.tensor(17),
        }
        for role, value in values.items():
            self[f"{name}.bn.{role}"] = value
            self[f"{name}.seqbn.module.{role}"] = value

    def again(self, conv, norm, wrapper):
        """`tdLayer` holds the convolution and the norm once more."""
        for name in [k for k in self if k.startswith(f"{conv}.")]:
            self[name.replace(conv, f"{wrapper}.layer.module", 1)] = self[name]
        for name in [k for k in self if k.startswith(f"{norm}.")]:
            self[name.replace(norm, f"{wrapper}.bn", 1)] = self[name]

    def linear(self, name, classes, features):
        self[f"{name}.weight"] = torch.randn(classes, features) * 0.1
        self[f"{name}.bias"] = torch.randn(classes)


def vgg_state(plan, channels, classes, pixels, colours=3):
    state, c_in, k = State(), colours, 0
    for i, entry in enumerate(plan):
        if entry == "M":
            continue
        state.conv(f"features.convbn{i}.layer.module", channels[k], c_in, 3, bias=k == 0, rescaw=k > 0)
        state.norm(f"features.convbn{i}.bn", channels[k])
        c_in, k = channels[k], k + 1
    state.linear("classifier.linear1.module", classes, c_in * pixels)
    return state


def resnet20_state(stream, inner, classes):
    state = State()
    state.conv("conv1", stream[0], 3, 3)
    state.norm("bn1", stream[0])
    state.again("conv1", "bn1", "conv1_s")
    c_in = stream[0]
    for s in range(3):
        for b in range(3):
            name, mid, out = f"layer{s + 1}.{b}", inner[3 * s + b], stream[s + 1]
            for i, (to, of) in enumerate(((mid, c_in), (out, mid)), 1):
                state.conv(f"{name}.conv{i}", to, of, 3, rescaw=True)
                state.norm(f"{name}.bn{i}", to)
                state.again(f"{name}.conv{i}", f"{name}.bn{i}", f"{name}.conv{i}_s")
            c_in = out
    state.linear("fc.module", classes, c_in)
    return state


def resnet19_state(widths, classes):
    state = State()
    state.conv("conv1", widths[0], 3, 3)
    state.norm("bn1", widths[0])
    state.again("conv1", "bn1", "conv1_s")
    c_in = widths[0]
    for s, blocks in enumerate((3, 3, 2)):
        for b in range(blocks):
            name, out = f"layer{s + 1}.{b}", widths[s]
            for i, (to, of) in enumerate(((out, c_in), (out, out)), 1):
                state.conv(f"{name}.conv{i}", to, of, 3)
                state.norm(f"{name}.bn{i}", to)
                state.again(f"{name}.conv{i}", f"{name}.bn{i}", f"{name}.conv{i}_s")
            if s > 0 and b == 0:
                state.conv(f"{name}.downsample.layer.module", out, c_in, 1)
                state.norm(f"{name}.downsample.bn", out)
            c_in = out
    state.linear("fc.ops", classes, c_in)
    return state


def rescaw(w, bits):
    gamma = w.abs().mean((1, 2, 3), keepdim=True)
    top = 2**bits - 1
    return gamma * (2 * torch.round((torch.clamp(w / gamma, -1, 1) + 1) * top / 2) / top - 1)


def binary(w):
    rows = w.flatten(1)
    rows = rows - rows.mean(1, keepdim=True)
    rows = rows / rows.std(1, keepdim=True)
    scale = 2.0 ** torch.round(torch.log2(rows.abs().mean(1, keepdim=True)))
    return (scale * torch.sign(rows)).view_as(w)


def eight_bits(w):
    return torch.round(w / w.max() * 127) / 127 * w.max()


def neuron(x, store=lambda v: v):
    v, spikes = torch.zeros_like(x[0]), []
    for current in x:
        v = 0.5 * v + current
        s = (v - 1.0 > 0).float()
        v = store((1 - s) * v)
        spikes.append(s)
    return torch.stack(spikes)


def quantised(bits):
    """Q-SNN's membranes: tanh, and the largest value of the tensor as full scale."""
    n = 2 ** (bits - 1) - 1

    def store(v):
        u = torch.tanh(v)
        alpha = u.abs().max()
        return torch.round(torch.clamp(u / alpha, -1, 1) * n) * alpha / n

    return store


class Run:
    """One pass of a state dict over x [T, N, C, H, W]."""

    def __init__(self, state, weight, store=lambda v: v):
        self.state, self.weight, self.store = state, weight, store

    def conv(self, x, name, norm, *, weight=None, **options):
        w, b = self.state[f"{name}.weight"], self.state.get(f"{name}.bias")
        x = torch.stack([F.conv2d(frame, (weight or self.weight)(w), b, **options) for frame in x])
        mean, var, gain, shift = (
            self.state[f"{norm}.bn.{role}"].view(-1, 1, 1)
            for role in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / torch.sqrt(var + 1e-5) * gain + shift

    def fire(self, x):
        return neuron(x, self.store)

    def vgg(self, x, plan):
        for i, entry in enumerate(plan):
            if entry == "M":
                x = torch.stack([F.max_pool2d(frame, 2) for frame in x])
                continue
            weight = (lambda w: w) if i == 0 else None
            name = f"features.convbn{i}"
            x = self.fire(self.conv(x, f"{name}.layer.module", f"{name}.bn", weight=weight, padding=1))
        x = torch.stack([F.avg_pool2d(frame, 2).flatten(1) for frame in x])
        return self.linear(x, "classifier.linear1.module", lambda w: w)

    def linear(self, x, name, weight):
        return (x @ weight(self.state[f"{name}.weight"]).T + self.state[f"{name}.bias"]).mean(0)

    def resnet(self, x, blocks, ends, shortcut, classifier):
        x = self.fire(self.conv(x, "conv1", "bn1", weight=ends, padding=1))
        for s, count in enumerate(blocks, 1):
            for b in range(count):
                name, stride = f"layer{s}.{b}", 2 if s > 1 and b == 0 else 1
                y = self.fire(self.conv(x, f"{name}.conv1", f"{name}.bn1", stride=stride, padding=1))
                y = self.conv(y, f"{name}.conv2", f"{name}.bn2", padding=1)
                x = self.fire(y + shortcut(self, x, name, y.shape[2], stride))
        return self.linear(x.mean((3, 4)), classifier, ends)

    def padded(self, x, name, channels, stride):
        more = channels - x.shape[2]
        x = x[..., ::stride, ::stride]
        return F.pad(x, (0, 0, 0, 0, more // 2, more - more // 2))

    def projected(self, x, name, channels, stride):
        if f"{name}.downsample.layer.module.weight" not in self.state:
            return x
        down = f"{name}.downsample"
        return self.conv(x, f"{down}.layer.module", f"{down}.bn", stride=stride)
