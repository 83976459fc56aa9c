// Digitising: files are gathered in a tray, matched to papers, turned, and sent once each.
"use strict";

(() => {
  const { $, $$, say, tell, lock } = window.desk, { shows, turned, bound, pages, begins } = window.scans;
  const room = $("#digitise");
  if (!room) return;
  const tray = $("#tray"), queue = $("#queue"), parts = $("#parts"), largest = Number(room.dataset.largest);
  const items = new Map(), thumbs = new Map();
  const MB = (bytes) => (bytes / 1e6).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 });
  const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${MB(bytes)} MB`);
  const plain = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/đ/gi, "d").toLowerCase().replace(/[^a-z0-9]+/g, " ").trim();
  const papers = () => $$("[data-component]", parts).filter((each) => $("[data-pick]", each));
  const paper = (code) => $(`[data-component="${CSS.escape(code)}"]`, parts);
  const pause = (ms) => new Promise((done) => { setTimeout(done, ms); addEventListener("online", done, { once: true }); });

  // In ----------------------------------------------------------------------------------------

  function take(files, component = "") {
    const fresh = [];
    for (const file of files) {
      if ([...items.values()].some((each) => each.file.name === file.name && each.file.size === file.size && each.file.lastModified === file.lastModified)) continue;
      const item = { file, turn: 0, component, node: $("#item").content.firstElementChild.cloneNode(true) };
      items.set(item.node, item);
      fresh.push(item);
      draw(item);
    }
    for (const item of fresh) if (!item.component) choose(item, guessed(item, fresh.length));
    if (fresh.length) fresh[0].node.focus();
    settle();
  }

  function draw(item) {
    const { node, file } = item;
    $("[data-title]", node).textContent = file.name;
    $("[data-size]", node).textContent = size(file.size);
    $(".unseen", node).htmlFor = $("select", node).id = `which-${Math.random().toString(36).slice(2)}`;
    options(item);
    if (shows(file)) {
      const image = new Image();
      image.alt = "";
      image.src = item.url = URL.createObjectURL(file);
      $(".thumb", node).append(image);
    } else {
      $("[data-turn]", node).remove();
      $(".thumb", node).textContent = (file.name.split(".").pop() || "?").slice(0, 4).toUpperCase();
      pages(file).then((n) => { if (n) $("[data-size]", node).textContent += ` · ${n} ${say("trang", n === 1 ? "page" : "pages")}`; }).catch(() => {});
    }
    const wrong = !file.size ? say("Tệp rỗng.", "The file is empty.") : file.size > largest
      ? say(`Tệp ${MB(file.size)} MB, quá ${MB(largest)} MB được nhận: quét lại ở 200–300 dpi hoặc chia nhỏ.`, `The file has ${MB(file.size)} MB, and ${MB(largest)} MB are taken: scan it at 200–300 dpi, or part it.`) : "";
    if (wrong) { item.never = true; fault(item, wrong); }
    queue.append(node);
  }

  function options(item) {
    const select = $("select", item.node);
    select.replaceChildren(new Option(say("— giấy tờ nào? —", "— which paper? —"), ""), ...papers().map((each, n) => new Option(`${n + 1}. ${each.dataset.name}${each.dataset.sha ? say(" (thay)", " (replace)") : ""}`, each.dataset.component)));
    select.value = item.component;
  }

  // By its name: the code of the paper stands in it, or two of the words the paper is called by.
  function guessed(item, among) {
    const name = ` ${plain(item.file.name)} `, known = papers();
    const exact = known.filter((each) => name.includes(` ${plain(each.dataset.component)} `));
    if (exact.length) return exact.sort((a, b) => b.dataset.component.length - a.dataset.component.length)[0].dataset.component;
    const words = (each) => new Set(plain(each.dataset.name).split(" ").filter((word) => word.length > 2 && name.includes(` ${word} `))).size;
    const best = known.map((each) => [words(each), each.dataset.component]).sort((a, b) => b[0] - a[0]);
    if (best[0]?.[0] > 1 && best[0][0] > (best[1]?.[0] ?? 0)) return best[0][1];
    const lacking = known.filter((each) => each.dataset.lacks !== undefined);
    return among === 1 && lacking.length === 1 && items.size === 1 ? lacking[0].dataset.component : "";
  }

  function choose(item, component) { item.component = component; $("select", item.node).value = component; settle(); }

  function settle() {
    tray.hidden = !items.size;
    const ready = [...items.values()].filter((each) => each.component && !each.never && !each.sending).length;
    $("#send").disabled = !ready;
    $("#send span").textContent = ready ? `${say("Gửi lên", "Send")} (${ready})` : say("Gửi lên", "Send");
  }

  function drop(item) {
    items.delete(item.node);
    const next = item.node.nextElementSibling || item.node.previousElementSibling;
    if (item.node.contains(document.activeElement)) (next || $("#pick")).focus();
    item.node.remove();
    settle();
  }

  function fault(item, words) {
    const place = $(".fault", item.node);
    place.textContent = words;
    place.hidden = !words;
    $("[data-state]", item.node).hidden = true;
  }

  function said(item, words) { const place = $("[data-state]", item.node); place.textContent = words; place.hidden = !words; }

  // Out ---------------------------------------------------------------------------------------

  async function send() {
    const groups = new Map();
    for (const item of items.values()) if (item.component && !item.never && !item.sending) groups.set(item.component, [...(groups.get(item.component) || []), item]);
    for (const [component, group] of groups) await sendOne(component, group);
    if (!items.size) $("[data-finish]:not(:disabled)", parts)?.focus();
  }

  async function sendOne(component, group) {
    if (group.length > 1 && !group.every((each) => shows(each.file))) {
      for (const each of group) fault(each, say("Một giấy tờ là một tệp, hoặc nhiều ảnh: ghép các tệp này lại trước.", "A paper is one file, or several images: join these files first."));
      return;
    }
    for (const each of group) { each.sending = true; fault(each, ""); $("[data-again]", each.node).hidden = true; }
    settle();
    const [first] = group;
    let done = false;
    try {
      const file = group.length > 1 ? await bound(group) : await turned(first.file, first.turn);
      if (file.size > largest) throw new Error(say(`Ghép lại được ${MB(file.size)} MB, quá ${MB(largest)} MB.`, `Joined it has ${MB(file.size)} MB, and ${MB(largest)} MB are taken.`));
      first.key ||= crypto.randomUUID ? crypto.randomUUID() : `f-${Date.now()}-${Math.random()}`;
      await put(first, component, (await begins(file)) ? file : file.slice(0, 4096), file.name);
      done = true;
    } catch (error) {
      fault(first, error.name === "InvalidStateError" ? say("Ảnh này không mở được: quét lại.", "This image cannot be opened: scan it again.") : error.message);
      first.key = null;
      $("[data-again]", first.node).hidden = false;
    }
    for (const each of group) { each.sending = false; if (done) drop(each); }
    if (done && first.url) thumbs.set(component, first.url);
    await again();
    if (done) tell(`${say("Đã nhận", "Taken")}: ${paper(component)?.dataset.name}`);
    settle();
  }

  // Until it is taken or refused: a line that is lost comes back, and one key is heard once.
  async function put(item, component, body, name) {
    for (let tries = 0; ; tries++) {
      const answer = await sent(item, component, body, name);
      if (answer.status >= 200 && answer.status < 300) return;
      if (answer.status === 401) { lock(); await new Promise((done) => $("#lock").addEventListener("close", done, { once: true })); continue; }
      const away = !answer.status || answer.status >= 500 || answer.status === 429;
      if (!away || (answer.status && tries > 4)) throw new Error(problem(answer));
      said(item, say("Mất kết nối: tệp vẫn ở đây và sẽ tự gửi lại.", "No connection: the file is still here, and is sent again."));
      await pause(Math.min(15000, 2000 * (tries + 1)));
    }
  }

  function sent(item, component, body, name) {
    return new Promise((done) => {
      const asked = new XMLHttpRequest(), bar = $("progress", item.node);
      const shown = name.length > 190 ? `${name.slice(0, 180)}${name.slice(name.lastIndexOf(".")).slice(0, 9)}` : name;
      asked.open("PUT", `/v1/dossiers/${encodeURIComponent(room.dataset.code)}/components/${encodeURIComponent(component)}?${new URLSearchParams({ name: shown, provenance: room.dataset.provenance })}`);
      asked.setRequestHeader("Content-Type", body.type || item.file.type || "application/octet-stream");
      asked.setRequestHeader("Accept-Language", document.documentElement.lang);
      asked.setRequestHeader("Idempotency-Key", item.key);
      asked.setRequestHeader("Hoso-Role", document.body.dataset.role);
      asked.setRequestHeader("Hoso-By", encodeURIComponent(document.body.dataset.person)); // another tab may be somebody else's
      if (room.dataset.for) asked.setRequestHeader("Hoso-For", room.dataset.for);
      if (!item.seen) item.seen = paper(component)?.dataset.sha || "*";
      if (item.seen !== "*") asked.setRequestHeader("If-Match", `"${item.seen}"`);
      bar.hidden = false;
      asked.upload.onprogress = (event) => { bar.value = event.loaded / (event.total || 1); if (event.loaded === event.total) said(item, say("Đang kiểm tra…", "Being looked at…")); };
      asked.onloadend = () => { bar.hidden = true; bar.value = 0; done({ status: asked.status, text: asked.responseText }); };
      asked.send(body);
    });
  }

  function problem(answer) {
    try { return JSON.parse(answer.text).detail; } catch { return say("Máy chủ không trả lời được: thử lại sau.", "The server cannot answer: try again soon."); }
  }

  async function again() {
    const answer = await fetch(`/dossiers/${encodeURIComponent(room.dataset.code)}/digitise/files`, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer?.ok) parts.innerHTML = await answer.text();
    for (const item of items.values()) { item.seen = item.sending ? item.seen : undefined; options(item); }
    begun();
  }

  function begun() {
    for (const each of $$("[data-scripted]", room)) each.hidden = false;
    for (const [code, url] of thumbs) {
      const place = paper(code) && $("[data-thumb]", paper(code));
      if (!place) continue;
      const image = new Image();
      image.alt = "";
      image.src = url;
      place.replaceChildren(image);
    }
  }

  // By hand -----------------------------------------------------------------------------------

  function turn(item) {
    if (!shows(item.file)) return;
    item.turn = (item.turn + 90) % 360;
    item.node.dataset.turned = item.turn;
  }

  queue?.addEventListener("click", (event) => {
    const item = items.get(event.target.closest("li"));
    if (!item || item.sending) return;
    if (event.target.closest("[data-turn]")) turn(item);
    if (event.target.closest("[data-remove]")) drop(item);
    if (event.target.closest("[data-again]")) sendOne(item.component, [...items.values()].filter((each) => each.component === item.component && !each.never));
  });
  queue?.addEventListener("change", (event) => { const item = items.get(event.target.closest("li")); if (item && event.target.matches("select")) { item.seen = undefined; choose(item, event.target.value); } });
  queue?.addEventListener("keydown", (event) => {
    const item = items.get(event.target);
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const near = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (near) item.node[near]?.focus();
    else if (event.key === "Delete" && !item.sending) drop(item);
    else if (event.key === "r") turn(item);
    else if (/^[1-9]$/.test(event.key) && papers()[event.key - 1]) { item.seen = undefined; choose(item, papers()[event.key - 1].dataset.component); item.node.nextElementSibling?.focus(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  $("#send")?.addEventListener("click", send);
  $("#order")?.addEventListener("click", () => {
    const taken = new Set([...items.values()].map((each) => each.component));
    const free = papers().filter((each) => !taken.has(each.dataset.component) && !each.dataset.sha);
    for (const item of items.values()) if (!item.component && !item.never && free.length) choose(item, free.shift().dataset.component);
  });

  room.addEventListener("change", (event) => {
    const field = event.target;
    if (!field.matches("[data-pick]")) return;
    take([...field.files], field.closest("[data-component]")?.dataset.component);
    field.value = "";
  });
  addEventListener("paste", (event) => { if (queue && event.clipboardData?.files.length) { event.preventDefault(); take([...event.clipboardData.files]); } });
  const over = (event) => event.target.closest?.("[data-component], .drop");
  for (const kind of ["dragover", "dragleave", "drop"]) addEventListener(kind, (event) => {
    if (!queue) return;
    event.preventDefault();
    const place = over(event);
    for (const each of $$(".over", room)) each.classList.remove("over");
    if (kind === "dragover") place?.classList.add("over");
    if (kind !== "drop") return;
    const component = place?.dataset.component && $("[data-pick]", place) ? place.dataset.component : "";
    const moved = items.get(dragged);
    if (event.dataTransfer.files.length) take([...event.dataTransfer.files], component);
    else if (moved && component) { moved.seen = undefined; choose(moved, component); }
  });
  let dragged = null;
  queue?.addEventListener("dragstart", (event) => { dragged = event.target.closest("li"); event.dataTransfer.setData("text/plain", ""); });
  queue?.addEventListener("dragend", () => { dragged = null; });
  addEventListener("beforeunload", (event) => { if (items.size) event.preventDefault(); });
  begun();
})();
