"""A picture as people upload it → the one we keep: square, 512 px at most, WebP, and nothing else of the file."""

import io
import warnings
from typing import BinaryIO

from django.conf import settings
from PIL import Image, ImageCms, ImageOps

from people.refusals import PeopleRefused

SIDE = 512  # px; twice the largest size at which it is shown
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
# What Pillow raises for files that are broken, cut off or made to hurt.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, MemoryError)


def square_webp(upload: BinaryIO, size: int) -> bytes:
    """The re-encoded picture; `size` is the upload's length in bytes.

    Refuses `picture_too_large` (bytes or pixels, before a pixel is decoded) and `not_a_picture`. Nothing of the file's
    metadata survives: the place a photo was taken at is in there.
    """
    if size > settings.PICTURE_MAX_BYTES:
        raise PeopleRefused("picture_too_large")
    try:
        with warnings.catch_warnings():
            # Pillow's own bomb warning comes at 89 megapixels; ours is lower and is checked right after.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(upload, formats=FORMATS)
        if picture.width * picture.height > settings.PICTURE_MAX_PIXELS:
            raise PeopleRefused("picture_too_large")
        return encode(decode(picture))
    except Image.DecompressionBombError as error:
        raise PeopleRefused("picture_too_large") from error
    except BROKEN as error:
        raise PeopleRefused("not_a_picture") from error


def decode(picture: Image.Image) -> Image.Image:
    """The first frame, upright, in sRGB, with its transparency if it has some."""
    picture.draft("RGB", (SIDE * 2, SIDE * 2))  # a JPEG is decoded at a fraction of its size: less memory
    picture.load()
    profile = picture.info.get("icc_profile")
    upright = ImageOps.exif_transpose(picture)
    transparent = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    if profile and upright.mode == "RGB":
        upright = to_srgb(upright, profile)
    return upright.convert("RGBA" if transparent else "RGB")


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Phones save wider colours than sRGB; without this their photos look grey. A broken profile is ignored."""
    try:
        converted = ImageCms.profileToProfile(
            picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        )
    except (ImageCms.PyCMSError, OSError):
        return picture
    return converted or picture


def encode(picture: Image.Image) -> bytes:
    """Cropped to the middle square, never enlarged."""
    side = min(SIDE, picture.width, picture.height)
    square = ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    # A new image: `info` of the old one (EXIF, XMP, ICC) must not travel along.
    clean = Image.new(square.mode, square.size)
    clean.paste(square)
    clean.save(out, "WEBP", quality=82, method=4)
    return out.getvalue()
