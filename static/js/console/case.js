// The page of a case: sound, lines, evidence by keys, a draft that is not lost.
import { keepDraft } from "console/draft";
import { listenForKeys, pressing } from "console/keys";
import { CaseLines } from "console/lines";
import { actInPlace } from "console/parts";
import { CaseSound, drawnFrom } from "console/sound";
import { find, readJson } from "shared/dom";
import { say } from "shared/words";

/** @import { Key } from "console/keys" */
/** @import { CaseData } from "console/types" */

/** @type {CaseData} */
const data = readJson("case-data");

/** @param {CaseSound} sound */
function soundKeys(sound) {
  const { player } = sound;
  const from = () => sound.choose(player.now, Math.max(player.now + 1, sound.range.to));
  const to = () => sound.choose(Math.min(sound.range.from, Math.max(0, player.now - 1)), Math.max(1, player.now));
  /** @type {Key[]} */
  const keys = [
    { key: " ", label: say("case_key_play"), run: () => sound.toggle() },
    { key: "m", label: say("case_key_mute"), run: () => sound.mute() },
    { key: "j", label: say("case_key_back"), run: player.back },
    { key: "l", label: say("case_key_ahead"), run: player.ahead },
    { key: "[", label: say("case_key_from"), run: from },
    { key: "]", label: say("case_key_to"), run: to },
  ];
  return keys;
}

/** @param {CaseLines} lines */
function lineKeys(lines) {
  const some = () => lines.lines.length > 0;
  /** @type {Key[]} */
  const keys = [
    pressing("o", say("case_key_lines")),
    { key: "ArrowUp", label: say("case_key_before"), run: () => lines.step(-1), when: some },
    { key: "ArrowDown", label: say("case_key_after"), run: () => lines.step(1), when: some },
    { key: "q", label: say("case_key_quote"), run: () => lines.quote(), when: some },
    pressing("e", say("case_key_mark")),
    pressing("t", say("case_key_transcribe")),
  ];
  return keys;
}

async function start() {
  /** @type {Key[]} */
  const keys = [];
  if (data.plays) {
    const lines = new CaseLines();
    const drawn = await drawnFrom(find("[data-sound]").dataset.peaks ?? "");
    const sound = drawn && drawn.kind !== "nothing" ? new CaseSound(data, drawn) : null;
    if (!sound) {
      find("[data-trouble]").textContent = say("case_nothing_drawn");
      find("[data-trouble]").hidden = false;
    }
    if (sound) lines.follow(sound);
    keys.push(...(sound ? soundKeys(sound) : []), ...lineKeys(lines));
  }
  keys.push(
    pressing("s", say("case_key_show")),
    pressing("c", say("case_key_claim")),
    pressing("w", say("case_key_note")),
    pressing("d", say("case_key_decide")),
    pressing("p", say("case_key_preview")),
    pressing("n", say("case_key_next")),
  );
  listenForKeys(keys);
  document.body.dataset.ready = "";
}

actInPlace();
keepDraft(data);
start();
