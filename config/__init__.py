"""Settings, URLs and entry points of the site. Importing it loads Celery's app, so that tasks find their broker.

script/server imports `config.env` before anything is installed, when there is no Celery yet.
"""

from importlib.util import find_spec

if find_spec("celery") is not None:
    from config.celery import app as celery_app

    __all__ = ["celery_app"]
