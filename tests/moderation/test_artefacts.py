"""The table has everything that is kept about a room, and can erase it in its order."""

from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from ledger import erasing
from moderation import artefacts
from moderation.artefacts import BY_NAME, TABLE, Goes, kind_of
from rooms.models import Recording, RecordingFile, Room, Seat
from rooms.recording import store

KNOWN = [artefact.rows for artefact in TABLE if artefact.rows is not None]
# Of these apps, what points at a room or at something of it.
OUR_APPS = ("rooms", "transcripts", "people", "moderation")


def missing(all_models: list[type[models.Model]]) -> list[str]:
    """Models that belong in the table and are not there: all of rooms and transcripts, and what points at them."""
    wanted = []
    for model in all_models:
        points = {field.related_model for field in model._meta.get_fields() if field.many_to_one or field.one_to_one}
        own = model._meta.app_label in ("rooms", "transcripts")
        if (own or points & {Room, Recording, RecordingFile, Seat}) and not model._meta.proxy:
            wanted.append(model)
    return [model._meta.label for model in wanted if model not in KNOWN]


def test_every_model_about_rooms_is_in_the_table() -> None:
    assert missing(list(apps.get_models(include_auto_created=True))) == []


def test_a_model_that_nobody_put_in_the_table_is_found() -> None:
    class Doodle(models.Model):
        room = models.ForeignKey(Room, models.CASCADE, related_name="+")

        class Meta:
            app_label = "doodles"

        def __str__(self) -> str:
            return "a doodle"

    assert missing([*apps.get_models(), Doodle]) == ["doodles.Doodle"]
    del apps.all_models["doodles"]


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
    assert all(artefact.stays for artefact in TABLE)


def test_what_points_at_something_goes_before_it() -> None:
    gone = [artefact.rows for artefact in TABLE if artefact.goes is Goes.COPY and artefact.rows is not None]
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
    assert "presence" in erasing.erasers()
    assert artefacts.unknown_erasers() == []
    monkeypatch.setitem(erasing._erasers, "pesence", lambda rooms: 0)
    assert artefacts.unknown_erasers() == ["pesence"]
    with pytest.raises(LookupError, match="pesence"):
        artefacts.erase_rows([1])
    with pytest.raises(ValueError, match="two erasers"):
        erasing.erases("presence")(lambda rooms: 0)
