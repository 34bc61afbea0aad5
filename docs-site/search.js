// The search: names and column names at once, words of descriptions and code from the shards that a query needs.
(function () {
  "use strict";
  var lineal = window.lineal;
  var decoder = new TextDecoder();
  var entries = null, columns = null, waiting = null, shards = {}, prefixes;
  var MOST = 200;
  var dialog, input, list, hint, shown = [], active = -1, asked = 0;

  function unpack(name) {
    return lineal.load(name).then(lineal.inflate).then(function (bytes) { return JSON.parse(decoder.decode(bytes)); });
  }

  function ready() {
    return (waiting = waiting || Promise.all([unpack("names"), unpack("columns")]).then(function (loaded) {
      prefixes = new Set(loaded[0].words);
      var names = loaded[0], urls = names.urls.split("\n");
      entries = names.names.split("\n").map(function (name, at) {
        var place = names.places[names.place[at]];
        return split({
          name: name, low: name.toLowerCase(), place: place, kind: names.kinds[names.kind[at]],
          mark: names.marks[names.mark[at]], url: urls[at] || "node/" + place + "/" + name + ".html"
        });
      });
      var found = loaded[1], single = 0;
      columns = found.names === "" ? [] : found.names.split("\n").map(function (name, at) {
        var count = found.counts[at], only = count === 1 ? entries[found.only[single++]] : null;
        return split({
          name: name, low: name, kind: only ? "column of " + only.name : "column in " + count + " relations", place: "",
          mark: "k-column", url: found.urls[at] || (only ? only.url + "#c-" + name : "column/" + name + ".html")
        });
      });
    }));
  }

  // Which letters a text has, a bit for each; digits share one, all others another.
  function letters(text) {
    var bits = 0;
    for (var i = 0; i < text.length; i++) {
      var code = text.charCodeAt(i);
      bits |= code > 96 && code < 123 ? 1 << (code - 97) : code > 47 && code < 58 ? 1 << 26 : 1 << 27;
    }
    return bits;
  }

  // Adds a name's parts to it, and the letters of each and of all.
  function split(entry) {
    entry.parts = entry.low.split(/[^a-z0-9]+/);
    entry.bits = entry.parts.map(letters);
    entry.letters = letters(entry.low);
    return entry;
  }

  // Each letter that a text lacks is a mistake at least.
  function lacks(bits, wanted, most) {
    for (var missing = wanted & ~bits; missing; missing &= missing - 1) if (most-- === 0) return true;
    return false;
  }

  // How well a text answers one word of the query: whole, its beginning, the beginning of a part, anywhere; 0: not at all.
  function score(entry, word, wanted) {
    if (wanted & ~entry.letters) return 0;
    var low = entry.low, at = low.indexOf(word);
    if (at < 0) return 0;
    if (low.length === word.length) return 100;
    if (at === 0) return 80 - Math.min(20, (low.length - word.length) / 2);
    if (/[^a-z0-9]/.test(low[at - 1])) return 55 - Math.min(15, at / 4);
    return 30 - Math.min(10, at / 4);
  }

  // Letters that differ, swapped neighbours counted once; Infinity beyond `most`. `word` may be the beginning of `text`.
  function distance(text, word, most) {
    var before = null, last = [], row = [];
    for (var j = 0; j <= text.length; j++) last[j] = j;
    for (var i = 1; i <= word.length; i++) {
      row = [i];
      var best = i;
      for (j = 1; j <= text.length; j++) {
        var cost = word[i - 1] === text[j - 1] ? 0 : 1;
        var value = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost);
        if (before && j > 1 && word[i - 1] === text[j - 2] && word[i - 2] === text[j - 1]) value = Math.min(value, before[j - 2] + 1);
        row[j] = value;
        if (value < best) best = value;
      }
      if (best > most) return Infinity;
      before = last;
      last = row;
    }
    return Math.min.apply(null, last.slice(Math.max(0, word.length - most)));
  }

  function fuzzy(entry, word, wanted) {
    var most = word.length < 4 ? 0 : word.length < 8 ? 1 : 2, best = Infinity;
    if (!most || lacks(entry.letters, wanted, most)) return 0;
    function near(text) { best = Math.min(best, distance(text.slice(0, word.length + most), word, most)); }
    entry.parts.forEach(function (part, at) {
      if (part.length < word.length - most || (part[0] !== word[0] && part[1] !== word[1])) return;
      if (!lacks(entry.bits[at], wanted, most)) near(part);
    });
    if (entry.parts.length > 1 && !lacks(letters(entry.low.slice(0, word.length + most)), wanted, most)) near(entry.low);
    return best === Infinity ? 0 : 20 - best * 5;
  }

  function find(from, words, by, into, weight) {
    var wanted = words.map(letters);
    for (var i = 0; i < from.length; i++) {
      var total = 0, entry = from[i];
      for (var w = 0; w < words.length; w++) {
        var value = by(entry, words[w], wanted[w]);
        // A word may also name the kind or the package.
        if (!value && words.length > 1 && (entry.kind.indexOf(words[w]) === 0 || entry.place.toLowerCase() === words[w])) value = 10;
        if (!value) { total = 0; break; }
        total += value;
      }
      if (total) into.push({ entry: entry, score: total / words.length + weight, note: "" });
    }
  }

  function search(text) {
    var words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    // `raw.orders` or `orders.id` as one word: sources are named so.
    var found = [];
    find(entries, words, score, found, 5);
    find(columns, words, score, found, 0);
    if (found.length < 6) {
      var near = [], known = new Set(found.map(function (hit) { return hit.entry; }));
      find(entries, words, fuzzy, near, 1);
      find(columns, words, fuzzy, near, 0);
      found = found.concat(near.filter(function (hit) { return !known.has(hit.entry); }));
    }
    return sorted(found);
  }

  // The best first. Where there are very many, sorting those that nobody gets to see would take longer than finding them.
  function sorted(found) {
    if (found.length > MOST) {
      var counts = new Int32Array(200), least = counts.length, above = 0;
      var step = function (hit) { return Math.floor(hit.score) + 50; };
      for (var i = 0; i < found.length; i++) counts[step(found[i])]++;
      while (least > 0 && above < MOST) above += counts[--least];
      found = found.filter(function (hit) { return step(hit) >= least; });
    }
    return found.sort(function (a, b) { return b.score - a.score || (a.entry.low < b.entry.low ? -1 : 1); });
  }

  // Nodes whose description or code has all words.
  function texts(text) {
    var words = text.toLowerCase().split(/[^\p{L}\p{N}_]+/u).filter(function (word) { return word.length > 2; });
    if (!words.length) return Promise.resolve([]);
    return Promise.all(words.map(function (word) {
      var prefix = /^[a-z0-9]{2}/.test(word) ? word.slice(0, 2) : "other";
      shards[prefix] = shards[prefix] || (prefixes.has(prefix) ? unpack("words/" + prefix) : Promise.resolve({ text: {}, code: {} }));
      return shards[prefix].then(function (shard) {
        var hits = new Map();
        [["code", "in its code"], ["text", "in its description"]].forEach(function (kind) {
          Object.keys(shard[kind[0]]).forEach(function (known) {
            if (known.indexOf(word) !== 0) return;
            shard[kind[0]][known].forEach(function (at) { hits.set(at, kind[1]); });
          });
        });
        return hits;
      });
    })).then(function (all) {
      var out = [];
      all[0].forEach(function (note, at) {
        if (all.every(function (hits) { return hits.has(at); })) out.push({ entry: entries[at], score: note === "in its code" ? 1 : 2, note: note });
      });
      return sorted(out);
    });
  }

  function build() {
    dialog = document.createElement("dialog");
    dialog.className = "search";
    dialog.setAttribute("aria-label", "Search");
    dialog.innerHTML = '<input type="text" role="combobox" aria-expanded="false" aria-controls="hits" aria-autocomplete="list" aria-label="Search models, columns, tags, text" placeholder="Search models, columns, tags, text…" autocomplete="off" spellcheck="false" maxlength="200"><div id="hits" role="listbox" aria-label="Results"></div><p class="hint"></p>';
    document.body.append(dialog);
    input = dialog.querySelector("input");
    list = dialog.querySelector("#hits");
    hint = dialog.querySelector(".hint");
    input.addEventListener("input", run);
    dialog.addEventListener("click", function (event) { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener("keydown", function (event) {
      var step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
      if (step && shown.length) {
        event.preventDefault();
        select(Math.max(0, Math.min(shown.length - 1, active + step)));
      } else if (event.key === "Enter" && active >= 0) {
        event.preventDefault();
        location.href = lineal.root + shown[active].entry.url;
        dialog.close();
      }
    });
  }

  function select(at) {
    active = at;
    for (var i = 0; i < list.children.length; i++) list.children[i].setAttribute("aria-selected", String(i === at));
    if (list.children[at]) {
      input.setAttribute("aria-activedescendant", list.children[at].id);
      list.children[at].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  }

  function highlighted(name, words) {
    var low = name.toLowerCase(), out = document.createElement("span"), at = -1, word = "";
    words.forEach(function (candidate) {
      if (at < 0 && candidate && low.indexOf(candidate) >= 0) { at = low.indexOf(candidate); word = candidate; }
    });
    if (at < 0) { out.textContent = name; return out; }
    var mark = document.createElement("mark");
    mark.textContent = name.slice(at, at + word.length);
    out.append(name.slice(0, at), mark, name.slice(at + word.length));
    return out;
  }

  function draw(hits, text) {
    var words = text.toLowerCase().split(/\s+/);
    shown = hits.slice(0, 40);
    list.replaceChildren.apply(list, shown.map(function (hit, at) {
      var row = document.createElement("a"), mark = document.createElement("span"), kind = document.createElement("small");
      row.href = lineal.root + hit.entry.url;
      row.id = "hit-" + at;
      row.tabIndex = -1;
      row.setAttribute("role", "option");
      mark.className = "mark " + hit.entry.mark;
      if (!hit.entry.mark) mark.className = "mark k-none";
      kind.textContent = [hit.entry.kind, hit.entry.place !== document.querySelector(".brand").textContent ? hit.entry.place : "", hit.note].filter(Boolean).join(" · ");
      row.append(mark, highlighted(hit.entry.name, words), kind);
      row.addEventListener("click", function () { dialog.close(); });
      return row;
    }));
    input.setAttribute("aria-expanded", String(shown.length > 0));
    select(shown.length ? 0 : -1);
    hint.textContent = !text.trim() ? "" : shown.length ? "" : "Nothing is called that, and no text has it.";
    if (text.trim()) lineal.say(shown.length === 1 ? "1 result" : (hits.length > 40 ? "more than 40" : shown.length) + " results");
  }

  function run() {
    var text = input.value, mine = ++asked;
    ready().then(function () {
      if (mine !== asked) return;
      var hits = search(text);
      if (hits.length) draw(hits, text);
      return texts(text).then(function (more) {
        if (mine !== asked) return;
        var known = new Set(hits.map(function (hit) { return hit.entry; }));
        draw(hits.slice(0, 30).concat(more.filter(function (hit) { return !known.has(hit.entry); })), text);
      });
    }).catch(function (error) { hint.textContent = "The search cannot be loaded: " + error.message; });
  }

  lineal.search = {
    open: function (text) {
      if (!dialog) build();
      if (!dialog.open) dialog.showModal();
      if (text !== undefined) input.value = text;
      input.select();
      run();
    },
    // For tests: the answers to a query, without the dialog.
    query: function (text) { return ready().then(function () { return search(text).map(function (hit) { return hit.entry; }); }); }
  };
})();
