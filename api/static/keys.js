// What is done by a key: short-cuts, the palette, dialogs, menus, tables that scroll.
"use strict";
{
const { $, $$, lock, onBegin } = window.desk;

let led = 0;
const seen = (each) => !each.disabled && each.getClientRects().length && !each.closest("[inert]");
const off = () => { try { return localStorage.getItem("keys") === "off"; } catch { return false; } };
addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.isComposing || event.repeat || event.defaultPrevented || $("dialog[open]")) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && key.toLowerCase() === "k") { event.preventDefault(); palette(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || off() || target.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]")) return;
  if (key === "/") { event.preventDefault(); $("#q")?.focus(); return; }
  if (key === "?") { event.preventDefault(); palette(); return; }
  const way = led > Date.now() && $(`[data-go="${CSS.escape(key)}"]`);
  led = key === "g" ? Date.now() + 1500 : 0;
  const act = way || $$(`[data-key="${CSS.escape(key)}"]`).find(seen);
  if (!act || (key === "g" && !way)) return;
  event.preventDefault();
  if (act.matches("input:not([type=checkbox], [type=radio]), select, textarea")) act.focus(); else act.click();
});

async function palette() {
  const box = $("#palette");
  if (!box || box.open) return;
  if (!box.firstElementChild) {
    const answer = await fetch(`${box.dataset.url}?at=${encodeURIComponent(location.pathname)}`, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok) { if (answer?.status === 401) lock(); return; }
    box.innerHTML = await answer.text();
    window.htmx?.process(box);
  }
  if (!$("dialog[open]")) box.showModal();
  $("input", box)?.focus();
}

addEventListener("click", ({ target }) => {
  for (const each of $$("details.menu[open]")) if (!each.contains(target)) each.open = false;
  const open_ = target.closest?.("[data-open]"), shut = target.closest?.("[data-shut]");
  if (open_) document.getElementById(open_.dataset.open)?.showModal();
  if (shut) shut.closest("dialog").close();
});
addEventListener("keydown", (event) => { const menu = event.key === "Escape" && $("details.menu[open]"); if (menu) { menu.open = false; $("summary", menu).focus(); } });

// What scrolls is reached by the keyboard; one who types by voice turns single keys off (WCAG 2.1.4).
onBegin((within) => { for (const each of $$(".scroll", within)) if (each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight) each.tabIndex = 0; });
onBegin((within) => { for (const each of $$("input[data-single-keys]", within)) { each.checked = !off(); each.onchange = () => localStorage.setItem("keys", each.checked ? "on" : "off"); } });
}
