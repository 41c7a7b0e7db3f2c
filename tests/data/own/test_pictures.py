"""Image files of a user's folder: 8 bits a channel, upright, on white, however they are saved."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from jaxact import data
from jaxact.data.own import pictures
from jaxact.errors import DataError
from tests.support.own_files import arrays, class_folders, encoded, png16, png_chunk, saved

IMAGES, _ = arrays(2)
COLOURS = Image.fromarray(IMAGES[0])
GREY = Image.fromarray(IMAGES[0, ..., 0])


def drawing(mode: str) -> Image.Image:
    """A black line on what is transparent."""
    picture = Image.new("LA", (10, 9), (0, 0))
    picture.paste((0, 255), (2, 0, 4, 9))
    if mode == "P":
        palette = Image.fromarray((np.asarray(picture)[..., 1] == 0).astype(np.uint8)).convert("P")
        palette.putpalette([0, 0, 0] * 2)
        return palette
    return picture.convert(mode)


def decoded(tmp_path, content: bytes, suffix: str = "png", channels: int = 3):
    path = tmp_path / f"new.{suffix}"
    path.write_bytes(content)
    with pictures.strict_pillow():
        return pictures.header(path), pictures.decode(path, channels)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("mode", "form", "options"),
    [
        ("RGBA", "PNG", {}),
        ("LA", "PNG", {}),
        ("P", "PNG", {"transparency": 1}),
        ("P", "PNG", {"transparency": b"\xff\x00"}),
        ("P", "GIF", {"transparency": 1}),
        ("RGBA", "WEBP", {"lossless": True, "exact": True}),
        ("RGBA", "TIFF", {}),
    ],
)
def test_what_is_transparent_is_white(tmp_path, mode, form, options, channels):
    _, (pixels, facts) = decoded(tmp_path, saved(drawing(mode), form, **options), form, channels)
    expected = np.full((9, 10, channels), 255)
    expected[:, 2:4] = 0
    np.testing.assert_array_equal(pixels, expected)
    assert facts == {pictures.ON_WHITE}


def test_half_transparent_black_is_grey_and_opaque_alpha_changes_nothing(tmp_path):
    half = Image.new("RGBA", (10, 9), (0, 0, 0, 128))
    _, picture = decoded(tmp_path, saved(half, "PNG"))
    assert np.unique(picture.pixels).tolist() == [127]
    _, picture = decoded(tmp_path, saved(COLOURS.convert("RGBA"), "PNG"))
    np.testing.assert_array_equal(picture.pixels, IMAGES[0])
    assert not picture.facts


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF", "JPEG"])
def test_exif_orientation_is_applied(tmp_path, form, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    options = {"quality": 100, "subsampling": 0} if form == "JPEG" else {"lossless": True}
    smooth = Image.fromarray(np.outer(np.arange(9), np.arange(10)).astype(np.uint8)).convert("RGB")
    head, (pixels, facts) = decoded(tmp_path, saved(smooth, form, exif=exif, **options), form)
    as_saved = np.asarray(smooth)
    expected = {
        1: as_saved,
        2: as_saved[:, ::-1],
        3: as_saved[::-1, ::-1],
        4: as_saved[::-1],
        5: as_saved.swapaxes(0, 1),
        6: as_saved.swapaxes(0, 1)[:, ::-1],
        7: as_saved[::-1, ::-1].swapaxes(0, 1),
        8: as_saved.swapaxes(0, 1)[::-1],
    }[orientation]
    assert head.size == expected.shape[1::-1]
    np.testing.assert_allclose(pixels.astype(int), expected, atol=3)
    assert facts == ({pictures.TURNED} if orientation > 1 else set())


def test_an_orientation_behind_the_pixels_is_applied_or_said(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    content = saved(COLOURS, "PNG")
    late = content[:-12] + png_chunk(b"eXIf", exif.tobytes()[6:]) + content[-12:]
    class_folders(tmp_path)
    (tmp_path / "bee" / "new.png").write_bytes(late)
    with pytest.raises(DataError, match=r"new.png is 9 x 10 pixels once .*not 10 x 9; save it up"):
        data.load(str(tmp_path))
    loaded = data.load(str(tmp_path), image_size=8)
    assert "images turned as their EXIF orientation says: 1 (bee/new.png)" in loaded.note


@pytest.mark.parametrize("content", [b"", b"MM", b"II*\0\xff\xff\xff\xff", b"\0" * 40])
def test_damaged_exif_is_no_damage_to_the_pixels(tmp_path, content):
    whole = saved(COLOURS, "PNG")
    broken = whole[:33] + png_chunk(b"eXIf", content) + whole[33:]
    _, picture = decoded(tmp_path, broken)
    np.testing.assert_array_equal(picture.pixels, IMAGES[0])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bits_are_scaled(tmp_path, channels):
    levels = np.random.default_rng(0).integers(0, 65536, (9, 10, channels))
    levels[0, 0] = 65535
    if channels in (2, 4):
        levels[..., -1] = 65535
    _, (pixels, facts) = decoded(tmp_path, png16(levels))
    exact = levels[..., : 3 if channels > 2 else 1] / 257
    error = np.abs(pixels - np.broadcast_to(exact, pixels.shape)).max()
    assert error <= (0.5 if channels == 1 else 1)
    assert pixels.max() == 255
    assert facts == {pictures.SCALED}


def test_16_bits_of_a_tiff_are_scaled(tmp_path):
    levels = np.random.default_rng(0).integers(0, 65536, (9, 10), np.uint16)
    _, picture = decoded(tmp_path, saved(Image.fromarray(levels), "TIFF"), "tif", 1)
    np.testing.assert_array_equal(picture.pixels[..., 0], np.rint(levels / 257))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("highest", [255, 4095])
def test_16_bits_that_hold_fewer_are_refused(tmp_path, channels, highest):
    class_folders(tmp_path, shape=(9, 10, 3))
    levels = np.random.default_rng(0).integers(0, highest + 1, (9, 10, channels))
    (tmp_path / "bee" / "new.png").write_bytes(png16(levels))
    with pytest.raises(
        DataError, match=r"bee/new.png\) no value is above \d+ of 65535.*8 bits, sc"
    ):
        data.load(str(tmp_path))


@pytest.mark.parametrize(
    ("dtype", "tag", "old", "new", "message"),
    [
        (np.uint16, 258, 16, 12, "has 12 bits a channel; save it with 8"),
        (np.uint16, 262, 1, 0, "has 16 bits a channel and white as 0; save it with 8"),
        (np.uint8, 339, 1, 2, "has signed values of 8 bits; save it with 8, unsigned"),
    ],
)
def test_what_pillow_would_take_for_something_else_is_refused(
    tmp_path, dtype, tag, old, new, message
):
    picture = Image.fromarray(IMAGES[0, ..., 0].astype(dtype))
    content = saved(picture, "TIFF", tiffinfo={339: 1})
    before, after = (struct.pack("<HHII", tag, 3, 1, value) for value in (old, new))
    assert content.count(before) == 1
    decoded(tmp_path, content, "tif", 1)
    with pytest.raises(pictures.Unusable, match=message):
        decoded(tmp_path, content.replace(before, after), "tif", 1)


def test_grey_of_any_depth_has_one_channel(tmp_path):
    class_folders(tmp_path, shape=(9, 10))
    (tmp_path / "bee" / "deep.png").write_bytes(png16(np.full((9, 10, 1), 65535)))
    (tmp_path / "bee" / "alpha.png").write_bytes(saved(drawing("LA"), "PNG"))
    assert data.load(str(tmp_path)).train.images.shape[-1] == 1


@pytest.mark.parametrize("form", ["BMP", "GIF", "TIFF", "WEBP"])
def test_other_formats_are_read(tmp_path, form):
    options = {"lossless": True} if form == "WEBP" else {}
    picture = GREY if form == "GIF" else COLOURS
    _, (pixels, facts) = decoded(tmp_path, saved(picture, form, **options), form.lower())
    np.testing.assert_array_equal(pixels, np.asarray(picture.convert("RGB")))
    assert not facts
    assert f".{form.lower()}" in pictures.SUFFIXES


@pytest.mark.parametrize("form", ["GIF", "TIFF", "WEBP", "PNG"])
def test_of_several_frames_the_first_is_used_and_that_is_said(tmp_path, form):
    first, second = (Image.new("L", (10, 9), level) for level in (40, 200))
    first.putpixel((0, 0), 41)
    content = saved(first, form, save_all=True, append_images=[second], lossless=True)
    _, (pixels, facts) = decoded(tmp_path, content, form.lower())
    np.testing.assert_allclose(pixels.astype(int), 40, atol=2)
    assert facts == {pictures.FIRST_FRAME}


@pytest.mark.parametrize("size", [(64, 96), (96, 64), (64, 64), (61, 90)])
def test_pictures_are_scaled_and_cut_around_their_middle_not_squashed(size):
    """A disc in the middle stays one; what lies beyond the square is away."""
    width, height = size
    x, y = np.arange(width) - (width - 1) / 2, np.arange(height) - (height - 1) / 2
    distance = np.hypot(x[None], y[:, None])
    pixels = np.where(distance < 24, 255, 0).astype(np.uint8)
    side = min(size)
    beyond = np.maximum(abs(x[None]), abs(y[:, None])) > side / 2 + 1
    pixels[beyond] = 255
    fitted = np.asarray(pictures.fitted(Image.fromarray(pixels), (32, 32)))
    places = np.arange(32) - 15.5
    expected = np.where(np.hypot(places[None], places[:, None]) < 24 * 32 / side, 255, 0)
    is_edge = abs(np.hypot(places[None], places[:, None]) - 24 * 32 / side) < 1.5
    np.testing.assert_array_equal(fitted[~is_edge], expected[~is_edge])


def test_a_picture_of_the_right_size_stays_as_it_is():
    assert pictures.fitted(COLOURS, COLOURS.size) is COLOURS


def test_what_was_done_is_in_the_note_with_names(tmp_path):
    class_folders(tmp_path)
    for index in range(5):
        (tmp_path / "bee" / f"new{index}.png").write_bytes(saved(drawing("RGBA"), "PNG"))
    Image.new("RGB", (10, 9), "red").save(tmp_path / "ant" / "red.bmp")
    note = data.load(str(tmp_path)).note
    assert "being transparent: 5 (bee/new0.png, bee/new1.png, bee/new2.png and 2 more)" in note
    assert "images of one colour alone: 1 (ant/red.bmp)" in note


def test_all_broken_images_are_in_one_answer(tmp_path):
    class_folders(tmp_path)
    png = encoded(IMAGES[0])
    for index in range(4):
        (tmp_path / "ant" / f"cut{index}.png").write_bytes(png[: len(png) // 2])
        (tmp_path / "bee" / f"text{index}.jpg").write_bytes(b"<html>")
    with pytest.raises(DataError) as caught:
        data.load(str(tmp_path))
    message = str(caught.value)
    assert message.startswith("8 of 23 images cannot be used: ")
    assert message.endswith(" and 3 more; mend or remove them")
    assert message.count(".jpg is no PNG") == 4
    assert message.count(".png cannot be read") == 1
    assert "\n" not in message


def test_all_truncated_images_are_in_one_answer(tmp_path):
    class_folders(tmp_path)
    png = encoded(IMAGES[0])
    for index in range(2):
        (tmp_path / "ant" / f"cut{index}.png").write_bytes(png[: len(png) // 2])
    with pytest.raises(
        DataError, match=r"^2 of 17 .*ant/cut0.png cannot .*, .*ant/cut1.png cannot"
    ):
        data.load(str(tmp_path))


def test_images_of_other_sizes_are_counted(tmp_path):
    class_folders(tmp_path)
    for index in range(3):
        (tmp_path / "bee" / f"new{index}.png").write_bytes(encoded(np.zeros((7, 7), np.uint8)))
    with pytest.raises(DataError, match=r"new0.png 7 x 7 \(2 more of 18 differ, too\): make all"):
        data.load(str(tmp_path))


def test_pillow_is_given_no_other_format():
    with pytest.raises(Image.UnidentifiedImageError):
        Image.open(io.BytesIO(encoded(IMAGES[0], "PPM")), formats=pictures.FORMATS)
