/* The box for a text. On the page of messages it finds what evidence/pasted.py finds; elsewhere it leads there. */
"use strict";
(() => {
  const translated = JSON.parse(document.currentScript.dataset.words ?? "{}");
  const say = (said, value) => (translated[said] ?? said).replace("%s", () => value);
  /* The text in an address, behind the number sign: no browser sends that. */
  const KEY = "error";
  const LEAST_CHARS = 12;
  const MOST_WORDS = 4;
  const LEFT_OUT = /[/\\]|\.py\b|(?:Error|Exception|Warning)\b/;

  /* How many fixed characters of a message are in a text; 0 if not all are. */
  const fit = ([kind], pieces, pasted) => {
    const head = `${kind}: `;
    const part = pasted.startsWith(head) ? pasted.slice(head.length) : pasted;
    if (part.length >= LEAST_CHARS && part.includes(" ") && pieces.some((piece) => piece.includes(part)))
      return part.length;
    const size = pieces.join("").length;
    let at = 0;
    for (const piece of size < LEAST_CHARS ? [head + pieces[0], ...pieces.slice(1)] : pieces) {
      const found = pasted.indexOf(piece, at);
      if (found < 0) return 0;
      at = found + piece.trimEnd().length;
    }
    return size;
  };

  /* The words, each with a space on both sides. */
  const spaced = (text) => ` ${(text.toLowerCase().match(/[a-z0-9_]+|[^\x00-\x7f]/gu) ?? []).join(" ")} `;

  const searchWords = (text) => [...new Set(text.toLowerCase().match(/[0-9_]*\p{L}[\p{L}\p{N}_]{2,}/gu))];

  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  /* Long names may go on in a new line after a dot, a colon or an underscore. */
  const divide = (element) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    for (const text of texts) {
      const [first, ...rest] = text.data.split(/(?<=[._:])(?=\w)/);
      text.replaceWith(first, ...rest.flatMap((part) => [make("wbr"), part]));
    }
  };

  const makeBox = (holder, rows) => {
    const box = make("textarea", { rows, spellcheck: false });
    const label = say("Paste an error message, a whole traceback or a question");
    holder.prepend(make("label", {}, make("span", {}, label), box));
    return box;
  };

  /* On another page, the box leads to where its link leads. */
  const lead = (holder, link) => {
    const box = makeBox(holder, 2);
    const form = make("form", {}, ...holder.childNodes);
    box.parentElement.after(make("button", { type: "submit" }, say("Find")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      location.href = `${link.href.split("#")[0]}#${KEY}=${encodeURIComponent(box.value)}`;
    });
    /* Enter asks: a pasted text has its line ends. */
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    holder.append(form);
  };

  const search = (holder) => {
    const [known, patterns, searchPage] = JSON.parse(holder.dataset.known);
    const noise = patterns.map(([pattern, instead]) => [new RegExp(pattern, "gmu"), instead]);
    const plain = (text) => noise.reduce((rest, change) => rest.replace(...change), text).trim();
    const count = Object.create(null);
    for (const one of known) {
      const [, title, note, messages, keywords] = one;
      const texts = [title, note, ...messages.map(([[, text]]) => text), ...keywords.map(([text]) => text)];
      one.words = searchWords(plain(texts.join(" ")));
      for (const word of one.words) count[word] = (count[word] ?? 0) + 1;
    }

    const answer = ([uri, title, note, messages, keywords], pasted, said) => {
      const sizes = messages.map(([message, pieces]) => [fit(message, pieces, pasted), message]);
      const fitting = sizes.filter(([size]) => size).sort(([size], [other]) => other - size);
      const within = keywords.filter(([, words]) => words.trim() && said.includes(words));
      const isInOther = (words) => within.some(([, other]) => other !== words && other.includes(words));
      const reported = within.filter(([, words]) => !isInOther(words));
      return {
        ...{ uri, title, note, fitting, reported },
        isKnown: fitting.length || reported.length > 1 || reported.some(([, , isMessage]) => isMessage),
        size: fitting.length ? fitting[0][0] : 0,
        length: reported.map(([text]) => text).join("").length,
      };
    };

    /* The rarest words that one heuristic has: a page must have all. */
    const searched = (pasted) => {
      const message = pasted.replace(/^.*(?:Error|Exception|Warning): /, "").split(" ");
      const said = searchWords(message.filter((word) => !LEFT_OUT.test(word)).join(" "));
      const most = Math.max(2, known.length / 2);
      let best = [];
      let heaviest = 0;
      for (const one of known) {
        const shared = said.filter((word) => one.words.includes(word) && count[word] <= most);
        const weight = shared.reduce((sum, word) => sum + 1 / count[word], 0);
        if (weight > heaviest) [best, heaviest] = [shared, weight];
      }
      if (!heaviest) best = said.filter((word) => !/\d/.test(word));
      best.sort((word, other) => count[word] - count[other] || other.length - word.length);
      return best.slice(0, MOST_WORDS).join(" ");
    };

    const shown = ({ uri, title, note, fitting, reported }) => {
      const quoted = say("Quoted in the source:");
      const lines = fitting.map(([, [kind, text]]) => [`${quoted} ${kind}: `, make("code", {}, text)]);
      if (reported.length) lines.push([say("Reported by users:"), " ", reported.map(([text]) => text).join(", ")]);
      const texts = [[note], ...lines].map((line) => make("p", {}, ...line));
      return [make("dt", {}, make("a", { href: uri }, title)), make("dd", {}, ...texts)];
    };

    const rest = [...document.querySelectorAll(".heuristic-messages")];
    const told = make("p", { className: "heuristic-count", role: "status" });
    const clear = make("button", { type: "button", className: "heuristic-reset" }, say("Show all"));
    const found = make("dl", { className: "heuristic-answers" });
    const more = make("p");
    const box = makeBox(holder, 3);
    rest.forEach(divide);

    const update = () => {
      const text = plain(box.value);
      const said = spaced(text);
      const best = known.map((one) => answer(one, text, said)).filter((it) => text && it.isKnown);
      best.sort((it, other) => other.size - it.size || other.length - it.length);
      const wanted = searchPage ? searched(text) : "";
      const href = `${searchPage}?q=${encodeURIComponent(wanted)}`;
      const none = text ? say("No heuristic knows of this text.") : say("The text stays in your browser.");
      const one = say("1 heuristic knows of this text:");
      const several = say("%s heuristics know of this text, the best first:", best.length);
      told.textContent = [none, one][best.length] ?? several;
      found.replaceChildren(...best.flatMap(shown));
      divide(found);
      more.replaceChildren(wanted && make("a", { href }, say("Search this site for: %s", wanted)));
      for (const one of rest) one.hidden = Boolean(text);
      clear.hidden = !text;
    };

    const take = () => {
      const asked = new URLSearchParams(location.hash.slice(1)).get(KEY);
      if (!asked) return;
      box.value = asked;
      update();
    };
    clear.addEventListener("click", () => {
      box.value = "";
      update();
      box.focus();
    });
    box.addEventListener("input", update);
    addEventListener("hashchange", take);
    holder.append(make("div", { className: "heuristic-found" }, told, clear), found, more);
    update();
    take();
  };

  for (const holder of document.querySelectorAll(".heuristic-paste")) {
    const link = holder.querySelector("a[href]");
    if (holder.dataset.known) search(holder);
    else if (link) lead(holder, link);
    holder.hidden = false;
  }
})();
