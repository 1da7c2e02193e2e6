"""nginx in front, with the configuration that we ship: it sends the recordings, Django says to whom."""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import socket
import ssl
import subprocess
import time
import urllib.request
import zipfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError

import pytest
from channels.db import database_sync_to_async as run
from django.conf import settings

from deploy.local.certificate import certificate
from deploy.local.process import answers, bound, need, start, stop, wait_for
from rooms import actions
from rooms.recording import store
from rooms.recording.delivery import links
from rooms.recording.hls import window
from rooms.recording.hls.tickets import ticket_to
from tests.rooms.recording.test_slow_readers import large_room
from tests.support.client import Page
from tests.support.ports import free_port
from tests.support.processes import Site
from tests.support.recordings import talked_room
from tests.support.rooms import open_room
from tests.support.shared_site import shared_site
from tests.support.waiting import until

SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx" / "stamtafel.conf"
AROUND = """
daemon off; pid {folder}/nginx.pid; error_log stderr; {user}
events {{ worker_connections 256; }}
http {{
    include /etc/nginx/mime.types; default_type application/octet-stream; access_log off;
    log_format cached '$uri $upstream_cache_status';
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/stamtafel.conf;
}}
"""


class Front:
    """The whole site as its users reach it in production."""

    def __init__(self, port: int, site: Site) -> None:
        self.port, self.site = port, site
        self.url = f"https://localhost:{port}"
        self.context = ssl._create_unverified_context()

    def line(self) -> ssl.SSLSocket:
        """A connection, for what no well-behaved client sends."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return self.context.wrap_socket(plain, server_hostname="localhost")

    def get(self, address: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers by lower-case name, and all of the body."""
        request = urllib.request.Request(self.url + address, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20, context=self.context) as answer:
                return answer.status, {name.lower(): text for name, text in answer.headers.items()}, answer.read()
        except HTTPError as error:
            return error.code, {name.lower(): text for name, text in error.headers.items()}, error.read()


def configured(folder: Path, port: int) -> str:
    """Return the shipped nginx configuration with this run's ports and folders; each shipped value must occur in it."""
    pem = str(certificate(folder, []))
    text = SHIPPED.read_text()
    for shipped, ours in {
        "127.0.0.1:8000": f"127.0.0.1:{settings.PORT}",
        "listen 443 ssl http2": f"listen 127.0.0.1:{port} ssl http2",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "/etc/ssl/stamtafel/fullchain.pem": pem,
        "/etc/ssl/stamtafel/privkey.pem": pem,
        "/var/lib/stamtafel/recordings/": f"{settings.RECORDINGS_DIR}/",
        "/var/lib/stamtafel/static/": f"{settings.STATIC_ROOT}/",
        "/var/lib/stamtafel/pictures/people/": f"{settings.MEDIA_ROOT}/people/",
        "/var/log/nginx/": f"{folder}/",
        "/dev/shm/stamtafel-live": f"{folder}/live",
        "access_log off;\n        proxy_pass http://stamtafel;\n        proxy_cache ": (
            f"access_log {folder}/cached.log cached;\n        proxy_pass http://stamtafel;\n        proxy_cache "
        ),
        "rooms.example.org": "localhost",
        "client_header_timeout 15s": "client_header_timeout 2s",
        "limit_conn stamtafel_files 600": "limit_conn stamtafel_files 3",
    }.items():
        assert shipped in text, f"{SHIPPED.name} has no {shipped} any more"
        text = text.replace(shipped, ours)
    return text


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture
def front(
    request: pytest.FixtureRequest, static_files: None, transactional_db: None, port: int, tmp_path: Path
) -> Generator[Front]:
    """nginx, in front of a web process that the tests of this file share."""
    env = {"X_ACCEL_REDIRECT": "true", "BEHIND_PROXY": "true", "SITE_URL": f"https://localhost:{port}"}
    site = shared_site("web", file=request.path, **env)
    (tmp_path / "stamtafel.conf").write_text(configured(tmp_path, port))
    user = "user root;" if os.geteuid() == 0 else ""
    (tmp_path / "nginx.conf").write_text(AROUND.format(folder=tmp_path, user=user))
    line = [need("nginx", "nginx"), "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    checked = subprocess.run([*line, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    nginx = start(bound(line, death="TERM"), tmp_path / "nginx.log")
    wait_for("nginx", lambda: answers(port), lambda: nginx.poll() is None)
    yield Front(port, site)
    stop(nginx)
    site.take_back()


def test_recordings_leave_by_nginx_and_only_with_django_s_word(front: Front) -> None:
    room = talked_room()
    path = store.mix_path(room.pk)
    content = path.read_bytes()
    address = links.address(room.pk, "mix", room.host, "mix.m4a")
    status, headers, body = front.get(address)
    assert (status, body) == (200, content)
    assert headers["server"] == "nginx" and headers["content-type"] == "audio/mp4"
    assert headers["cache-control"].startswith("private") and headers["x-content-type-options"] == "nosniff"
    assert "x-accel-redirect" not in headers
    status, headers, body = front.get(address, Range="bytes=1000-1999")
    assert (status, body) == (206, content[1000:2000])
    assert headers["content-range"] == f"bytes 1000-1999/{len(content)}"
    for guessed in (f"/_recordings/{room.pk}/mix.m4a", f"/_recordings/{room.pk}/", "/_recordings/../manage.py"):
        assert front.get(guessed)[0] == 404, guessed
    assert front.get(address.replace(".mix.", ".peaks."))[0] == 404


def test_everything_is_downloaded_through_nginx_and_goes_on_where_it_stopped(front: Front) -> None:
    room = talked_room()
    address = actions.download_everything(room.pk, room.host).address
    _status, headers, whole = front.get(address)
    half = len(whole) // 2
    status, part, rest = front.get(address, Range=f"bytes={half}-", **{"If-Range": headers["etag"]})
    assert status == 206 and whole[:half] + rest == whole
    assert part["content-range"] == f"bytes {half}-{len(whole) - 1}/{len(whole)}"
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        name = next(name for name in archive.namelist() if name.endswith("mix.m4a"))
        mix = hashlib.sha256(store.mix_path(room.pk).read_bytes()).digest()
        assert hashlib.sha256(archive.read(name)).digest() == mix


def test_pages_and_what_they_need(front: Front) -> None:
    status, headers, body = front.get("/")
    assert status == 200 and "content-security-policy" in headers
    assert "microphone=(self)" in headers["permissions-policy"] and headers["cache-control"] == "private, no-cache"
    assert headers["x-content-type-options"] == "nosniff" and headers["cross-origin-opener-policy"] == "same-origin"
    assert "no-store" in front.get("/api/v1/live/")[1]["cache-control"]
    style = re.search(r'href="(/static/joined/[^"]+\.css)"', body.decode())
    assert style is not None
    status, headers, sheet = front.get(style[1])
    assert status == 200 and headers["content-type"] == "text/css" and b"{" in sheet
    assert "immutable" in headers["cache-control"] and "private" not in headers["cache-control"]
    assert headers["x-content-type-options"] == "nosniff" and "camera=()" in headers["permissions-policy"]
    player = next((Path(settings.STATIC_ROOT) / "vendor").glob("hls.*.mjs")).name
    assert front.get(f"/static/vendor/{player}")[1]["content-type"] == "text/javascript", (
        "browsers refuse it as a module"
    )
    for address in (style[1], "/static/nowhere.css", "/pictures/people/nobody.webp"):
        assert "max-age" in front.get(address)[1]["strict-transport-security"], address


def test_a_site_with_a_name_of_its_own_is_pinned_to_https(front: Front) -> None:
    front.site.stop("web")
    front.site.start("web", BEHIND_PROXY="true", HSTS_SECONDS="300", SITE_URL=front.url)
    assert front.get("/healthz")[1]["strict-transport-security"] == "max-age=300"


def test_the_access_log_has_nothing_that_opens_something(front: Front, tmp_path: Path) -> None:
    room = talked_room()
    token = secrets.token_urlsafe(16)
    address = links.address(room.pk, "mix", room.host, "mix.m4a")
    signature = address.rsplit("/", 2)[-2]
    assert front.get(address)[0] == 200
    come = f"{room.get_absolute_url()}come/{token}/"
    assert front.get(come, Referer=f"{front.url}{come}")[0] == 404, "it led on to the page without the token"
    for path in (f"/accounts/signup/?next=/r/x/?secret={token}", "/rules/"):
        assert front.get(path, Referer=f"{front.url}{come}")[0] == 200
    front.get(f"/accounts/password/reset/key/1-{token}/")
    front.get(f"/accounts/confirm-email/{token}/")
    front.get(f"/appeal/{token}/", Referer=f"{front.url}/appeal/{token}/")
    front.get(f"/appeal/sound/{token}/")
    front.get(f"/reports/{token}/appeal/")
    log = tmp_path / "stamtafel.log"
    wait_for("the access log", lambda: "/rules/" in log.read_text())
    text = log.read_text() + (tmp_path / "error.log").read_text()
    assert "GET /accounts/signup/ " in text and f"GET {room.get_absolute_url()}come/ " in text
    assert signature not in text and "next=" not in text
    assert token not in text + front.site.log("web").read_text()


def listed(run: int, pieces: int) -> str:
    """A playlist as the recorder writes it."""
    entry = "#EXTINF:1.000000,\n#EXT-X-PROGRAM-DATE-TIME:2026-11-23T18:00:00.000+0000\n{run}-{number}.m4s\n"
    return "#EXTM3U\n" + "".join(entry.format(run=run, number=number) for number in range(pieces))


def test_who_takes_too_many_downloads_or_drips_is_turned_away_by_nginx(front: Front) -> None:
    room = large_room()
    address = links.address(room.pk, "mix", room.host, "mix.m4a")
    lines = [front.line() for _number in range(4)]
    answers = []
    for line in lines:
        line.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost:{front.port}\r\n\r\n".encode())
        answers.append(line.recv(15))
    assert answers == [b"HTTP/1.1 200 OK"] * 3 + [b"HTTP/1.1 429 To"]
    assert front.get("/healthz")[0] == 200
    for line in lines:
        line.close()
    with front.line() as dripping:
        dripping.settimeout(0.3)
        dripping.sendall(b"GET / HTTP/1.1\r\n")
        assert any(is_ended_by_a_drip(dripping) for _drip in range(180)), "a head may take a minute and longer"


def is_ended_by_a_drip(connection: socket.socket) -> bool:
    """Send one more header; whether the other side has had enough."""
    try:
        connection.sendall(b"X-Drip: 1\r\n")
        return not connection.recv(1000)
    except TimeoutError:
        return False
    except (ConnectionError, ssl.SSLError):
        return True


def test_a_crowd_costs_the_site_ten_lists_a_second_and_each_piece_once(front: Front, tmp_path: Path) -> None:
    room = open_room()
    store.hls_folder(room.pk).mkdir(parents=True)
    for number in range(20):
        (store.hls_folder(room.pk) / f"0-{number}.m4s").write_bytes(b"a second of sound")
    store.playlist_path(room.pk).write_text(listed(0, 20))
    ticket = ticket_to(room.pk, room.epoch, room.entry_policy)
    assert ticket is not None
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _listener: front.get(ticket), range(200)))
        took = time.monotonic() - began
        assert {status for status, _headers, _body in answers} == {200}
        assert {headers["cache-control"] for _status, headers, _body in answers} == {"public, max-age=1"}
        piece = next(line for line in answers[0][2].decode().splitlines() if line.endswith(".m4s"))
        pieces = list(pool.map(lambda _listener: front.get(piece, Cookie="sessionid=none"), range(100)))
    assert {(status, body) for status, _headers, body in pieces} == {(200, b"a second of sound")}
    assert not any("set-cookie" in headers for _status, headers, _body in answers + pieces)
    missing = piece.replace("/0-", "/9-")
    assert front.get(missing)[0] == front.get(missing)[0] == 404
    actions.end_room(room.pk, room.host)
    wait_for("the end", lambda: front.get(ticket)[0] == 410)
    passed = [line for line in (tmp_path / "cached.log").read_text().splitlines() if not line.endswith(" HIT")]
    lists = [line for line in passed if line.startswith(ticket)]
    assert 1 <= len(lists) <= 10 * took + 12, "ten times a second, and in the second until the end is there"
    assert len(lists) < 100 or took > 8
    assert sum(line.startswith(piece) for line in passed) == 1
    assert sum(line.startswith(missing) for line in passed) == 2, "what is not there yet is asked for again"


async def test_a_live_room_through_nginx(front: Front) -> None:
    room = await run(open_room)()
    store.hls_folder(room.pk).mkdir(parents=True)
    for number in range(20):
        (store.hls_folder(room.pk) / f"0-{number}.m4s").write_bytes(b"a second of sound")
    store.playlist_path(room.pk).write_text(listed(0, 20))

    def address(name: str) -> str:
        return store.segment_address(room.pk, room.epoch, name)

    piece = address("0-19.m4s")
    status, headers, body = await run(front.get)(piece)
    assert (status, body) == (200, b"a second of sound")
    # What nginx would send is asked for in the same way: nobody counts up, and what left the window is not handed out.
    assert (await run(front.get)(piece.replace("0-19", "0-18")))[0] == 404
    assert (await run(front.get)(address("0-3.m4s")))[0] == 404
    assert "immutable" in headers["cache-control"] and headers["server"] == "nginx"
    window.make(room.pk)  # recording is paused: what is in memory is none of nginx's files, and comes all the same
    (store.window_folder(room.pk) / "1-0.m4s").write_bytes(b"not kept")
    (store.window_folder(room.pk) / "1.m3u8").write_text(listed(1, 1))
    status, headers, body = await run(front.get)(address("1-0.m4s"))
    assert (status, body) == (200, b"not kept")
    assert headers["content-type"] == "audio/mp4" and "immutable" in headers["cache-control"]
    assert (await run(front.get)(address("1-1.m4s")))[0] == 404
    async with Page(room, room.host, port=front.port, origin=front.url, ssl=front.context) as page:
        assert (await page.wait_for("snapshot"))["you"]["user"] == "host"
        assert (await page.ask("ping"))["ok"] is True
    await run(actions.end_room)(room.pk, room.host)
    for last in (address("0-18.m4s"), address("0-17.m4s")):  # caches keep what they have for some seconds
        await until(run(lambda last=last: front.get(last)[0] == 404), every=0.1)
