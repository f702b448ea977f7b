"""Every kind of picture file, at every place that takes one: read as the plain one is."""

from __future__ import annotations

import json
import struct
import sys
import zlib
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from cnnlab.__main__ import main
from cnnlab.data.datasets import DATASETS
from cnnlab.data.loading import load, load_test
from cnnlab.drawings.images import read_picture
from cnnlab.drawings.page import find_characters
from cnnlab.drawings.preprocess import INVERTED, RIM_CUT, network_input, prepare
from cnnlab.drawings.strokes import DrawingError
from cnnlab.runs.run import Run
from cnnlab.runs.trained import load_trained
from tests.conftest import ROOT

Share = npt.NDArray[np.float64]  # (H, W) in 0…1
Save = Callable[[Share], bytes]

ORIENTATION = 0x0112  # EXIF
FLIP_X, FLIP_Y, ROTATE_180 = (
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.ROTATE_180,
)
TURNED = {  # how a camera stores what its tag then turns back
    2: FLIP_X,
    3: ROTATE_180,
    4: FLIP_Y,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def bytes_of(light: Share) -> npt.NDArray[np.uint8]:
    return (light * 255).round().clip(0, 255).astype(np.uint8)


def grey(ink: Share, paper: float = 1.0, pen: float = 0.0) -> Image.Image:
    """Ink of a pen on paper, both of a lightness in 0…1."""
    return Image.fromarray(bytes_of(paper + (pen - paper) * ink))


def turned(orientation: int, kind: str) -> Save:
    """As a phone held otherwise stores it."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return lambda ink: saved(grey(ink).transpose(TURNED[orientation]), kind, exif=exif)


def deep(values: Callable[[Share], npt.NDArray[np.generic]], kind: str = "TIFF") -> Save:
    """Grey paper and a grey pen in numbers of more than 8 bits."""
    return lambda ink: saved(Image.fromarray(values(0.8 - 0.6 * ink)), kind)


def clear(tone: int) -> Save:
    """Ink of one tone on nothing."""
    return lambda ink: saved(Image.fromarray(np.dstack([np.full(ink.shape, tone, np.uint8), bytes_of(ink)])))


def palette_on_nothing(ink: Share) -> bytes:
    colours = grey(ink).convert("P", palette=Image.Palette.ADAPTIVE)
    return saved(colours, transparency=colours.getpixel((0, 0)))


def with_margins(ink: Share) -> bytes:
    """Paper in the middle of nothing."""
    light, seen = bytes_of(1 - ink), np.full(ink.shape, 255, np.uint8)
    return saved(Image.fromarray(np.dstack([np.pad(band, 30) for band in (light, seen)])))


def rimmed(width: int, sides: Sequence[int] = (1, 1, 1, 1), blur: float = 0, chalk: bool = False) -> Save:
    """A scan with a dark rim at the top, bottom, left and right; a light one around chalk."""
    top, bottom, left, right = (width * side for side in sides)

    def save(ink: Share) -> bytes:
        framed = np.pad(ink if chalk else 1 - ink, ((top, bottom), (left, right)), constant_values=float(chalk))
        return saved(Image.fromarray(bytes_of(framed)).filter(ImageFilter.GaussianBlur(blur)))

    return save


FORMATS: dict[str, Save] = {
    **{f"{kind}, EXIF {tag}": turned(tag, kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF") for tag in TURNED},
    "16 bits": deep(lambda light: (light * 65535).astype(np.uint16), "PNG"),
    "16 bits, TIFF": deep(lambda light: (light * 65535).astype(np.uint16)),
    "12 of 16 bits": deep(lambda light: (light * 4095).astype(np.uint16), "PNG"),
    "32 bits": deep(lambda light: (light * 1e9).astype(np.int32)),
    "floats to 1": deep(lambda light: light.astype(np.float32)),
    "floats to 255": deep(lambda light: (255 * light).astype(np.float32)),
    "floats of any range": deep(lambda light: (1e4 * light - 5e3).astype(np.float32)),
    "palette": lambda ink: saved(grey(ink).convert("P", palette=Image.Palette.ADAPTIVE)),
    "palette on nothing": palette_on_nothing,
    "CMYK": lambda ink: saved(grey(ink).convert("CMYK"), "JPEG", quality=95),
    "one bit": lambda ink: saved(grey(ink).convert("1", dither=Image.Dither.NONE)),
    "GIF, two frames": lambda ink: saved(grey(ink), "GIF", save_all=True, append_images=[grey(0 * ink, 0.5)]),
    "WebP": lambda ink: saved(grey(ink), "WEBP", lossless=True),
    "BMP": lambda ink: saved(grey(ink), "BMP"),
    "white on nothing": clear(255),
    "black on nothing": clear(0),
    "paper in nothing": with_margins,
    "light paper, weak pen": lambda ink: saved(grey(ink, 0.95, 0.6)),
    "dark paper": lambda ink: saved(grey(ink, 0.4, 0.1)),
    "chalk": lambda ink: saved(grey(ink, 0.3, 0.9)),
    **{f"rim of {width}": rimmed(width) for width in (1, 2, 3, 5, 9)},
    **{f"rim at {side}": rimmed(4, sides) for side, sides in zip("tblr", np.eye(4, dtype=int).tolist(), strict=True)},
    "blurred rim": rimmed(4, blur=1),
    "rim around chalk": rimmed(3, chalk=True),
}


@pytest.fixture(scope="module")
def ink() -> Share:
    """A four of the sample, which no turn leaves as it is, as large as a scan."""
    test = load("mnist-sample").test
    four = test.images[test.labels == 4][1, 0].numpy()
    enlarged = Image.fromarray(four).resize((168, 168), Image.Resampling.BICUBIC)
    return np.pad(np.asarray(enlarged), ((0, 0), (0, 40))) / 255


def as_input(content: bytes) -> Tensor:
    """As predict and Inside hand it to a network."""
    return network_input(read_picture(content), (1, 28, 28), is_drawn=True, is_light_on_dark=True).image


def on_a_sheet(content: bytes) -> Tensor:
    """As Draw's photo hands its only character to a network."""
    (character,) = find_characters(read_picture(content)).characters
    return prepare(character.ink)


def likeness(one: Tensor, other: Tensor) -> float:
    """Their correlation, 1 for equal images."""
    return float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]).double())[0, 1])


@pytest.mark.parametrize("place", [as_input, on_a_sheet])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_is_read_as_the_plain_one_is(kind: str, place: Callable[[bytes], Tensor], ink: Share) -> None:
    assert likeness(place(FORMATS[kind](ink)), place(saved(grey(ink)))) > 0.95


def test_predict_answers_to_every_kind_of_file_in_their_order(
    ink: Share, finished_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = np.pad(np.ones((150, 20)), ((30, 30), (90, 90)))
    files = [tmp_path / f"{number}" for number in range(2 * len(FORMATS))]
    for number, save in enumerate(FORMATS.values()):
        files[2 * number].write_bytes(save(ink))
        files[2 * number + 1].write_bytes(save(one))
    monkeypatch.setattr(sys, "argv", ["cnnlab", "predict", str(finished_run.folder), *map(str, files), "--json"])
    main()
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["predictions"]
    assert [prediction["file"] for prediction in told] == list(map(str, files))
    assert [prediction["class"] for prediction in told] == ["4", "1"] * len(FORMATS)


def test_real_scans_and_photos_are_read(finished_run: Run) -> None:
    folder = ROOT.parent / "shared" / "cases" / "digits"
    if not folder.is_dir():
        pytest.skip(f"no pictures in {folder}")
    expected = json.loads((folder / "expected.json").read_text())
    trained = load_trained(finished_run)
    images = torch.cat([as_input((folder / name).read_bytes()) for name in expected])
    read = [trained.classes[best] for best in trained.probabilities(images).argmax(1).tolist()]
    assert sum(one == right for one, right in zip(read, expected.values(), strict=True)) >= 46  # a net of two epochs


@pytest.mark.parametrize("cropped", [False, True])
def test_ink_that_fills_a_picture_is_no_rim(cropped: bool) -> None:
    bar = np.zeros((120, 100))
    bar[0:12] = bar[:, 44:56] = 1  # a printed T, cut close
    made = network_input(read_picture(saved(grey(bar if cropped else np.pad(bar, 20)))), (1, 28, 28), True, True)
    assert made.changes == ()
    assert (made.image[0, 0] > 0).any(0).sum() > 14  # with its bar


def test_a_rim_is_cut_off_and_told(ink: Share) -> None:
    assert network_input(read_picture(rimmed(2)(ink)), (1, 28, 28), True, True).changes == (RIM_CUT,)


def test_data_sets_of_light_things_on_dark_are_known_by_their_statistics() -> None:
    assert {name for name, spec in DATASETS.items() if not spec.is_light_on_dark} == {
        *("cifar10", "svhn", "cifar100", "stl10", "eurosat", "oxford-pets", "flowers102")
    }


GROUNDS: dict[str, Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]] = {
    "white": lambda light: 255 - light,
    "grey paper": lambda light: (0.85 * (255.0 - light)).round().astype(np.uint8),
    "nothing, black": lambda light: np.dstack([0 * light, light]),
    "nothing, inverted": lambda light: np.dstack([255 - light, (light > 0) * np.uint8(255)]),
    "black": lambda light: light,
    "nothing": lambda light: np.dstack([light, (light > 0) * np.uint8(255)]),
}


@pytest.mark.parametrize("ground", GROUNDS)
def test_clothes_on_any_ground_are_seen_light_on_dark(ground: str, real_data: Path) -> None:
    """As the data set shows them, nearly all, and the user is told of an inversion."""
    images = load_test("fashion-mnist", real_data).images[:100]
    pictures = [read_picture(saved(Image.fromarray(GROUNDS[ground](image[0].numpy())))) for image in images]
    made = [network_input(picture, (1, 28, 28), is_drawn=False, is_light_on_dark=True) for picture in pictures]
    right = [likeness(one.image, image) > 0.99 for one, image in zip(made, images, strict=True)]
    assert np.mean(right) >= (0.85 if "inverted" in ground or ground == "nothing" else 0.99)
    told = np.mean([INVERTED in one.changes for one in made])
    assert told < 0.15 if ground in ("black", "nothing") else told > 0.85


def test_pictures_for_other_networks_are_only_scaled() -> None:
    picture = read_picture(saved(Image.new("RGB", (64, 48), (255, 0, 16))))
    made = network_input(picture, (3, 32, 32), is_drawn=False, is_light_on_dark=False)
    assert made.image.shape == (1, 3, 32, 32)
    assert made.image[0, :, 5, 5].tolist() == [255, 0, 16]
    assert not made.changes


def png_of(width: int, height: int, data: bytes = zlib.compress(b"\0" * 9)) -> bytes:
    """A PNG whose header claims that many pixels, and next to none of them."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    packed = [struct.pack(">I", len(content)) + kind + content for kind, content in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(part + struct.pack(">I", zlib.crc32(part[4:])) for part in packed)


REFUSED = {
    "empty": (b"", "is empty"),
    "text": (b"hello", "not a readable image"),
    "HTML": (b"<!DOCTYPE html><html></html>", "not a readable image"),
    "HEIC": (b"\0\0\0\x18ftypheic" + bytes(50), "not a readable image"),
    "little data": (png_of(50, 50), "damaged"),
    "data of no kind": (png_of(50, 50, b"none"), "damaged"),
    "cut off": (saved(Image.effect_noise((90, 90), 50), "JPEG")[:900], "damaged"),
    "40,000 a side": (png_of(40_000, 40_000), "at most 4096×4096"),
    "9,000 a side": (saved(Image.new("1", (9_000, 9_000))), "9000×9000"),
    "no value": (saved(Image.fromarray(np.full((9, 9), np.nan, np.float32)), "TIFF"), "no pixel with a value"),
    "too large": (bytes(50_000_001), "larger than 50 MB"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_is_told_in_one_line(what: str, recwarn: pytest.WarningsRecorder) -> None:
    content, words = REFUSED[what]
    with pytest.raises(DrawingError, match=words) as refusal:
        read_picture(content)
    assert "\n" not in str(refusal.value)
    assert not recwarn


@pytest.mark.parametrize("content", [saved(grey(np.zeros((50, 50)))), saved(Image.new("LA", (50, 50), (0, 0)))])
def test_a_blank_picture_is_told(content: bytes) -> None:
    with pytest.raises(DrawingError, match="nothing drawn"):
        network_input(read_picture(content), (1, 28, 28), True, True)


def test_a_phones_large_photo_is_read_at_a_smaller_size() -> None:
    assert read_picture(saved(Image.new("L", (5712, 4284), 200), "JPEG")).size == (2856, 2142)


LEAVES = "cnnlab/export/standalone/picture.py"  # the app itself reads no picture with it


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("Image.open(", "cnnlab/drawings/images.py"),
        ("Transpose.", "cnnlab/drawings/images.py"),
        ("camera_input(", "cnnlab/ui/widgets/image_file.py"),
        ("SUFFIXES,", "cnnlab/ui/widgets/image_file.py"),
    ],
)
def test_pictures_are_opened_and_asked_for_at_one_place(words: str, place: str) -> None:
    """So that what is read at one place is read at all."""
    sources = [*ROOT.glob("cnnlab/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"]
    found = {path.relative_to(ROOT).as_posix() for path in sources if words in path.read_text(encoding="utf-8")}
    assert found - {LEAVES} == {place}
