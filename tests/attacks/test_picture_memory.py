"""Memory of the web process and of the decoder's while malicious pictures are uploaded to a running site."""

from __future__ import annotations

import io
import os
import re
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.support.people import person, session_cookie
from tests.support.processes import LogTail, Site

pytestmark = pytest.mark.django_db(transaction=True)

WIDE, HIGH = 4000, 3000  # 12 megapixels
GROWTH = 40  # MB; the web process holds six uploads of up to 5 MB
MOST = 352  # MB; the limit of the worker's address space
CSRF = "k" * 32


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def hostile() -> dict[str, tuple[bytes, tuple[int, ...]]]:
    """Name → the file and how it may be answered; pictures that fit are taken, or others are busy."""
    frames = [Image.new("RGBA", (WIDE, HIGH), (shade, 9, 9, 99)) for shade in range(3)]
    many = [Image.new("P", (WIDE, HIGH), number) for number in range(20)]
    noise = Image.frombytes("RGB", (500, 375), os.urandom(500 * 375 * 3)).resize((WIDE, HIGH))
    red = Image.new("RGB", (WIDE, HIGH), "red")
    return {
        "a PNG bomb": (encoded(Image.new("L", (12_000, 12_000)), "PNG"), (413,)),
        "a JPEG of 12 megapixels": (encoded(noise, "JPEG", quality=60, progressive=True), (302,)),
        "a PNG": (encoded(red, "PNG", transparency=(255, 0, 0)), (302,)),
        "an animated WebP": (encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]), (302,)),
        "a GIF of 20 frames": (encoded(many[0], "GIF", save_all=True, append_images=many[1:]), (302,)),
        "a crafted profile": (encoded(red, "PNG", icc_profile=b"\x00\x00\x0f\xff" + os.urandom(900_000)), (302,)),
    }


def upload(site: Site, cookie: str, data: bytes) -> int:
    """Post a picture as the form does; the HTTP status."""
    border = "x" * 20
    parts = f'--{border}\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n'.encode()
    body = parts + data + f"\r\n--{border}--\r\n".encode()
    headers = {
        "Cookie": f"{cookie}; csrftoken={CSRF}",
        "X-CSRFToken": CSRF,
        "Content-Type": f"multipart/form-data; boundary={border}",
    }
    request = urllib.request.Request(f"{site.url}/settings/picture/", body, headers)

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: object, **kwargs: object) -> None:
            return None

    try:
        with urllib.request.build_opener(Stay).open(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def peak(pid: int) -> int:
    """The most memory a process has had, in MB; 0 when it is gone."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) // 1024 if found else 0


class Watch:
    """The highest memory of all picture workers, and how many there were at once."""

    def __init__(self) -> None:
        self.memory = self.together = 0
        self.over = threading.Event()

    def look(self) -> None:
        while not self.over.wait(0.01):
            found = 0
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    line = (folder / "cmdline").read_bytes()
                except OSError:
                    continue
                if b"picture_worker.py" in line:
                    found += 1
                    self.memory = max(self.memory, peak(int(folder.name)))
            self.together = max(self.together, found)


@contextmanager
def watched() -> Iterator[Watch]:
    watch = Watch()
    thread = threading.Thread(target=watch.look)
    thread.start()
    try:
        yield watch
    finally:
        watch.over.set()
        thread.join()


def test_pictures_made_to_hurt_do_not_take_the_memory_of_the_site(site: Site) -> None:
    log = LogTail(site.log("web"))
    site.start("web", DEBUG="true")  # static files as they lie
    cookies = [session_cookie(person()) for _number in range(6)]
    files = hostile()
    web = site.running["web"].pid
    assert upload(site, cookies[0], encoded(Image.new("RGB", (60, 60)), "PNG")) == 302
    before = peak(web)
    with watched() as watch:
        for (name, (data, expected)), cookie in zip(files.items(), cookies, strict=True):
            began = time.monotonic()
            assert upload(site, cookie, data) in expected, name
            took = time.monotonic() - began
            sys.stdout.write(f"{name} ({len(data) // 1000} KB): {took:.1f} s, workers up to {watch.memory} MB\n")
        with ThreadPoolExecutor(6) as pool:
            data = files["an animated WebP"][0]  # the costliest one
            together = list(pool.map(lambda cookie: upload(site, cookie, data), cookies))
    assert set(together) <= {302, 503} and together.count(302) >= 3, together
    after = peak(web)
    sys.stdout.write(f"six at once: {together}; web grew from {before} to {after} MB; workers {watch.memory} MB\n")
    assert after - before < GROWTH
    assert 0 < watch.memory < MOST and watch.together == 1
    log.assert_no_failure()
