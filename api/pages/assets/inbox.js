// Shows the development node's messages and looks for new ones every second.

/**
 * A message that would have been sent.
 * @typedef {object} Message
 * @property {string} id
 * @property {string} at
 * @property {"SMS" | "EMAIL"} channel
 * @property {string} to
 * @property {string | null} subject
 * @property {string} text
 * @property {string} code
 */

const list = document.querySelector("#messages");
const nothing = list?.firstElementChild;
let shown = "";

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} text
 */
function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** @param {Message} message */
function card(message) {
  const article = element("article", "card message", "");
  const head = element("div", "line-between small muted", "");
  const when = element("span", "line", "");
  when.append(
    element("span", "badge", message.channel === "SMS" ? "Text message" : "Email"),
    element("time", "number", new Date(message.at).toLocaleTimeString()),
  );
  head.append(element("b", "", message.to), when);
  article.append(head, element("p", "sent-code", message.code));
  if (message.subject) article.append(element("p", "label", message.subject));
  article.append(element("p", "message-text", message.text));
  return article;
}

async function refresh() {
  try {
    const answer = await fetch("/dev/messages");
    /** @type {{ data: Message[] }} */
    const { data } = await answer.json();
    const ids = data.map((message) => message.id).join();
    if (ids === shown || !list) return;
    shown = ids;
    list.replaceChildren(...(data.length || !nothing ? data.map(card) : [nothing]));
  } catch {
    // The node is down or restarting: what is shown stays.
  }
}

void refresh();
setInterval(refresh, 1000);
