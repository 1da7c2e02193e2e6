// Who may come in, in words, and the host's choice.
import { tell } from "room/core/notices";
import { withRoom } from "room/core/state";
import { find, write } from "shared/dom";
import { say } from "shared/words";

/** @import { Verbs } from "room/wire" */

/** @satisfies {import("room/types").Feature} */
export const entryPolicy = {
  reduce: {
    entry_policy_set: (state, { policy }) => withRoom(state, { entry_policy: policy }),
  },
  mount(room) {
    const form = find("[data-entry-form]", HTMLFormElement);
    const choice = find("[name=policy]", HTMLSelectElement, form);
    let shown = "";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const policy = /** @type {Verbs["set_entry_policy"]["policy"]} */ (choice.value);
      room.attempt(() => room.ask("set_entry_policy", { policy }));
    });
    return {
      draw({ room: { entry_policy: policy, host_name: name }, you }) {
        write(find("[data-entry]"), say(`entry_${policy}`, { name }));
        form.hidden = !you.may.manage;
        if (policy !== shown) choice.value = policy;
        shown = policy;
      },
      follow({ room: { entry_policy: policy, host_name: name } }, before) {
        if (policy === before.room.entry_policy) return;
        tell(`${say("entry_changed")} ${say(`entry_${policy}`, { name })}`);
      },
    };
  },
};
