"""From a PNG or JPEG file of any size to the pixels that a model takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snncore import _core

if TYPE_CHECKING:
    from PIL import Image

    from snncore.model import Model

#: What is read; the first two are what people have, the third is what tests and the C++ example use.
FORMATS = ("PNG", "JPEG", "PPM")


class Picture(NamedTuple):
    """An image as a model takes it."""

    pixels: NDArray[np.uint8]  #: [C, H, W]
    note: str | None  #: what was done to make it fit, in words; None: it fitted


class Target(NamedTuple):
    """What a model wants an image to be."""

    height: int
    width: int
    crop: str  #: "center" or "stretch"
    color: str  #: "rgb" or "gray"


def target(model: Model) -> Target:
    """Say what images `model` takes: by its `preprocess`, else by the shape of its input.

    Raises
    ------
    ValueError
        The model has no image input, or takes spikes.
    """
    if len(model.inputs) != 1:
        raise ValueError(f"a model with one image input is needed, this one has {len(model.inputs)} inputs")
    port = model.inputs[0]
    if len(port.shape) != 3 or port.shape[0] not in (1, 3) or not port.zero_point:
        raise ValueError(
            f"the model takes {port.dtype} {list(port.shape)} ('{port.name}'), which cannot be made from an "
            "image file"
        )
    channels, height, width = port.shape
    crop = (model.metadata["preprocess"] or {}).get("crop", "center")
    return Target(height, width, crop, "rgb" if channels == 3 else "gray")


def load_image(path: str | os.PathLike[str], model: Model) -> Picture:
    """Read an image file and make it fit `model`: turned upright (EXIF), 8 bits a colour, cut, scaled.

    With crop ``"center"`` the largest centred part of the model's proportions is kept and scaled; with
    ``"stretch"`` the whole image is. Scaling averages over the area (Pillow's bilinear filter). Transparent
    parts become white.

    Raises
    ------
    ValueError
        The file is not a readable PNG, JPEG or PPM image, or the model takes no images.
    FileNotFoundError, IsADirectoryError
        No file at this path.
    snncore.Error
        Pillow is not installed.
    """
    wanted = target(model)
    try:
        from PIL import Image, ImageOps
    except ModuleNotFoundError:
        raise _core.Error("reading images needs Pillow: pip install 'snncore[cli]'") from None
    name = Path(path).name
    data = _bytes(path)
    try:
        with Image.open(data, formats=FORMATS) as file:
            size = file.size
            image = _plain(ImageOps.exif_transpose(file), wanted.color)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, Warning) as why:
        raise ValueError(f"'{name}' is not an image that can be read ({_reason(why)})") from None
    fitted, note = _fit(image, wanted)
    pixels = np.asarray(fitted, dtype=np.uint8).reshape(wanted.height, wanted.width, -1)
    turned = "" if image.size == size else f"turned to {image.size[0]}x{image.size[1]}, "
    note = f"{turned}{note}" if note else None
    return Picture(
        np.ascontiguousarray(pixels.transpose(2, 0, 1)),
        note and f"{name}: {size[0]}x{size[1]} pixels, {note}",
    )


def _bytes(path: str | os.PathLike[str]) -> Any:
    """Open first: what the system says about a missing file is better than what a decoder says."""
    import io

    return io.BytesIO(Path(path).read_bytes())


def _reason(why: BaseException) -> str:
    if type(why).__name__ == "UnidentifiedImageError":
        return f"not one of {', '.join(FORMATS)}"
    return str(why).splitlines()[0] if str(why) else type(why).__name__


def _plain(image: Image.Image, color: str) -> Image.Image:
    """Convert to 8 bits a colour, without transparency."""
    from PIL import Image

    if image.mode == "F":
        raise ValueError("its pixels are floats")
    if image.mode.startswith("I"):  # 16 bits a pixel: Pillow's own conversion would clip
        wide = np.asarray(image).astype(np.int64)
        clear = image.info.get("transparency")
        image = Image.fromarray((wide >> 8).clip(0, 255).astype(np.uint8))
        if clear is not None:
            image.putalpha(Image.fromarray(np.where(wide == clear, 0, 255).astype(np.uint8)))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return image.convert("RGB" if color == "rgb" else "L")


def _fit(image: Image.Image, wanted: Target) -> tuple[Image.Image, str | None]:
    from PIL import Image

    width, height = image.size
    if (width, height) == (wanted.width, wanted.height):
        return image, None
    box = (0.0, 0.0, float(width), float(height))
    cut = ""
    if wanted.crop == "center":
        scale = min(width / wanted.width, height / wanted.height)
        kept_width, kept_height = wanted.width * scale, wanted.height * scale
        left, top = (width - kept_width) / 2, (height - kept_height) / 2
        box = (max(left, 0.0), max(top, 0.0), min(left + kept_width, width), min(top + kept_height, height))
        if kept_width < width - 0.5 or kept_height < height - 0.5:
            cut = f"cut to the centred {round(kept_width)}x{round(kept_height)}, "
    fitted = image.resize((wanted.width, wanted.height), Image.Resampling.BILINEAR, box=box)
    return fitted, f"{cut}scaled to {wanted.width}x{wanted.height}"
