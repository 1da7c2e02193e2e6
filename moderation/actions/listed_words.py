"""The list of words: adding, changing, and finding them in lines of captions as they are confirmed."""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext

from ledger.actions import record
from moderation.actions.locking import refuse
from moderation.actions.typed import cleaned_text
from moderation.models import ListedWord, WordHit
from moderation.models.words import PHRASE, WORD_NOTE
from moderation.refusals import ModerationRefused
from moderation.rulebook import current_category, word_category
from moderation.rules.word_match import Phrase, Spoken, find_phrases, folded_words
from people.models import User
from rooms.models import Room
from transcripts.models import LiveLine

MOST = 1000  # words in use
LISTED = 0x4C49_5354  # "LIST": the advisory lock of the number of words in use


def add_word(by: User, phrase: str, language: str, category: str, note: str = "") -> ListedWord:
    """Add a word or phrase in a language ("": any), with the category that it suggests. Refuses not_allowed,
    list_full, and bad_value, also for one that is in the list."""
    _may(by)
    phrase, folded = cleaned_text(PHRASE, "phrase", phrase), " ".join(folded_words(phrase))
    known = {"", *(code for code, _name in settings.LANGUAGES)}
    if not folded or language not in known:
        raise ModerationRefused("bad_value", {"language" if folded else "phrase": language if folded else phrase})
    values = {"phrase": phrase, "folded": folded, "language": language, "added_by": by}
    values |= {"category_id": _category(category), "note": _note(note)}
    try:
        with transaction.atomic():
            _check_number()
            word = ListedWord.objects.create(**values)
            _record(word, by, "added")
    except IntegrityError as error:
        if "listed_word_once" not in str(error):
            raise
        text = gettext("“%(phrase)s” is in the list already.") % {"phrase": phrase}
        raise ModerationRefused("bad_value", {"phrase": text}) from None
    return word


def change_word(by: User, word: ListedWord, category: str, note: str, *, active: bool) -> bool:
    """Change what a word suggests, its note, and whether it is in use. A category that was retired meanwhile may stay.
    Returns whether anything changed. Refuses not_allowed, list_full and bad_value."""
    _may(by)
    with transaction.atomic():
        row = ListedWord.objects.select_for_update().get(pk=word.pk)
        suggested = category if category == row.category_id else _category(category)
        values = {"category_id": suggested, "note": _note(note), "active": active}
        if active and not row.active:
            _check_number()
        if all(getattr(row, name) == value for name, value in values.items()):
            return False
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=list(values))
        _record(row, by, "changed")
    return True


def find_words(line: LiveLine) -> int:
    """Store which words of the list a line of captions has, each once a line. Returns the number of words.

    These are suggestions: nothing is done by them, nobody is told, and no case is opened.
    """
    language = Room.objects.filter(pk=line.room_id).values("language")[:1]
    words = ListedWord.objects.filter(Q(language="") | Q(language=language), active=True)
    phrases = [Phrase(pk, tuple(folded.split())) for pk, folded in words.values_list("pk", "folded")]
    if not phrases:
        return 0
    earlier = LiveLine.objects.filter(room=line.room_id, speaker=line.speaker_id, line__lt=line.line)
    before = earlier.order_by("-line").first()
    found = find_phrases(_spoken(line), _spoken(before) if before else [], phrases)
    where = {"room_id": line.room_id, "speaker_id": line.speaker_id, "line": line.line}
    WordHit.objects.bulk_create(
        [WordHit(word_id=each.key, from_ms=each.from_ms, to_ms=each.to_ms, **where) for each in found],
        ignore_conflicts=True,
    )
    return len(found)


def _spoken(line: LiveLine) -> list[Spoken]:
    return [Spoken(str(text), max(0, start), max(1, start + 1, end)) for text, start, end in line.words]


def _may(by: User) -> None:
    refuse(None if by.has_perm("moderation.change_rulebook") else "not_allowed")


def _check_number() -> None:
    """Refuse one more word in use than MOST; each line is looked through for all of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LISTED])
    refuse("list_full" if ListedWord.objects.filter(active=True).count() >= MOST else None)


def _note(note: str) -> str:
    return cleaned_text(WORD_NOTE, "note", note) if note.strip() else ""


def _category(category: str) -> str:
    """Check a category that a word is to suggest."""
    if current_category(category) is None:
        raise ModerationRefused("bad_value", {"category": category})
    if word_category(category) is None:
        text = gettext("No word suggests this: a case of it acts at once, for which a person gives the reason.")
        raise ModerationRefused("bad_value", {"category": text})
    return category


def _record(word: ListedWord, by: User, change: str) -> None:
    values = {"change": change, "language": word.language, "category": word.category_id, "active": word.active}
    record("listed_word_changed", f"word:{word.pk}", by.pk, values, {"phrase": word.phrase, "note": word.note})
