/* The box for a text: it shows what ask.js finds, where it stands. Both that and the data are read at the first touch,
   as scripts: a page that is opened from a folder can read nothing else. */
"use strict";
(() => {
  const here = document.currentScript;
  const translated = JSON.parse(here.dataset.words ?? "{}");
  const say = (words) => translated[words] ?? words;
  const root = new URL("..", here.src);

  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  /* -- the data ------------------------------------------------------------------------------ */

  const run = (name) =>
    new Promise((resolve, reject) => {
      const src = new URL(name, here.src).href;
      document.head.append(make("script", { src, onload: resolve, onerror: reject }));
    });
  let index;
  const load = () => {
    index ??= Promise.all([run("heuristics-ask.js"), run("heuristics-texts.js")]).then(() =>
      heuristicsAsk.build(heuristicsTexts, heuristicsTexts.stemmer),
    );
    /* what did not arrive is asked for again */
    index.catch(() => (index = undefined));
    return index;
  };

  /* -- answers ------------------------------------------------------------------------------- */

  /* A text with its code set as code, which may be divided after a dot, a colon or an underscore. */
  const inline = (text) =>
    text.split("\x7f").flatMap((part, at) => {
      if (at % 2 === 0) return part;
      const pieces = part.split(/(?<=[._:/])(?=\w)/);
      const parts = pieces.flatMap((piece, piece_at) => (piece_at ? [make("wbr"), piece] : piece));
      return make("code", { className: "docutils literal" }, ...parts);
    });
  const folded = (text) => text.split(/\s+/).join(" ").trim();
  const textOf = (cell) => folded((typeof cell === "string" ? cell : cell[1]).replaceAll("\x7f", ""));

  /* What a link to a text may say: words of one cell, and those that must follow in the next. */
  const MOST_WORDS = 16;
  const fragment = (passage) => {
    const [cell, next] = passage.map(textOf);
    const beginning = (text) => text.split(" ").slice(0, MOST_WORDS).join(" ");
    /* a dash divides the parts of such a link */
    const encoded = (text) => encodeURIComponent(beginning(text)).replaceAll("-", "%2D");
    const following = next && cell === beginning(cell) ? `,-${encoded(next)}` : "";
    return `:~:text=${encoded(cell)}${following}`;
  };

  const linkTo = ({ item, passage }) => {
    const link = make("a", { href: new URL(item.uri, root).href }, item.title);
    if (!passage) return link;
    const anchor = item.anchors?.[item.passages.indexOf(passage)];
    if (anchor) link.hash = anchor;
    const isHere = link.pathname === location.pathname;
    if (isHere) link.addEventListener("click", () => setTimeout(() => mark(link.hash, passage)));
    else link.href += fragment(passage);
    return link;
  };

  /* On this page: bring the passage into sight, and mark it. */
  const mark = (hash, passage) => {
    const target = document.getElementById(decodeURIComponent(hash.slice(1)));
    const whole = passage.map(textOf).join(" ");
    const kinds = "tr, p, dt";
    const blocks = target?.matches(kinds) ? [target] : [...(target?.querySelectorAll(kinds) ?? [])];
    const place = blocks.find((one) => folded(one.textContent).startsWith(whole));
    if (!place) return;
    document.querySelectorAll(".heuristic-marked").forEach((one) => one.classList.remove("heuristic-marked"));
    place.classList.add("heuristic-marked");
    for (let fold = place.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    place.scrollIntoView({ block: "center" });
  };

  const HOW = {
    source: "Quoted in the source:",
    shown: "Shown on the page:",
    reported: "Reported by readers:",
  };
  const shown = (answer) => {
    const { item, messages, code, passage } = answer;
    const { severity, note, page } = item;
    const where = make("span", { className: severity ? `heuristic-severity heuristic-${severity}` : "heuristic-page" });
    where.append(heuristicsTexts.severities[severity] ?? page);
    const before = where.textContent ? [where, " "] : [];
    const after = severity && page ? [" ", make("span", { className: "heuristic-page" }, page)] : [];
    const title = make("p", { className: "heuristic-answer" }, ...before, linkTo(answer), ...after);
    const lines = note ? [inline(note)] : [];
    for (const { how, kind, text } of messages) {
      const said = inline(`\x7f${kind && `${kind}: `}${text}\x7f`);
      if (how in HOW) lines.push([`${say(HOW[how])} `, ...said]);
    }
    for (const line of code) lines.push([`${say("Quoted from where it was raised:")} `, ...inline(`\x7f${line}\x7f`)]);
    if (passage) {
      const cells = passage.map((cell) => (typeof cell === "string" ? cell : cell.join(": ")));
      lines.push(inline(cells.join(" · ")));
    }
    return make("li", {}, title, ...lines.map((line) => make("p", {}, ...line)));
  };

  /* -- the box ------------------------------------------------------------------------------- */

  let boxes = 0;
  const open = (holder) => {
    const listed = make("div", { className: "heuristic-listed" }, ...holder.childNodes);
    const id = `heuristic-box-${(boxes += 1)}`;
    const box = make("textarea", { id, rows: 3, spellcheck: false });
    const label = make("label", { htmlFor: id }, say("Paste an error message, a whole traceback or a question"));
    const find = make("button", { type: "button", className: "heuristic-find" }, say("Find"));
    const clear = make("button", { type: "button", className: "heuristic-reset", hidden: true }, say("Show all"));
    const told = make("p", { className: "heuristic-count", role: "status" }, say("The text stays in your browser."));
    const answers = make("div", { className: "heuristic-answers", tabIndex: -1 });
    holder.append(label, box, make("div", { className: "heuristic-found" }, find, clear, told), answers, listed);
    holder.hidden = false;
    const lists = [...document.querySelectorAll(".heuristic-messages")];

    const list = (found) => (found.length ? [make("ol", {}, ...found.map(shown))] : []);
    const searching = (text) => {
      const link = make("a", { href: new URL(heuristicsTexts.search, root).href }, say("Search this site"));
      link.search = `q=${encodeURIComponent(text.split("\n").at(-1).slice(0, 200))}`;
      return make("p", {}, link);
    };
    const status = (text, known, perhaps) => {
      const isCut = text.length > heuristicsAsk.MOST_LETTERS;
      const end = isCut ? ` ${say("Only the end of this long text was read.")}` : "";
      if (!text) return say("The text stays in your browser.");
      if (known.length) return say("This message is known:") + end;
      return say(perhaps.length ? "Perhaps one of these:" : "Nothing here fits this text.") + end;
    };

    const update = async () => {
      const ready = await load();
      const text = box.value.trim();
      const found = text ? heuristicsAsk.ask(ready, text) : [];
      const known = found.filter(({ isKnown }) => isKnown);
      const perhaps = found.filter(({ isKnown }) => !isKnown);
      told.textContent = status(text, known, perhaps);
      const isNothing = text && !found.length;
      const instead = isNothing && listed.childElementCount ? [make("p", {}, say("Is it one of these?"))] : [];
      const search = isNothing && heuristicsTexts.search ? [searching(text)] : [];
      const also = make("p", { className: "heuristic-between" }, say("Perhaps also:"));
      const between = known.length && perhaps.length ? [also] : [];
      answers.replaceChildren(...list(known), ...between, ...list(perhaps), ...search, ...instead);
      for (const one of [listed, ...lists]) one.hidden = found.length > 0;
      clear.hidden = !text;
    };
    const ask = async () => {
      await update();
      /* the question stays in sight, and what answers it begins below */
      answers.focus({ preventScroll: true });
      box.scrollIntoView({ block: "nearest" });
    };
    const take = () => {
      const asked = new URLSearchParams(location.hash.slice(1)).get("error");
      if (!asked) return;
      box.value = asked;
      update();
    };

    /* Code that the author lists is an example: a click asks it. */
    const examples = [...listed.querySelectorAll("code")].filter((one) => !one.closest("a"));
    box.placeholder = examples[0]?.textContent ?? "";
    for (const one of examples) {
      const example = make("button", { type: "button", className: "heuristic-example" }, one.textContent);
      example.addEventListener("click", () => {
        box.value = example.textContent;
        ask();
      });
      one.replaceWith(example);
    }

    let waiting;
    box.addEventListener("focus", load);
    box.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(update, 200);
    });
    /* Enter asks: a pasted text has its line ends. */
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      clearTimeout(waiting);
      ask();
    });
    find.addEventListener("click", ask);
    clear.addEventListener("click", () => {
      box.value = "";
      update();
      box.focus();
    });
    addEventListener("hashchange", take);
    take();
  };

  /* Where an author placed one with what it is to list, the list of messages needs no other. */
  const holders = [...document.querySelectorAll(".heuristic-paste")];
  const full = holders.filter((holder) => holder.childElementCount);
  for (const holder of full.length ? full : holders) open(holder);
})();
