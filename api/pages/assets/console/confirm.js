// Asks whether something is meant, and says what will happen.

import { Problem } from "./api.js";
import { busily, button, h, notice } from "./dom.js";

/**
 * @param {object} what
 * @param {string} what.title
 * @param {string[]} what.says what will happen
 * @param {(Node | null)[]} [what.more] what is shown below that
 * @param {string} what.act the button that does it
 * @param {boolean} [what.grave] whether it takes something away
 * @param {string} [what.reason] the label of a field for the reason, where the API takes one
 * @param {(reason: string) => Promise<void>} what.work
 * @returns {Promise<boolean>} whether it was done
 */
export function confirm({ title, says, more = [], act, grave = false, reason, work }) {
  const input = h("input", { id: "reason", maxlength: 200, autocomplete: "off" });
  const field = reason
    ? h("div", { class: "field" }, h("label", { for: "reason" }, reason), input)
    : null;
  const wrong = h("div", { class: "said" });
  const look = grave ? "danger" : "primary";
  const go = h("button", { type: "submit", class: `button ${look}` }, act);
  const cancel = button("Cancel", "", () => dialog.close(""));
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    void busily(go, async () => {
      try {
        await work(input.value.trim());
        dialog.close("done");
      } catch (error) {
        const detail = error instanceof Problem ? error.message : "Something went wrong.";
        wrong.replaceChildren(notice("error", detail));
      }
    });
  };
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": "confirm-title" },
    h(
      "form",
      { class: "stack", submit },
      h("h2", { id: "confirm-title" }, title),
      says.length > 0 && h("div", { class: "stack-tight" }, says.map((one) => h("p", {}, one))),
      more,
      field,
      wrong,
      h("div", { class: "dialog-actions" }, cancel, go),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  // Enter must not do what nobody has read.
  if (grave && !reason) cancel.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "done");
    });
  });
}
