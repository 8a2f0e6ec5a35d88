from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import snncore
from snncore.images import load_image

Image = pytest.importorskip("PIL.Image")


def model(shape=(3, 8, 8), crop="center", color="rgb", dtype="u8"):
    b = snncore.GraphBuilder()
    pixels = {"zero_point": [0] * shape[0], "scale": 1 / 255} if dtype == "u8" else {}
    x = b.input("image", dtype, shape, **pixels)
    weight = np.ones((2, shape[0], 1, 1), np.int8 if dtype == "u8" else np.float32)
    coded = {"encoding": "sym", "bits": 8, "scale": [1 / 64]} if dtype == "u8" else {}
    b.output("spikes", b.lif("lif", b.conv2d("conv", x, weight, **coded)))
    return b.build(2, preprocess={"size": list(shape[1:]), "crop": crop, "color": color})


def write(path: Path, array, **options) -> Path:
    Image.fromarray(np.asarray(array, np.uint8)).save(path, **options)
    return path


def halves(height, width):
    """Left half red, right half blue."""
    a = np.zeros((height, width, 3), np.uint8)
    a[:, : width // 2, 0] = 255
    a[:, width // 2 :, 2] = 255
    return a


def test_an_image_of_the_right_size_is_taken_as_it_is(tmp_path):
    a = np.random.default_rng(0).integers(0, 256, (8, 8, 3))
    picture = load_image(write(tmp_path / "a.png", a), model())
    assert picture.note is None
    np.testing.assert_array_equal(picture.pixels, a.transpose(2, 0, 1))


def test_center_keeps_the_middle_and_says_so(tmp_path):
    wide = np.zeros((8, 24, 3), np.uint8)
    wide[:, 8:16] = 200
    picture = load_image(write(tmp_path / "wide.png", wide), model())
    assert (picture.pixels == 200).all()
    assert picture.note == "wide.png: 24x8 pixels, cut to the centred 8x8, scaled to 8x8"


def test_stretch_keeps_everything(tmp_path):
    picture = load_image(write(tmp_path / "a.png", halves(8, 32)), model(crop="stretch"))
    assert picture.pixels[0, 0, 0] == 255 and picture.pixels[2, 0, -1] == 255
    assert picture.note == "a.png: 32x8 pixels, scaled to 8x8"


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (7, 9), (500, 400), (3000, 1)])
@pytest.mark.parametrize("kind", ["png", "jpg", "ppm"])
def test_any_size(tmp_path, size, kind):
    picture = load_image(write(tmp_path / f"a.{kind}", np.full((*size, 3), 77)), model())
    assert picture.pixels.shape == (3, 8, 8)
    assert (abs(picture.pixels.astype(int) - 77) <= 2).all()
    assert picture.note is not None and "scaled to 8x8" in picture.note


def test_gray_sixteen_bit_palette_and_transparent(tmp_path):
    gray = np.full((8, 8), 60, np.uint8)
    assert (load_image(write(tmp_path / "g.png", gray), model()).pixels == 60).all()
    assert (load_image(write(tmp_path / "g2.png", gray), model((1, 8, 8), color="gray")).pixels == 60).all()
    Image.fromarray(np.full((8, 8), 0x4321, np.uint16)).save(tmp_path / "deep.png")
    assert (load_image(tmp_path / "deep.png", model()).pixels == 0x43).all()
    Image.fromarray(halves(8, 8)).quantize(4).save(tmp_path / "palette.png")
    assert load_image(tmp_path / "palette.png", model()).pixels[0, 0, 0] > 200
    deep = np.arange(64, dtype=np.uint16).reshape(8, 8) << 8
    Image.fromarray(deep).save(tmp_path / "clear16.png", transparency=int(deep[1, 1]))
    pixels = load_image(tmp_path / "clear16.png", model()).pixels
    assert pixels[0, 1, 1] == 255 and pixels[0, 2, 2] == 18
    clear = np.zeros((8, 8, 4), np.uint8)
    assert (load_image(write(tmp_path / "clear.png", clear), model()).pixels == 255).all()


def test_exif_turns_the_image(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by 90 degrees
    path = tmp_path / "turned.jpg"
    Image.fromarray(halves(16, 16)).save(path, exif=exif, quality=95)
    pixels = load_image(path, model()).pixels
    assert pixels[0, 0].min() > 200 and pixels[2, -1].min() > 200  # red above, blue below


@pytest.mark.parametrize("content", [b"", b"hello, this is text\n", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_a_file_that_is_no_image(tmp_path, content):
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"'x\.png' is not an image that can be read"):
        load_image(path, model())


def test_a_truncated_image(tmp_path):
    path = write(tmp_path / "x.png", np.random.default_rng(0).integers(0, 256, (64, 64, 3)))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match="not an image that can be read"):
        load_image(path, model())


def test_a_missing_file_and_a_model_without_images(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_image(tmp_path / "none.png", model())
    with pytest.raises(ValueError, match="cannot be made from an image file"):
        load_image(write(tmp_path / "a.png", halves(8, 8)), model(dtype="f32"))


def test_pixels_that_are_floats_are_refused(tmp_path):
    Image.fromarray(np.full((8, 8), 0.5, np.float32)).save(tmp_path / "a.pfm")
    with pytest.raises(
        ValueError, match=r"'a.pfm' is not an image that can be read \(its pixels are floats\)"
    ):
        load_image(tmp_path / "a.pfm", model())
