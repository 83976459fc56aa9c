// What was typed and could not be saved, found again when the page is opened anew in this tab.
"use strict";
{
const { $, $$, say, onBegin, drafts: { kept, draftOf, typed, drop } } = window.desk;

function restore(form) {
  const name = form.dataset.draft, text = kept(name);
  if (!text || text === draftOf(form).toString()) return;
  const box = document.createElement("div");
  box.className = "notice warn";
  box.setAttribute("role", "status");
  box.innerHTML = "<div><p></p><p class='acts'><button type='button' class='small main'></button> <button type='button' class='small'></button></p></div>";
  const [words, yes, no] = [$("p", box), ...$$("button", box)];
  words.textContent = say("Trình duyệt còn giữ nội dung đã nhập mà chưa lưu được.", "This browser still holds what you typed and could not save.");
  yes.textContent = say("Lấy lại", "Take it back");
  no.textContent = say("Bỏ", "Drop it");
  yes.onclick = () => { fill(form, new URLSearchParams(text)); box.remove(); typed(form); $("input:not([type=hidden]), select, textarea", form)?.focus(); };
  no.onclick = () => { drop(name); box.remove(); };
  form.before(box);
}

function fill(form, said) {
  const left = new Map([...new Set(said.keys())].map((name) => [name, said.getAll(name)]));
  for (const each of [...form.elements].filter((one) => one.name && one.name !== "key" && !/^(file|password|submit|button)$/.test(one.type))) {
    const values = left.get(each.name) || [];
    if (each.type === "checkbox" || each.type === "radio") each.checked = values.includes(each.value);
    else if (each.type === "select-multiple") for (const one of each.options) one.selected = values.includes(one.value);
    else if (values.length) each.value = values.shift();
    each.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

onBegin((within) => { for (const form of $$("form[data-draft]", within)) restore(form); });
}
