/* The box for an error message. On the page of messages it shows those that a pasted text fits, by the same substrings
   as the command `explain`; elsewhere it leads there. The text is in no request: it stays in the browser. */
"use strict";
(() => {
  const words = JSON.parse(document.currentScript.dataset.words ?? "{}");
  const say = (said) => words[said] ?? said;
  const WORDS = {
    label: say("Paste an error message, a warning or a whole traceback"),
    find: say("Find"),
    stays: say("The text stays in your browser."),
    fits: (number) =>
      number === 1 ? say("1 message fits:") : say("%s messages fit, the best first:").replace("%s", number),
    close: say("No message fits this text. The closest are:"),
    none: say("No message fits this text."),
    clear: say("Show all"),
  };
  /* What the text is called behind the number sign of an address, which no browser sends. */
  const KEY = "error=";
  const LEAST_CHARS = 12;
  const CLOSE_SHARE = 0.4;
  const MAX_CLOSE = 3;

  const plain = (text) => text.replace(/`/g, "").split(/\s+/).filter(Boolean).join(" ");

  /* How many fixed characters of a message a text has, all of them in their order; 0 if it has not. */
  const fit = (kind, pieces, pasted) => {
    const head = `${kind}: `;
    const part = pasted.startsWith(head) ? pasted.slice(head.length) : pasted;
    if (part.length >= LEAST_CHARS && part.includes(" ") && pieces.some((piece) => piece.includes(part)))
      return part.length;
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
    let at = 0;
    for (const piece of size < LEAST_CHARS ? [head + pieces[0], ...pieces.slice(1)] : pieces) {
      const found = pasted.indexOf(piece, at);
      if (found < 0) return 0;
      at = found + piece.length;
    }
    return size;
  };

  /* The share of the long words of the shorter text that are in both; 0 if it is but one word. */
  const share = (one, other) => {
    const [words, others] = [one, other].map((text) => new Set(text.toLowerCase().match(/[\p{L}\p{N}_]{4,}/gu)));
    const common = [...words].filter((word) => others.has(word)).length;
    return common > 1 ? common / Math.min(words.size, others.size) : 0;
  };

  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  /* Names are long words, which may go on in a new line after a dot, a colon or an underscore. */
  const divide = (element) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    for (const text of texts) {
      const [first, ...rest] = text.data.split(/(?<=[._:])(?=\w)/);
      if (rest.length) text.replaceWith(first, ...rest.flatMap((part) => [make("wbr"), part]));
    }
  };

  const asked = () => {
    const hash = location.hash.slice(1);
    try {
      return hash.startsWith(KEY) ? decodeURIComponent(hash.slice(KEY.length)) : "";
    } catch {
      return "";
    }
  };

  const makeBox = (holder, rows) => {
    const box = make("textarea", { rows, autocomplete: "off", spellcheck: false });
    holder.prepend(make("label", {}, make("span", { textContent: WORDS.label }), box));
    return box;
  };

  /* On another page: the box leads to where the link in the place leads. */
  const lead = (holder, link) => {
    const box = makeBox(holder, 2);
    const find = make("button", { type: "submit", textContent: WORDS.find });
    const form = make("form", {}, ...holder.childNodes);
    box.parentElement.after(find);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      location.href = `${link.href.split("#")[0]}#${KEY}${encodeURIComponent(box.value)}`;
    });
    /* A pasted text has its line ends; whoever presses Enter has written theirs. */
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    holder.append(form);
  };

  const search = (holder) => {
    const messages = JSON.parse(holder.dataset.messages).flatMap(([id, kind, pieces]) => {
      const term = document.getElementById(id);
      return term ? [{ term, kind, pieces, text: term.querySelector("code").textContent }] : [];
    });
    const rest = [...document.querySelectorAll(".heuristic-messages, .heuristic-origin")];
    const told = make("p", { className: "heuristic-count" });
    const clear = make("button", { type: "button", className: "heuristic-reset", textContent: WORDS.clear });
    const found = make("dl", { className: "heuristic-messages" });
    const box = makeBox(holder, 3);
    told.setAttribute("role", "status");
    rest.forEach(divide);

    /* Messages by what a function says of them, the highest first; without those that it says 0 of. */
    const ranked = (rank) =>
      messages
        .map((one) => [rank(one), one])
        .filter(([number]) => number)
        .sort(([one], [other]) => other - one)
        .map(([, one]) => one);

    const copies = ({ term }) => {
      const copy = [term.cloneNode(true), term.nextElementSibling.cloneNode(true)];
      copy[0].removeAttribute("id");
      return copy;
    };

    const update = () => {
      const text = plain(box.value);
      let fits = text ? ranked((one) => fit(one.kind, one.pieces, text)) : [];
      told.textContent = WORDS.stays;
      if (fits.length) told.textContent = WORDS.fits(fits.length);
      else if (text) {
        fits = ranked((one) => {
          const close = share(one.text, text);
          return close >= CLOSE_SHARE ? close : 0;
        }).slice(0, MAX_CLOSE);
        told.textContent = fits.length ? WORDS.close : WORDS.none;
      }
      found.hidden = !fits.length;
      found.replaceChildren(...fits.flatMap(copies));
      for (const one of rest) one.hidden = Boolean(text);
      clear.hidden = !text;
    };

    const take = () => {
      if (!asked()) return;
      box.value = asked();
      update();
    };
    clear.addEventListener("click", () => {
      box.value = "";
      update();
      box.focus();
    });
    box.addEventListener("input", update);
    addEventListener("hashchange", take);
    holder.append(make("div", { className: "heuristic-found" }, told, clear), found);
    update();
    take();
  };

  const fill = (holder) => {
    const link = holder.querySelector("a[href]");
    if (holder.dataset.messages) search(holder);
    else if (link) lead(holder, link);
    holder.hidden = false;
  };

  /* The script is deferred: the page is there. */
  document.querySelectorAll(".heuristic-paste").forEach(fill);
})();
