// The policy: changed in a form, tried before it is set.

import { Problem } from "./api.js";
import { busily, button, fill, h, notice } from "./dom.js";
import { PolicyForm } from "./policy-form.js";
import { review } from "./policy-review.js";
import { time } from "./time.js";
import { counted } from "./words.js";

/** @type {import("./main.js").View} */
export async function policy({ root, api, signal }) {
  const said = h("div", { class: "said" });
  const body = h("div", { class: "stack" }, h("div", { class: "skeleton" }));
  const heading = h("h1", { tabindex: "-1" }, "Policy");
  const about = h("p", { class: "lead" }, "What is demanded of users who log in.");
  fill(root, h("div", { class: "card-head" }, heading, about), said, body);

  async function show() {
    const found = await api.get("mfa/policy", signal);
    const count = h("p", { class: "muted", role: "status" });
    const form = new PolicyForm(found, () => tell());
    const undo = button("Undo all", "quiet", () => void show().catch(fail));
    const go = button("Review changes", "primary", () => void ask());
    const bar = h(
      "div",
      { class: "save-bar" },
      count,
      h("div", { class: "line" }, undo, go),
    );
    fill(about, `Version ${found.version}, set `, time(found.updatedAt, "short"), ".");
    fill(body, form.element, bar);

    function tell() {
      const changes = form.changes().length;
      fill(count, changes === 0 ? "Nothing changed." : `${counted(changes, "change")} not saved.`);
      undo.hidden = changes === 0;
      go.disabled = changes === 0;
    }

    /** Tries the change, and sets it if that is what is wanted. */
    async function ask() {
      fill(said);
      try {
        const patch = form.patch();
        /** @type {import("./policy-review.js").Preview | undefined} */
        let preview;
        await busily(go, async () => {
          preview = await api.change("POST", "mfa/policy/preview", patch);
        });
        form.refuse([]);
        if (signal.aborted || !preview) return;
        const saved = await review(form.changes(), preview, async () => {
          await api.change("PATCH", "mfa/policy", patch);
        });
        if (!saved || signal.aborted) return;
        await show();
        fill(said, notice("success", "The policy is set. It holds from the next login on."));
        heading.focus();
      } catch (error) {
        fail(error, form);
      }
    }

    tell();
  }

  /** @param {unknown} error @param {PolicyForm} [form] */
  function fail(error, form) {
    if (signal.aborted) return;
    if (!(error instanceof Problem)) throw error;
    if (error.code === "conflict") {
      const again = button("Load it anew", "small", () => {
        fill(said);
        void show().catch(fail);
      });
      fill(
        said,
        notice("warning", h("p", {}, "Somebody else has changed the policy meanwhile."), h("div", {}, again)),
      );
      said.scrollIntoView({ block: "nearest" });
      return;
    }
    const shown = form?.refuse(error.errors) && error.errors.length > 0;
    if (!shown) {
      const details = error.errors.map(({ pointer, detail }) => h("p", {}, `${pointer}: ${detail}`));
      fill(said, notice("error", h("p", {}, error.message), details));
      said.scrollIntoView({ block: "nearest" });
    }
  }

  await show();
}
