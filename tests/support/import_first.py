"""Import each of our modules first in an interpreter that knows none of its neighbours; print those that fail.

A program of its own, for nothing of ours may be loaded yet. The apps are there as far as a module may count on them:
their models, without what `AppConfig.ready` imports. A module that the models themselves load is tried before any of
them. Every try is a fork of an interpreter that has only loaded what is not ours: that takes longer than the rest.

Once the models are there, only modules in a circle of imports are tried, each of them: any other module fails only
where it enters such a circle, at a module that was tried as the first of it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import grimp
from django.apps import AppConfig, apps
from django.conf import settings
from django.core.exceptions import AppRegistryNotReady, ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]
OURS: tuple[str, ...] = (
    "bench",
    "config",
    "core",
    "deploy",
    "ledger",
    "mail",
    "moderation",
    "pages",
    "people",
    "retention",
    "rooms",
)
OURS += ("social", "transcripts")
SLOW = ("aiortc", "av", "celery", "daphne.server", "numpy", "redis.asyncio", "websockets")


def modules() -> list[str]:
    """Every module of ours but the migrations, which import each other's names alone."""
    files = [path.relative_to(ROOT) for top in OURS for path in (ROOT / top).rglob("*.py")]
    names = [".".join(path.with_suffix("").parts) for path in files if "migrations" not in path.parts]
    return sorted(name.removesuffix(".__init__") for name in names)


def loaded() -> set[str]:
    return {name for name in sys.modules if name.partition(".")[0] in OURS}


def load_models(first: str = "") -> None:
    """Load every app's models, and before any of them the module `first`. No app gets ready."""
    import_models = AppConfig.import_models

    def begin(config: AppConfig) -> None:
        AppConfig.import_models = import_models  # type: ignore[method-assign]
        if first:
            importlib.import_module(first)
        import_models(config)

    AppConfig.import_models = begin  # type: ignore[method-assign, assignment]
    apps.get_app_configs = lambda: {}.values()  # type: ignore[method-assign]  # asked for the sake of `ready`
    apps.populate(settings.INSTALLED_APPS)


def load_others(names: Iterable[str]) -> None:
    """Load those of these modules that are not ours and do not need the apps."""
    for name in names:
        if name.partition(".")[0] not in (*OURS, "__main__", "tests"):
            with suppress(AppRegistryNotReady, ImproperlyConfigured, ModuleNotFoundError):
                importlib.import_module(name)


def in_circles() -> set[str]:
    """Modules that lead back to themselves by imports, those in functions too; importing one imports its package."""
    graph = grimp.build_graph(*OURS, exclude_type_checking_imports=True, cache_dir=None)
    for name in graph.modules:
        if "." in name:
            graph.add_import(importer=name, imported=name.rpartition(".")[0])
    direct = graph.find_modules_directly_imported_by
    return {name for name in graph.modules if any(name in graph.find_upstream_modules(one) for one in direct(name))}


def failing(names: Iterable[str], load: Callable[[str], object]) -> list[str]:
    """The modules that cannot be loaded by `load`, each tried in a copy of this process."""
    failed = []
    for name in names:
        child = os.fork()
        if child == 0:
            try:
                load(name)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            failed.append(name)
    return failed


def main() -> None:
    """Print a line for each module that fails; why stands in what goes to stderr."""
    assert settings.SECRET_KEY  # our settings, and what they import, come first everywhere
    for name in SLOW:
        importlib.import_module(name)
    gc.disable()  # a collection in a copy would copy all of this process's memory, once a module
    with_settings = loaded()
    circles = in_circles() & set(modules())
    assert {"rooms.actions", "people.models"} <= circles, "packages that hand on names of their modules were not found"

    # Which are loaded with the models is found out in a copy, so that this process stays without.
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        load_models()
        with_models, others = sorted(loaded() - with_settings), sorted(sys.modules)
        failed = failing(sorted(circles - loaded()), importlib.import_module)
        with os.fdopen(writing, "w") as answer:
            json.dump([failed, with_models, others], answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as found:
        late, with_models, others = json.load(found)
    load_others(others)
    assert loaded() == with_settings
    failed = [*late, *failing(with_models, load_models)]
    sys.stdout.write("".join(f"{name}\n" for name in failed))


if __name__ == "__main__":
    main()
