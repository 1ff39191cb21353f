"""Pictures of every kind load upright in RGB; broken ones are refused by name."""

import os
import warnings
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from corpus import BLUE, RED, Bad, Good, damaged_avif, halves, make_bad, make_good
from PIL import Image, features

from utils.errors import ConfigError, ImageError, OutputError
from utils.media.image_writer import encode_png, save_image
from utils.media.images import load_image
from utils.media.sources import list_images

GOOD = [
    *("RGB", "8-bit grey", "1-bit", "CMYK JPEG", "palette"),
    *("16-bit PNG", "16-bit TIFF", "16-bit PGM", "16 bits in 32-bit integers", "16-bit RGB PNG"),
    *("RGBA", "grey with alpha", "transparent WebP", "transparent palette"),
    *("animated GIF", "animated WebP", "animated APNG"),
    *("EXIF orientation", "broken EXIF", "JPEG named PNG"),
]
BAD = [
    *("missing", "a folder", "zero bytes", "text", "noise", "truncated JPEG", "JPEG header alone"),
    *("truncated PNG", "damaged AVIF", "HEIC", "HEIC named JPEG", "video", "SVG", "PDF"),
    *("decompression bomb", "just above the limit"),
]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Good]:
    return make_good(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bad]:
    return make_bad(tmp_path_factory.mktemp("bad"))


def test_the_lists_are_complete(good: dict[str, Good], bad: dict[str, Bad]) -> None:
    assert sorted(good) == sorted(GOOD)
    assert sorted(bad) == sorted(BAD)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("kind", GOOD)
def test_good_pictures_load(good: dict[str, Good], kind: str) -> None:
    case = good[kind]
    for source in (case.path, str(case.path), case.path.read_bytes(), Image.open(case.path)):
        pixels = load_image(source)
        assert pixels.dtype == np.uint8
        assert pixels.shape == (*case.shape, 3)
        assert np.abs(pixels[2, 2].astype(int) - case.top_left).max() <= case.tolerance


@pytest.mark.parametrize("kind", BAD)
def test_bad_files_are_refused_by_name(bad: dict[str, Bad], kind: str) -> None:
    case = bad[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError) as caught:
            load_image(case.path)
    assert str(case.path) in str(caught.value)
    assert case.message in str(caught.value)


def test_opaque_pixels_keep_their_colour_under_alpha(good: dict[str, Good]) -> None:
    pixels = load_image(good["RGBA"].path)
    assert tuple(pixels[12, 2]) == RED
    assert tuple(pixels[2, 20]) == BLUE


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(tmp_path: Path, orientation: int) -> None:
    upright = halves()
    upright[:4] = 255
    # How a camera stores the picture for each value of the EXIF tag.
    stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation](upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif)
    np.testing.assert_array_equal(load_image(path), upright)


def test_ycck_jpeg_has_the_right_colours(tmp_path: Path) -> None:
    # Pillow writes no YCCK. This writes as plain CMYK what YCCK stores for pure red (after Pillow
    # inverted it), and then changes the colour transform in the Adobe marker to YCCK.
    path = tmp_path / "ycck.jpg"
    Image.new("CMYK", (16, 16), (76, 84, 254, 0)).save(path, quality=100)
    data = bytearray(path.read_bytes())
    data[data.index(b"Adobe") + 11] = 2
    path.write_bytes(data)
    with Image.open(path) as image:
        assert image.info["adobe_transform"] == 2
    assert np.abs(load_image(path)[8, 8].astype(int) - RED).max() < 6


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif_is_read_where_pillow_can(tmp_path: Path) -> None:
    path = tmp_path / "photo.avif"
    Image.fromarray(halves()).save(path, quality=100)
    assert np.abs(load_image(path)[2, 2].astype(int) - RED).max() < 10


def test_fifty_megapixels_load(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("1", (8660, 5774)).save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_image(path).shape == (5774, 8660, 3)


def test_the_limit_is_checked_before_decoding_and_can_be_raised(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (15_000, 15_000)).save(path)  # above Pillow's own limit, too
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(ImageError, match=r"15000 x 15000 = 225\.0 megapixels, the limit is 100"):
        load_image(path)
    with pytest.raises(ImageError, match="limit is 200"):
        load_image(path, max_pixels=200_000_000)
    assert before == Image.MAX_IMAGE_PIXELS
    with pytest.raises(ImageError, match="too large"):
        load_image(np.zeros((11, 10), np.uint8), max_pixels=100)
    assert load_image(np.zeros((10, 10), np.uint8), max_pixels=100).shape == (10, 10, 3)


def test_one_pixel(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    Image.new("RGB", (1, 1), RED).save(path)
    assert load_image(path).tolist() == [[list(RED)]]


def test_arrays() -> None:
    rgb = halves()
    assert load_image(rgb) is rgb
    grey = load_image(rgb[..., 0])
    np.testing.assert_array_equal(grey, np.repeat(rgb[..., :1], 3, axis=2))
    clear = np.dstack([rgb, np.zeros(rgb.shape[:2], np.uint8)])
    assert (load_image(clear) == 255).all()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4), np.uint16),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((3, 4, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros(4, np.uint8),
    ],
    ids=lambda a: f"{a.dtype}{a.shape}",
)
def test_other_arrays_are_refused_with_what_they_are(array: np.ndarray) -> None:
    with pytest.raises(ImageError) as caught:
        load_image(array)
    assert str(array.shape) in str(caught.value)
    assert str(array.dtype) in str(caught.value)


def test_float_pictures_and_other_types_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "float.tiff"
    Image.fromarray(np.zeros((4, 4), np.float32)).save(path)
    with pytest.raises(ImageError, match="32 bits per channel"):
        load_image(path)
    with pytest.raises(ImageError, match="not NoneType"):
        load_image(None)  # type: ignore[arg-type]


def test_bytes_are_called_by_the_name_given() -> None:
    with pytest.raises(ImageError, match=r"^upload\.jpg is empty"):
        load_image(b"", name="upload.jpg")


def test_strange_paths_are_errors_too(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="can't be read"):
        load_image("a\0b.jpg")
    with pytest.raises(ImageError, match="can't be read"):
        load_image(tmp_path / ("x" * 5000 + ".jpg"))
    fifo = tmp_path / "pipe.jpg"
    os.mkfifo(fifo)
    with pytest.raises(ImageError, match="not a regular file"):
        load_image(fifo)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path: Path, astronaut_jpg: Path) -> None:
    path = tmp_path / "secret.jpg"
    path.write_bytes(astronaut_jpg.read_bytes())
    path.chmod(0)
    with pytest.raises(ImageError, match="no permission"):
        load_image(path)


def test_an_image_that_cannot_be_written_is_an_error_of_the_output(tmp_path: Path) -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    with pytest.raises(ConfigError, match=r"image\.xyz: unsupported image format"):
        save_image(image, tmp_path / "image.xyz")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="can't be written"):
        save_image(image, tmp_path / "file" / "image.png")
    save_image(image, tmp_path / "new" / "image.png")
    assert load_image(tmp_path / "new" / "image.png").tolist() == image.tolist()
    assert load_image(encode_png(image)).tolist() == image.tolist()


def test_list_images(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "sub/c.webp", "sub/deep/d.heic", "notes.txt", ".hidden.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache/e.png").touch()
    names = [path.relative_to(tmp_path).as_posix() for path in list_images(tmp_path)]
    assert names == ["a.png", "b.JPG", "sub/c.webp", "sub/deep/d.heic"]


def test_list_images_of_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no such folder"):
        list_images(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(ImageError, match="is not a folder"):
        list_images(tmp_path / "file")
    assert list_images(tmp_path) == []


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_a_damaged_avif_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "photo.avif"
    path.write_bytes(damaged_avif())
    with pytest.raises(ImageError, match=r"photo\.avif is damaged") as caught:
        load_image(path)
    assert isinstance(caught.value.__cause__, RuntimeError), "what no other decoder raises"


def test_an_exception_that_nobody_expects_is_explained_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class UnheardOf(Image.Image):
        def load(self) -> None:
            raise AttributeError("no attribute 'tiles'")

    with pytest.raises(ImageError, match=r"odd\.png is damaged or truncated") as caught:
        load_image(UnheardOf(), name="odd.png")
    assert isinstance(caught.value.__cause__, AttributeError)
    assert "unexpected builtins.AttributeError" in caplog.text
    assert "odd.png" in caplog.text


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "TIFF", "WEBP"])
def test_mutated_images_load_or_are_refused(kind: str) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    rng, file = np.random.default_rng(1), BytesIO()
    Image.fromarray(rng.integers(0, 255, (48, 48, 3), np.uint8)).save(file, kind)
    for _ in range(150):
        data = np.frombuffer(file.getvalue(), np.uint8).copy()
        spots = rng.integers(0, len(data), rng.integers(1, 9))
        data[spots] = rng.integers(0, 256, len(spots))
        with suppress(ImageError):
            load_image(data.tobytes()[: rng.integers(1, 2 * len(data))])
