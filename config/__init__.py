"""Settings, addresses and the doors of the site. Celery's app is loaded with it, so that tasks find their broker.

Before anything is installed, script/server reads `config.env` alone: there is no Celery then.
"""

from importlib.util import find_spec

if find_spec("celery") is not None:
    from config.celery import app as celery_app

    __all__ = ["celery_app"]
