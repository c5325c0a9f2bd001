// Shows the development node's messages and looks for new ones every second.

const list = document.getElementById("messages");
const nothing = list.firstElementChild;
let shown = "";

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function card(message) {
  const article = document.createElement("article");
  const head = element("div", "head", "");
  head.append(
    element("b", "", message.to),
    element("span", "", message.channel === "SMS" ? "text message" : "email"),
    element("time", "", new Date(message.at).toLocaleTimeString()),
  );
  article.append(head);
  if (message.subject) article.append(element("p", "subject", message.subject));
  article.append(element("p", "code", message.code), element("pre", "", message.text));
  return article;
}

async function refresh() {
  try {
    const answer = await fetch("/dev/messages");
    const { data } = await answer.json();
    const ids = data.map((message) => message.id).join();
    if (ids !== shown) {
      shown = ids;
      list.replaceChildren(...(data.length ? data.map(card) : [nothing]));
    }
  } catch {
    // The node is down or restarting: what is shown stays.
  }
}

refresh();
setInterval(refresh, 1000);
