/* The filter of an index of heuristics: a box and chips above the table or the cards.
   The rows are all there without it; it only hides some. No server, no dependency. */
"use strict";
(() => {
  const ITEMS = "table.heuristic-index > tbody > tr, .heuristic-cards > .sd-card";
  const SEVERITIES = ["danger", "caution", "warning", "important", "note", "tip"];

  /* One spelling for what readers take for one: case, accents, and the separators of names.
     Upper case comes first since that of "ß" is "SS". */
  const fold = (text) =>
    text
      .normalize("NFKD")
      .replace(/\p{M}/gu, "")
      .toUpperCase()
      .toLowerCase()
      .replace(/[\s_.-]+/g, " ")
      .trim();

  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  /* What one row or card is found by. */
  const read = (element) => {
    const severity = element.querySelector(".heuristic-severity");
    const link = element.querySelector("a[href]");
    return {
      element,
      /* The link's anchor holds the heuristic's name, which the title need not. */
      text: fold(`${element.textContent} ${link ? link.getAttribute("href").split("#").pop() : ""}`),
      severity: severity ? severity.textContent : "",
      rank: severity ? SEVERITIES.findIndex((word) => severity.classList.contains(`heuristic-${word}`)) : -1,
      categories: [...element.querySelectorAll(".heuristic-category")].map((tag) => tag.textContent),
    };
  };

  /* A group of chips that can be pressed; `chosen` is the set of the pressed ones' values. */
  const chips = (label, values, count, chosen, changed) => {
    const group = make("div", { className: "heuristic-chips" }, make("span", { textContent: `${label}: ` }));
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", label);
    for (const value of values) {
      const chip = make("button", { type: "button", className: "heuristic-chip" }, `${value} `);
      chip.append(make("span", { className: "heuristic-chip-count", textContent: `(${count(value)})` }));
      chip.setAttribute("aria-pressed", "false");
      chip.addEventListener("click", () => {
        const pressed = !chosen.has(value);
        chosen[pressed ? "add" : "delete"](value);
        chip.setAttribute("aria-pressed", String(pressed));
        changed();
      });
      group.append(chip);
    }
    return group;
  };

  const fill = (holder) => {
    const next = holder.nextElementSibling;
    const items = [...document.querySelectorAll(ITEMS)].filter((item) => next && next.contains(item)).map(read);
    if (items.length < 2) return;

    const severities = new Set();
    const categories = new Set();
    const box = make("input", { type: "search", autocomplete: "off", spellcheck: false });
    const count = make("p", { className: "heuristic-count" });
    const reset = make("button", { type: "button", className: "heuristic-reset", textContent: "Show all" });
    count.setAttribute("role", "status");
    count.setAttribute("aria-live", "polite");

    const update = () => {
      const words = box.value.split(/\s+/).map(fold).filter(Boolean);
      let shown = 0;
      for (const item of items) {
        const fits =
          (!severities.size || severities.has(item.severity)) &&
          (!categories.size || item.categories.some((name) => categories.has(name))) &&
          words.every((word) => item.text.includes(word));
        item.element.hidden = !fits;
        shown += fits;
      }
      const active = Boolean(words.length || severities.size || categories.size);
      count.textContent = active ? `${shown} of ${items.length} heuristics` : `${items.length} heuristics`;
      reset.hidden = !active;
    };

    const groups = [];
    const group = (label, values, valuesOf, chosen) => {
      const number = (value) => items.filter((item) => valuesOf(item).includes(value)).length;
      const used = values.filter(number);
      /* Chips that every row has choose nothing. */
      if (used.some((value) => number(value) < items.length)) groups.push(chips(label, used, number, chosen, update));
    };
    const byRank = [...items].sort((one, other) => one.rank - other.rank);
    group("Severity", [...new Set(byRank.map((item) => item.severity))], (item) => [item.severity], severities);
    group("Category", JSON.parse(holder.dataset.categories), (item) => item.categories, categories);

    reset.addEventListener("click", () => {
      box.value = "";
      severities.clear();
      categories.clear();
      for (const chip of holder.querySelectorAll(".heuristic-chip")) chip.setAttribute("aria-pressed", "false");
      update();
      /* The button goes out of sight: the focus must not go with it. */
      box.focus();
    });
    box.addEventListener("input", update);

    holder.append(make("label", {}, "Filter: ", box), ...groups);
    holder.append(make("div", { className: "heuristic-found" }, count, reset));
    update();
    holder.hidden = false;
  };

  const start = () => document.querySelectorAll(".heuristic-filter").forEach(fill);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
