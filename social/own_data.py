"""Social's part of own-data downloads: follows, blocks and messages as the person's pages show them, so that nobody
reads there who blocks them, or that their messages are withheld."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from people.hooks import OwnFile, own_data
from people.models import User
from social.models import Block, Message, Thread, ThreadSide
from social.queries import seeming_followed, seeming_followers
from social.threads import lines_of, other_of

BATCH = 500  # messages drawn at once


@own_data.register("social")
def files_of_relations(user: User) -> Iterator[OwnFile]:
    """Yield follows, blocks, and a file for each conversation."""
    yield OwnFile("follows.json", _("Whom you follow, and who follows you."), lambda: follows_of(user))
    yield OwnFile("blocks.json", _("Whom you block."), lambda: blocks_made(user))
    about = _("Your conversations, as you see them: without what you deleted. Files are named after the other person.")
    sides = ThreadSide.objects.filter(user=user, last_at__isnull=False).select_related("thread__low", "thread__high")
    for side in sides.order_by("thread").iterator(BATCH):
        other = other_of(side.thread, user)
        name = "official" if other is None else f"with-{other.handle}"
        yield OwnFile(f"messages/{name}.json", about, partial(messages_in, side.thread, user))


def follows_of(user: User) -> dict[str, list[str]]:
    """Name both directions by handle, as the person may see them: follows that somebody's block ended still stand, so
    no moment is given by which they could be told from the others."""
    return {"follows": _handles(seeming_followed(user.pk)), "followers": _handles(seeming_followers(user.pk))}


def _handles(keys: Any) -> list[str]:
    people = User.objects.filter(pk__in=list(keys), is_active=True)
    return list(people.order_by(Lower("handle")).values_list("handle", flat=True))


def blocks_made(user: User) -> list[dict[str, Any]]:
    """List the blocks that a person made."""
    rows = Block.objects.filter(blocker=user).order_by("since", "pk").values_list("blocked__handle", "since")
    return [{"blocks": handle, "since": since} for handle, since in rows]


def messages_in(thread: Thread, user: User) -> Iterator[dict[str, Any]]:
    """Yield the messages of a thread that a person sees, oldest first. Whether one was delivered is not said: a sender
    must not learn that it is withheld."""
    rows = Message.objects.filter(thread=thread).seen_by(user.pk).select_related("sender", "receiver").order_by("pk")
    found = rows.iterator(BATCH)
    while page := list(islice(found, BATCH)):
        for line in lines_of(page, user):
            message = line.message
            yield {
                "sent_at": message.sent_at,
                "from": message.sender.handle if message.sender else None,
                "to": message.receiver.handle,
                "kind": message.kind,
                "text": line.drawn.text,
            }
