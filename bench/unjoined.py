"""Settings of a site whose static files are hashed and compressed, not joined: the plain way of bench/pages.py."""

from config.settings import *  # noqa: F403
from config.settings import LOCAL_DIR, STORAGES

STATIC_ROOT = LOCAL_DIR / "static-unjoined"
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}
