// A procedure as its text: line numbers beside it, and from what is wrong to where it is.
"use strict";

desk.onBegin((within) => {
  const text = desk.$("#yaml", within), gutter = text?.parentElement.querySelector(".gutter");
  if (!text || text.dataset.begun) return;
  text.dataset.begun = "1";
  let rows = 0;
  const number = () => {
    const now = text.value.split("\n").length;
    if (now !== rows) gutter.textContent = Array.from({ length: now }, (_, n) => n + 1).join("\n");
    rows = now;
    gutter.scrollTop = text.scrollTop;
  };
  text.addEventListener("input", number);
  text.addEventListener("scroll", number, { passive: true });
  number();
});

function toLine(text, line, column) {
  const rows = text.value.split("\n");
  const before = rows.slice(0, line - 1).reduce((sum, row) => sum + row.length + 1, 0);
  // What counts a letter as one there may count it as two here.
  const at = before + [...(rows[line - 1] || "")].slice(0, column - 1).join("").length;
  text.focus();
  text.setSelectionRange(at, at);
  text.scrollTop = text.scrollHeight * Math.max(0, line - 6) / Math.max(1, rows.length);
}

document.addEventListener("click", (event) => {
  const to = event.target.closest?.("button[data-line]");
  if (!to) return;
  const text = desk.$("#yaml");
  if (text) { toLine(text, Number(to.dataset.line), Number(to.dataset.column)); return; }
  let path = to.dataset.field || "";
  while (path) { // the field, or the nearest part of the form above it
    const field = desk.$(`#editor [name="${CSS.escape(path)}"]:not([type=hidden]), #editor [name^="${CSS.escape(path)}."]:not([type=hidden])`);
    if (field) { field.focus(); field.scrollIntoView({ block: "center" }); return; }
    path = path.split(".").slice(0, -1).join(".");
  }
  desk.tell(desk.say("Chỗ này chỉ sửa được ở YAML.", "This can be changed as YAML only."));
});
