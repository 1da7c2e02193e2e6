"""Own-data downloads, made as a worker makes them."""

from __future__ import annotations

import json
import zipfile
from typing import Any

from people.models import DataExport, User
from people.own_data.actions import ask_for_data
from people.own_data.files import path_of
from people.own_data.making import make


def made(user: User) -> DataExport:
    """A download that is ready, as its person asked for it now."""
    export = ask_for_data(user)
    assert make(export.pk)
    export.refresh_from_db()
    return export


def files_in(export: DataExport) -> dict[str, bytes]:
    """Content of a download, by name below its one folder."""
    with zipfile.ZipFile(path_of(export.file)) as zipped:
        assert zipped.testzip() is None
        found = {entry.partition("/")[2]: zipped.read(entry) for entry in zipped.namelist()}
        assert {entry.partition("/")[0] for entry in zipped.namelist()} == {f"own-data-{export.person.handle}"}
        assert len(found) == len(zipped.namelist())
    return found


def texts_in(export: DataExport) -> dict[str, Any]:
    """The JSON of a download, parsed, by name without its ending."""
    files = files_in(export)
    return {name.removesuffix(".json"): json.loads(data) for name, data in files.items() if name.endswith(".json")}
