"""The table has everything that is kept about a room, and can erase it in its order."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models

from core.erasers import erasers
from retention import artefacts
from retention.artefacts import BY_NAME, TABLE, Expiry, kind_of
from rooms.models import RecordingFile, Room, Seat
from rooms.recording import store

KNOWN = [artefact.rows for artefact in TABLE if artefact.rows is not None]


# A plain value that names a room, where no foreign key says so.
NAMES = re.compile(r"(^|_)(room|slug|recording|seat)(_?(id|pk|slug))?$")
# What names rooms and is no part of one, with the reason.
APART = {
    "retention.PurgeReceipt": "what stays of a copy: it names the room by values, so that nothing takes it along",
}


def missing(all_models: list[type[models.Model]]) -> list[str]:
    """Models that belong in the table and are not there: whatever leads to a room, over however many others, or has a
    field that names one."""
    about: set[type[models.Model]] = {Room}
    while more := {model for model in all_models if model not in about and (points_at(model) & about or names(model))}:
        about |= more
    wanted = [model for model in all_models if model in about and not model._meta.proxy]
    return [model._meta.label for model in wanted if model not in KNOWN and model._meta.label not in APART]


def points_at(model: type[models.Model]) -> set[Any]:
    """Models that its own foreign keys and many-to-many fields lead to."""
    fields = (*model._meta.fields, *model._meta.many_to_many)
    return {field.related_model for field in fields if field.is_relation}


def names(model: type[models.Model]) -> bool:
    return any(NAMES.search(field.name) for field in model._meta.fields)


def test_every_model_about_rooms_is_in_the_table() -> None:
    assert missing(list(apps.get_models(include_auto_created=True))) == []


def model_with(**fields: Any) -> type[models.Model]:
    """A model of an app that somebody adds tomorrow."""
    meta = type("Meta", (), {"app_label": "doodles"})
    made: type[models.Model] = type("Doodle", (models.Model,), {"__module__": "doodles", "Meta": meta, **fields})
    return made


@pytest.mark.parametrize(
    "field",
    [
        lambda: {"about": models.ForeignKey(Room, models.CASCADE, related_name="+")},
        lambda: {"about": models.OneToOneField(Seat, models.CASCADE, related_name="+")},
        lambda: {"about": models.ForeignKey("transcripts.Cue", models.CASCADE, related_name="+")},
        lambda: {"about": models.ForeignKey("transcripts.TranscriptionWindow", models.CASCADE, related_name="+")},
        lambda: {"about": models.ManyToManyField(Room, related_name="+")},
        lambda: {"room": models.BigIntegerField()},
        lambda: {"room_id": models.BigIntegerField()},
        lambda: {"room_slug": models.CharField(max_length=16)},
        lambda: {"slug": models.CharField(max_length=16)},
    ],
)
def test_a_model_that_nobody_put_in_the_table_is_found(field: Callable[[], dict[str, Any]]) -> None:
    """Also one that leads to a room over others only, or by a plain value. What has no such field is found by what is
    in it: test_nothing_left.py."""
    try:
        assert "doodles.Doodle" in missing([*apps.get_models(), model_with(**field())])
    finally:
        del apps.all_models["doodles"]
        apps.clear_cache()


def test_every_kind_of_file_is_in_the_table() -> None:
    assert set(RecordingFile.Kind.values) == {artefact.kind for artefact in TABLE if artefact.kind}


def test_files_are_recognised_where_the_store_lays_them() -> None:
    def below(path: Path) -> str:
        return kind_of(path.relative_to(store.folder(7)).as_posix())

    assert below(store.mix_path(7)) == "mix"
    assert below(store.track_path(7, 3)) == "tracks"
    assert below(store.playlist_path(7)) == "segments"
    assert kind_of("hls/0-000001.m4s") == "segments"
    assert kind_of("core.1234") == "other"


def test_names_and_models_are_there_once() -> None:
    assert len(BY_NAME) == len(TABLE)
    assert len(set(KNOWN)) == len(KNOWN)
    assert all(artefact.kept_after_purge for artefact in TABLE)


def test_what_points_at_something_goes_before_it() -> None:
    gone = [artefact.rows for artefact in TABLE if artefact.expires_with is Expiry.COPY and artefact.rows is not None]
    for place, model in enumerate(gone):
        for field in model._meta.get_fields():
            target = field.related_model if field.many_to_one or field.one_to_one else None
            if target in gone and not field.auto_created and target is not model:
                assert gone.index(target) > place, f"{target} goes before {model}"


@pytest.mark.django_db
def test_the_way_from_every_row_to_its_room_works() -> None:
    for artefact in TABLE:
        if artefact.rows is not None:
            assert not artefact.rows._base_manager.filter(**{f"{artefact.room}__in": [1, 2]}).exists()


def test_apps_register_erasers_of_artefacts_that_the_table_has(monkeypatch: pytest.MonkeyPatch) -> None:
    assert erasers.get("presence") is not None
    assert artefacts.unknown_erasers() == []
    monkeypatch.setitem(erasers._registered, "pesence", lambda rooms: 0)
    assert artefacts.unknown_erasers() == ["pesence"]
    with pytest.raises(LookupError, match="pesence"):
        artefacts.erase_rows([1])
    with pytest.raises(ValueError, match="registered twice"):
        erasers.register("presence")(lambda rooms: 0)
