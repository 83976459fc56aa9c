// What happens meanwhile: counts as they change, a word about what is new, rows that others moved.
"use strict";
{
  const { $, $$, say } = window.desk;
  let stream = null;

  const numbers = new Intl.NumberFormat(document.documentElement.lang === "en" ? "en" : "vi");

  function counted(event) {
    const counts = JSON.parse(event.data);
    for (const tab of $$("[data-queue]")) {
      const now = counts[tab.dataset.queue];
      if (now === undefined) continue;
      $("[data-count]", tab).textContent = numbers.format(now) + (now >= 1000 ? "+" : "");
      if (tab.hasAttribute("aria-current")) fresh(now - Number(tab.dataset.had) + $$("tr.gone").length, tab.href);
    }
  }

  function fresh(more, href) {
    const place = $("[data-fresh]");
    if (!place || place.dataset.more === String(more)) return;
    place.dataset.more = more;
    place.textContent = "";
    if (more <= 0) return;
    const link = document.createElement("a");
    link.className = "button small";
    link.href = href;
    link.textContent = say("Tải lại danh sách", "Load the list anew");
    link.setAttribute("hx-get", href);
    link.setAttribute("hx-select", "#work");
    link.setAttribute("hx-target", "#work");
    link.setAttribute("hx-swap", "outerHTML");
    const words = document.createElement("div");
    words.className = "notice info row";
    words.append(say(`${more} hồ sơ mới. `, `${more} new. `), link);
    place.append(words);
    window.htmx?.process(place);
  }

  function moved(event) {
    const { code, seq } = JSON.parse(event.data);
    const row = $(`tr[data-row][data-code="${CSS.escape(code)}"]`);
    if (!row || seq <= Number(row.dataset.seq) || row.classList.contains("gone")) return;
    row.classList.add("gone");
    $("input[name=pick]", row).checked = false;
    $("input[name=pick]", row).disabled = true;
    const cell = $("[data-act-cell]", row);
    if (cell.contains(document.activeElement)) $("[data-open-row]", row).focus();
    cell.textContent = say("Vừa có người chuyển", "Somebody moved it");
  }

  function listen() {
    if (stream || document.hidden) return;
    stream = new EventSource("/v1/live?queues=true");
    stream.addEventListener("queues", counted);
    stream.addEventListener("move", moved);
  }
  function rest() { stream?.close(); stream = null; }
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
  addEventListener("pagehide", rest);
  addEventListener("pageshow", listen);
  listen();
}
