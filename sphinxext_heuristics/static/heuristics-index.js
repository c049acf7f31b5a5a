/* The filter of an index of heuristics: a box and toggles above the list.
   The rows are all there without it; it only hides some. */
"use strict";
(() => {
  const words = JSON.parse(document.currentScript.dataset.words ?? "{}");
  const say = (said, ...parts) => parts.reduce((text, part) => text.replace("%s", part), words[said] ?? said);
  const ITEMS = "table.heuristic-index > tbody > tr, .heuristic-cards > .sd-card";
  /* Lines on 24 × 24: a frame, and what is in it. */
  const ICONS = {
    danger: "M8 2h8l6 6v8l-6 6H8l-6-6V8zM9 9l6 6m0-6-6 6",
    caution: "M12 2a10 10 0 1 0 .1 0zM12 7v6m0 3v1",
    warning: "M12 3 2 20h20zM12 9v5m0 2v1",
    important: "M3 3h18v14H9l-4 4v-4H3zM12 6v5m0 2v1",
    note: "M4 3h16v18H4zM8 8h8m-8 4h8m-8 4h5",
    tip: "M9 18h6m-5 3h4M12 2a7 7 0 0 0-4 12.7V16h8v-1.3A7 7 0 0 0 12 2",
  };
  const TAG = "M3 12V3h9l9 9-9 9zM7 7h.1";
  const SEVERITIES = Object.keys(ICONS);

  /* One spelling for what readers take for one: case, accents, separators of names.
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

  const icon = (kind, value) => {
    const path = kind === "severity" ? ICONS[value] : TAG;
    const innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;
    return make("span", { className: "heuristic-icon", innerHTML });
  };

  /* Long names may go on in a new line after a dot or an underscore, short ones stay whole. */
  const divide = (element) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    for (const text of texts) {
      const [first, ...rest] = text.data.split(/(?<=\S{12}[._])(?=\w)/);
      if (rest.length) text.replaceWith(first, ...rest.flatMap((part) => [make("wbr"), part]));
    }
  };

  /* What a row or card is found by; `hidden` are words that it does not show. */
  const read = (element, hidden) => {
    const severity = element.querySelector(".heuristic-severity");
    /* The link's anchor holds the heuristic's name, which the title need not. */
    const text = fold(`${element.textContent} ${element.querySelector("a[href]")?.hash} ${hidden}`);
    divide(element);
    return {
      element,
      text,
      word: severity.textContent,
      severity: SEVERITIES.filter((word) => severity.classList.contains(`heuristic-${word}`)),
      category: [...element.querySelectorAll(".heuristic-category")].map((tag) => tag.textContent),
    };
  };

  const fill = (holder, index) => {
    const next = holder.nextElementSibling;
    const hidden = JSON.parse(holder.dataset.words);
    const items = [...document.querySelectorAll(ITEMS)]
      .filter((item) => next && next.contains(item))
      .map((item, row) => read(item, hidden[row]));
    if (items.length < 2) return;

    const box = make("input", { type: "search", autocomplete: "off", spellcheck: false });
    const count = make("p", { className: "heuristic-count" });
    const reset = make("button", { type: "button", className: "heuristic-reset", textContent: say("Show all") });
    const chosen = { severity: new Set(), category: new Set() };
    const kinds = Object.keys(chosen);
    const toggles = [];
    count.setAttribute("role", "status");
    count.setAttribute("aria-live", "polite");

    const update = () => {
      const asked = box.value.split(/\s+/).map(fold).filter(Boolean);
      let shown = 0;
      for (const item of items) {
        const fits =
          kinds.every((kind) => !chosen[kind].size || item[kind].some((value) => chosen[kind].has(value))) &&
          asked.every((word) => item.text.includes(word));
        item.element.hidden = !fits;
        shown += fits;
      }
      reset.hidden = !asked.length && kinds.every((kind) => !chosen[kind].size);
      const of = items.length;
      count.textContent = reset.hidden ? say("%s heuristics", of) : say("%s of %s heuristics", shown, of);
      for (const { toggle, kind, value } of toggles) toggle.setAttribute("aria-pressed", chosen[kind].has(value));
    };

    /* The address says what is chosen in the first filter of a page. */
    const asked = new URLSearchParams(index ? "" : location.search);
    const change = () => {
      update();
      if (index) return;
      const url = new URL(location.href);
      for (const name of ["find", ...kinds]) url.searchParams.delete(name);
      if (box.value.trim()) url.searchParams.set("find", box.value.trim());
      for (const kind of kinds) for (const value of chosen[kind]) url.searchParams.append(kind, value);
      history.replaceState(history.state, "", url);
    };

    const group = (kind, label, values) => {
      const holding = (value) => items.filter((item) => item[kind].includes(value));
      const used = values.filter((value) => holding(value).length);
      /* Toggles that every row has choose nothing. */
      if (used.every((value) => holding(value).length === items.length)) return [];
      const buttons = used.map((value) => {
        const text = kind === "severity" ? holding(value)[0].word : value;
        const name = `${text} (${holding(value).length})`;
        const toggle = make("button", { type: "button", className: "heuristic-chip" }, icon(kind, value), name);
        toggle.addEventListener("click", () => {
          if (!chosen[kind].delete(value)) chosen[kind].add(value);
          change();
        });
        if (asked.getAll(kind).includes(value)) chosen[kind].add(value);
        toggles.push({ toggle, kind, value });
        return toggle;
      });
      const name = make("span", { textContent: `${label}: ` });
      const chips = make("div", { className: "heuristic-chips" }, name, ...buttons);
      chips.setAttribute("role", "group");
      chips.setAttribute("aria-label", label);
      return [chips];
    };

    reset.addEventListener("click", () => {
      box.value = "";
      for (const kind of kinds) chosen[kind].clear();
      change();
      /* The button goes out of sight: the focus must not go with it. */
      box.focus();
    });
    box.addEventListener("input", change);
    box.value = asked.get("find") ?? "";

    holder.append(make("label", {}, `${say("Filter:")} `, box));
    holder.append(...group("severity", say("Severity"), SEVERITIES));
    holder.append(...group("category", say("Category"), JSON.parse(holder.dataset.categories)));
    holder.append(make("div", { className: "heuristic-found" }, count, reset));
    update();
    holder.hidden = false;
  };

  /* The script is deferred: the page is there. */
  document.querySelectorAll(".heuristic-filter").forEach(fill);
})();
