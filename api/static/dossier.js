// The page of a dossier: keys that focus before they act, and the news of what others do to it.
"use strict";
{
const { $, $$, say, tell, onBegin } = window.desk;
const place = () => $(".dossier");

// A key leads to the act and Enter does it: nothing is moved by one slip of a finger. -----------

const first = (form) => $("[aria-invalid]", form)
  || $$("input:not([type=hidden]), select, textarea", form).find((each) => each.required && !valid(each))
  || $("[data-send]", form) || $("button", form);
const valid = (each) => each.type === "radio" ? $$(`input[name="${CSS.escape(each.name)}"]`, each.form).some((one) => one.checked) : each.value;

addEventListener("click", (event) => {
  const key = event.target.closest?.("kbd[data-key]");
  if (!key || event.isTrusted) return;
  event.preventDefault();
  event.stopPropagation();
  const at = key.closest("form.do") ? first(key.closest("form")) : key.closest("button");
  at.focus();
  at.scrollIntoView({ block: "nearest" });
}, true);

addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id !== "act") return;
  const form = $("form.do", target);
  for (const each of $$(".offered [data-act]")) each.hidden = each.dataset.act === form?.dataset.act;
  if (form) ($("[aria-invalid]", form) || $$("input:not([type=hidden]), select, textarea", form).find((each) => each.getClientRects().length) || $("[data-send]", form)).focus();
});

// What others do to it meanwhile: said at once, and nothing that is typed is lost. --------------

let told = 0, stream = null, asking = 0;

async function news() {
  const here = place(), box = $("#news");
  if (!here || !box) return;
  const seen = Number(here.dataset.seq);
  const answer = await fetch(`${box.dataset.url}?seen=${seen}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok || place() !== here) return;
  const text = await answer.text();
  const made = new DOMParser().parseFromString(text, "text/html").body;
  const lines = $$("li", made);
  if (lines.length <= told) return;
  told = lines.length;
  const notice = document.createElement("div");
  notice.className = "notice warn";
  const inner = document.createElement("div"), go = document.createElement("p"), link = document.createElement("a");
  link.href = location.pathname;
  link.textContent = say("Xem hồ sơ mới nhất", "See the dossier as it is now");
  link.addEventListener("click", (event) => { event.preventDefault(); location.assign(link.getAttribute("href")); });
  go.append(link);
  inner.append(...made.childNodes, go);
  notice.append(inner);
  box.replaceChildren(notice);
  here.classList.add("older");
  for (const form of $$("form[data-live]", here)) form.setAttribute("data-older", "");
}

function listen() {
  const here = place();
  if (!here || stream) return;
  stream = new EventSource("/v1/live");
  const hear = ({ data }) => {
    const said = JSON.parse(data);
    if (said.code === place()?.dataset.code && said.seq > Number(place().dataset.seq)) news();
  };
  stream.addEventListener("move", hear);
  stream.addEventListener("reset", news);
  stream.onerror = () => { if (stream?.readyState === EventSource.CLOSED) { stream = null; clearInterval(asking); asking = setInterval(() => { if (!document.hidden) news(); }, 20_000); } };
}

onBegin((within) => { if (within === document || within.matches?.("main")) { told = 0; listen(); } });
addEventListener("pagehide", () => { stream?.close(); stream = null; clearInterval(asking); });
addEventListener("pageshow", ({ persisted }) => { if (persisted) { listen(); news(); } });
}
