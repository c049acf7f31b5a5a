/* Which heuristics and sections answer a text: those that know its message first, then the others by BM25.
   Nothing here knows of a page: box.js shows the answers, and the tests run this file alone. */
"use strict";
globalThis.heuristicsAsk = (() => {
  /* Of a longer text the end counts: the error is there. */
  const MOST_LETTERS = 50000;
  const MOST_ANSWERS = 7;

  const sum = (values) => values.reduce((all, value) => all + value, 0);
  const byScore = (one, other) => other.score - one.score;

  /* -- words ---------------------------------------------------------------------------------- */

  /* A word is a run of letters and digits, or one character of a script without spaces. */
  const ALONE = "\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Thai}";
  const WORD = new RegExp(`[${ALONE}]|(?:(?![${ALONE}])(?:[\\p{L}\\p{M}\\p{N}_]|(?<=\\p{L})'(?=\\p{L})))+`, "gu");
  const IS_WORD = new RegExp(`\\p{L}.|[${ALONE}]|.\\p{L}|^\\p{N}{3,}$`, "u");
  const HYPHENED = /(?<![\p{L}\p{M}\p{N}])[\p{L}\p{M}\p{N}]+(?:[-\u2010\u2011][\p{L}\p{M}\p{N}]+)+/gu;
  const HYPHEN = /[-\u2010\u2011]/g;
  const NUMBERED = /(?<![\p{L}\p{N}_.])\p{N}{1,4} \p{L}+/gu;

  /* Return what makes the words of a text: stemmed, and without those that say nothing. */
  const reader = (stop, stemmer) => {
    const stopped = new Set(stop);
    const stems = new Map();
    const stem = (word) => {
      if (!stems.has(word)) stems.set(word, stemmer.stemWord(word));
      return stems.get(word);
    };
    return (text) => {
      const lower = text.toLowerCase().replaceAll("\u2019", "'");
      /* what one writes with a hyphen or, after a number, with a space, another writes as one word */
      const apart = [...(lower.match(HYPHENED) ?? []), ...(lower.match(NUMBERED) ?? [])];
      const joined = apart.map((word) => word.replace(HYPHEN, "").replace(" ", ""));
      const words = [...(lower.match(WORD) ?? []), ...joined];
      const parts = words.flatMap((word) => (word.includes("_") ? [word, ...word.split("_")] : word));
      return parts.filter((word) => IS_WORD.test(word) && !stopped.has(word)).map(stem);
    };
  };

  /* -- a text without what tools and pages add ------------------------------------------------ */

  const NOISE = [
    /* colors, with or without the escape character, which many pages drop */
    [/\x1b\[[0-?]{0,20}[ -/]{0,5}[@-~]|\[\d{1,3}(?:;\d{1,3}){0,5}m/g, ""],
    /* progress bars, and the borders of boxes */
    [/\d{1,3}%\|[^|\n]{0,200}\|[^\]\n]{0,100}\]|[\u2500-\u259f]/g, " "],
    /* quotation marks, also escaped, but no apostrophe */
    [/\\?(?:[`"\u2018\u201a-\u201f]|(?<!\p{L})['\u2019]|['\u2019](?!\p{L}))/gu, ""],
  ];
  /* Quotation marks of mails, and ranks, as `[rank0]:` and `[1,0]<stderr>:`. */
  const BEFORE = /^(?:(?:>|\[[A-Za-z_,0-9]{0,20}[0-9]\](?:<[a-z]{1,10}>)?:?) ?)+/;
  /* What a traceback says beside frames and exceptions. */
  const BESIDE = /^(?:Traceback \(most recent|During handling of the above|The above exception was)|^[~^ ]+$/;

  const linesOf = (text) => {
    const cleaned = NOISE.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), text);
    const folded = (line) => line.split(/[\s\u200b\ufeff]+/).filter(Boolean).join(" ");
    const lines = cleaned.split(/[\n\r\u2028\u2029]/).map((line) => folded(line).replace(BEFORE, ""));
    return lines.filter((line) => line && !BESIDE.test(line));
  };
  const plain = (text) => linesOf(text).join(" ");

  /* -- a traceback ------------------------------------------------------------------------------ */

  const FRAME = /^(?:File .{0,1000}(?:, line \d|:\d)|Cell In|\S{1,1000}\.py\S{0,80} in )/;
  const RAISED = /^(?:\w{1,80}\.){0,10}[A-Z]\w{1,80}(?::|$)/;
  /* What is before the line that runs, where the lines around it are shown, too. */
  const RUNNING = /^(?:-+>|\u276f|\u2771) ?\d{1,6} /;

  /* The lines of a text without frames, and the code in the innermost frame of each exception. */
  const traced = (text) => {
    const [said, code] = [[], new Set()];
    let frame = null;
    for (const line of linesOf(text)) {
      if (FRAME.test(line)) {
        frame = [];
      } else if (frame && RAISED.test(line)) {
        for (const one of frame) code.add(one.replace(RUNNING, ""));
        frame = null;
        said.push(line);
      } else {
        (frame ?? said).push(line);
      }
    }
    return { said: [...said, ...(frame ?? [])], code };
  };

  /* -- messages ------------------------------------------------------------------------------- */

  /* Fewer fixed letters are a message only with its kind in front of them, or where an author says so. */
  const LEAST_LETTERS = 20;
  /* Of the lines that a known message is in, as much must be its own. */
  const LEAST_EXPLAINED = 0.66;
  /* What stands for anything: dots, and numbers. */
  const ANYTHING = /\[?(?:\.{3}|\u2026)\]?|(?<![\p{L}\p{N}_])\d+(?:\.\d+)*(?![\p{L}\p{N}_])/gu;
  const KIND = /^((?:\w{1,80}\.){0,10}\w{0,80}(?:Error|Exception|Warning)): (.+)/s;
  /* What is before a message in its line, its kind included. */
  const BEFORE_MESSAGE = /^.*(?:(?:Error|Exception|Warning)|:\d{1,6}): ?/s;

  const says = (part) => /[\p{L}\p{N}]/u.test(part);
  const lengthOf = (parts) => sum(parts.map((part) => part.length));

  /* A message as a text is compared with it: its fixed parts in their order. */
  const prepared = ([given, written, how]) => {
    const [, kind, text] = (!given && KIND.exec(written)) || [written, given, written];
    const parts = plain(text).split(ANYTHING).map((part) => part.trim());
    const pieces = parts.filter(says);
    if (kind && says(parts[0]) && lengthOf(pieces) < LEAST_LETTERS) pieces[0] = `${kind}: ${pieces[0]}`;
    const size = lengthOf(pieces);
    const isNamed = kind && pieces[0]?.startsWith(`${kind}: `);
    const isShort = size < LEAST_LETTERS && !isNamed && how !== "reported";
    return { kind, text, how, pieces: isShort ? [] : pieces, opens: !says(parts[0]), closes: !says(parts.at(-1)) };
  };

  /* How many letters of a piece there are where a text ends within it; three words at least. */
  const cutOff = (piece, text, from) => {
    const at = text.lastIndexOf(piece.slice(0, LEAST_LETTERS));
    const begun = at < from ? "" : text.slice(at);
    const isEnough = begun.length >= LEAST_LETTERS && begun.split(" ").length > 2;
    return isEnough && piece.startsWith(begun) ? begun.length : 0;
  };

  /* Where a message is in a text of one line, and how many letters of it are fixed parts; null if it is not there. */
  const fit = ({ pieces }, text) => {
    let [start, end, fixed] = [-1, 0, 0];
    for (const piece of pieces) {
      const at = text.indexOf(piece, end);
      if (at < 0) {
        const cut = cutOff(piece, text, end);
        if (!cut) return null;
        if (start < 0) start = text.length - cut;
        return { start, end: text.length, fixed: fixed + cut };
      }
      if (start < 0) start = at;
      end = at + piece.length;
      fixed += piece.length;
    }
    return start < 0 ? null : { start, end, fixed };
  };

  /* How much a message explains of the lines that it is in, but for its kind and what is put in: 0 to 1. */
  const explained = ({ opens, closes }, { start, end, fixed }, lines) => {
    let [from, before, last] = [0, -1, 0];
    for (const line of lines) {
      const to = from + line.length;
      if (before < 0 && start < to) before = line.slice(0, start - from).replace(BEFORE_MESSAGE, "").length;
      if (from < end) last = to;
      from = to + 1;
    }
    const around = (opens ? 0 : before) + (closes ? 0 : last - end);
    return fixed / (fixed + around);
  };

  /* What a page prints in a line: the kind and the text of an error or a warning. */
  const PRINTED = /^(?:\S{1,1000}: )?((?:\w{1,80}\.){0,10}\w{0,80}(?:Error|Exception|Warning)): ?(.+)/;
  /* In output, a quoted name stands for any. */
  const NAME = /(?<![\p{L}\p{N}_])(['"`])[^'"`\n]{1,200}\1/gu;
  const printed = (output) => {
    const found = output.split("\n").map((line) => PRINTED.exec(line.trim())).filter(Boolean);
    return found.map(([, kind, text]) => [kind, text.replace(NAME, "…"), "shown"]);
  };
  /* In a passage, code of several words may be a message. */
  const LEAST_WORDS = 4;
  const inCode = (passage) => {
    const code = passage.flatMap((cell) => textOf(cell).split(CODE).filter((_, at) => at % 2));
    const isLong = (one) => one.includes(": ") || one.split(" ").length >= LEAST_WORDS;
    return code.filter(isLong).map((one) => ["", one, "passage"]);
  };

  /* -- the index ------------------------------------------------------------------------------ */

  /* What is around code in a text of the data. A passage has a cell, or those of a row, each with the head above it. */
  const CODE = "\x7f";
  const textOf = (cell) => (typeof cell === "string" ? cell : cell[1]);
  const withoutCode = (passage) => passage.map(textOf).join("\n").replaceAll(CODE, "");

  /* What a word counts in a title, in keywords, in a note or a message, and in the text; and the two constants of
     BM25: how soon more of a word counts no more, and how much a word of a long text counts less. */
  const WEIGHTS = [6, 4, 2, 1];
  const [SATURATION, LENGTH] = [5, 0.5];
  /* Of the words of a text, weighed by their rarity, so much must be found; of a long text, of its rarest ten. */
  const LEAST_FOUND = 0.15;
  const MOST_WORDS = 10;

  /* Return the index of what answers. *items* are heuristics and sections, *stop* are the words that say nothing, and
     *stemmer* is that of Sphinx's search. */
  const build = ({ items, stop }, stemmer) => {
    const read = reader(stop, stemmer);
    const messages = items.map((one) => {
      const shown = one.outputs.flatMap(printed);
      const all = [...one.messages, ...shown, ...one.passages.flatMap(inCode)].map(prepared);
      const byPieces = new Map(all.reverse().map((message) => [message.pieces.join("\n"), message]));
      return [...byPieces.values()].reverse();
    });
    const fields = items.map(({ title, note, keywords, passages }, at) => {
      const said = [note, ...messages[at].map(({ text }) => text)];
      const texts = [[title], keywords, said, passages.map(withoutCode)];
      return texts.map((them) => read(them.join("\n").replaceAll(CODE, "")));
    });
    const usual = WEIGHTS.map((_, field) => {
      const lengths = fields.map((each) => each[field].length).filter(Boolean);
      return sum(lengths) / (lengths.length || 1);
    });
    /* word → item → how often it has the word, each field by its weight and its length */
    const counts = new Map();
    for (const [at, each] of fields.entries()) {
      for (const [field, words] of each.entries()) {
        const count = WEIGHTS[field] / (1 - LENGTH + (LENGTH * words.length) / usual[field]);
        for (const word of words) {
          if (!counts.has(word)) counts.set(word, new Map());
          const having = counts.get(word);
          having.set(at, (having.get(at) ?? 0) + count);
        }
      }
    }
    const code = items.map((one) => one.code.map((line) => [line, plain(line)]));
    const titles = items.map(({ title }) => [...new Set(read(plain(title.replaceAll(CODE, ""))))].join(" "));
    return { items, read, counts, messages, code, titles, close: closest(counts) };
  };

  /* -- words that are misspelled ---------------------------------------------------------------- */

  const LEAST_TYPED = 5;
  const MOST_TYPED = 30;
  /* A word, and the word without each of its letters: what one letter more, less or other makes of it shares one. */
  const shortened = (word) => [word, ...Array.from(word, (_, at) => word.slice(0, at) + word.slice(at + 1))];

  /* Return what finds, for a word that no item has, the most frequent that differs in one letter. */
  const closest = (counts) => {
    const near = new Map();
    const isLong = (word) => word.length >= LEAST_TYPED && word.length <= MOST_TYPED;
    const often = (word) => counts.get(word)?.size ?? 0;
    for (const word of counts.keys()) {
      for (const part of isLong(word) ? shortened(word) : []) {
        if (often(word) > often(near.get(part))) near.set(part, word);
      }
    }
    return (word) => {
      if (counts.has(word) || !isLong(word)) return word;
      const found = shortened(word).flatMap((part) => near.get(part) ?? []);
      return found.sort((one, other) => often(other) - often(one))[0] ?? word;
    };
  };

  /* -- answers -------------------------------------------------------------------------------- */

  const rarity = ({ items, counts }, word) => {
    const having = counts.get(word)?.size ?? 0;
    return Math.log(1 + (items.length - having + 0.5) / (having + 0.5));
  };

  /* item → its score by BM25, as a part of the most that a text could have for these words */
  const ranked = (index, words) => {
    const scores = new Map();
    for (const word of words) {
      for (const [at, count] of index.counts.get(word) ?? []) {
        const score = (rarity(index, word) * count) / (SATURATION + count);
        scores.set(at, (scores.get(at) ?? 0) + score);
      }
    }
    const rarest = words.map((word) => rarity(index, word)).sort((one, other) => other - one);
    const whole = sum(rarest.slice(0, MOST_WORDS));
    return new Map([...scores].map(([at, score]) => [at, score / whole]));
  };

  /* The passage that has one of these messages, or of a section the one that says most of these words, if that is much;
     or else null. */
  const LEAST_SAID = 0.25;
  const passageOf = (index, { passages, severity }, words, messages) => {
    const inPassages = messages.filter(({ how }) => how === "passage");
    const rate = (passage) => {
      const text = withoutCode(passage);
      const has = new Set(index.read(text));
      const score = sum(words.filter((word) => has.has(word)).map((word) => rarity(index, word)));
      return { passage, score, isMeant: inPassages.some((message) => text.includes(message.text)) };
    };
    const rated = passages.map(rate).sort((one, other) => other.isMeant - one.isMeant || byScore(one, other));
    const least = LEAST_SAID * sum(words.map((word) => rarity(index, word)));
    const isShown = ({ isMeant, score }) => isMeant || (!severity && score >= least);
    return rated.length && isShown(rated[0]) ? rated[0].passage : null;
  };

  /* Return what answers a text, at most seven: the item, whether it is known to, the messages and the code by which
     it is, and the passage to read. What is known comes first, by a message of its own before one that it only tells
     of; of the same kind, what scores best. */
  const ask = (index, text) => {
    const { said, code } = traced(text.slice(-MOST_LETTERS));
    const line = said.join(" ").replace(/ ?(?:\.{3}|\u2026)$/, "");
    const isNumber = (word) => !/\D/.test(word);
    const read = index.read(said.join("\n")).map(index.close);
    const words = [...new Set(read.filter((word) => !isNumber(word) || index.counts.has(word)))];
    const asked = words.join(" ");
    const scores = ranked(index, words);
    const isMeant = (message) => {
      const place = fit(message, line);
      return place && explained(message, place, said) >= LEAST_EXPLAINED;
    };
    const found = index.items.map((_, at) => {
      const messages = index.messages[at].filter(isMeant);
      const run = index.code[at].filter(([, one]) => code.has(one)).map(([one]) => one);
      const isOwn = run.length > 0 || messages.some(({ how }) => how !== "passage");
      const known = isOwn ? 2 : Number(messages.length > 0);
      /* who asks for a title means it, however much others say of the same */
      const score = asked && asked === index.titles[at] ? 1 : (scores.get(at) ?? 0);
      return { at, known, messages, code: run, score };
    });
    const answers = found.filter(({ known, score }) => known || score >= LEAST_FOUND);
    answers.sort((one, other) => other.known - one.known || byScore(one, other));
    return answers.slice(0, MOST_ANSWERS).map((answer) => {
      const { at, known, messages } = answer;
      const item = index.items[at];
      const passage = passageOf(index, item, words, messages);
      return { item, isKnown: known > 0, messages, code: answer.code, passage };
    });
  };

  return { build, ask, MOST_LETTERS };
})();
