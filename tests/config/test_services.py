"""The tests' own parts are real, are ours, and are reached through the site's settings."""

import tempfile
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection

from deploy.local.ports import Claim, is_free
from deploy.local.throwaway import PREFIX, Throwaway, sweep
from tests.privileges import superuser


@pytest.mark.django_db
def test_the_database_is_the_private_one() -> None:
    with superuser() as connected:
        found = connected.execute("SELECT current_setting('data_directory')").fetchone()
    assert found and ("stamtafel-test-" in found[0] or found[0].startswith("/var/lib/stamtafel/"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_database(), inet_server_port()")
        assert cursor.fetchone() == ("stamtafel_app", "stamtafel", int(connection.settings_dict["PORT"]))


def test_redis_and_janus_answer_in_our_block_of_ports(services: Throwaway) -> None:
    block = services.instance.block
    assert str(block.redis) in settings.REDIS_URL
    assert redis.Redis.from_url(settings.REDIS_URL).ping()
    assert str(block.janus) in settings.JANUS_WS_URL
    assert services.instance.janus.ready()


def test_a_block_of_ports_has_one_holder() -> None:
    first = Claim()
    second = Claim(first.block.first)
    assert first.block != second.block
    assert not is_free(first.block.first)
    first.release()
    third = Claim(first.block.first)
    assert third.block == first.block
    second.release()
    third.release()


def test_a_killed_part_comes_back(services: Throwaway) -> None:
    services.kill("janus")
    assert not services.instance.janus.ready()
    services.restart("janus")
    assert services.instance.janus.ready()


def test_what_a_killed_run_left_is_removed_and_what_runs_is_not(services: Throwaway) -> None:
    claim = Claim()
    left = Path(tempfile.mkdtemp(prefix=PREFIX))
    (left / "ports").write_text(f"{claim.block.first}\n")
    sweep()
    assert left.exists(), "its ports are held: it runs"
    claim.release()
    sweep()
    assert not left.exists()
    assert services.folder.exists()
