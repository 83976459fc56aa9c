// Receiving: choosing by arrows, a scanned card, whom was known, and Enter that goes on instead of sending.
"use strict";

(() => {
  const { $, $$, onBegin } = window.desk;
  const SCANNED = /^([0-9]{9,12})\|[0-9]*\|([^|]+)\|/; // number|old number|name|born|sex|address|issued

  // Which procedure ---------------------------------------------------------------------------
  document.addEventListener("keydown", (event) => {
    const choosing = event.target.closest?.("#choose");
    if (!choosing) return;
    const links = $$("#matches a", choosing), at = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const to = event.key === "ArrowDown" ? at + 1 : at - 1;
      (to < 0 ? $("#f-q") : links[Math.min(to, links.length - 1)])?.focus();
    } else if (event.key === "Enter" && event.target.id === "f-q") {
      event.preventDefault();
      if (event.target.value === choosing.dataset.shown) links[0]?.click();
      else choosing.dataset.then = "1"; // the list is of fewer letters than were typed: when it has come
    } else if (event.key.length === 1 && at >= 0 && !event.ctrlKey && !event.metaKey && !event.altKey) {
      $("#f-q").focus(); // typing on
    }
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const choosing = event.target.closest?.("#choose");
    if (!choosing) return;
    choosing.dataset.shown = event.detail.requestConfig?.parameters?.q ?? $("#f-q").value;
    if (choosing.dataset.then && choosing.dataset.shown === $("#f-q").value) { delete choosing.dataset.then; $("#matches a")?.click(); }
  });

  // Who ---------------------------------------------------------------------------------------
  document.addEventListener("change", (event) => {
    if (event.target.id !== "f-citizen_id") return;
    const card = SCANNED.exec(event.target.value.trim());
    if (!card) return;
    event.target.value = card[1];
    put("applicant", card[2].trim());
  }, true); // before the number is looked up

  function put(name, value) {
    const field = $(`#f-${name}`);
    if (!field || !value) return;
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  document.addEventListener("click", (event) => {
    const take = event.target.closest?.("[data-take]");
    if (!take) return;
    for (const name of ["applicant", "phone", "email", "place"]) put(name, take.dataset[name]);
    $("#known").replaceChildren();
    $("#receive [name=handed]")?.focus();
  });

  // Enter goes to the next field; Ctrl Enter receives. ------------------------------------------
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.("#receive");
    if (!form || event.key !== "Enter") return;
    if (event.ctrlKey || event.metaKey) { event.preventDefault(); form.requestSubmit($("button.big", form)); return; }
    if (!event.target.matches("input:not([type=hidden])")) return;
    event.preventDefault();
    const fields = $$("input:not([type=hidden]), select, textarea, button.big", form).filter((each) => each.offsetParent);
    fields[fields.indexOf(event.target) + 1]?.focus();
  });

  // The date is of now: it is told anew when somebody goes on after a while. ---------------------
  let told = Date.now();
  document.addEventListener("focusin", (event) => {
    if (!event.target.closest("#receive") || Date.now() - told < 60_000) return;
    told = Date.now();
    window.htmx?.trigger("#promise", "stale");
  });

  // Papers ------------------------------------------------------------------------------------
  onBegin((within) => {
    const choosing = $("#choose");
    if (choosing && choosing.dataset.shown === undefined) choosing.dataset.shown = $("#f-q").value;
    for (const all of $$("[data-all]", within)) {
      all.hidden = false;
      all.addEventListener("click", () => {
        for (const each of $$("[data-must]")) each.checked = true;
        $("[data-must]")?.dispatchEvent(new Event("change", { bubbles: true }));
        const lacking = $("#lacking"); // nothing is: neither the warning nor its reason holds any more
        if (lacking) { lacking.hidden = true; for (const each of $$("textarea, button", lacking)) each.disabled = true; }
        $("#receive button.big").focus();
      });
    }
    const other = $("[data-else]", within), section = $("#else", within);
    if (!other) return;
    other.hidden = false;
    section.hidden = section.dataset.open === undefined;
    other.setAttribute("aria-expanded", String(!section.hidden));
    other.addEventListener("click", () => {
      section.hidden = !section.hidden;
      other.setAttribute("aria-expanded", String(!section.hidden));
      if (!section.hidden) $("textarea", section).focus();
    });
  });
})();
