// Requests to the API from a page, with the token against forged requests.
import { find } from "shared/dom";

/** Something was refused; `code` is for programs, `message` for people, `fields` has what is wrong with which value. */
export class ApiRefused extends Error {
  /** @param {{ code: string, text: string, fields?: Record<string, string> }} error */
  constructor({ code, text, fields = {} }) {
    super(text);
    this.code = code;
    this.fields = fields;
  }
}

/**
 * Ask the API. What changes something is sent on when the reader closes the page at once; all such bodies that are on
 * their way may have 64 KiB together. Rejects with an ApiRefused, or with another error where there was no answer that could be read.
 * @param {string} method
 * @param {string} path below /api/v1/
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export async function api(method, path, body) {
  const headers = {
    "Content-Type": "application/json",
    "X-CSRFToken": find("[name=csrfmiddlewaretoken]", HTMLInputElement).value,
  };
  const answer = await fetch(`/api/v1/${path}`, {
    method,
    headers,
    body: body && JSON.stringify(body),
    keepalive: method !== "GET",
  });
  const said = await answer.json();
  if (!answer.ok) throw new ApiRefused(said.error);
  return said;
}

/**
 * The address of a person in the API.
 * @param {string} user a handle
 */
export function personPath(user) {
  return `people/${encodeURIComponent(user)}/`;
}
