// The search: names and column names at once, words of descriptions and code from the shards that a query needs.
(function () {
  "use strict";
  var lineal = window.lineal;
  var decoder = new TextDecoder();
  // What has a page of its own, then the columns; the letters of each, and how well it answers the query; which have which part.
  var entries = null, pages = 0, bits = null, rates = null, parts = [];
  var waiting = null, shards = {}, prefixes;
  var MOST = 200;
  var dialog, input, list, hint, shown = [], active = -1, asked = 0;

  function unpack(name) {
    return lineal.load(name).then(lineal.inflate).then(function (bytes) { return JSON.parse(decoder.decode(bytes)); });
  }

  function ready() {
    return (waiting = waiting || Promise.all([unpack("names"), unpack("columns")]).then(function (loaded) {
      prefixes = new Set(loaded[0].words);
      var names = loaded[0], urls = names.urls.split("\n");
      var packages = names.places.map(function (place) { return place.toLowerCase(); });
      entries = names.names.split("\n").map(function (name, at) {
        var place = names.places[names.place[at]];
        return {
          name: name, low: name.toLowerCase(), place: place, package: packages[names.place[at]], kind: names.kinds[names.kind[at]], of: "",
          mark: names.marks[names.mark[at]], url: urls[at] || "node/" + place + "/" + name + ".html"
        };
      });
      pages = entries.length;
      var found = loaded[1], single = 0;
      if (found.names !== "") found.names.split("\n").forEach(function (name, at) {
        var count = found.counts[at], only = count === 1 ? entries[found.only[single++]] : null;
        entries.push({
          name: name, low: name, place: "", package: "", kind: "column", of: only ? " of " + only.name : " in " + count + " relations",
          mark: "k-column", url: found.urls[at] || (only ? only.url + "#c-" + name : "column/" + name + ".html")
        });
      });
      bits = Int32Array.from(entries, function (entry) { return letters(entry.low); });
      rates = new Float32Array(entries.length);
      var known = new Map();
      entries.forEach(function (entry, at) {
        entry.low.split(/[^a-z0-9]+/).forEach(function (text) {
          var part = known.get(text);
          if (!part) { known.set(text, (part = { text: text, places: [] })); parts.push(part); }
          part.places.push(at);
        });
      });
    }));
  }

  // A bit for each letter; digits share one, all else, which ends a part of a name, another.
  var DIGIT = 1 << 26, BREAK = 1 << 27;
  function letter(code) {
    return code > 96 && code < 123 ? 1 << (code - 97) : code > 47 && code < 58 ? DIGIT : BREAK;
  }

  // Which letters a text has.
  function letters(text) {
    var bits = 0;
    for (var i = 0; i < text.length; i++) bits |= letter(text.charCodeAt(i));
    return bits;
  }

  // Each letter that a text lacks is a mistake at least.
  function lacks(bits, wanted, most) {
    for (var missing = wanted & ~bits; missing; missing &= missing - 1) if (most-- === 0) return true;
    return false;
  }

  // How well a text answers one word of the query: whole, its beginning, the beginning of a part, anywhere; 0: not at all.
  function exact(at, word, wanted) {
    if (wanted & ~bits[at]) return 0;
    var low = entries[at].low, found = low.indexOf(word);
    if (found < 0) return 0;
    if (low.length === word.length) return 100;
    if (found === 0) return 80 - Math.min(20, (low.length - word.length) / 2);
    return letter(low.charCodeAt(found - 1)) === BREAK ? 55 - Math.min(15, found / 4) : 30 - Math.min(10, found / 4);
  }

  // Further than any slip is forgiven.
  var FAR = 9;

  // Rows of a table of distances: that before the last one, the last one, this one.
  var rows = [0, 1, 2].map(function () { return new Uint8Array(256); });

  // Letters that differ, swapped neighbours counted once; FAR beyond `most`. `word` may be the beginning of `text`.
  function distance(text, word, most) {
    var before = rows[0], last = rows[1], row = rows[2], least = Infinity, j;
    for (j = 0; j <= text.length; j++) last[j] = j;
    for (var i = 1; i <= word.length; i++) {
      row[0] = least = i;
      for (j = 1; j <= text.length; j++) {
        var own = word.charCodeAt(i - 1), other = text.charCodeAt(j - 1);
        var value = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (own === other ? 0 : 1));
        if (i > 1 && j > 1 && own === text.charCodeAt(j - 2) && word.charCodeAt(i - 2) === other) value = Math.min(value, before[j - 2] + 1);
        row[j] = value;
        if (value < least) least = value;
      }
      if (least > most) return FAR;
      var free = before;
      before = last;
      last = row;
      row = free;
    }
    least = FAR;
    for (j = Math.max(0, word.length - most); j <= text.length; j++) least = Math.min(least, last[j]);
    return least > most ? FAR : least;
  }

  // How far a text's beginning is from a word that begins much like it.
  function near(text, word, wanted, most) {
    if (text.charCodeAt(0) !== word.charCodeAt(0) && text.charCodeAt(1) !== word.charCodeAt(1)) return FAR;
    var begin = text.slice(0, word.length + most);
    return lacks(letters(begin), wanted, most) ? FAR : distance(begin, word, most);
  }

  // How far each text is from a word that may have mistakes in it: the text, or a part of it, may begin with the word.
  function slips(word) {
    var most = word.length < 4 ? 0 : word.length < 8 ? 1 : 2, wanted = letters(word);
    var far = new Uint8Array(entries.length).fill(FAR);
    if (!most) return far;
    for (var p = 0; p < parts.length; p++) {
      var steps = parts[p].text.length < word.length - most ? FAR : near(parts[p].text, word, wanted, most), places = parts[p].places;
      if (steps < FAR) for (var i = 0; i < places.length; i++) if (steps < far[places[i]]) far[places[i]] = steps;
    }
    for (var at = 0; at < entries.length; at++) {
      if (lacks(bits[at], wanted, most)) continue;
      steps = near(entries[at].low, word, wanted, most);
      if (steps < far[at]) far[at] = steps;
    }
    return far;
  }

  // Rates all that has no rate yet; how many have one now. What has a page of its own comes before columns.
  function rate(words, mistakes, weight) {
    var wanted = words.map(letters), far = mistakes && words.map(slips), again = mistakes && words.length === 1, count = 0;
    for (var at = 0; at < entries.length; at++) {
      if (rates[at]) continue;
      var total = 0;
      for (var w = 0; w < words.length; w++) {
        // What one word is exactly has its rate by now.
        var value = again ? 0 : exact(at, words[w], wanted[w]);
        if (!value && mistakes && far[w][at] < FAR) value = 20 - far[w][at] * 5;
        // A word may also name the kind or the package.
        if (!value && words.length > 1 && (entries[at].kind.startsWith(words[w]) || entries[at].package === words[w])) value = 10;
        if (!value) { total = 0; break; }
        total += value;
      }
      if (!total) continue;
      rates[at] = total / words.length + (at < pages ? weight : 0);
      count++;
    }
    return count;
  }

  function search(text) {
    var words = text.toLowerCase().split(/\s+/).filter(Boolean).map(function (word) { return word.slice(0, 200); });
    if (!words.length) return [];
    // Short words first: they are the quickest to be told missing.
    words.sort(function (a, b) { return a.length - b.length; });
    rates.fill(0);
    if (rate(words, false, 5) < 6) rate(words, true, 1);
    // Where there are very many, sorting those that nobody gets to see would take longer than finding them.
    var counts = new Int32Array(112), least = counts.length, above = 0, found = [];
    for (var at = 0; at < rates.length; at++) counts[Math.ceil(rates[at])]++;
    while (least > 1 && above < MOST) above += counts[--least];
    for (at = 0; at < rates.length; at++) if (rates[at] > least - 1) found.push({ entry: entries[at], score: rates[at], note: "" });
    return sorted(found);
  }

  // The best first.
  function sorted(found) {
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
      kind.textContent = [hit.entry.kind + hit.entry.of, hit.entry.place !== document.querySelector(".brand").textContent ? hit.entry.place : "", hit.note].filter(Boolean).join(" · ");
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
