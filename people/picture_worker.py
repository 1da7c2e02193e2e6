"""Decoder of one uploaded picture in a process of its own: the upload on stdin, the WebP to store on stdout.

Files may be made to attack decoders. So this process has no settings, database or secrets, may open no file, socket or
second process, and gets little memory and time (`limit`). `people/pictures.py` runs it by its path.
"""

from __future__ import annotations

import copy as _copy  # noqa: F401  # imported now, as all that Pillow imports late: after `limit` no file can be opened
import io
import os
import resource
import sys
import warnings

from PIL import GifImagePlugin as _gif  # noqa: F401
from PIL import Image, ImageCms, ImageOps
from PIL import ImageColor as _color  # noqa: F401
from PIL import ImageFilter as _filter  # noqa: F401
from PIL import ImagePalette as _palette  # noqa: F401
from PIL import JpegImagePlugin as _jpeg  # noqa: F401
from PIL import MpoImagePlugin as _mpo  # noqa: F401
from PIL import PngImagePlugin as _png  # noqa: F401
from PIL import TiffImagePlugin as _tiff  # noqa: F401
from PIL import WebPImagePlugin as _webp  # noqa: F401

SIDE = 512  # px; twice the largest size at which it is shown
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
SMALL_MODES = ("L", "LA", "RGB", "RGBA")  # modes that can be resized without conversion
# Exceptions of Pillow for broken, truncated or malicious files.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, MemoryError)
DONE, NOT_A_PICTURE, TOO_LARGE = 0, 3, 4  # exit codes
# Python with Pillow, and a decoder's copies: four of 32 bits a pixel (an animated WebP takes the most).
BASE_MEMORY, MEMORY_PER_PIXEL = 160 * 2**20, 16
CPU_SECONDS = 3
MOST_WRITTEN = 2 * 2**20  # bytes; 512 pixels square are far less


class TooLarge(Exception):
    """More pixels than allowed."""


def limit(max_pixels: int) -> None:
    """Lower this process' limits to what decoding needs. Cannot be undone."""
    os.nice(10)  # live sound comes first
    memory = BASE_MEMORY + max_pixels * MEMORY_PER_PIXEL
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, MOST_WRITTEN),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def reencode(upload: bytes, max_pixels: int) -> bytes:
    """Return the re-encoded picture. Raises TooLarge before a pixel is decoded, or one of BROKEN.

    Nothing of the file's metadata survives: the place a photo was taken at is in there.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit follows
        picture = Image.open(io.BytesIO(upload), formats=FORMATS)
    if picture.width * picture.height > max_pixels:
        raise TooLarge
    return encode(small_square(picture))


def small_square(picture: Image.Image) -> Image.Image:
    """Return the first frame's middle square, never enlarged, upright, in sRGB, with its transparency.

    It is made small first, so that the rest needs no second copy of a large picture.
    """
    picture.draft("RGB", (SIDE * 2, SIDE * 2))  # a JPEG is decoded at a fraction of its size: less memory
    picture.load()
    profile, was = picture.info.get("icc_profile"), picture.mode
    transparent = was in ("RGBA", "LA", "PA") or "transparency" in picture.info
    side = min(SIDE, picture.width, picture.height)
    plain = picture
    if was not in SMALL_MODES or (transparent and was not in ("RGBA", "LA")):
        plain = picture.convert("RGBA" if transparent else "RGB")
    square = ImageOps.fit(plain, (side, side), Image.Resampling.LANCZOS)
    upright = ImageOps.exif_transpose(square)
    if profile and was == "RGB" and upright.mode == "RGB":
        upright = to_srgb(upright, profile)
    return upright.convert("RGBA" if transparent else "RGB")


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Convert a picture to sRGB: photos of phones have wider colours and would look grey. Ignores a broken profile."""
    try:
        converted = ImageCms.profileToProfile(
            picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        )
    except (ImageCms.PyCMSError, OSError):
        return picture
    return converted or picture


def encode(picture: Image.Image) -> bytes:
    """Encode the pixels, and nothing but the pixels, as WebP."""
    out = io.BytesIO()
    # A new image: `info` of the old one (EXIF, XMP, ICC) must not travel along.
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)
    clean.save(out, "WEBP", quality=82, method=4)
    return out.getvalue()


def main(max_pixels: int, max_bytes: int) -> int:
    """Apply the limits, then read and decode. Writes nothing but the finished picture; returns the exit code."""
    Image.preinit()
    Image.init = lambda: False  # no other format is ever looked for
    limit(max_pixels)
    try:
        upload = sys.stdin.buffer.read(max_bytes + 1)
        if len(upload) > max_bytes:
            return TOO_LARGE
        finished = reencode(upload, max_pixels)
    except (TooLarge, Image.DecompressionBombError):
        return TOO_LARGE
    except BROKEN:
        return NOT_A_PICTURE
    sys.stdout.buffer.write(finished)
    sys.stdout.buffer.flush()
    return DONE


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
