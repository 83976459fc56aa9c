// Rows of dossiers by keys and ticks: j k x a b, ranges by Shift, and the bar of what is ticked.
"use strict";
{
  const { $, $$, say } = window.desk;
  const rows = () => $$("tr[data-row]");
  const box = (row) => $("input[name=pick]", row);
  const here = () => document.activeElement?.closest?.("tr[data-row]");
  const off = () => { try { return localStorage.getItem("keys") === "off"; } catch { return false; } };
  const typing = (at) => at.matches?.("input:not([type=checkbox]), textarea, select, [contenteditable]");

  function go(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(here());
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))];
    const link = $("[data-open-row]", next);
    link.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  // Of the row where one is; else of the card that says what is next; else of all that is ticked.
  const next = (row) => (row && $("[data-act]", row)) || (row && $("[data-act-cell]", row) ? null : $("[data-next] [data-act], #bulk [data-act]") || $("[data-act]"));

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented || off() || typing(event.target) || $("dialog[open]")) return;
    const step = { j: 1, k: -1, ...(here() ? { ArrowDown: 1, ArrowUp: -1 } : {}) }[event.key];
    if (step) { event.preventDefault(); go(step); return; }
    const row = here();
    if (event.key === "x" && row && box(row)) { event.preventDefault(); box(row).click(); }
    else if (event.key === "a") { const act = next(row); if (act) { event.preventDefault(); act.click(); } }
    else if (event.key === "b") { const first = $$("#bulk button").find((each) => each.offsetParent); if (first) { event.preventDefault(); first.focus(); } }
  });

  // Ticks: a range with Shift from the last one ticked, a whole page by the box above. -----------
  let last = null;
  document.addEventListener("click", (event) => {
    const at = event.target;
    if (at.matches?.("[data-none]")) { for (const row of rows()) if (box(row)) box(row).checked = false; told(); return; }
    if (!at.matches?.("tr[data-row] input[name=pick]")) return;
    const all = rows().map(box).filter(Boolean);
    if (event.shiftKey && last && all.includes(last)) {
      const [from, to] = [all.indexOf(last), all.indexOf(at)].sort((a, b) => a - b);
      for (const each of all.slice(from, to + 1)) each.checked = at.checked;
    }
    last = at;
    told();
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("[data-all]")) return;
    for (const row of $$("tr[data-row]", event.target.closest("table"))) if (box(row)) box(row).checked = event.target.checked;
    told();
  });

  function told() {
    const ticked = rows().filter((row) => box(row)?.checked);
    const n = ticked.length;
    for (const each of $$("[data-all]")) {
      each.checked = n > 0 && n === rows().length;
      each.indeterminate = n > 0 && n < rows().length;
    }
    for (const each of $$("[data-ticks]")) each.textContent = n;
    const words = $("[data-ticked]");
    if (!words) return;
    words.textContent = n ? say(`Đã chọn ${n}`, `${n} ticked`) : say("Chọn hồ sơ để làm nhiều một lúc", "Tick dossiers to move many at once");
    const open = new Map();
    for (const row of ticked) for (const event of row.dataset.acts.split(" ")) open.set(event, (open.get(event) || 0) + 1);
    for (const button of $$("[data-event]")) {
      const of = open.get(button.dataset.event) || 0;
      button.hidden = !of;
      $("[data-n]", button).textContent = of === n ? n : `${of}/${n}`;
    }
    $("[data-some]").hidden = true;
    $("[data-none]").hidden = !n;
  }
  window.desk.onBegin(told);
}
