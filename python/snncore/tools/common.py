"""What the commands share: the bundled files, reading models and images, saying what went wrong."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import snncore
from snncore.images import Picture, load_image

DATA = Path(__file__).parent.parent / "data"
BUNDLED_MODEL = DATA / "cifar10_vgg.snn"


def one_sentence(error: BaseException) -> str:
    """Say what went wrong in one line."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"'{error.filename}': {error.strerror}"
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        return f"this needs the package '{error.name}': pip install '{package_for(error.name)}'"
    return " ".join(str(error).split()) or type(error).__name__


def package_for(module: str) -> str:
    """Say what to install for a missing module."""
    root = module.split(".")[0]
    extras = {"torch": "torch", "safetensors": "torch", "click": "cli", "rich": "cli", "PIL": "cli"}
    extras |= {"nir": "nir", "h5py": "nir", "onnx": "onnx", "matplotlib": "plot"}
    return f"snncore[{extras[root]}]" if root in extras else root


def load_model(path: str | os.PathLike[str]) -> snncore.Model:
    """Load a model; the error of a bad file names it."""
    try:
        return snncore.load(path)
    except snncore.FormatError as why:
        text = str(why)
        name = os.fspath(path)
        raise snncore.FormatError(text if name in text else f"'{name}': {text}") from None


@cache
def bundled_images() -> dict[str, Path]:
    """List the ten images that come with the package, by their class."""
    return {path.stem: path for path in sorted((DATA / "images").glob("*.png"))}


def pictures(paths: Sequence[str | os.PathLike[str]], model: snncore.Model) -> list[Picture]:
    """Read images and make them fit."""
    return [load_image(path, model) for path in paths]


def stack(images: Sequence[Picture]) -> NDArray[np.uint8]:
    """Put images behind each other: [N, C, H, W]."""
    return np.stack([image.pixels for image in images])


def takes_bundled_images(model: snncore.Model) -> bool:
    """Tell whether the bundled images fit `model` as they are."""
    return (
        len(model.inputs) == 1 and model.inputs[0].shape == (3, 32, 32) and bool(model.inputs[0].zero_point)
    )


def frames_layout(model: snncore.Model) -> str:
    """Give the layout of an array of single frames, one for each sample."""
    return "NCHW" if len(model.inputs[0].shape) == 3 else "NC"


def sample_input(model: snncore.Model, count: int, seed: int = 0) -> NDArray[Any]:
    """Give `count` frames: the bundled images (again and again) where they fit, else random ones."""
    if len(model.inputs) != 1:
        raise ValueError(f"a model with one input is needed, this one has {len(model.inputs)}")
    if takes_bundled_images(model):
        images = stack(pictures(list(bundled_images().values()), model))
        return images[np.arange(count) % len(images)]
    return random_input(model, count, seed)


def random_input(model: snncore.Model, count: int, seed: int = 0) -> NDArray[Any]:
    """Give `count` random frames of the kind that the model takes."""
    port, rng = model.inputs[0], np.random.default_rng(seed)
    shape = (count, *port.shape)
    if port.zero_point:
        return rng.integers(0, 256, shape, dtype=np.uint8)
    if port.dtype == "f32":
        return rng.standard_normal(shape, dtype=np.float32)
    return rng.random(shape) < 0.2


def class_name(model: snncore.Model, index: int) -> str:
    """Give the name of a class, or its number."""
    labels = model.labels
    return labels[index] if labels is not None and index < len(labels) else str(index)


def logits(model: snncore.Model, outputs: Any) -> NDArray[np.float32]:
    """Take the first output as a value for each class, [N, classes]."""
    values = outputs[model.outputs[0].name] if isinstance(outputs, dict) else outputs
    array: NDArray[np.float32] = np.asarray(values)
    if array.ndim != 2:
        raise ValueError(
            f"output '{model.outputs[0].name}' is {list(array.shape)}, expected one value for each class"
        )
    return array


def load_array(path: str) -> Any:
    """Read a .npy file."""
    if not Path(path).is_file():
        raise FileNotFoundError(2, "No such file or directory", path)
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError):
        array = None
    if not isinstance(array, np.ndarray):
        raise ValueError(f"'{path}' is not a .npy file of numbers")
    return array
