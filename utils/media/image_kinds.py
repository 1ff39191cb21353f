"""Kinds of files that are not images we read, told by their first bytes."""

from PIL import Image as PillowImage

from utils.errors import ImageError

_HEIC_BRANDS = frozenset((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"))
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_CONVERT = "convert it to JPEG or PNG"


def refuse_other_kinds(head: bytes, name: str) -> None:
    """Refuse files that are known, but not supported.

    Args:
        head: Their first bytes.
        name: The file in the error message.

    Raises:
        ImageError: It is a HEIC image, a video, a PDF document or an SVG drawing; or an AVIF image,
            which this Pillow lacks.
    """
    if head[4:8] == b"ftyp":
        brands = {head[8:12], *(head[i : i + 4] for i in range(16, _ftyp_end(head), 4))}
        if brands & _AVIF_BRANDS:
            PillowImage.init()
            if "AVIF" not in PillowImage.OPEN:
                raise ImageError(
                    f"{name} is an AVIF image, which this installation can't decode: {_CONVERT}"
                )
        elif brands & _HEIC_BRANDS:
            raise ImageError(f"{name} is a HEIC image, which is not supported: {_CONVERT}")
        else:
            raise ImageError(f"{name} is a video, not an image")
    elif head.startswith(b"%PDF"):
        raise ImageError(f"{name} is a PDF document, not an image: {_CONVERT}")
    elif b"<svg" in head.lower():
        raise ImageError(f"{name} is an SVG drawing, which is not supported: {_CONVERT}")


def is_text(head: bytes) -> bool:
    """Return whether a file that begins like this is plain text."""
    return all(byte >= 32 or byte in b"\t\n\r\f" for byte in head) and head.isascii()


def _ftyp_end(head: bytes) -> int:
    return min(int.from_bytes(head[:4], "big"), len(head))
