// The policy as a form, and what was changed in it as a merge patch.

import { button, fill, h } from "./dom.js";
import { REQUIREMENT_CHOICES, SECTIONS } from "./policy-fields.js";
import { FACTORS } from "./words.js";

/** @typedef {import("./policy-fields.js").Field} Field */
/** @typedef {{ group: string, requirement: string, allowedFactors: string[] | null }} GroupRule */

/**
 * Something that can be read out of the form.
 * @typedef {object} Control
 * @property {string} at
 * @property {HTMLElement} element
 * @property {() => unknown} read
 * @property {(detail: string) => void} refuse shows what is wrong with it
 */

/**
 * What stands in an object under a dotted name.
 * @param {any} object
 * @param {string} at
 */
const under = (object, at) => at.split(".").reduce((found, name) => found?.[name], object);

/** @param {unknown} one @param {unknown} other */
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** A policy in a form. */
export class PolicyForm {
  /** @type {any} */
  #policy;
  /** @type {Control[]} */
  #controls;

  /**
   * @param {any} policy as the API tells it
   * @param {() => void} changed is told of every change
   */
  constructor(policy, changed) {
    this.#policy = policy;
    this.#controls = [];
    const sections = SECTIONS.map(({ title, says, fields }) => {
      const controls = fields.map((field) => control(field, under(policy, field.at)));
      this.#controls.push(...controls);
      return section(title, says, controls);
    });
    const groups = groupRules(policy.groups, changed);
    this.#controls.push(groups);
    sections.splice(1, 0, section("Groups", GROUPS_SAY, [groups]));
    this.element = h("div", { class: "policy-sections" }, sections);
    for (const kind of ["input", "change"]) this.element.addEventListener(kind, changed);
  }

  /** What was changed: dotted names, as it was and as it would be. */
  changes() {
    return this.#controls
      .map(({ at, read }) => ({ at, before: under(this.#policy, at), after: read() }))
      .filter(({ before, after }) => !same(before, after));
  }

  /** @returns {Record<string, any>} the changes as a merge patch, for this version alone */
  patch() {
    /** @type {Record<string, any>} */
    const patch = { version: this.#policy.version };
    for (const { at, after } of this.changes()) {
      const [name = "", inner] = at.split(".");
      if (inner === undefined) patch[name] = after;
      else patch[name] = { ...patch[name], [inner]: after };
    }
    return patch;
  }

  /**
   * Shows what the API said is wrong.
   * @param {import("./api.js").FieldError[]} errors
   * @returns {boolean} whether each could be shown at its field
   */
  refuse(errors) {
    for (const { refuse } of this.#controls) refuse("");
    const known = errors.map(({ pointer, detail }) => {
      const at = pointer.slice(1).replaceAll("/", ".");
      const found = this.#controls.find((one) => at === one.at || at.startsWith(`${one.at}.`));
      found?.refuse(detail);
      return found;
    });
    const first = known.find((one) => one !== undefined);
    const input = first?.element.querySelector("input, select, textarea");
    if (input instanceof HTMLElement) input.focus();
    return known.every((one) => one !== undefined);
  }
}

const GROUPS_SAY =
  "A rule replaces what holds for all, for users of its group. Of several that fit, the strictest holds.";

/** @param {string} title @param {string | undefined} says @param {Control[]} controls */
function section(title, says, controls) {
  return h(
    "fieldset",
    { class: "card" },
    h("legend", { class: "section-title" }, title),
    says && h("p", { class: "muted section-says" }, says),
    controls.map(({ element }) => element),
  );
}

/** @param {Field} field @param {any} value @returns {Control} */
function control(field, value) {
  switch (field.kind) {
    case "number":
      return numberControl(field, value);
    case "switch":
      return switchControl(field, value);
    case "choice":
      return field.choices?.some((choice) => choice[2]) ? radios(field, value) : select(field, value);
    case "factors":
      return factors(field, value);
    case "lines":
      return lines(field, value);
  }
}

/** @param {string} at */
const idOf = (at) => `policy-${at.replace(".", "-")}`;

/**
 * A labelled field with a hint and a place for what is wrong.
 * @param {Field} field
 * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} input
 * @param {() => unknown} read
 * @returns {Control}
 */
function labelled({ at, label, hint }, input, read) {
  const id = idOf(at);
  input.id = id;
  input.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  const error = h("p", { id: `${id}-error`, class: "error", role: "alert", hidden: true });
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    h("span", { id: `${id}-hint`, class: "hint", hidden: !hint }, hint ?? ""),
    input,
    error,
  );
  return { at, element, read, refuse: (detail) => tell(error, input, detail) };
}

/** @param {HTMLElement} error @param {Element | null} input @param {string} detail */
function tell(error, input, detail) {
  fill(error, detail === "" ? "" : `It ${detail.replace(/\.$/, "")}.`);
  error.hidden = detail === "";
  if (detail === "") input?.removeAttribute("aria-invalid");
  else input?.setAttribute("aria-invalid", "true");
}

/** @param {Field} field @param {number} value */
function numberControl(field, value) {
  const { min, max } = field;
  const input = h("input", { type: "number", inputmode: "numeric", min, max, step: 1, value });
  return labelled(field, input, () => (input.value === "" ? null : Number(input.value)));
}

/** @param {Field} field @param {string} value */
function select(field, value) {
  const options = (field.choices ?? []).map(([one, text]) =>
    h("option", { value: one, selected: one === value }, text),
  );
  const input = h("select", {}, options);
  return labelled(field, input, () => input.value);
}

/** @param {Field} field @param {string[]} value */
function lines(field, value) {
  const input = h("textarea", { rows: 3, spellcheck: "false" });
  input.value = value.join("\n");
  return labelled(field, input, () =>
    input.value
      .split(/[\n,]/)
      .map((line) => line.trim())
      .filter((line) => line !== ""),
  );
}

/** @param {Field} field @param {boolean} value @returns {Control} */
function switchControl({ at, label }, value) {
  const input = h("input", { type: "checkbox", id: idOf(at), checked: value });
  const error = h("p", { class: "error", role: "alert", hidden: true });
  return {
    at,
    element: h("div", { class: "field" }, h("label", { class: "check" }, input, label), error),
    read: () => input.checked,
    refuse: (detail) => tell(error, input, detail),
  };
}

/** @param {Field} field @param {string} value @returns {Control} */
function radios({ at, label, choices = [] }, value) {
  const error = h("p", { class: "error", role: "alert", hidden: true });
  const boxes = choices.map(([one, text, says]) =>
    h(
      "label",
      { class: "check choice" },
      h("input", { type: "radio", name: idOf(at), value: one, checked: one === value }),
      h("span", { class: "choice-text" }, h("b", {}, text), h("span", { class: "hint" }, says)),
    ),
  );
  const group = h(
    "div",
    { class: "choices", role: "radiogroup", "aria-label": label },
    boxes,
  );
  const read = () => group.querySelector("input:checked")?.getAttribute("value") ?? null;
  return {
    at,
    element: h("div", { class: "field" }, group, error),
    read,
    refuse: (detail) => tell(error, group, detail),
  };
}

/** @param {string[]} value the types that are ticked */
function factorBoxes(value) {
  const boxes = Object.entries(FACTORS).map(([type, text]) => {
    const input = h("input", { type: "checkbox", value: type, checked: value.includes(type) });
    return { input, element: h("label", { class: "check" }, input, text) };
  });
  const read = () => boxes.filter(({ input }) => input.checked).map(({ input }) => input.value);
  return { elements: boxes.map(({ element }) => element), read };
}

/** @param {Field} field @param {string[]} value @returns {Control} */
function factors({ at, label }, value) {
  const { elements, read } = factorBoxes(value);
  const error = h("p", { class: "error", role: "alert", hidden: true });
  const group = h("div", { class: "boxes", role: "group", "aria-label": label }, elements);
  return {
    at,
    element: h("div", { class: "field" }, h("span", { class: "label" }, label), group, error),
    read,
    refuse: (detail) => tell(error, group, detail),
  };
}

/** @param {GroupRule[]} rules @param {() => void} changed @returns {Control} */
function groupRules(rules, changed) {
  /** @type {{ element: HTMLElement, read: () => GroupRule }[]} */
  const shown = [];
  const list = h("div", { class: "stack group-rules" });
  const error = h("p", { class: "error", role: "alert", hidden: true });
  /** @param {GroupRule} rule */
  const add = (rule) => {
    const made = groupRule(rule, () => {
      shown.splice(shown.indexOf(made), 1);
      made.element.remove();
      changed();
    });
    shown.push(made);
    list.append(made.element);
    return made;
  };
  rules.forEach(add);
  const more = button("Add a group", "small", () => {
    const made = add({ group: "", requirement: "REQUIRED", allowedFactors: null });
    made.element.querySelector("input")?.focus();
    changed();
  });
  return {
    at: "groups",
    element: h("div", { class: "field" }, list, h("div", {}, more), error),
    read: () => shown.map(({ read }) => read()),
    refuse: (detail) => tell(error, null, detail),
  };
}

let made = 0;

/** @param {GroupRule} rule @param {() => void} remove */
function groupRule(rule, remove) {
  made += 1;
  const [nameId, whatId] = [`group-${made}`, `group-${made}-requirement`];
  const name = h("input", { id: nameId, value: rule.group, maxlength: 64, autocomplete: "off" });
  const what = h(
    "select",
    { id: whatId },
    REQUIREMENT_CHOICES.map(([value, text]) =>
      h("option", { value, selected: value === rule.requirement }, text),
    ),
  );
  const own = h("input", { type: "checkbox", checked: rule.allowedFactors !== null });
  const { elements, read } = factorBoxes(rule.allowedFactors ?? Object.keys(FACTORS));
  const boxes = h("div", { class: "boxes", role: "group", "aria-label": "What counts" }, elements);
  boxes.hidden = !own.checked;
  own.addEventListener("change", () => (boxes.hidden = !own.checked));
  const element = h(
    "div",
    { class: "group-rule" },
    h(
      "div",
      { class: "group-line" },
      h("div", { class: "field" }, h("label", { for: nameId }, "Group"), name),
      h("div", { class: "field" }, h("label", { for: whatId }, "Second factor"), what),
      button("Remove", "quiet danger small", remove),
    ),
    h("label", { class: "check" }, own, "Other factors count than for everybody else"),
    boxes,
  );
  return {
    element,
    read: () => ({
      group: name.value.trim(),
      requirement: what.value,
      allowedFactors: own.checked ? read() : null,
    }),
  };
}
