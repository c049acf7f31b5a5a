/* The box for a text: on the page of messages, what evidence/pasted.py does; elsewhere it leads there. */
"use strict";
(() => {
  const translated = JSON.parse(document.currentScript.dataset.words ?? "{}");
  const say = (said, value) => (translated[said] ?? said).replace("%s", () => value);
  const sum = (values) => values.reduce((all, value) => all + value, 0);
  const replaced = (text, pairs) =>
    pairs.reduce((rest, [pattern, instead]) => rest.replace(new RegExp(pattern, "gmu"), instead), text);

  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  /* Long names may be divided after a dot, a colon or an underscore. */
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
      /* No browser sends what is behind the number sign. */
      location.href = `${link.href.split("#")[0]}#error=${encodeURIComponent(box.value)}`;
    });
    /* Enter asks: a pasted text has its line ends. */
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    holder.append(form);
  };

  let shared;

  const spaced = (text) => ` ${(text.toLowerCase().match(/[a-z0-9_]+|[^\x00-\x7f]/gu) ?? []).join(" ")} `;

  const stemmed = new Map();
  const stem = (word) => stemmed.get(word) ?? stemmed.set(word, replaced(word, shared.endings)).get(word);
  const stems = (text) => {
    const words = text.toLowerCase().match(/[0-9]*[a-z][a-z0-9]+|[^\x00-\x7f]/gu) ?? [];
    return [...new Set(words.filter((word) => !shared.stop.includes(word)).map(stem))];
  };

  /* The code that raised exceptions, and the text without frames. */
  const traced = (text) => {
    const code = [];
    const said = text.replace(new RegExp(shared.frames, "gmu"), (frames, last, at) => {
      if (at + frames.length < text.length) code.push(...replaced(last, [[shared.running, ""]]).split("\n"));
      return "";
    });
    return [code, said];
  };

  /* How many characters of a text a message explains. */
  const fit = ([[kind], pieces, equal], text) => {
    const { least, long } = shared;
    const part = text.slice(text.startsWith(`${kind}: `) && kind.length + 2);
    if (part.length >= least && part.includes(" ") && pieces.some((piece) => piece.includes(part))) return part.length;
    /* most are not there at all */
    if (!text.includes(pieces[0].slice(0, least))) return 0;
    let [at, size, last] = [0, 0, 0];
    const putIn = [];
    for (const piece of pieces) {
      const found = text.indexOf(piece, at);
      if (found < 0) {
        const rest = text.slice(at);
        const sentence = piece.slice(0, piece.indexOf(". ") + 1);
        if (sentence.length >= long && rest.includes(sentence)) return size + sentence.length;
        const begun = rest.slice(rest.lastIndexOf(piece.slice(0, least)));
        const enough = Math.max(least, Math.min(long, piece.length / 2));
        if (begun.length >= enough && piece.startsWith(begun)) return size + begun.length;
        return last >= long ? size : 0;
      }
      putIn.push(text.slice(at, found).trim());
      at = found + piece.trimEnd().length;
      size += last = piece.length;
    }
    const numbers = equal.map((gaps) => gaps.map((gap) => putIn[gap])).filter((values) => new Set(values).size === 1);
    return size + numbers.flat().join("").length;
  };

  /* How much a section's best message explains of a text, and the paragraph or the row that it is in. */
  const saidIn = (passages, text, words) => {
    const fitting = passages.flatMap(([said, messages, own]) =>
      messages.flatMap((message) => {
        const size = fit(message, text);
        const whole = Math.min(text.length, sum(message[1].map((piece) => piece.length)));
        const shares = () => words.filter((word) => own.has(word)).length;
        return size && size >= shared.least_said * whole ? [[size, shares(), said]] : [];
      }),
    );
    const better = ([size, count], [other, others]) => other - size || others - count;
    const [size, , block] = fitting.sort(better)[0] ?? [0, 0, ""];
    return [size, block];
  };

  const answer = ([uri, title, note, messages, keywords, code], text, words, ran) => {
    const sizes = messages.map((message) => [fit(message, text), ...message]).filter(([size]) => size);
    const fitting = sizes.sort(([size], [other]) => other - size);
    const run = code.filter(([, line]) => ran.includes(line));
    const within = keywords.filter(([, spaced]) => spaced.trim() && words.includes(spaced));
    const reported = within.filter(([, one]) => !within.some(([, other]) => other !== one && other.includes(one)));
    const size = Math.max(fitting[0]?.[0] ?? 0, ...run.map(([line]) => line.length));
    const isKnown = size || reported.length > 1 || reported.some(([, , isMessage]) => isMessage);
    const length = sum(reported.map(([text]) => text.length));
    return { uri, title, note, fitting, run, reported, isKnown, size, length };
  };

  const item = (href, title, ...lines) => [
    make("dt", {}, make("a", { href }, title)),
    make("dd", {}, ...lines.filter(String).map((line) => make("p", {}, ...line))),
  ];
  const shown = ({ uri, title, note, fitting, run, reported }) => {
    const line = (how, kind, text) => [`${say(how)} ${kind && kind + ": "}`, make("code", {}, text)];
    const how = ["Quoted in the source:", "Shown on the page:"];
    const lines = fitting.map(([, message, , , isShown]) => line(how[+isShown], ...message));
    lines.push(...run.map(([code]) => line("Quoted from where it was raised:", "", code)));
    if (reported.length) lines.push([say("Reported by users:"), " ", reported.map(([text]) => text).join(", ")]);
    return item(uri, title, [note], ...lines);
  };

  const search = (holder) => {
    const [known, sections, data, searchPage] = JSON.parse(holder.dataset.known);
    shared = data;
    const having = known.map(
      (one) => new Map(one[6].flatMap((texts, kind) => texts.split(" ").map((stem) => [stem, data.weights[kind]]))),
    );

    /* The texts of each section, its title first, with their words; and in how many texts a word is. */
    const often = new Map();
    let texts;
    const read = () => {
      const withWords = ([said, messages]) => [said, messages, new Set(stems(said))];
      texts = sections.map(([, , own, , , passages]) => [["", [], new Set(own)], ...passages.map(withWords)]);
      for (const [, , own] of texts.flat()) own.forEach((word) => often.set(word, (often.get(word) ?? 0) + 1));
    };

    /* The section's text that is most like these words, and how much. */
    const alike = (own, words, rarity) => {
      const asks = rarity(words);
      let best = ["", 0];
      for (const [said, , has] of own) {
        const both = words.filter((word) => has.has(word));
        const size = both.length > 1 && rarity(both) / Math.sqrt(asks * rarity([...has]));
        if (size > best[1]) best = [said, size];
      }
      return best;
    };

    const guess = (text, said, answers) => {
      if (!texts) read();
      const words = stems(said);
      const asked = stems(text);
      const counts = words.map((stem) => having.map((one) => one.get(stem) ?? 0));
      const weights = counts.map((all) => Math.log((known.length + 1) / Math.max(1, sum(all))));
      const total = sum(weights) || 1;
      const share = (count) => sum(weights.map((weight, at) => weight * count(at))) / total;
      const shares = known.map((_one, at) => share((word) => counts[word][at]));
      const enough = Math.min(shared.least_shared, words.length);
      const rated = known.map(([uri, title, note], at) => {
        const isEnough = sum(counts.map((all) => all[at])) >= enough;
        return [uri, title, note, isEnough && !answers[at].isKnown && shares[at], 0];
      });
      for (const [at, [uri, title, own, members, isSymptom]] of sections.entries()) {
        const isEnough = words.filter((word) => own.includes(word)).length >= (isSymptom ? 1 : enough);
        const named = share((word) => own.includes(words[word]));
        const best = members.map((at) => shares[at]).sort((one, other) => other - one);
        const [size, block] = saidIn(texts[at], text, asked);
        const rate = isEnough && named + sum(best.slice(0, 2)) / 2;
        rated.push([uri, title, block, size || rate, +!isSymptom]);
      }
      const left = [...shared.most];
      const byRate = (one, other) => other[3] - one[3];
      const found = rated.sort(byRate).filter(([, , , rate, kind]) => rate >= shared.least_share && left[kind]-- > 0);
      const whole = Math.log(texts.flat().length + 1);
      const rarity = (them) => sum(them.map((word) => whole - Math.log(often.get(word) ?? 1)));
      const alikes = sections
        .map(([uri, title], at) => [uri, title, ...alike(texts[at], words, rarity)])
        .filter(([, , , size]) => size >= shared.least_alike);
      const withText = ([uri, title, note]) => [uri, title, note || alikes.find((one) => one[0] === uri)?.[2] || ""];
      const others = alikes.filter(([uri]) => !found.some((one) => one[0] === uri));
      return [...found.map(withText), ...others.sort(byRate).slice(0, left[2])];
    };

    const rest = [...document.querySelectorAll(".heuristic-messages")];
    const told = make("p", { className: "heuristic-count", role: "status" });
    const clear = make("button", { type: "button", className: "heuristic-reset" }, say("Show all"));
    const found = make("dl", { className: "heuristic-answers" });
    const more = make("div", { className: "heuristic-perhaps" });
    const box = makeBox(holder, 3);
    rest.forEach(divide);

    const update = () => {
      const cleaned = replaced(box.value, shared.noise).trim();
      const text = cleaned.replaceAll("\n", " ");
      const [ran, said] = traced(`${cleaned}\n`);
      const all = known.map((one) => answer(one, text, spaced(text), ran));
      const best = all
        .filter((one) => text && one.isKnown)
        .sort((one, other) => other.size - one.size || other.length - one.length);
      const may = text ? guess(text, said, all) : [];
      const none = text ? "No heuristic knows of this text." : "The text stays in your browser.";
      const several = "%s heuristics know of this text, the best first:";
      told.textContent = say([none, "1 heuristic knows of this text:"][best.length] ?? several, best.length);
      found.replaceChildren(...best.flatMap(shown));
      const isNothing = text && !best.length && !may.length;
      const these = ["Is it one of these?", sections.filter((it) => it[4])];
      const [head, offered] = isNothing ? these : ["Perhaps:", may];
      const items = offered.flatMap(([uri, title, note]) => item(uri, title, [isNothing ? "" : note]));
      const link = isNothing ? make("a", { href: searchPage }, say("Search this site")) : "";
      more.replaceChildren(make("p", {}, offered.length ? say(head) : ""), make("dl", {}, ...items), make("p", {}, link));
      divide(holder);
      for (const one of rest) one.hidden = Boolean(text);
      clear.hidden = !text;
    };

    const take = () => {
      const asked = new URLSearchParams(location.hash.slice(1)).get("error");
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
