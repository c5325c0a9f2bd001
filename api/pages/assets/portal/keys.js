// Security keys and passkeys: asks the service for options, the browser for an answer, and sends
// that with the form, as if it had been typed.

import { BrokenCredential, created, creation, request, shown } from "./webauthn.js";

/** Makes forms that need a key ask for one before they are sent. */
export function useKeys() {
  for (const form of document.querySelectorAll("form[data-key]")) {
    if (form instanceof HTMLFormElement) useKey(form);
  }
}

/** @param {HTMLFormElement} form */
function useKey(form) {
  if (!window.PublicKeyCredential) {
    say(form, form.dataset.unsupported);
    form.querySelector("button")?.setAttribute("disabled", "");
    return;
  }
  let answered = false;
  form.addEventListener("submit", (event) => {
    if (answered) return;
    event.preventDefault();
    if (form.dataset.busy) return;
    void ask(form).then((answer) => {
      if (answer === undefined) return;
      field(form, "key").value = answer;
      answered = true;
      form.submit();
    });
  });
  window.addEventListener("pageshow", () => {
    answered = false;
    busy(form, false);
  });
}

/**
 * The browser's answer as JSON, or nothing if there is none; then the page says why.
 * @param {HTMLFormElement} form
 * @returns {Promise<string | undefined>}
 */
async function ask(form) {
  busy(form, true);
  say(form, "");
  try {
    const registers = form.dataset.key === "create";
    const options = await fetched(form, registers ? "create" : "get");
    if (options === undefined) return undefined;
    const answer = registers
      ? created(await navigator.credentials.create({ publicKey: creation(options) }))
      : shown(await navigator.credentials.get({ publicKey: request(options) }));
    return JSON.stringify(answer);
  } catch (error) {
    say(form, reason(form, error));
    busy(form, false);
    return undefined;
  }
}

/**
 * What the browser is to be asked with. Where the service has something else to say, the page says
 * it, or is loaded again.
 * @param {HTMLFormElement} form
 * @param {string} what
 * @returns {Promise<any>}
 */
async function fetched(form, what) {
  const body = what === "get" ? { challenge: field(form, "challenge").value } : {};
  const answer = await fetch(`${form.dataset.options}/${what}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-portal-token": field(form, "token").value,
    },
    body: JSON.stringify(body),
  });
  if (answer.ok) return await answer.json();
  const told = await answer.json().catch(() => ({ reload: true }));
  if (told.words) {
    say(form, told.words);
    busy(form, false);
  } else {
    window.location.reload();
  }
  return undefined;
}

/**
 * @param {HTMLFormElement} form
 * @param {unknown} error
 */
function reason(form, error) {
  if (error instanceof BrokenCredential) return form.dataset.broken;
  // A password manager's own errors are of no class of the browser's, but have its names.
  const name = error instanceof Object && "name" in error ? error.name : "";
  // A person who changes their mind, one who waits too long and one who has no such key all look the
  // same, so that a page learns nothing (W3C WebAuthn section 14.5.1).
  if (name === "NotAllowedError" || name === "AbortError") return form.dataset.cancelled;
  if (name === "InvalidStateError") return form.dataset.known ?? form.dataset.failed;
  if (name === "NotSupportedError" || name === "SecurityError") return form.dataset.unsupported;
  return form.dataset.failed;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function field(form, name) {
  const input = form.elements.namedItem(name);
  if (!(input instanceof HTMLInputElement)) throw new Error(`the form has no ${name}`);
  return input;
}

/**
 * @param {HTMLFormElement} form
 * @param {string | undefined} words
 */
function say(form, words) {
  const trouble = form.querySelector("[data-trouble]");
  if (trouble) trouble.textContent = words ?? "";
}

/**
 * @param {HTMLFormElement} form
 * @param {boolean} is
 */
function busy(form, is) {
  form.dataset.busy = is ? "1" : "";
  form.querySelector("button.button")?.classList.toggle("busy", is);
}
