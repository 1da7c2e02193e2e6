"""The stage with real voices: a hand let up, a hand-over and policies under them, a held mute, a removal.

Judged by what is heard near, by HLS and in the recording, and of whom.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from core.threads import in_thread
from deploy.local.throwaway import Throwaway
from people.models import User
from rooms import actions
from rooms.guests import peers
from rooms.guests.hls_listener import HlsListener
from rooms.models import Room
from social.actions.follows import follow
from tests.rooms.media.company import QUIET
from tests.rooms.media.conftest import listen_near
from tests.rooms.media.listeners import (
    FAINT,
    LOOK,
    SETTLE,
    UNBROKEN,
    WITHIN,
    at_work,
    files_of,
    in_janus,
    seats_of,
    speaking_handles,
)
from tests.rooms.media.table import Table
from tests.rooms.media.test_power import status_of
from tests.support.processes import Site, by_hand
from tests.support.rooms import open_room
from tests.support.voices import GONE, HEARD, SILENCE, far_sound, longest_silence, loudest, recorded_sound
from tests.support.waiting import say, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]

AT_ONCE = 5.0  # seconds; what is measured is a tenth of it, and two seconds are promised


class Evening(Table):
    """A room with a host and Ada, who speak, and Bob, whose client does what it likes."""

    def __init__(self, site: Site, services: Throwaway) -> None:
        super().__init__(site, open_room(speak_policy="followed", transcription=False), "host", "ada", "bob")
        self.services = services
        self.users = {name: User.objects.get(handle=name) for name in self.browsers}
        follow(self.users["host"], self.users["ada"])
        self.talkers = {name: self.talker(name) for name in ("host", "ada")}
        self.bob = self.speaker("bob")
        self.opened_at = self.unbroken_from = self.unbroken_until = 0.0
        self.muted_from = self.muted_until = self.removed_at = self.ended_at = 0.0

    async def act(self, act: Callable[..., Any], *values: Any, **named: Any) -> Any:
        """Do one of the host's acts, as whoever is host."""
        host = (await in_thread(lambda: Room.objects.select_related("host").get(pk=self.room.pk))).host
        return await in_thread(lambda: act(self.room.pk, *values, by=host, **named))

    async def story(self) -> None:
        works = [self.listeners.near.run(), *(talker.run() for talker in self.talkers.values())]
        async with at_work(*works):
            await self.listeners.hear(self.voices["host"], self.voices["ada"])
            async with at_work(self.listeners.far.run(600)):
                await self.a_hand_is_let_up()
                await self.nothing_breaks_off()
                await self.a_mute_is_held()
                await self.bob_is_removed()
                self.ended_at = time.time()
                await self.listeners.fetched(self.ended_at - 1)
        await self.bob.go()

    def play(self, *names: str) -> None:
        """Have these speak, of the two, and the other be silent, with an open microphone."""
        for name, talker in self.talkers.items():
            talker.clip.playing = name in names

    async def a_hand_is_let_up(self) -> None:
        bob, listeners, voice = self.bob, self.listeners, self.voices["bob"]
        await bob.come()
        await bob.consent()
        assert await bob.ask("take_seat") == "not_allowed_to_speak"
        assert await bob.ask("raise_hand") == "ok"
        before = await listeners.level(voice, time.time() - LOOK)
        seat = await self.act(actions.let_up)
        assert seat.user_id == self.users["bob"].pk
        await bob.send()
        assert await bob.ask("unmute") == "ok"
        self.opened_at = time.time()
        await listeners.hear(voice, since=self.opened_at)
        await asyncio.sleep(LOOK)  # a busy machine drops packets: more than one look
        near, heard_at = await listeners.level(voice, self.opened_at), time.time()
        await listeners.fetched(heard_at)
        far = await listeners.far_level(voice, self.opened_at, heard_at)
        say(f"let up: near {before:.0f} dB before, then {near:.0f}; by HLS {far:.0f}")
        assert before < GONE and min(near, far) > HEARD

    async def nothing_breaks_off(self) -> None:
        """A co-host is named, receives the room in mid-sentence and changes who may speak, under three voices."""
        self.unbroken_from = time.time()
        before = await in_thread(speaking_handles, self.room.pk)
        await self.act(actions.name_cohost, self.users["ada"])
        await self.act(actions.hand_over, self.users["ada"])
        await asyncio.sleep(2)  # two rounds of the supervisor
        for policy, outside in (("invited", ["bob"]), ("everyone", []), ("followed", ["bob"])):
            assert await self.act(actions.set_speak_policy, policy=policy) == outside
            await asyncio.sleep(1)
        await asyncio.sleep(1)
        self.unbroken_until = time.time()
        gap = self.listeners.ears.longest_gap(self.unbroken_from, self.unbroken_until, FAINT)
        say(f"named, handed over, three policies: longest gap near {gap:.2f} s")
        assert gap < QUIET
        assert before == await in_thread(speaking_handles, self.room.pk) and len(before) == 3
        await self.listeners.hear(*self.voices.values(), since=self.unbroken_from)

    async def a_mute_is_held(self) -> None:
        """Bob's client sends on and asks on, comes back by a new connection, and again when Janus was killed."""
        bob, listeners = self.bob, self.listeners
        self.play()
        await asyncio.sleep(SETTLE)
        held_at = time.time()
        await self.act(actions.hold_mute, self.users["bob"])
        async with at_work(bob.insist()):
            await until(listeners.is_silent, AT_ONCE, 0.05, "silence")
            say(f"held: silent after {listeners.last_sound(held_at):.1f} s")
            self.muted_from = held_at + SETTLE
            await asyncio.sleep(2)
            bob.cut_line()
            await bob.come("another-page")
            assert await bob.ask("take_seat") == "ok" and await bob.ask("speak_claim", take=True) == "ok"
            await bob.send()
            await asyncio.sleep(2)
            killed = time.time()
            await by_hand(self.services.restart, "janus")
            await bob.send_again()
            await until(
                lambda: listeners.ears.arrived[-1] > killed + 2, WITHIN, 0.1, "a near listener's new connection"
            )
            await asyncio.sleep(2)
            self.play("ada")
            await listeners.hear(self.voices["ada"], since=killed)
            sent = bob.clip.sent
            await asyncio.sleep(LOOK)
            self.muted_until = time.time()
        assert bob.clip.sent - sent > 2 * peers.RATE, "he sent all the time"
        leaked = await listeners.level(self.voices["bob"], self.muted_until - LOOK)
        say(f"ada is heard, bob is at {leaked:.0f} dB; he was answered {dict(bob.answers)}")
        assert leaked < GONE
        assert bob.answers["unmute", "mute_held"] > 4 and bob.answers["unmute", "ok"] == 1
        await self.act(actions.lift_mute, self.users["bob"])
        assert await bob.ask("unmute") == "ok"
        await listeners.hear(self.voices["bob"], since=time.time())

    async def bob_is_removed(self) -> None:
        """He listens by both ways, takes no notice, and sends on."""
        bob, listeners, ears = self.bob, self.listeners, peers.Ears()
        assert bob.visitor is not None
        listening = await listen_near(bob.visitor, ears)
        by_hls = HlsListener(bob.browser, self.room.slug)
        async with at_work(by_hls.run(600)):
            await until(lambda: bool(by_hls.pieces and ears.parts), WITHIN, 0.1, "sound for bob")
            await until(lambda: self.is_in_janus(3, 2), WITHIN, 0.2, "three in the mix and two who listen near")
            bob.turn_deaf()
            self.play()
            await asyncio.sleep(SETTLE)
            assert not listeners.is_silent(), "he is heard alone"
            self.removed_at = time.time()
            await self.act(actions.remove_person, self.users["bob"])
            await until(listeners.is_silent, AT_ONCE, 0.05, "silence")
            await until(
                lambda: ears.arrived[-1] < time.time() - 1 and by_hls.over, AT_ONCE, 0.05, "an end of his sound"
            )
            ended = time.time()
            await until(
                lambda: bob.visitor is None or bob.visitor.closed.is_set(), AT_ONCE, 0.05, "the end of his line"
            )
        last = max(piece.fetched for piece in by_hls.pieces.values())
        say(
            f"removed: silent after {listeners.last_sound(self.removed_at):.1f} s, he hears near for"
            f" {ears.arrived[-1] - self.removed_at:.1f} s, his last piece comes after {last - self.removed_at:.1f} s"
        )
        assert last < self.removed_at + AT_ONCE and status_of(bob.browser, f"/r/{self.room.slug}/live.m3u8") == 403
        await self.he_stays_out(ended)
        await listening.close()

    async def he_stays_out(self, since: float) -> None:
        bob, listeners = self.bob, self.listeners
        sent = bob.clip.sent
        assert await self.is_in_janus(2, 1), "he is in Janus still"
        for page in (bob.page, "a-fresh-page"):
            bob.told.clear()
            await bob.come(page)
            assert bob.visitor is not None
            for verb in ("take_seat", "unmute", "listen", "speak_offer", "raise_hand"):
                assert await bob.ask(verb, sdp="v=0") in ("not_allowed", "no line"), verb
            await until(bob.visitor.closed.is_set, AT_ONCE, 0.05, "the end of a line that he may not have")
            assert [message["error"]["code"] for message in bob.told] == ["not_allowed"]
        self.play("host", "ada")
        await listeners.hear(self.voices["host"], self.voices["ada"], since=since)
        await asyncio.sleep(LOOK)
        level = await listeners.level(self.voices["bob"], self.removed_at + SETTLE)
        say(f"the others are heard, bob is at {level:.0f} dB while he sent {(bob.clip.sent - sent) / peers.RATE:.0f} s")
        assert bob.clip.sent - sent > 2 * peers.RATE, "he sends on"
        assert level < GONE

    async def is_in_janus(self, speaking: int, listening: int) -> bool:
        """Whether Janus has the people on stage in the mix, and nobody else, and so many listeners."""
        seats = await in_thread(seats_of, self.room)
        expected = {f"seat-{pk}" for pk, _muted in seats.values()}
        return await in_janus(self.room) == (expected, listening) and len(expected) == speaking

    def check_recording(self) -> None:
        """The tracks have every voice unbroken, and nothing of Bob while he was muted or after he was removed."""
        files = files_of(self.room)
        began = self.listeners.began(self.voices["bob"], self.opened_at, self.unbroken_until)
        say(f"let up: heard near {began:.1f} s after his microphone opened")
        for name, voice in self.voices.items():
            sound = recorded_sound(files[name], self.unbroken_from, self.unbroken_until)
            gap, level = longest_silence(sound), voice.level(sound)
            say(f"{name}'s track under hand-over and policies: longest silence {gap:.2f} s, {level:.0f} dB")
            assert gap < UNBROKEN and level > HEARD, name
        muted = recorded_sound(files["bob"], self.muted_from, self.muted_until)
        after = recorded_sound(files["bob"], self.muted_until, self.removed_at)
        assert self.muted_until - self.muted_from > 8 and len(muted) > 8 * peers.RATE
        alone = (self.muted_from, self.muted_from + 3)  # nobody else spoke then
        by_hls, mix = far_sound(self.listeners.far, *alone), recorded_sound(files["mix"], *alone)
        levels = [loudest(sound) for sound in (after, muted, by_hls, mix)]
        say("bob's track {:.0f} dBFS open, {:.0f} held; HLS {:.0f}, mix {:.0f} meanwhile".format(*levels))
        assert levels[0] > SILENCE / 2 and max(levels[1:]) < SILENCE
        assert len(by_hls) > 2 * peers.RATE and len(mix) > 2 * peers.RATE
        rest = recorded_sound(files["bob"], self.removed_at + SETTLE, self.ended_at)
        assert loudest(rest) < SILENCE, f"{loudest(rest):.0f} dBFS of somebody who was removed"
        mixed = recorded_sound(files["mix"], self.removed_at + SETTLE, self.ended_at)
        assert self.voices["bob"].level(mixed) < GONE and self.voices["ada"].level(mixed) > HEARD


def test_a_hand_a_hand_over_a_held_mute_and_a_removal(lent_site: Site, services: Throwaway) -> None:
    evening = Evening(lent_site, services)
    asyncio.run(evening.story())
    actions.end_room(evening.room.pk, evening.users["ada"])
    evening.check_recording()
