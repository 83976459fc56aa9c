// The command palette: arrows and Enter while one types, as a listbox is.
"use strict";
{
  const { $, $$ } = window.desk;
  const options = () => $$("#palette-list a[role=option]");
  let chosen = 0;

  function choose(n) {
    const all = options();
    if (!all.length) { $("#palette-q")?.removeAttribute("aria-activedescendant"); return; }
    chosen = (n + all.length) % all.length;
    all.forEach((each, at) => each.setAttribute("aria-selected", String(at === chosen)));
    $("#palette-q").setAttribute("aria-activedescendant", all[chosen].id);
    all[chosen].scrollIntoView({ block: "nearest" });
  }

  $("#palette")?.addEventListener("keydown", (event) => {
    if (!event.target.matches("#palette-q")) return;
    const to = { ArrowDown: chosen + 1, ArrowUp: chosen - 1 }[event.key];
    if (to !== undefined) { event.preventDefault(); choose(to); }
    else if (event.key === "Enter") { event.preventDefault(); options()[chosen]?.click(); }
  });
  $("#palette")?.addEventListener("click", (event) => { if (event.target.id === "palette") event.target.close(); });
  $("#palette")?.addEventListener("focusin", (event) => { if (event.target.matches("#palette-q") && !event.target.hasAttribute("aria-activedescendant")) choose(0); });
  document.addEventListener("htmx:afterSettle", (event) => { if (event.target.id === "palette-list") choose(0); });
}
