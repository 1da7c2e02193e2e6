"""The private parts of one checkout or test run together, and the environment with their addresses."""

from dataclasses import dataclass
from pathlib import Path

from deploy.local.janus import Janus, dashed
from deploy.local.ports import Block
from deploy.local.postgres import Postgres, check_user
from deploy.local.redis import Redis

Part = Postgres | Redis | Janus


@dataclass(frozen=True)
class Instance:
    """All parts under one folder, on one block of ports."""

    folder: Path
    block: Block
    keys: dict[str, str]
    address: str
    throwaway: bool = False

    @property
    def postgres(self) -> Postgres:
        """The private PostgreSQL."""
        return Postgres(self.folder, self.block.postgres, self.keys, self.throwaway)

    @property
    def redis(self) -> Redis:
        """The private Redis."""
        return Redis(self.folder, self.block.redis, self.keys["REDIS_PASSWORD"], self.throwaway)

    @property
    def janus(self) -> Janus:
        """The private Janus."""
        return Janus(self.folder, self.block, self.keys, self.address)

    def parts(self, without: frozenset[str] = frozenset()) -> dict[str, Part]:
        """Write the files of the parts and return them by name, in the order in which they start."""
        if "postgres" not in without:
            check_user()
        parts: dict[str, Part] = {"postgres": self.postgres, "redis": self.redis, "janus": self.janus}
        chosen = {name: part for name, part in parts.items() if name not in without}
        for part in chosen.values():
            part.prepare()
        return chosen

    def environment(self) -> dict[str, str]:
        """Return the settings with which the site finds these parts."""
        for name in ("recordings", "pictures", "mail", "static"):
            (self.folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        # What lies in memory outlives a run that was killed; a folder of our own is swept with the rest.
        window = {"WINDOW_DIR": str(self.folder / "window")} if self.throwaway else {}
        return {
            **window,
            "STAMTAFEL_LOCAL_DIR": str(self.folder),
            "SECRET_KEY": self.keys["SECRET_KEY"],
            "LEDGER_KEY": self.keys["LEDGER_KEY"],
            "READYZ_KEY": self.keys["READYZ_KEY"],
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "JANUS_WS_URL": self.janus.url,
            "JANUS_API_SECRET": self.keys["JANUS_API_SECRET"],
            "JANUS_ADMIN_KEY": self.keys["JANUS_ADMIN_KEY"],
            "JANUS_RTP_PORTS": dashed(self.block.webrtc),
            "MEDIA_RTP_PORTS": dashed(self.block.loopback),
            "MEDIA_ADDRESS": self.address,
            "RECORDINGS_DIR": str(self.folder / "recordings"),
            "MEDIA_ROOT": str(self.folder / "pictures"),
            "OWN_DATA_DIR": str(self.folder / "own-data"),
            "MAIL_FOLDER": str(self.folder / "mail"),
        }
