// Figures: a report goes to paper by its own button.
"use strict";

document.addEventListener("click", (event) => { if (event.target.closest?.("[data-print]")) print(); });
