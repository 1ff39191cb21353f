"""Faces cut out of photos, for training without labels."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from utils.errors import ConfigError, DataError, ImageError
from utils.faces import build_detector
from utils.faces.crop import DEFAULT_GEOMETRY, crop_faces
from utils.files import check_folder
from utils.media.image_writer import save_image
from utils.media.images import load_image
from utils.media.sources import list_images


@dataclass
class FaceReport:
    """What cropping did.

    Attributes:
        photos: Number of photos.
        written: Number of faces written.
        without_face: Photos in which no face was detected.
        problems: What was wrong, one sentence for each photo that can't be used.
    """

    photos: int = 0
    written: int = 0
    without_face: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def crop_photos(
    photos: Path,
    out: Path,
    *,
    size: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> FaceReport:
    """Detect the faces of a folder of photos and write each as an image of its own.

    The default detector and its crop geometry frame the faces as in FER2013. A face is named after
    its photo's path below the folder and counted from 0, the largest face first.

    Args:
        photos: Folder of photos, searched with its subfolders.
        out: Folder for the faces, PNG files of RGB; created if it is missing.
        size: Side of the written images in pixels.
        on_progress: Called after each photo with the number done and the total.

    Raises:
        ConfigError: ``out`` lies within ``photos``, or ``size`` is not positive.
        DataError: There are no photos.
        ImageError: The folder of photos is missing, or a face can't be written.
    """
    _check(photos, out, size=size)
    paths = list_images(photos)
    if not paths:
        raise DataError(f"{photos}: the folder contains no images")
    detector = build_detector()
    geometry = DEFAULT_GEOMETRY[detector.name]
    report, names = FaceReport(photos=len(paths)), _Names()
    for done, path in enumerate(paths, 1):
        try:
            image = load_image(path)
        except ImageError as error:
            report.problems.append(str(error))
        else:
            name = names.unique(path.relative_to(photos))
            boxes = detector.detect(image).boxes
            if not len(boxes):
                report.without_face.append(path)
            for i, face in enumerate(crop_faces(image, boxes, geometry=geometry, size=size)):
                save_image(face, out / f"{name}_{i}.png")
                report.written += 1
        if on_progress:
            on_progress(done, len(paths))
    return report


def _check(photos: Path, out: Path, *, size: int) -> None:
    check_folder(out)
    if size < 1:
        raise ConfigError(f"the size of the faces must be at least 1 pixel, not {size}")
    if out.resolve().is_relative_to(photos.resolve()):
        raise ConfigError(
            f"{out} lies within the photos, so its faces would count as photos next time; choose "
            "another folder"
        )


class _Names:
    """Names for the photos of a tree in one flat folder."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def unique(self, path: Path) -> str:
        """Return a name made of a relative path, other than those returned before."""
        plain = "_".join(path.with_suffix("").parts)
        name, number = plain, 1
        # Photos may differ in their suffix alone, and a folder's name may hold an underscore.
        while name.lower() in self._taken:
            number += 1
            name = f"{plain}-{number}"
        self._taken.add(name.lower())
        return name
