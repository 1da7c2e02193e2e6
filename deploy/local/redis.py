"""A private Redis: its own folder, loopback only, one password."""

from dataclasses import dataclass
from pathlib import Path

from deploy.local.keys import write_private
from deploy.local.process import bound, need


@dataclass(frozen=True)
class Redis:
    """One instance of Redis. A `throwaway` one writes nothing to disk."""

    folder: Path
    port: int
    password: str
    throwaway: bool = False

    @property
    def url(self) -> str:
        """REDIS_URL of this instance."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        """Write the configuration."""
        data = self.folder / "redis"
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        save = 'save ""' if self.throwaway else "save 60 1"
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.password}",
            f'dir "{data}"',
            "daemonize no",
            "maxmemory-policy noeviction",
            "stop-writes-on-bgsave-error no",  # a full disk must not close the rooms
            save,
        ]
        write_private(self.folder / "redis.conf", "\n".join(lines) + "\n")

    def command(self) -> list[str]:
        """Return the foreground command."""
        return bound([need("redis-server", "redis-server"), str(self.folder / "redis.conf")])

    def ready(self) -> bool:
        """Whether it answers a ping."""
        import redis

        client = redis.Redis.from_url(self.url, socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()
