"""Small datasets in the forms that people download, as files and zip files."""

import csv
import io
import zipfile
from pathlib import Path

from PIL import Image

from utils.emotions import EMOTIONS

USAGES = ("Training", "Training", "PublicTest", "PrivateTest")
FERPLUS_HEADER = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
)


def png(value: int = 0, suffix: str = "PNG") -> bytes:
    """Return a 48x48 grey image file whose pixels all have this value."""
    out = io.BytesIO()
    Image.new("L", (48, 48), value).save(out, suffix)
    return out.getvalue()


def write_files(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def csv_line(emotion: object = 3, pixels: str | None = None, usage: str = "Training") -> str:
    pixels = " ".join(["7"] * 2304) if pixels is None else pixels
    return f"{emotion},{pixels},{usage}"


def csv_bytes(*lines: str, header: str = "emotion,pixels,Usage") -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def small_csv() -> bytes:
    """Return four rows: angry and disgust in train, fear in validation, happy in test."""
    return csv_bytes(*(csv_line(i, usage=usage) for i, usage in enumerate(USAGES)))


def ferplus(path: Path, names: list[str], usages: tuple[str, ...] = USAGES) -> Path:
    """Write a FER+ table in which row i has i votes for anger and the rest for neutral."""
    rows = [
        f"{usage},{name},{10 - i},0,0,0,{i},0,0,0,0,0"
        for i, (usage, name) in enumerate(zip(usages, names, strict=True))
    ]
    path.write_text("\n".join([FERPLUS_HEADER, *rows, ""]))
    return path


def image_folder(wrapper: str = "") -> dict[str, bytes]:
    """Return seven classes in three splits, every image different."""
    return {
        f"{wrapper}{split}/{label}/{split}{i}.png": png(20 * i + j)
        for j, split in enumerate(("train", "validation", "test"))
        for i, label in enumerate(EMOTIONS)
    }


def image_names(out: Path) -> set[str]:
    return {
        p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file() and p.parent != out
    }


def votes_of(out: Path) -> dict[str, dict[str, str]]:
    with (out / "ferplus.csv").open(newline="") as file:
        return {row["image"]: row for row in csv.DictReader(file)}
