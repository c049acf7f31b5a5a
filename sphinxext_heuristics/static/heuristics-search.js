/* What the search tells of a heuristic is its note, not the words around the first that was found. */
"use strict";
addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined") return;
  const summarize = Search.makeSearchSummary;
  Search.makeSearchSummary = (html, words, anchor, ...rest) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const place = anchor ? page.getElementById(anchor.slice(1)) : page.querySelector("h1");
    const note = place?.closest("section.heuristic")?.querySelector(":scope > .heuristic-note");
    if (!note) return summarize(html, words, anchor, ...rest);
    const summary = document.createElement("p");
    summary.className = "context";
    summary.textContent = note.textContent;
    return summary;
  };
});
