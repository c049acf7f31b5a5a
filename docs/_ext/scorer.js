/* Breaks ties of Sphinx's search, which go by the alphabet otherwise: stems of the query in the title count, then a
   heuristic's page. That adds less than 1, the least by which scores differ: API names stay first. The numbers are those
   of searchtools.js, which takes all or none. */
"use strict";
{
  let stems = [];

  globalThis.Scorer = {
    objNameMatch: 11,
    objPartialMatch: 6,
    objPrio: { 0: 15, 1: 5, 2: -5 },
    objPrioDefault: 0,
    title: 15,
    partialTitle: 7,
    term: 5,
    partialTerm: 2,
    score: ([docname, title, , , score]) => {
      const inTitle = stems.filter((stem) => title.toLowerCase().includes(stem)).length;
      const isHeuristic = docname.startsWith("heuristics/huggingface_");
      return score + (0.7 * inTitle) / Math.max(1, stems.length) + (isHeuristic ? 0.2 : 0);
    },
  };

  /* Sphinx does not tell a scorer what is searched for. */
  addEventListener("DOMContentLoaded", () => {
    const perform = Search._performSearch;
    Search._performSearch = (query, searchTerms, ...rest) => {
      stems = [...searchTerms];
      return perform(query, searchTerms, ...rest);
    };
  });
}
