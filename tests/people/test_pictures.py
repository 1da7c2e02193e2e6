"""Own pictures: what is kept of an upload, what is refused, and that old files go."""

import fcntl
import io
import os
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from PIL import Image, ImageCms

from people import picture_worker, pictures
from people.actions.account import remove_picture, set_picture
from people.picture_worker import SIDE
from people.pictures import square_webp
from people.refusals import PeopleRefused
from tests.support.people import person

ORIENTATION, GPS = 0x0112, 0x8825


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def photo(width: int = 900, height: int = 600) -> bytes:
    """A JPEG as a phone makes it: lying on its side, with the place it was taken at. Left half red, right half blue."""
    picture = Image.new("RGB", (width, height), "red")
    picture.paste("blue", (width // 2, 0, width, height))
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # shown turned a quarter to the right: what was left is on top
    exif.get_ifd(GPS).update({1: "N", 2: (52.0, 5.0, 0.0)})
    return encoded(picture, "JPEG", exif=exif, quality=95)


def bomb(side: int) -> bytes:
    """A PNG of some hundred bytes that claims to be `side` pixels wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )


def colour_at(picture: Image.Image, x: int, y: int) -> tuple[int, ...]:
    colour = picture.convert("RGB").getpixel((x, y))
    assert isinstance(colour, tuple)
    return colour


def kept(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(square_webp(io.BytesIO(data), len(data))))


def test_a_photo_comes_out_upright_square_and_bare() -> None:
    assert Image.open(io.BytesIO(photo())).getexif().get_ifd(GPS)
    picture = kept(photo())
    assert (picture.format, picture.size) == ("WEBP", (SIDE, SIDE))
    assert not picture.getexif() and "exif" not in picture.info and "xmp" not in picture.info
    assert b"EXIF" not in square_webp(io.BytesIO(photo()), 1)
    red, blue = colour_at(picture, 256, 60), colour_at(picture, 256, 450)
    assert red[0] > 200 > 60 > red[2] and blue[2] > 200 > 60 > blue[0]


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "JPEG"])
def test_the_four_formats_are_read_and_small_ones_are_not_blown_up(kind: str) -> None:
    picture = kept(encoded(Image.new("RGB", (90, 60), "green"), kind))
    assert (picture.format, picture.size) == ("WEBP", (60, 60))


def test_transparency_stays_and_only_the_first_frame_of_an_animation_is_kept() -> None:
    assert kept(encoded(Image.new("RGBA", (64, 64), (0, 0, 0, 0)), "PNG")).mode == "RGBA"
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    picture = kept(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert getattr(picture, "n_frames", 1) == 1
    assert colour_at(picture, 9, 9)[0] > 200


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture at all",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"%PDF-1.7 ...",
        photo()[:2000],
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 200,
        b"GIF89a" + b"\xff" * 60,
        encoded(Image.new("RGB", (64, 64)), "BMP"),
        encoded(Image.new("RGB", (64, 64)), "TIFF"),
    ],
    ids=["empty", "text", "svg", "pdf", "cut-off", "broken-png", "broken-gif", "bmp", "tiff"],
)
def test_what_is_no_picture_of_ours_is_refused(data: bytes) -> None:
    with pytest.raises(PeopleRefused, match="not_a_picture"):
        square_webp(io.BytesIO(data), len(data))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_read(mode: str) -> None:
    assert kept(encoded(Image.new(mode, (90, 60)), "PNG")).size == (60, 60)


def test_a_profile_of_colours_is_applied_and_a_broken_one_ignored() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, srgb[:200], b"\x00\x00\x0f\xff" + os.urandom(300_000)):
        picture = kept(encoded(Image.new("RGB", (64, 64), "red"), "PNG", icc_profile=profile))
        assert colour_at(picture, 9, 9)[0] > 200 and "icc_profile" not in picture.info


def test_the_worker_has_no_secrets_and_no_way_out(tmp_path: Path) -> None:
    """Asked from within: the same process, the same limits, another programme in place of the decoder."""
    probe = f"""
import os, resource, socket, sys
sys.path.insert(0, {str(Path(picture_worker.__file__).parent)!r})
import picture_worker
picture_worker.limit(12_000_000)
def refused(work):
    try:
        work()
    except (OSError, MemoryError):
        return
    raise SystemExit(f"not refused: {{work}}")
assert set(os.environ) <= {{"LC_CTYPE"}}, os.environ
refused(lambda: open("/etc/hostname"))
refused(lambda: socket.socket())
refused(lambda: bytearray(400 * 2**20))
sys.stdout.buffer.write(bytes(3 * 2**20))
sys.stdout.flush()
"""
    target = tmp_path / "out"
    with target.open("wb") as out:
        done = subprocess.run([sys.executable, "-I", "-c", probe], env={}, stdout=out, stderr=subprocess.PIPE)
    assert b"not refused" not in done.stderr and b"AssertionError" not in done.stderr, done.stderr
    assert done.returncode != 0 and target.stat().st_size <= 2 * 2**20, "a written file is limited too"


def test_who_cannot_have_a_turn_is_told_so_and_nobody_piles_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PATIENCE", 0.2)
    Path(settings.MEDIA_ROOT).mkdir(exist_ok=True)
    other = os.open(settings.MEDIA_ROOT, os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX)  # another web process decodes
        with pytest.raises(PeopleRefused, match="busy"):
            kept(photo())
    finally:
        os.close(other)
    assert kept(photo()).size == (SIDE, SIDE)
    monkeypatch.setattr(pictures, "_waiting", threading.BoundedSemaphore(1))
    with pictures._turn(), pytest.raises(PeopleRefused, match="busy"):
        kept(photo())


def test_a_decoder_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hanging = tmp_path / "worker.py"
    hanging.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(pictures, "_WORKER", hanging)
    monkeypatch.setattr(pictures, "WALL_SECONDS", 0.5)
    with pytest.raises(PeopleRefused, match="not_a_picture"):
        kept(photo())


@pytest.mark.parametrize("side", [3_600, 7_000, 12_000, 60_000])
def test_decompression_bombs_are_refused_before_a_pixel_is_decoded(side: int) -> None:
    data = bomb(side)
    assert len(data) < 300
    with pytest.raises(PeopleRefused, match="picture_too_large"):
        square_webp(io.BytesIO(data), len(data))


def test_too_many_bytes_are_refused_unread() -> None:
    with pytest.raises(PeopleRefused, match="picture_too_large"):
        square_webp(io.BytesIO(b""), settings.PICTURE_MAX_BYTES + 1)


def files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


@pytest.mark.django_db(transaction=True)
def test_a_new_picture_replaces_the_file_of_the_old_one() -> None:
    anna = person()
    set_picture(anna, SimpleUploadedFile("../../holiday in Rome.JPG", photo()))
    (first,) = files()
    assert first.name.endswith(".webp") and "holiday" not in str(first) and len(first.stem) == 32
    set_picture(anna, SimpleUploadedFile("b.jpg", photo()))
    (second,) = files()
    assert second != first and anna.picture_url == f"/pictures/people/{second.name}"
    remove_picture(anna)
    assert files() == [] and anna.picture_url == ""


@pytest.mark.django_db(transaction=True)
def test_the_old_file_stays_where_the_change_fails() -> None:
    anna = person()
    set_picture(anna, SimpleUploadedFile("a.jpg", photo()))
    (first,) = files()
    with pytest.raises(RuntimeError), transaction.atomic():
        set_picture(anna, SimpleUploadedFile("b.jpg", photo()))
        raise RuntimeError
    anna.refresh_from_db()
    assert anna.picture.name == f"people/{first.name}" and first in files()


@pytest.mark.django_db(transaction=True)
def test_uploading_by_the_page_and_looking_at_the_picture(client: Client) -> None:
    anna = person("anna")
    client.force_login(anna)
    assert client.post("/settings/picture/", {"picture": SimpleUploadedFile("a.jpg", photo())}).status_code == 302
    anna.refresh_from_db()
    assert anna.picture_url in client.get("/people/anna/").content.decode()
    answer = Client().get(anna.picture_url)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert answer["X-Content-Type-Options"] == "nosniff" and "immutable" in answer["Cache-Control"]
    assert Image.open(io.BytesIO(answer.getvalue())).size == (SIDE, SIDE)
    client.post("/settings/picture/", {"remove": "yes"})
    assert Client().get(anna.picture_url).status_code == 404
    anna.refresh_from_db()
    assert anna.picture_url == ""


@pytest.mark.django_db
def test_a_refused_upload_says_why_and_keeps_the_picture(client: Client) -> None:
    client.force_login(person())
    cases = [
        (SimpleUploadedFile("a.jpg", b"no picture"), 400, "not a picture we can read"),
        (SimpleUploadedFile("a.png", bomb(12_000)), 413, "too large"),
        (SimpleUploadedFile("a.jpg", b"x" * (settings.PICTURE_MAX_BYTES + 1)), 413, "too large"),
        (SimpleUploadedFile("a.jpg", b""), 400, "This file is empty"),
    ]
    for upload, status, words in cases:
        answer = client.post("/settings/picture/", {"picture": upload})
        assert (answer.status_code, words in answer.content.decode()) == (status, True)
    assert client.post("/settings/picture/", {}).status_code == 400
    assert files() == []


@pytest.mark.django_db
def test_only_names_of_ours_are_served(client: Client) -> None:
    for name in ("people/..%2f..%2fmanage.py", "people/x.webp", "../manage.py", "people/" + "0" * 32 + ".webp"):
        assert client.get(f"/pictures/{name}").status_code == 404
