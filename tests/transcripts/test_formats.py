"""Files out of cues: what is in a name or a line must not break the format."""

import json
import re

from transcripts.files.formats import FileHeader, FormatLine, as_json, plain_text, srt, timestamp, webvtt

ABOUT = FileHeader("Café <b> --> night", "2026-11-23 18:00 UTC", "nl", "base", "openai-whisper 1")
NASTY = "Eve --> <i>&amp;\n\n00:01\u202eevil\u2066\x00"


def line(start: int, end: int, speaker: str, text: str, **more: object) -> FormatLine:
    return FormatLine(start, end, speaker, text, **more)  # type: ignore[arg-type]


LINES = [
    line(0, 1_500, "Anna", "Goedenavond."),
    line(1_600, 3_723_004, NASTY, NASTY),
    line(3_723_004, 3_724_000, "   ", "", gap="failed"),
    line(3_724_000, 3_725_000, "Anna", "Wat was dat?", corrected=True, machine_text="Wat wat dat?", confidence=0.5),
]


def test_clock() -> None:
    assert timestamp(0, ".") == "00:00:00.000"
    assert timestamp(3_723_004, ",") == "01:02:03,004"
    assert timestamp(360_000_000, ".") == "100:00:00.000"


def test_webvtt_keeps_its_shape_whatever_people_are_called() -> None:
    text = "".join(webvtt(ABOUT, LINES))
    head, *cues = text.strip().split("\n\n")
    assert head == "WEBVTT - Café &lt;b&gt; --&gt; night\nLanguage: nl"
    assert len(cues) == len(LINES)
    for number, cue in enumerate(cues, 1):
        assert re.fullmatch(rf"{number}\n[\d:.]+ --> [\d:.]+\n<v [^<>\n]+>[^<>]*</v>", cue)
    assert "<v Anna>Goedenavond.</v>" in cues[0]
    assert "Eve --&gt; &lt;i&gt;&amp;amp; 00:01evil" in cues[1]
    assert "<v Unknown person>[not transcribed]</v>" in cues[2]


def test_srt_keeps_its_shape() -> None:
    cues = "".join(srt(ABOUT, LINES)).strip().split("\n\n")
    assert len(cues) == len(LINES)
    assert cues[0] == "1\n00:00:00,000 --> 00:00:01,500\nAnna: Goedenavond."
    assert all(cue.count("-->") == 1 for cue in cues)


def test_subtitles_break_lines_and_stay_until_they_are_read() -> None:
    said = [
        line(0, 400, "Anna", "Ja."),
        line(3_000, 6_000, "Anna", "Ik heb nooit goed begrepen waarom mensen bang zijn voor het donker."),
        line(6_200, 6_500, "Bert", "Nee."),
        line(6_900, 9_000, "Bert", "Dat weet ik niet, maar vraag het haar."),
    ]
    vtt = "".join(webvtt(ABOUT, said)).split("\n\n")[1:]
    assert vtt[0] == "1\n00:00:00.000 --> 00:00:01.000\n<v Anna>Ja.</v>"
    assert vtt[1].endswith("06.200\n<v Anna>Ik heb nooit goed begrepen\nwaarom mensen bang zijn voor het donker.</v>")
    assert "00:00:06.200 --> 00:00:06.900" in vtt[2], "until somebody else begins"
    found = "".join(srt(ABOUT, said)).split("\n\n")
    assert found[3].endswith("\nBert: Dat weet ik niet,\nmaar vraag het haar."), "the name needs room too"


def test_plain_text_is_a_paragraph_a_turn() -> None:
    text = "".join(plain_text(ABOUT, [*LINES[:1], line(1_500, 1_600, "Anna", "Welkom."), *LINES[1:]]))
    assert "[00:00:00] Anna: Goedenavond. Welkom." in text
    assert "Unknown person: [not transcribed]" in text
    assert "\u202e" not in text


def test_a_doubtful_line_says_so_in_every_format() -> None:
    doubtful = [line(0, 1_000, "Anna", "I like cheese.", doubtful=True, confidence=0.4)]
    for render in (webvtt, srt, plain_text):
        assert "[doubtful] I like cheese." in "".join(render(ABOUT, doubtful))
        assert "[doubtful]" not in "".join(render(ABOUT, LINES))
    cues = json.loads("".join(as_json(ABOUT, [*doubtful, *LINES])))["cues"]
    assert [cue["doubtful"] for cue in cues] == [True, False, False, False, False]
    assert cues[0]["text"] == "I like cheese."


def test_json_is_whole_and_says_what_was_corrected() -> None:
    found = json.loads("".join(as_json(ABOUT, LINES)))
    assert found["language"] == "nl"
    assert [cue["gap"] for cue in found["cues"]] == [None, None, "failed", None]
    assert found["cues"][3]["machine_text"] == "Wat wat dat?"
    assert json.loads("".join(as_json(ABOUT, [])))["cues"] == []
