// The page by which people are invited to a room.
import { InviteForm } from "invite/form";
import { find } from "shared/dom";

const form = new InviteForm(find("[data-invite]"));
form.open();
