"""Models of who may come: invitations, removals, and hand-overs of a room to another host."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import TypedColumn
from core.text import LABEL
from rooms.models.room import Room, new_slug


class Invitation(models.Model):
    """Invitation of one person to one room. One to speak is the right to a seat; its delivery is a direct message.

    `by_helper` says whether it came from the host or a co-host: under entry policy `invited` only those admit. `link`
    is the personal link that became this invitation, `came_at` when the person first came in after it was sent.
    """

    class Kind(models.TextChoices):
        SPEAK = "speak", _("to speak")
        LISTEN = "listen", _("to listen")

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        REVOKED = "revoked", _("revoked")
        EXPIRED = "expired", _("expired")

    room = models.ForeignKey(Room, models.CASCADE, related_name="invitations", verbose_name=_("room"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("invited"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("invited by"))
    by_helper = models.BooleanField(_("by host or co-host"), default=False)
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.PENDING)
    link = models.OneToOneField(
        "rooms.PersonalLink", models.PROTECT, related_name="invitation", null=True, blank=True, verbose_name=_("link")
    )
    sent_at = models.DateTimeField(_("sent"), default=timezone.now)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    came_at = models.DateTimeField(_("came in"), null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(
                fields=["room", "user"],
                condition=Q(kind="speak", state__in=["pending", "accepted"]),
                name="invitation_one_to_speak",
            ),
            models.UniqueConstraint(
                fields=["room", "user", "by", "by_helper"],
                condition=Q(kind="listen", state__in=["pending", "accepted"]),
                name="invitation_one_to_listen",
            ),
            models.CheckConstraint(condition=~Q(user=F("by")), name="invitation_not_oneself"),
            models.CheckConstraint(condition=Q(kind="listen") | Q(by_helper=True), name="invitation_speak_by_helper"),
        ]
        indexes = [models.Index(fields=["user", "state"], name="invitation_of_user")]

    def __str__(self) -> str:
        return f"{self.user_id} to {self.kind} in {self.room_id}: {self.state}"


def token_hash(token: str) -> str:
    """The form in which the token of a personal link is stored (SHA-256, 64 hex digits)."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class PersonalLink(models.Model):
    """Link by which one person without an account comes to speak in one room; used once, it becomes their invitation.

    `hash` is the SHA-256, in hex, of the token in the address (128 random bits), which is shown once. `label` is how
    the host calls the person.
    """

    room = models.ForeignKey(Room, models.CASCADE, related_name="personal_links", verbose_name=_("room"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("made by"))
    label = TypedColumn(_("for whom"), text=LABEL)
    hash = models.CharField(_("hash"), max_length=64, unique=True)
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("personal link")
        verbose_name_plural = _("personal links")
        constraints = [
            models.CheckConstraint(condition=Q(used_at=None) | Q(revoked_at=None), name="personal_link_used_or_revoked")
        ]

    def __str__(self) -> str:
        return f"a link to {self.room_id}"

    def address(self, token: str) -> str:
        """The path with its token, which only the maker of the link knows."""
        return f"/r/{self.room.slug}/come/{token}/"


class ShareLink(models.Model):
    """Link with which one person invites others to listen. It admits nobody; `code` says by whom people came."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="share_links", verbose_name=_("room"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("made by"))
    code = models.CharField(_("code"), max_length=16, unique=True, default=new_slug, editable=False)
    made_at = models.DateTimeField(_("made"), default=timezone.now)

    class Meta:
        verbose_name = _("share link")
        verbose_name_plural = _("share links")
        constraints = [models.UniqueConstraint(fields=["room", "by"], name="share_link_one_a_person")]

    def __str__(self) -> str:
        return f"{self.code} to {self.room_id}"

    def get_absolute_url(self) -> str:
        return f"{self.room.get_absolute_url()}?by={self.code}"


class Arrival(models.Model):
    """Somebody who came into a room by a share link, once each: `mac` is `rooms.rules.identity.listener_mac` of their
    cookie or account, which names nobody."""

    link = models.ForeignKey(ShareLink, models.CASCADE, related_name="arrivals", verbose_name=_("share link"))
    mac = models.CharField(_("HMAC of the person"), max_length=64)
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("arrival")
        verbose_name_plural = _("arrivals")
        constraints = [models.UniqueConstraint(fields=["link", "mac"], name="arrival_once")]

    def __str__(self) -> str:
        return f"by {self.link_id}"


class ListenerChoice(models.Model):
    """An account's choice, in one room, between listening seen and unseen. Nobody is seen without one: with
    `User.listens_unseen` the page asks for none.

    Whoever listens unseen counts as an anonymous listener to everybody (`rooms/queries/audience.py`). A removal works
    on the account all the same.
    """

    room = models.ForeignKey(Room, models.CASCADE, related_name="listener_choices", verbose_name=_("room"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    unseen = models.BooleanField(_("listens unseen"))

    class Meta:
        verbose_name = _("choice of a listener")
        verbose_name_plural = _("choices of listeners")
        constraints = [models.UniqueConstraint(fields=["room", "user"], name="listener_choice_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.room_id}: {'unseen' if self.unseen else 'seen'}"


class Removal(models.Model):
    """Removal of an account from a room by host or co-host, in force until `undone_at`.

    One that is not `listed` came with a block of somebody who was not here: it holds while `by` blocks the account, and
    is shown to nobody, because the host's side would read from it who blocks whom (`rooms.rules.facts.REMOVED`).
    """

    room = models.ForeignKey(Room, models.CASCADE, related_name="removals", verbose_name=_("room"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("removed by"))
    at = models.DateTimeField(_("when"), default=timezone.now)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    listed = models.BooleanField(_("listed"), default=True)

    class Meta:
        verbose_name = _("removal")
        verbose_name_plural = _("removals")
        constraints = [
            models.UniqueConstraint(
                fields=["room", "user"], condition=Q(undone_at=None, listed=True), name="removal_one_a_person"
            ),
            models.UniqueConstraint(
                fields=["room", "user", "by"], condition=Q(undone_at=None, listed=False), name="removal_one_a_block"
            ),
            models.CheckConstraint(condition=~Q(user=F("by")), name="removal_not_oneself"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} out of {self.room_id}"


class RemovedListener(models.Model):
    """Listener cookie that a removed account used in the room, as HMAC (`rooms.rules.identity.listener_mac`).

    Without it the account would only have to sign out to be the anonymous listener it was before. Never an address.
    """

    removal = models.ForeignKey(Removal, models.CASCADE, related_name="listeners", verbose_name=_("removal"))
    mac = models.CharField(_("HMAC of the cookie"), max_length=64)

    class Meta:
        verbose_name = _("removed listener")
        verbose_name_plural = _("removed listeners")
        constraints = [models.UniqueConstraint(fields=["removal", "mac"], name="removed_listener_once")]
        indexes = [models.Index(fields=["mac"], name="removed_listener_mac")]

    def __str__(self) -> str:
        return f"a cookie of removal {self.removal_id}"


class HandOver(models.Model):
    """Change of a room's host. The former host keeps the replay, not the download."""

    class Reason(models.TextChoices):
        GIVEN = "given", _("the host handed it over")
        HOST_GONE = "host_gone", _("the host was away")
        STAFF = "staff", _("staff decided it")

    room = models.ForeignKey(Room, models.CASCADE, related_name="hand_overs", verbose_name=_("room"))
    former = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("former"))
    to = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("new host"))
    reason = models.CharField(_("why"), max_length=9, choices=Reason.choices)
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("hand-over")
        verbose_name_plural = _("hand-overs")
        constraints = [models.CheckConstraint(condition=~Q(former=F("to")), name="hand_over_to_somebody_else")]

    def __str__(self) -> str:
        return f"{self.room_id}: {self.former_id} → {self.to_id}"


class StayingFollower(models.Model):
    """Follower of a former host who was in the room when it was handed over, under entry policy `followers`.

    The policy goes on to admit this account, so that nobody is put out by the change, until it is set anew.
    """

    hand_over = models.ForeignKey(HandOver, models.CASCADE, related_name="staying", verbose_name=_("hand-over"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))

    class Meta:
        verbose_name = _("staying follower")
        verbose_name_plural = _("staying followers")
        constraints = [models.UniqueConstraint(fields=["hand_over", "user"], name="staying_follower_once")]

    def __str__(self) -> str:
        return f"{self.user_id} after hand-over {self.hand_over_id}"
