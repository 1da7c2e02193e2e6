"""Views of invitations, also without script: each parses, calls one query or action, renders."""

from __future__ import annotations

import re
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from core.client_address import address_of_request
from core.form_targets import post_only
from pages.inviting import Inviting, handles_in, inviting_of, search, sent_before
from pages.js_messages.invitations import NO_LABEL, WHOM, invite_words
from pages.policy_views import room_or_404
from people.models import User
from people.signed_in import ask_to_sign_in, signed_in
from rooms.actions import invitations, links, note_arrival
from rooms.live.verbs.arguments import read_id, read_lines
from rooms.models import Room
from rooms.queries.personal_links import personal_link
from rooms.rules import inviting, limits
from rooms.rules.facts import enter
from rooms.rules.identity import who_of_request
from rooms.rules.refusals import RoomRefused, refuse
from social.views import go_back

LINK_COOKIE, LINK_COOKIE_SECONDS = "come", 6 * 3600  # time to sign up, and to confirm the address
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


@never_cache
@signed_in
@require_http_methods(["GET", "POST"])
def invite_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form by which people are invited to a room, and what became of what was sent with it."""
    room, me = room_or_404(slug), cast(User, request.user)
    try:
        facts = enter(room, who_of_request(request))
        refuse(inviting.may_invite_to_listen(facts))
    except RoomRefused as refused:
        messages.error(request, refused.text)
        return redirect(room)
    shown = inviting_of(room, me, may_speak=inviting.may_invite_to_speak(facts) is None)
    if request.method == "POST":
        answer_form(request, room, me, shown)
    shown.sent = sent_before(room, me, facts)
    return render(request, "pages/invite.html", {"room": room, "invite": shown, "words": invite_words()})


def answer_form(request: HttpRequest, room: Room, me: User, shown: Inviting) -> None:
    """Do what one of the page's forms asks for, and put the answer into what is shown."""
    wanted = request.POST.get("do", "invite")
    try:
        if wanted == "link":
            make_link(request, room, me, shown)
        elif wanted == "share":
            limits.ACTIONS.check(f"u:{me.pk}")
            shown.share_url = f"{settings.SITE_URL}{links.share_link(room.pk, me).get_absolute_url()}"
        elif wanted == "search":
            look_for(request, room, me, shown)
        elif wanted in ("revoke", "revoke_link"):
            take_back(request, room, me, shown)
        else:
            send(request, room, me, shown)
    except RoomRefused as refused:
        if wanted == "link":
            shown.link_wrong = refused.text
        else:
            shown.said = refused.text


def look_for(request: HttpRequest, room: Room, me: User, shown: Inviting) -> None:
    """Find people to choose from; those chosen before are written to the list of handles."""
    limits.SEARCHING.check(f"u:{me.pk}")
    shown.kind = request.POST.get("kind") or shown.kind
    shown.among, shown.q = request.POST.get("among", ""), request.POST.get("q", "")
    shown.handles = "\n".join(wanted_handles(request))
    search(room, me, shown)


def take_back(request: HttpRequest, room: Room, me: User, shown: Inviting) -> None:
    """Take back an invitation or a personal link."""
    limits.ACTIONS.check(f"u:{me.pk}")
    key = request.POST.get("key", "")
    act = invitations.revoke if request.POST["do"] == "revoke" else links.revoke_link
    act(room.pk, me, read_id(int(key) if key.isascii() and key.isdigit() else None))
    shown.said = _("It is taken back.")


def wanted_handles(request: HttpRequest) -> list[str]:
    """Handles that were chosen or written, each once."""
    return handles_in("\n".join([*request.POST.getlist("user"), request.POST.get("handles", "")]))


def send(request: HttpRequest, room: Room, me: User, shown: Inviting) -> None:
    """Invite the people on a list."""
    shown.handles = request.POST.get("handles", "")
    shown.kind = request.POST.get("kind") or shown.kind
    if not (handles := wanted_handles(request)):
        shown.said = str(WHOM)
        return
    limits.INVITING.check(f"u:{me.pk}")
    shown.answer(invitations.invite(room.pk, me, read_lines(handles), shown.kind))


def make_link(request: HttpRequest, room: Room, me: User, shown: Inviting) -> None:
    """Make a personal link, which is shown this once."""
    label = request.POST.get("label", "").strip()
    if not label:
        shown.link_wrong = str(NO_LABEL)
        return
    limits.INVITING.check(f"u:{me.pk}")
    _link, path = links.make_link(room.pk, me, label)
    shown.link_url = f"{settings.SITE_URL}{path}"


@post_only("pages:room", "slug")
@signed_in
def accept(request: HttpRequest, slug: str) -> HttpResponse:
    """Accept the reader's invitation to speak: into a live room, ready to sit down; else back to where it was read."""
    room, me = room_or_404(slug), cast(User, request.user)
    try:
        invitations.accept(room.pk, me)
    except RoomRefused as refused:
        messages.error(request, refused.text)
        return go_back(request, room.get_absolute_url())
    if room.is_live:
        return redirect(room)
    messages.success(request, _("You accepted. You can take a place as soon as the room begins."))
    return go_back(request, room.get_absolute_url())


@post_only("pages:room", "slug")
@signed_in
def decline(request: HttpRequest, slug: str) -> HttpResponse:
    """Decline the reader's invitation to speak, and go back to where it was read."""
    room, me = room_or_404(slug), cast(User, request.user)
    try:
        invitations.decline(room.pk, me)
        messages.success(request, _("You declined the invitation."))
    except RoomRefused as refused:
        messages.error(request, refused.text)
    return go_back(request, room.get_absolute_url())


@never_cache
@require_safe
def open_link(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Set the token of a personal link aside in a cookie, and lead to the link's page, whose address has none.

    The token alone is the invitation, and addresses end up in logs: of servers in front, with `next` of the pages for
    signing in, and as referrers. The cookie goes to the link's page only.
    """
    answer: HttpResponse = redirect("pages:come", slug)
    if TOKEN.fullmatch(token):
        answer.set_signed_cookie(
            LINK_COOKIE,
            token,
            salt=slug,
            max_age=LINK_COOKIE_SECONDS,
            path=answer["Location"],
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        answer.headers["Referrer-Policy"] = "no-referrer"
    else:
        refused = RoomRefused("unknown_link")
        answer = render(request, "pages/come_refused.html", {"refused": refused}, status=refused.status)
    return unlisted(answer)


@never_cache
@require_http_methods(["GET", "POST"])
def come(request: HttpRequest, slug: str) -> HttpResponse:
    """Show who invites by the personal link that this browser opened, and to which room; a GET changes nothing. On POST
    the link becomes the invitation of the account that is signed in."""
    me = request.user if request.user.is_authenticated else None
    room = None
    try:
        token = opened_token(request, slug)
        link = personal_link(slug, token, me, address=address_of_request(request))
        room = link.room
        if request.method == "POST":
            return ask_to_sign_in(request) if me is None else take_up(request, token, me)
        answer = render(request, "pages/come.html", {"room": room, "by": link.by})
    except RoomRefused as refused:
        if room is not None and refused.code == "on_stage_already":
            return redirect(room)
        answer = render(request, "pages/come_refused.html", {"refused": refused}, status=refused.status)
    return unlisted(answer)


def opened_token(request: HttpRequest, slug: str) -> str:
    """Return the token of the personal link to this room that the browser opened last. Raises
    RoomRefused("link_not_here"): it opened none, lately, or keeps no cookies."""
    token: str | None = request.get_signed_cookie(LINK_COOKIE, None, salt=slug, max_age=LINK_COOKIE_SECONDS)
    if token is None:
        raise RoomRefused("link_not_here")
    return token


def unlisted(answer: HttpResponse) -> HttpResponse:
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


@never_cache
@require_safe
def listen_by(request: HttpRequest, slug: str) -> HttpResponse:
    """Count a listener without script who came by the shared link of `?by=`, and redirect to the room's playlist. A
    player asks for it once sound is started; what merely loads the room's page does not."""
    note_arrival(request.GET.get("by", ""), who_of_request(request), address_of_request(request))
    return redirect("recording:live", slug)


def take_up(request: HttpRequest, token: str, me: User) -> HttpResponse:
    """Make a personal link the reader's invitation, accept that, and lead into the room."""
    invitation = links.use_link(token, me)
    try:
        invitations.accept(invitation.room_id, me)
    except RoomRefused as refused:
        messages.error(request, refused.text)
    return redirect(invitation.room)
