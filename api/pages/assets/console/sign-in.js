// Asks for an API key and tries it before it is kept.

import { Api, Problem } from "./api.js";
import { busily, fill, h, notice } from "./dom.js";

/**
 * @param {HTMLElement} root
 * @param {string | undefined} why the person is asked again
 * @param {(key: string) => void} done
 */
export function signIn(root, why, done) {
  const input = h("input", {
    id: "key",
    type: "password",
    required: true,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    placeholder: "csk_…",
    "aria-describedby": "key-hint key-error",
  });
  const error = h("p", { id: "key-error", class: "error", role: "alert", hidden: true });
  const enter = h("button", { type: "submit", class: "button primary block" }, "Open the console");

  /** @param {string} text */
  const refuse = (text) => {
    fill(error, text);
    error.hidden = false;
    input.setAttribute("aria-invalid", "true");
    input.focus();
  };

  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const key = input.value.trim();
    if (!/^csk_[\x21-\x7e]+$/.test(key)) return refuse("An API key begins with csk_.");
    void busily(enter, async () => {
      try {
        await new Api(key, () => {}).get("statistics");
        done(key);
      } catch (error) {
        refuse(refusal(error));
      }
    });
  };

  const form = h(
    "form",
    { class: "card sign-in", submit, novalidate: true },
    h(
      "div",
      { class: "card-head" },
      h("h1", { tabindex: "-1" }, "Open the console"),
      h("p", { class: "lead" }, "Find a user, lift a lock, try a policy, watch the cluster."),
    ),
    why ? notice("info", why) : null,
    h(
      "div",
      { class: "field" },
      h("label", { for: "key" }, "API key"),
      h(
        "span",
        { id: "key-hint", class: "hint" },
        "One with the scope admin. It stays in this tab and ends with it.",
      ),
      input,
      error,
    ),
    enter,
  );
  fill(root, form);
  input.focus();
}

/** @param {unknown} error */
function refusal(error) {
  if (!(error instanceof Problem)) return "Something went wrong in this page. Reload it.";
  if (error.status === 401) return "That key is unknown here, or has ended.";
  if (error.status === 403) return "That key lacks the scope admin.";
  return error.message;
}
