// Times as they are where the browser is.

/** Turns the pages' UTC into the person's own times and days. */
export function showHere() {
  const here = document.documentElement.lang;
  for (const element of document.querySelectorAll("time[data-clock], time[data-day]")) {
    const at = new Date(element.getAttribute("datetime") ?? "");
    if (Number.isNaN(at.getTime())) continue;
    element.textContent = element.hasAttribute("data-day")
      ? at.toLocaleDateString(here, { dateStyle: "long" })
      : at.toLocaleTimeString(here, { hour: "numeric", minute: "2-digit" });
  }
}
