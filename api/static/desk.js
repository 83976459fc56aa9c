// What pages do by themselves: keys, drafts, sending once, the lock. Without it every form still works.
"use strict";

const $ = (which, within = document) => within.querySelector(which);
const $$ = (which, within = document) => [...within.querySelectorAll(which)];
const english = document.documentElement.lang === "en";
const say = (vi, en) => (english ? en : vi);

function tell(words, lasts = 6000) {
  const place = $("#told");
  place.textContent = words;
  clearTimeout(tell.timer);
  if (lasts) tell.timer = setTimeout(() => { place.textContent = ""; }, lasts);
}

// Sending: once, kept while the network is away, and nothing typed is lost. ------------------

const fieldsOf = (form, button) => {
  const said = new URLSearchParams();
  for (const [name, value] of new FormData(form, button)) if (typeof value === "string") said.append(name, value);
  return said;
};

async function post(address, said) {
  const headers = { "Hoso-Sent": "1", "Content-Type": "application/x-www-form-urlencoded" };
  for (;;) {
    let answer;
    try {
      answer = await fetch(address, { method: "POST", headers, body: said, credentials: "same-origin" });
    } catch {
      tell(say("Mất kết nối: nội dung vẫn được giữ và sẽ tự gửi khi có mạng.", "No connection: what you typed is kept, and sent when there is one."), 0);
      await back();
      continue;
    }
    if (answer.status === 401 && $("#lock")) { await unlocked(); continue; }
    tell("", 0);
    return answer;
  }
}

const back = () => new Promise((done) => {
  const again = setTimeout(done, 4000);
  addEventListener("online", () => { clearTimeout(again); done(); }, { once: true });
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("data-plain") || event.defaultPrevented) return;
  event.preventDefault();
  if (form.dataset.sending) return;
  form.dataset.sending = "1";
  form.setAttribute("aria-busy", "true");
  const button = event.submitter;
  try {
    if (form.hasAttribute("data-unlock")) { await unlock(form); return; }
    const answer = await post(button?.formAction && button.hasAttribute("formaction") ? button.formAction : form.action, fieldsOf(form, button));
    const go = answer.headers.get("hoso-go");
    if (go) { sent(form); location.assign(go); return; }
    if (answer.status === 204) { sent(form); location.reload(); return; }
    show(await answer.text());
  } finally {
    delete form.dataset.sending;
    form.removeAttribute("aria-busy");
  }
});

function show(text) {
  const whole = new DOMParser().parseFromString(text, "text/html");
  const fresh = $("main", whole);
  if (!fresh) { tell(say("Có lỗi: hãy thử lại.", "Something failed: try again.")); return; }
  document.title = whole.title;
  $("main").replaceWith(fresh);
  window.htmx?.process(fresh);
  begin(fresh);
  ($("[aria-invalid]", fresh) || $("[role=alert]", fresh) || fresh).focus();
  scrollTo({ top: 0 });
}

// Drafts: saved as they are typed, in the house, and in the browser while the house is away. ---

const waiting = new Map();
const local = (form) => `draft:${document.body.dataset.person}:${form.dataset.draft}`;

function typed(form) {
  clearTimeout(waiting.get(form));
  try { sessionStorage.setItem(local(form), fieldsOf(form).toString()); } catch { /* full, or shut */ }
  waiting.set(form, setTimeout(() => save(form), 600));
}

async function save(form) {
  const at = $("[data-saved]", form);
  try {
    const answer = await fetch(`/drafts?form=${encodeURIComponent(form.dataset.draft)}`, {
      method: "POST", headers: { "Hoso-Sent": "1", "Content-Type": "application/x-www-form-urlencoded" }, body: fieldsOf(form), keepalive: true });
    if (at) at.textContent = answer.ok ? say("Đã lưu nháp", "Draft saved") : say("Chưa lưu được nháp", "Draft not saved yet");
    if (answer.status === 401) lock();
  } catch {
    if (at) at.textContent = say("Mất mạng: nháp được giữ trong trình duyệt", "No connection: the draft is kept in this browser");
    waiting.set(form, setTimeout(() => save(form), 5000));
  }
}

function sent(form) {
  if (!form.dataset.draft) return;
  clearTimeout(waiting.get(form));
  sessionStorage.removeItem(local(form));
}

addEventListener("input", (event) => { const form = event.target.closest?.("form[data-draft]"); if (form) typed(form); });
addEventListener("change", (event) => { const form = event.target.closest?.("form[data-draft]"); if (form) typed(form); });

// The lock: an idle session ends, and what is on the page stays. ------------------------------

let opening = null;
const idle = 29 * 60 * 1000;
let touched = Date.now();
for (const each of ["keydown", "pointerdown"]) addEventListener(each, () => { touched = Date.now(); }, { passive: true });
if ($("#lock")) setInterval(() => { if (Date.now() - touched > idle) lock(); }, 30_000);

function lock() { const box = $("#lock"); if (box && !box.open) { box.showModal(); $("input[type=password]", box).focus(); } }
$("#lock")?.addEventListener("cancel", (event) => event.preventDefault());

function unlocked() {
  lock();
  return new Promise((done) => { (opening ||= []).push(done); });
}

async function unlock(form) {
  const answer = await fetch("/session", { method: "POST", headers: { "Hoso-Sent": "1", "Content-Type": "application/x-www-form-urlencoded" }, body: fieldsOf(form) });
  $("input[type=password]", form).value = "";
  const wrong = !answer.ok;
  $(".fault", form).hidden = !wrong;
  if (wrong) { $("input[type=password]", form).focus(); return; }
  touched = Date.now();
  $("#lock").close();
  for (const done of opening || []) done();
  opening = null;
}

addEventListener("htmx:beforeSwap", (event) => { if (event.detail.xhr.status === 401) { event.detail.shouldSwap = false; lock(); } else if (event.detail.xhr.status >= 400) event.detail.shouldSwap = true; });

// Keys ----------------------------------------------------------------------------------------

let led = 0;
addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); palette(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]") || $("dialog[open]")) return;
  const key = event.key;
  if (key === "/") { event.preventDefault(); $("#q")?.focus(); return; }
  if (key === "?") { event.preventDefault(); palette(); return; }
  if (led > Date.now()) {
    led = 0;
    const way = $(`[data-go="${CSS.escape(key)}"]`);
    if (way) { event.preventDefault(); way.click(); return; }
  }
  if (key === "g") { led = Date.now() + 1500; return; }
  const act = $$(`[data-key="${CSS.escape(key)}"]`).find((each) => !each.disabled && each.offsetParent);
  if (act) { event.preventDefault(); act.matches("input, select, textarea") ? act.focus() : act.click(); }
});

async function palette() {
  const box = $("#palette");
  if (!box || box.open) return;
  if (!box.firstElementChild) {
    const answer = await fetch(`${box.dataset.url}?at=${encodeURIComponent(location.pathname)}`, { headers: { "HX-Request": "true" } });
    if (!answer.ok) { if (answer.status === 401) lock(); return; }
    box.innerHTML = await answer.text();
    window.htmx?.process(box);
  }
  box.showModal();
  $("input", box)?.focus();
}

// Each part of a page that comes later begins here as well. ------------------------------------

const beginnings = [];
function begin(within) { for (const each of beginnings) each(within); }
window.desk = { $, $$, say, tell, post, lock, show, onBegin(each) { beginnings.push(each); each(document); } };
document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) begin(event.target); });
