// What pages do by themselves: keys, drafts, sending once, the lock. Without it every form still works.
"use strict";
{

const $ = (which, within = document) => within.querySelector(which);
const $$ = (which, within = document) => [...within.querySelectorAll(which)];
const english = document.documentElement.lang === "en";
const say = (vi, en) => (english ? en : vi);
const person = document.body.dataset.person;
const FORM = "application/x-www-form-urlencoded";

function tell(words, lasts = 6000) {
  const place = $("#told");
  place.textContent = words;
  clearTimeout(tell.timer);
  if (lasts) tell.timer = setTimeout(() => { place.textContent = ""; }, lasts);
}

// Sending: once, kept while the network is away, and nothing typed is lost. ------------------

const mine = () => ({ "Hoso-By": encodeURIComponent(person), "Hoso-Role": document.body.dataset.role });

function ask(address, said, more = {}) {
  const headers = { "Hoso-Sent": "1", "Content-Type": FORM };
  if (person) Object.assign(headers, mine()); // another tab may be somebody else's by now, or another role's
  return fetch(address, { method: "POST", headers, body: said.toString(), credentials: "same-origin", ...more });
}

const fieldsOf = (form, button) => {
  const said = new URLSearchParams();
  for (const [name, value] of new FormData(form, button)) if (typeof value === "string") said.append(name, value);
  return said;
};

const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");

// The answer, however long it takes. The key makes that what arrived twice is done once.
async function post(address, given, away = () => {}) {
  const said = new URLSearchParams(given);
  if (!said.get("key")) said.set("key", newKey());
  for (let tries = 0; ; tries++) {
    const answer = await ask(address, said).catch(() => null);
    if (answer?.status === 401 && $("#lock")) { await unlocked(); continue; }
    if (answer && !(tries < 3 && [502, 503, 504].includes(answer.status))) { tell("", 0); return answer; }
    away();
    tell(answer ? say("Hệ thống chưa trả lời: nội dung được giữ và sẽ tự gửi lại.", "No answer yet: what you typed is kept, and sent again.")
      : say("Mất kết nối: nội dung vẫn được giữ và sẽ tự gửi khi có mạng.", "No connection: what you typed is kept, and sent when there is one."), 0);
    await back();
  }
}

const back = () => new Promise((done) => {
  const over = () => { clearTimeout(again); removeEventListener("online", over); done(); };
  const again = setTimeout(over, 4000);
  addEventListener("online", over);
});

let sending = null, went = false, spent = false; // one form at a time; this page is being left; its key is spent

document.addEventListener("submit", async (event) => {
  const form = event.target, button = event.submitter;
  const said = (name) => button?.getAttribute(`form${name}`) || form.getAttribute(name) || "";
  if (event.defaultPrevented || said("method").toLowerCase() !== "post" || form.hasAttribute("data-plain")) return;
  if (said("enctype").startsWith("multipart") || said("target").startsWith("_")) return;
  event.preventDefault();
  if (form.hasAttribute("data-unlock")) { unlock(form); return; }
  if (sending || went) return;
  sending = form;
  form.setAttribute("aria-busy", "true");
  const address = new URL(said("action") || location.href, location.href), fields = fieldsOf(form, button);
  try {
    await quiet(form);
    if (address.pathname === "/drafts/drop") await forget(address.searchParams.get("form"));
    const answer = await post(address, fields, () => { form.inert = true; });
    const go = answer.headers.get("hoso-go");
    if (go || answer.status === 204) { sent(form); leave(go || location.href); return; }
    const text = await answer.text();
    if (answer.status === 401 && !text) { leave(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`); return; }
    if (answer.ok) { sent(form); history.pushState({ shown: true }, "", location.href); }
    show(text, answer.ok ? null : form);
  } finally {
    sending = null;
    form.inert = false;
    form.removeAttribute("aria-busy");
  }
});

function leave(where) {
  const there = new URL(where, location.href);
  const same = there.href.split("#")[0] === location.href.split("#")[0];
  [sending, went, spent] = [null, true, true];
  setTimeout(() => { went = false; }, 10_000); // a file came, and no page
  if (!same) { location.assign(there); return; }
  history.replaceState(history.state, "", there);
  location.reload();
}

addEventListener("pageshow", (event) => { if (event.persisted && spent) location.reload(); });
addEventListener("popstate", (event) => { if (!location.hash && (event.state?.shown || show.over)) location.reload(); });
addEventListener("beforeunload", (event) => { if (sending) event.preventDefault(); });

// A page in the place of this one. `form`: what was refused; it stays where the answer does not hold it.
function show(text, form = null) {
  const whole = new DOMParser().parseFromString(text, "text/html");
  const fresh = $("main", whole), refusal = $(".refusal", whole), box = form?.closest("dialog");
  const inBox = box && fresh && $(`#${CSS.escape(box.id || "-")}`, fresh);
  $$(".refusal[data-here]").forEach((each) => each.remove());
  if (!fresh && !refusal) { tell(say("Có lỗi, chưa thực hiện được: hãy thử lại.", "It failed and was not done: try again.")); return; }
  if (form && refusal && !(fresh && $$("form", fresh).some((each) => each.getAttribute("action") === form.getAttribute("action")))) {
    refusal.dataset.here = "";
    (box || $("main")).prepend(refusal);
    refusal.focus();
    return;
  }
  if (box?.open) box.close();
  show.over = true;
  document.title = whole.title;
  $("main").replaceWith(fresh);
  window.htmx?.process(fresh);
  if (form?.dataset.draft) drop(form.dataset.draft); // what was typed is in the answer
  begin(fresh);
  if (form?.dataset.draft) $$("form[data-draft]", fresh).forEach(typed);
  scrollTo({ top: 0 });
  if (inBox && !inBox.open) inBox.showModal();
  const at = inBox || fresh;
  ($("[aria-invalid]", at) || $(".refusal", at) || $("[role=alert]", at) || fresh).focus();
}

// Drafts: saved as they are typed; the browser keeps what the house has not got yet. -------------

const waiting = new Map(), saving = new Map();
const local = (name) => `draft:${person}:${name}`;
const draftOf = (form) => { const said = fieldsOf(form); for (const each of $$("input[type=password], [name=key], [data-unkept]", form)) said.delete(each.name); return said; };
const kept = (name) => { try { return sessionStorage.getItem(local(name)); } catch { return null; } };

function typed(form) {
  if (form === sending) return;
  clearTimeout(waiting.get(form));
  try { sessionStorage.setItem(local(form.dataset.draft), draftOf(form)); } catch { /* full, or shut */ }
  waiting.set(form, setTimeout(() => save(form), 600));
}

function save(form) {
  clearTimeout(waiting.get(form));
  waiting.delete(form);
  const name = form.dataset.draft, said = draftOf(form).toString(), at = $("[data-saved]", form);
  const note = (words) => { if (at) at.textContent = words; };
  const run = ask(`/drafts?form=${encodeURIComponent(name)}`, said, { keepalive: said.length < 60_000 }).then((answer) => {
    if (answer.ok && kept(name) === said) drop(name);
    note(answer.ok ? say("Đã lưu nháp", "Draft saved") : say("Chưa lưu được nháp", "Draft not saved yet"));
    if (answer.status === 401) { waiting.set(form, 0); lock(); }
  }).catch(() => {
    note(say("Mất mạng: nháp được giữ trong trình duyệt", "No connection: the draft is kept in this browser"));
    if (form.isConnected && !waiting.has(form)) waiting.set(form, setTimeout(() => save(form), 5000));
  });
  saving.set(form, run);
  return run;
}

// A draft that is being saved must not arrive after what sends it, which drops it.
async function quiet(form) {
  clearTimeout(waiting.get(form));
  waiting.delete(form);
  await Promise.race([saving.get(form), new Promise((done) => { setTimeout(done, 2000); })]);
}

function sent(form) {
  waiting.delete(form);
  if (form.dataset.draft) drop(form.dataset.draft);
}

function drop(name) { try { sessionStorage.removeItem(local(name)); } catch { /* shut */ } }

async function forget(name) {
  for (const form of $$("form[data-draft]")) if (form.dataset.draft === name) { await quiet(form); sent(form); }
}

for (const each of ["input", "change"]) addEventListener(each, (event) => { const form = event.target.form || event.target.closest?.("form"); if (form?.dataset.draft) typed(form); });
addEventListener("pagehide", () => { for (const form of waiting.keys()) if (!went) save(form); });

// The lock: an idle session ends, and what is on the page stays. ------------------------------

let locked = false, waits = [];
const idle = 29 * 60 * 1000;
let touched = Date.now();
const tabs = window.BroadcastChannel ? new BroadcastChannel("hoso") : null; // work in one tab is work in all
const touch = () => { if (locked) return; if (Date.now() - touched > 20_000) tabs?.postMessage({ person }); touched = Date.now(); };
tabs?.addEventListener("message", ({ data }) => { if (data.person !== person) return; touched = Date.now(); if (data.open) open(); });
for (const each of ["keydown", "pointerdown"]) addEventListener(each, touch, { passive: true });
if ($("#lock")) setInterval(() => { if (Date.now() - touched > idle) lock(); }, 10_000);

function lock() {
  const box = $("#lock");
  if (!box || box.open) return;
  locked = true;
  box.showModal();
  $("input[type=password]", box).focus();
}
$("#lock")?.addEventListener("cancel", (event) => event.preventDefault());
$("#lock")?.addEventListener("close", () => { if (locked) $("#lock").showModal(); });

function unlocked() {
  lock();
  return new Promise((done) => { waits.push(done); });
}

function open() {
  locked = false;
  touched = Date.now();
  $("#lock").close();
  for (const done of waits.splice(0)) done();
  for (const form of waiting.keys()) save(form);
}

async function unlock(form) {
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  const given = $("input[type=password]", form), fault = $(".fault", form);
  const answer = await ask("/session", fieldsOf(form)).catch(() => null);
  delete form.dataset.busy;
  given.value = "";
  fault.hidden = Boolean(answer?.ok);
  if (answer?.ok) { open(); tabs?.postMessage({ person, open: true }); return; }
  const told = answer && $(".refusal", new DOMParser().parseFromString(await answer.text(), "text/html"));
  fault.textContent = told?.textContent.trim() || say("Không có kết nối: hãy thử lại.", "No connection: try again.");
  given.focus();
}

addEventListener("htmx:configRequest", (event) => { if (person) Object.assign(event.detail.headers, mine()); });
// A slip that was scanned into a search holds its citizen's secret: no address gets that.
const open_ = (said) => said.replace(/(\/track\/[^/?#\s]+)\/\S*/, "$1");
addEventListener("submit", ({ target }) => { const q = target.method === "get" && target.elements.q; if (q) q.value = open_(q.value); }, true);
addEventListener("htmx:configRequest", ({ detail }) => { if (detail.parameters.q) detail.parameters.q = open_(detail.parameters.q); });
addEventListener("htmx:beforeSwap", ({ detail }) => { if (detail.xhr.status === 401) { detail.shouldSwap = false; lock(); } else if (detail.xhr.status >= 400) detail.shouldSwap = true; });
// What must be filled in says so in the page's language, not in the browser's.
addEventListener("invalid", ({ target }) => { if (target.validity.valueMissing) target.setCustomValidity(target.type === "radio" ? say("Hãy chọn một mục.", "Choose one.") : say("Bắt buộc nhập.", "This must be filled in.")); }, true);
for (const kind of ["input", "click"]) addEventListener(kind, ({ target }) => { for (const each of (target.closest?.("button") ?? target).form?.elements ?? []) each.setCustomValidity(""); }, true);
addEventListener("htmx:sendError", () => tell(say("Mất kết nối: hãy thử lại.", "No connection: try again.")));

// Each part of a page that comes later begins here as well. ------------------------------------

const beginnings = [];
function begin(within) { for (const each of beginnings) each(within); }
const onBegin = (each) => { beginnings.push(each); each(document); };
window.desk = { $, $$, say, tell, post, lock, show, onBegin, drafts: { kept, draftOf, typed, drop } };
document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) begin(event.target); });
}
