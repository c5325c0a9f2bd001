// Makes elements. Whatever comes from the API becomes text, never markup.

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {string | number | boolean | null | undefined | ((event: any) => void)} Attribute */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {Element} element
 * @param {Record<string, Attribute>} attributes
 */
function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name, value);
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

/**
 * An element with attributes, listeners (by the event's name) and children.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, Attribute>} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  set(element, attributes);
  put(element, ...children);
  return element;
}

/**
 * An element of a drawing.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, Attribute>} [attributes]
 * @param {...Node} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  set(element, attributes);
  element.append(...children);
  return element;
}

/**
 * Adds children to an element.
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function put(element, ...children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/**
 * Puts children in the place of those that an element has.
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  element.replaceChildren();
  put(element, ...children);
}

/**
 * @param {"info" | "success" | "warning" | "error"} kind
 * @param {...(Child | Child[])} children
 */
export function notice(kind, ...children) {
  const role = kind === "error" || kind === "warning" ? "alert" : "status";
  return h("div", { class: `notice ${kind}`, role }, ...children);
}

/**
 * A card with a heading.
 * @param {string} title
 * @param {...(Child | Child[])} children
 */
export function card(title, ...children) {
  const heading = h("h2", {}, title);
  const section = h("section", { class: "card" }, heading, ...children);
  section.setAttribute("aria-label", title);
  return section;
}

/**
 * A button.
 * @param {string} text
 * @param {string} look
 * @param {(event: MouseEvent) => void} click
 * @param {Record<string, Attribute>} [more]
 */
export function button(text, look, click, more = {}) {
  return h("button", { type: "button", class: `button ${look}`, click, ...more }, text);
}

/**
 * Does something while a button shows that it is being done, and cannot be pressed again.
 * @param {HTMLButtonElement} pressed
 * @param {() => Promise<void>} work
 */
export async function busily(pressed, work) {
  if (pressed.classList.contains("busy")) return;
  pressed.classList.add("busy");
  pressed.setAttribute("aria-disabled", "true");
  try {
    await work();
  } finally {
    pressed.classList.remove("busy");
    pressed.removeAttribute("aria-disabled");
  }
}
