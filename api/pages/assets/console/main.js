// The console: asks for a key, then shows the view that the address names.
//
// The key lives in this tab alone (sessionStorage ends with it), and is forgotten after half an hour
// in which nobody touched the page.

import { activity } from "./activity.js";
import { alerts, audit } from "./events.js";
import { Api, Problem } from "./api.js";
import { button, fill, h, notice } from "./dom.js";
import { cluster } from "./cluster.js";
import { policy } from "./policy.js";
import { signIn } from "./sign-in.js";
import { user } from "./user.js";
import { users } from "./users.js";

/**
 * Where a view is shown, and until when.
 * @typedef {object} Place
 * @property {HTMLElement} root
 * @property {Api} api
 * @property {AbortSignal} signal ends when another view is shown
 * @property {URLSearchParams} asked what stands behind the `?` of the address
 */

/** @typedef {(place: Place, id: string) => Promise<void> | void} View */

const KEPT_AS = "countersign.console.key";
/** When the page was last touched. Beside the key: browsers bring both back with a closed tab. */
const TOUCHED_AS = "countersign.console.touched";
const IDLE_MS = 30 * 60_000;

/** @type {Record<string, { title: string, view: View, tab: string }>} */
const VIEWS = {
  users: { title: "Users", view: users, tab: "users" },
  user: { title: "User", view: user, tab: "users" },
  activity: { title: "Activity", view: activity, tab: "activity" },
  alerts: { title: "Alerts", view: alerts, tab: "alerts" },
  audit: { title: "Audit", view: audit, tab: "audit" },
  policy: { title: "Policy", view: policy, tab: "policy" },
  cluster: { title: "Cluster", view: cluster, tab: "cluster" },
};

/**
 * An element that the page has.
 * @param {string} id
 */
function part(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

const root = part("view");
const tabs = part("views");
const out = part("sign-out");
/** @type {AbortController | undefined} */
let shown;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let idle;

/** @param {string} [why] */
function leave(why) {
  sessionStorage.removeItem(KEPT_AS);
  sessionStorage.removeItem(TOUCHED_AS);
  clearTimeout(idle);
  begin(why);
}

/** @param {string} [why] */
function begin(why) {
  shown?.abort();
  shut();
  for (const one of [tabs, out]) one.hidden = true;
  document.title = "Sign in · Countersign console";
  signIn(root, why, (key) => {
    sessionStorage.setItem(KEPT_AS, key);
    touched();
    show(true);
  });
}

/** Closes what asks for a confirmation: it would still do it, with the key that it was opened with. */
function shut() {
  for (const dialog of document.querySelectorAll("dialog")) dialog.close("");
}

/** @param {string} hash */
function read(hash) {
  const [path = "", asked = ""] = hash.replace(/^#\/?/, "").split("?");
  const [name = "", id = ""] = path.split("/");
  return { name, id: decode(id), asked: new URLSearchParams(asked) };
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Shows the view that the address names.
 * @param {boolean} first whether the page was just opened: then the focus stays where it is
 */
async function show(first) {
  const key = sessionStorage.getItem(KEPT_AS);
  if (!key) return begin();
  const { name, id, asked } = read(location.hash);
  const found = VIEWS[name] ?? VIEWS["users"];
  if (!found) return;
  shown?.abort();
  shut();
  const control = new AbortController();
  shown = control;
  for (const one of [tabs, out]) one.hidden = false;
  for (const tab of tabs.querySelectorAll("a")) {
    const current = tab.hash === `#/${found.tab}`;
    if (current) {
      tab.setAttribute("aria-current", "page");
      tab.scrollIntoView({ block: "nearest", inline: "center" });
    } else {
      tab.removeAttribute("aria-current");
    }
  }
  document.title = `${id || found.title} · Countersign console`;
  const { signal } = control;
  const api = new Api(key, () => {
    if (!signal.aborted) leave("The key is not valid any more.");
  });
  fill(root);
  try {
    const shows = found.view({ root, api, signal, asked }, id);
    if (!first) root.querySelector("h1")?.focus();
    await shows;
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
}

/** @param {unknown} error */
function fail(error) {
  if (error instanceof Problem && error.status === 401) return;
  const again = button("Try again", "small", () => void show(false));
  root.querySelectorAll(".skeleton").forEach((one) => one.remove());
  root.append(notice("error", h("p", {}, explain(error)), h("div", {}, again)));
}

/**
 * What went wrong, for a person.
 * @param {unknown} error
 */
function explain(error) {
  if (!(error instanceof Problem)) return "Something went wrong in this page. Reload it.";
  return error.message;
}

function touched() {
  if (!sessionStorage.getItem(KEPT_AS) || isOver()) return;
  sessionStorage.setItem(TOUCHED_AS, String(Date.now()));
  clearTimeout(idle);
  idle = setTimeout(isOver, IDLE_MS);
}

/**
 * Signs out if nobody touched the page for too long, by the clock: timers stand still while a computer
 * sleeps, and begin anew with a page.
 */
function isOver() {
  const at = sessionStorage.getItem(TOUCHED_AS);
  if (at === null || Date.now() - Number(at) < IDLE_MS) return false;
  leave("Signed out: nobody touched the page for half an hour.");
  return true;
}

// Before anything else gets to see it, so that what wakes the page does nothing on it.
for (const sign of ["pointerdown", "keydown"]) {
  addEventListener(sign, touched, { capture: true, passive: true });
}
document.addEventListener("visibilitychange", () => void (document.hidden || isOver()));
out.addEventListener("click", () => leave());
addEventListener("hashchange", () => void show(false));
if (!isOver()) {
  touched();
  void show(true);
}
