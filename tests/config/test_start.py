"""A process after its start."""

import gc

from django.apps import apps


def test_garbage_is_collected_once_the_last_app_is_loaded() -> None:
    """Settings turn the collector off."""
    last = list(apps.get_app_configs())[-1]
    gc.disable()
    try:
        last.ready()
        assert gc.isenabled()
    finally:
        gc.enable()
