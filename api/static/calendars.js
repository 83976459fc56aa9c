// A year: one stop for Tab, arrows from day to day. Without it every day is a link.
"use strict";

desk.onBegin((within) => {
  const year = desk.$("#year", within), days = desk.$$("#year [data-day]", within);
  if (!year || year.dataset.begun) return;
  year.dataset.begun = "1";
  const first = days.find((each) => each.getAttribute("aria-current")) || days[0];
  for (const each of days) each.tabIndex = each === first ? 0 : -1;
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
  year.addEventListener("keydown", (event) => {
    const here = days.indexOf(event.target.closest("[data-day]"));
    if (here < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const month = (n) => days[n].dataset.day.slice(0, 7);
    let to = here + (steps[event.key] || 0);
    if (event.key === "Home") to = days.findIndex((each) => each.dataset.day.startsWith(month(here)));
    if (event.key === "End") to = days.findLastIndex((each) => each.dataset.day.startsWith(month(here)));
    if (to === here || !days[to]) return;
    event.preventDefault();
    days[here].tabIndex = -1;
    days[to].tabIndex = 0;
    days[to].focus();
  });
});
