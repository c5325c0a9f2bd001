// Nodes and shards, as the node that answers sees them.

import { fill, h } from "./dom.js";
import { poll } from "./poll.js";
import { counted, number } from "./words.js";

/**
 * @typedef {object} Node
 * @property {number} id
 * @property {string} name
 * @property {string} apiAddress
 * @property {string} peerAddress
 * @property {string} state
 */

/**
 * @typedef {object} Shard
 * @property {number} id
 * @property {number | null} leader
 * @property {number} term
 * @property {number} lastApplied
 * @property {number} committed
 * @property {{ node: number, behind: number }[]} followers
 * @property {number[]} voters
 * @property {number[]} learners
 */

/** @typedef {{ clusterId: string, version: string, nodes: Node[], shards: Shard[] }} Cluster */

const EVERY_MS = 2_000;

/** @type {import("./main.js").View} */
export async function cluster({ root, api, signal }) {
  const said = h("div", { class: "said" });
  const body = h("div", { class: "stack" }, h("div", { class: "skeleton" }));
  fill(
    root,
    h(
      "div",
      { class: "card-head" },
      h("h1", { tabindex: "-1" }, "Cluster"),
      h("p", { class: "lead" }, "As the node that answers sees it, every two seconds."),
    ),
    said,
    body,
  );
  let shown = "";
  await poll({
    every: EVERY_MS,
    signal,
    said,
    look: async () => {
      /** @type {Cluster} */
      const found = await api.get("cluster", signal);
      const text = JSON.stringify(found);
      // What has not changed is left alone: somebody may be reading it.
      if (text === shown) return;
      shown = text;
      fill(body, show(found));
    },
  });
}

/** @param {Cluster} cluster */
function show({ clusterId, version, nodes, shards }) {
  const names = new Map(nodes.map((node) => [node.id, node.name]));
  const up = nodes.filter((node) => node.state === "UP").length;
  const led = shards.filter((shard) => shard.leader !== null).length;
  const behind = Math.max(0, ...shards.map((shard) => shard.committed - shard.lastApplied));
  const lag = new Map(nodes.map((node) => [node.id, lagOf(node.id, shards)]));
  return [
    h(
      "div",
      { class: "grid" },
      figure("Nodes up", `${up} of ${nodes.length}`, up === nodes.length),
      figure("Shards with a leader", `${led} of ${shards.length}`, led === shards.length),
      figure("Entries this node has to apply", number(behind), behind < 1_000),
    ),
    h(
      "section",
      { class: "card", "aria-label": "Nodes" },
      h("h2", {}, "Nodes"),
      h(
        "div",
        { class: "table-box", tabindex: 0, role: "region", "aria-label": "Nodes" },
        h(
          "table",
          { class: "table" },
          heads("Node", "State", "Leads", "Behind", "API", "Peers"),
          h("tbody", {}, nodes.map((node) => nodeRow(node, shards, lag.get(node.id)))),
        ),
      ),
    ),
    h(
      "section",
      { class: "card", "aria-label": "Shards" },
      h("h2", {}, "Shards"),
      h("div", { class: "shards" }, shards.map((shard) => shardTile(shard, names))),
      h(
        "p",
        { class: "muted small" },
        "Each shard is a Raft group with a leader of its own. How far followers are behind is known to the leader alone.",
      ),
    ),
    h("p", { class: "muted small" }, `${clusterId} · version ${version}`),
  ];
}

/**
 * How many entries a node's logs lack at most, as far as the answering node knows.
 * @param {number} node
 * @param {Shard[]} shards
 */
function lagOf(node, shards) {
  const known = shards.flatMap((shard) => shard.followers.filter((one) => one.node === node));
  return known.length === 0 ? null : Math.max(...known.map((one) => one.behind));
}

/** @param {string} title @param {string} value @param {boolean} fine */
const figure = (title, value, fine) =>
  h(
    "div",
    { class: "card measure" },
    h("h2", {}, title),
    h("p", { class: fine ? "figure" : "figure bad" }, value),
  );

/** @param {...string} titles */
const heads = (...titles) =>
  h("thead", {}, h("tr", {}, titles.map((title) => h("th", { scope: "col" }, title))));

/** @type {Record<string, string>} */
const HUES = { UP: "success", JOINING: "warning", DOWN: "danger" };

/** @param {Node} node @param {Shard[]} shards @param {number | null | undefined} lag */
function nodeRow(node, shards, lag) {
  const leads = shards.filter((shard) => shard.leader === node.id).length;
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, `${node.name} `, h("span", { class: "muted" }, `#${node.id}`)),
    h("td", {}, h("span", { class: `badge ${HUES[node.state] ?? ""}` }, node.state)),
    h("td", {}, counted(leads, "shard")),
    h("td", {}, lag === null || lag === undefined ? "–" : counted(lag, "entry", "entries")),
    h("td", {}, h("code", {}, node.apiAddress)),
    h("td", {}, h("code", {}, node.peerAddress)),
  );
}

/** @param {Shard} shard @param {Map<number, string>} names */
function shardTile(shard, names) {
  const leader = shard.leader === null ? null : (names.get(shard.leader) ?? `#${shard.leader}`);
  const behind = shard.committed - shard.lastApplied;
  return h(
    "div",
    { class: leader ? "shard" : "shard bad" },
    h(
      "div",
      { class: "line-between" },
      h("b", {}, `Shard ${shard.id}`),
      h("span", { class: leader ? "badge accent" : "badge danger" }, leader ?? "no leader"),
    ),
    h(
      "p",
      { class: "muted small" },
      `term ${number(shard.term)} · entry ${number(shard.lastApplied)}`,
      behind > 0 && `, ${number(behind)} behind`,
    ),
    h(
      "p",
      { class: "muted small" },
      counted(shard.voters.length, "voter"),
      shard.learners.length > 0 && `, ${counted(shard.learners.length, "learner")}`,
    ),
  );
}
