/* A filter above tables, where a page has <div class="row-filter" hidden></div>: by typing and, where rows say which
   releases have a bug, by release. What does not match is hidden, and what matches is unfolded. */
"use strict";
for (const place of document.querySelectorAll(".row-filter")) {
  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  /* -- what is filtered ------------------------------------------------------------------------ */

  const plain = (text) => text.toLowerCase().replace(/["'`\u2018-\u201f]/g, "").replace(/\s+/g, " ");
  const numbers = (release) => release.match(/\d+/g).map(Number);

  const page = place.closest("[role=main], body");
  const isBelow = (one) => place.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING;
  const below = (selector) => [...page.querySelectorAll(selector)].filter(isBelow);
  const rows = below("tbody > tr").map((element) => {
    const { package: name, first, last } = element.dataset;
    const span = last && { name: plain(name), first: numbers(first || "0"), last: numbers(last) };
    return { element, text: plain(element.textContent), span };
  });
  const folds = below("details").map((element) => ({ element, open: element.open }));
  const holders = below("section > :not(h1, h2, h3, h4, h5, h6)");
  const packages = new Set(rows.flatMap(({ span }) => span?.name ?? []));

  /* -- releases -------------------------------------------------------------------------------- */

  /* As many numbers count as both have: 0.17 is each 0.17.x. */
  const isUpTo = (one, other) => {
    for (let at = 0; at < Math.min(one.length, other.length); at += 1) {
      if (one[at] !== other[at]) return one[at] < other[at];
    }
    return true;
  };
  /* Package → release, of "0.17.1", "trl 0.15, peft==0.17.1" and of what `pip list` and Python print. */
  const releasesIn = (text) => {
    const found = [...plain(text).matchAll(/(?:([a-z][\w-]*)[^\w.]+)?v?(\d+(?:\.\d+)+)/g)];
    return new Map(found.map(([, name, release]) => [name?.replaceAll("-", "_"), numbers(release)]));
  };
  const has = (span, releases) => {
    const release = releases.get(span.name) ?? (packages.size === 1 ? releases.get(undefined) : undefined);
    return release !== undefined && isUpTo(span.first, release) && isUpTo(release, span.last);
  };

  /* -- the filter ------------------------------------------------------------------------------ */

  const field = (id, label, placeholder) => {
    const box = make("input", { id, type: "search", placeholder, autocomplete: "off", spellcheck: false });
    return [box, make("p", {}, make("label", { htmlFor: id }, label), box)];
  };
  const [typed, typing] = field("row-filter-text", "Find in the tables below", "words of the message, or a name");
  const [owned, owning] = packages.size === 1
    ? field("row-filter-release", `I have ${[...packages][0] === "peft" ? "PEFT" : [...packages][0]}`, "0.17.1")
    : field("row-filter-release", "I have", "transformers 4.57.1, trl 0.26.0");
  const told = make("span", { role: "status" });
  const all = make("button", { type: "button", hidden: true }, "Show all");
  place.append(typing, ...(packages.size ? [owning] : []), make("p", {}, told, " ", all));
  place.hidden = false;

  let isActive = false;
  const update = () => {
    const words = plain(typed.value).split(" ").filter(Boolean);
    const releases = releasesIn(owned.value);
    const wasActive = isActive;
    isActive = words.length > 0 || releases.size > 0;
    if (isActive && !wasActive) for (const fold of folds) fold.open = fold.element.open;
    const isShown = ({ text, span }) =>
      words.every((word) => text.includes(word)) && (!releases.size || (span && has(span, releases)));
    const shown = rows.filter((row) => {
      row.element.hidden = isActive && !isShown(row);
      return !row.element.hidden;
    });
    const isEmpty = (holder) => !shown.some(({ element }) => holder.contains(element));
    for (const holder of holders) holder.hidden = isActive && isEmpty(holder);
    for (const { element, open } of folds) {
      if (isActive) element.open = true;
      else if (wasActive) element.open = open;
    }
    told.textContent = isActive ? `${shown.length || "None"} of ${rows.length} rows` : "";
    all.hidden = !isActive;
  };
  const clear = () => {
    if (!isActive) return;
    typed.value = "";
    owned.value = "";
    update();
  };

  let waiting;
  for (const box of [typed, owned]) {
    box.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(update, 100);
    });
  }
  all.addEventListener("click", () => {
    clear();
    typed.focus();
  });

  /* -- links to what is hidden or folded ------------------------------------------------------- */

  const reveal = (hash) => {
    const target = document.getElementById(decodeURIComponent(hash.slice(1)));
    if (!hash || !target || !isBelow(target)) return null;
    clear();
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    return target;
  };
  /* Before the browser goes there: who follows the same link again changes no address. */
  document.addEventListener("click", ({ target }) => {
    const link = target.closest?.("a[href]");
    if (link?.hash && link.pathname === location.pathname) reveal(link.hash);
  });
  addEventListener("hashchange", () => reveal(location.hash)?.scrollIntoView());
  reveal(location.hash)?.scrollIntoView();
}
