// dbt's --select and --exclude, evaluated in the browser: operators, methods, patterns, unions and intersections.
(() => {
  "use strict";
  const lineal = (globalThis.lineal ||= {});
  const graph = (lineal.graph ||= {});

  const ELSEWHERE = {
    state: "compares two builds: use it on the command line, or look at the page of changes",
    result: "asks the last run: colour by test state instead",
    source_status: "asks the last freshness check: use it on the command line",
    selector: "names a definition of selectors.yml: use it on the command line",
    test_name: "chooses tests, which this graph leaves out: see the page of tests",
    test_type: "chooses tests, which this graph leaves out: see the page of tests",
    unit_test: "chooses tests, which this graph leaves out: see the page of tests",
  };

  // Python's fnmatch: * ? [abc] [!abc].
  function pattern(text) {
    if (!/[*?[\]]/.test(text)) return (value) => value === text;
    let source = "";
    for (let at = 0; at < text.length; at++) {
      const letter = text[at];
      if (letter === "*") source += ".*";
      else if (letter === "?") source += ".";
      else if (letter === "[") {
        const close = text.indexOf("]", at + (text[at + 1] === "!" ? 3 : 2));
        if (close < 0) source += "\\[";
        else {
          const inside = text.slice(at + 1, close).replace(/[\\\]^[]/g, "\\$&");
          source += inside[0] === "!" ? `[^${inside.slice(1)}]` : `[${inside}]`;
          at = close;
        }
      } else source += letter.replace(/[\\^$.|+(){}]/g, "\\$&");
    }
    const found = new RegExp(`^${source}$`, "su");
    return (value) => found.test(value);
  }
  const isPattern = (text) => /[*?[\]]/.test(text);

  // A node's own name, or the beginning of its qualified name, with or without the package.
  function fqnMatcher(g, value) {
    const parts = value.split(".");
    const wild = parts.findIndex(isPattern);
    const plain = wild < 0 ? parts.length : wild;
    const rest = wild < 0 ? null : pattern(parts.slice(wild).join("."));
    const whole = pattern(value);
    const begins = (fqn, leaf) => {
      const flat = fqn.flatMap((part) => part.split("."));
      for (let at = 0; at < plain; at++) if (flat[at] !== parts[at]) return false;
      if (!rest) return true;
      const left = flat.slice(plain);
      if (plain + left.length < parts.length) return false;
      return rest(left.join(".")) || (parts.length === 1 && leaf !== undefined && whole(leaf));
    };
    return (i) => {
      if (g.kind.of(i) === "source") return false;
      const fqn = g.fqn(i);
      const versioned = g.version.of(i) !== "";
      const last = fqn[fqn.length - 1];
      const name = versioned ? fqn[fqn.length - 2] : last;
      if (name === value) return true;
      if (versioned && parts.slice(-2).join("_") === `${name}_${last}`) return true;
      return begins(fqn, name) || begins(fqn.slice(1), name);
    };
  }

  function pathMatcher(g, value) {
    const parts = value.split("/").filter((part) => part && part !== ".");
    const folders = value.endsWith("/") || parts[parts.length - 1] === "**";
    const tests = parts.map((part) => (part === "**" ? null : pattern(part)));
    const names = (at, path, from) => {
      if (at === tests.length) return from === path.length;
      if (!tests[at]) {
        for (let skip = from; skip <= path.length; skip++) if (names(at + 1, path, skip)) return true;
        return false;
      }
      return from < path.length && tests[at](path[from]) && names(at + 1, path, from + 1);
    };
    const known = new Map();
    const folderMatches = (folder) => {
      if (!known.has(folder)) {
        const all = folder ? folder.split("/") : [];
        known.set(folder, Array.from({ length: all.length + 1 }, (_, n) => all.slice(0, n)).some((some) => names(0, some, 0)));
      }
      return known.get(folder);
    };
    const file = (path) => path && !folders && names(0, path.split("/"), 0);
    return (i) => file(g.path(i)) || file(g.patch.of(i)) || folderMatches(g.folder.of(i));
  }

  function configMatcher(g, keys, value) {
    const key = keys.join(".");
    const wanted = /^(true|false)$/i.test(value) ? value.toLowerCase() : value;
    const hits = g.config.lists.map((list) => list.some((entry) => entry === `${key}=${wanted}` || entry === `${key}=${value}`));
    return (i) => hits[g.config.at[i]];
  }

  // `name` or `package.name` of one kind.
  function named(g, kind, value) {
    const parts = value.split(".");
    if (parts.length > 2) throw new Error(`write ${kind}:name or ${kind}:package.name`);
    const [name, owner] = [pattern(parts[parts.length - 1]), pattern(parts.length > 1 ? parts[0] : "*")];
    return (i) => g.kind.of(i) === kind && owner(g.package.of(i)) && name(g.name[i]);
  }

  function source(g, value) {
    const parts = value.split(".");
    if (parts.length > 3) throw new Error("write source:name, source:name.table or source:package.name.table");
    const [owner, name, table] = parts.length === 3 ? parts : ["*", parts[0], parts[1] ?? "*"];
    const tests = [pattern(owner), pattern(name), pattern(table)];
    return (i) => {
      if (g.kind.of(i) !== "source") return false;
      const cut = g.name[i].indexOf(".");
      return tests[0](g.package.of(i)) && tests[1](g.name[i].slice(0, cut)) && tests[2](g.name[i].slice(cut + 1));
    };
  }

  const one = (column, value) => {
    const test = pattern(value);
    const hits = column.values.map((text) => text !== "" && test(text));
    return (i) => hits[column.at[i]];
  };

  const METHODS = {
    fqn: (g, value) => fqnMatcher(g, value),
    tag: (g, value) => {
      const test = pattern(value);
      const hits = g.tags.lists.map((list) => list.some(test));
      return (i) => hits[g.tags.at[i]];
    },
    group: (g, value) => one(g.group, value),
    access: (g, value) => one(g.access, value),
    source,
    path: (g, value) => pathMatcher(g, value),
    file: (g, value) => {
      const test = pattern(value);
      return (i) => test(g.file(i)) || test(g.file(i).replace(/(.)\.[^.]*$/, "$1"));
    },
    package: (g, value) => one(g.package, value === "this" ? g.project : value),
    config: (g, value, keys) => configMatcher(g, keys, value),
    resource_type: (g, value) => {
      if (value === "test" || value === "unit_test") throw new Error("tests are not part of this graph: see the page of tests");
      return (i) => g.kind.of(i) === value;
    },
    exposure: (g, value) => named(g, "exposure", value),
    metric: (g, value) => named(g, "metric", value),
    semantic_model: (g, value) => named(g, "semantic_model", value),
    saved_query: (g, value) => named(g, "saved_query", value),
    version: (g, value) => {
      if (!["latest", "prerelease", "old", "none"].includes(value)) throw new Error("a version is latest, prerelease, old or none");
      return (i) => (value === "none" ? g.kind.of(i) === "model" && !g.version.of(i) : g.version.of(i) === value);
    },
  };
  graph.methods = Object.keys(METHODS);

  const CRITERION = /^(?<at>@)?(?:(?<parents>\d*)\+)?(?:(?<method>[\p{L}\p{N}_.]+):)?(?<value>.*?)(?:\+(?<children>\d*))?$/su;

  graph.criterion = (text) => {
    const { at, parents, method, value, children } = CRITERION.exec(text).groups;
    const depth = (digits) => (digits === undefined ? null : digits === "" ? Infinity : Number(digits));
    return { text, at: Boolean(at), parents: depth(parents), children: depth(children), method, value };
  };

  function implied(value) {
    if (value.includes("/")) return "path";
    return /\.(sql|py|csv)$/i.test(value) ? "file" : "fqn";
  }

  function grow(g, set, side, depth) {
    const near = side === "up" ? g.parents : g.children;
    const found = new Set(set);
    let edge = [...set];
    for (let step = 0; edge.length && step < depth; step++) {
      const next = [];
      for (const node of edge) for (const other of near.of(node)) if (!found.has(other)) { found.add(other); next.push(other); }
      edge = next;
    }
    return found;
  }

  function evaluate(g, text) {
    const criterion = graph.criterion(text);
    const [method, ...keys] = (criterion.method ?? implied(criterion.value)).split(".");
    if (ELSEWHERE[method]) throw new Error(`${method}: ${ELSEWHERE[method]}`);
    if (!METHODS[method]) throw new Error(`${method}: is not a method; the methods are ${graph.methods.join(", ")}`);
    if (criterion.at && criterion.children !== null) throw new Error("@ takes all children already: leave the + behind it out");
    const matches = METHODS[method](g, criterion.value, keys);
    const direct = new Set();
    for (let i = 0; i < g.count; i++) if (matches(i)) direct.add(i);
    const all = new Set(direct);
    const add = (set) => set.forEach((node) => all.add(node));
    if (criterion.at) add(grow(g, grow(g, direct, "down", Infinity), "up", Infinity));
    if (criterion.parents !== null) add(grow(g, direct, "up", criterion.parents));
    if (criterion.children !== null) add(grow(g, direct, "down", criterion.children));
    return { direct, all };
  }

  // A space is a union, a comma an intersection. Gives the chosen nodes, those named directly, and what is wrong.
  graph.select = (g, text) => {
    const chosen = new Set();
    const direct = new Set();
    const faults = [];
    for (const word of text.split(/\s+/).filter(Boolean)) {
      try {
        const parts = word.split(",").map((part) => evaluate(g, part));
        let common = parts[0].all;
        for (const part of parts.slice(1)) common = new Set([...common].filter((node) => part.all.has(node)));
        common.forEach((node) => chosen.add(node));
        parts.forEach((part) => part.direct.forEach((node) => common.has(node) && direct.add(node)));
        if (!common.size) faults.push({ word, message: `${word} matches nothing`, near: nearest(g, word) });
      } catch (fault) {
        faults.push({ word, message: fault.message });
      }
    }
    return { chosen, direct, faults };
  };

  // Names that hold what was typed: for suggestions, and where a word matches nothing.
  graph.suggest = (g, typed, most = 8) => {
    const wanted = typed.toLowerCase();
    const found = [];
    if (!wanted) return found;
    const note = (text, detail, shown) => {
      const at = shown.toLowerCase().indexOf(wanted);
      if (at >= 0) found.push({ text, detail, rank: (at === 0 ? 0 : /[._/]/.test(shown[at - 1]) ? 1 : 2) * 1000 + shown.length });
    };
    for (let i = 0; i < g.count; i++) note(graph.word(g, i), g.kind.of(i), g.name[i]);
    const tags = new Set(g.tags.lists.flat());
    for (const tag of tags) note(`tag:${tag}`, "tag", tag);
    for (const folder of g.folder.values) if (folder) note(folder, "folder", folder);
    for (const owner of g.group.values) if (owner) note(`group:${owner}`, "group", owner);
    for (const name of g.package.values) note(`package:${name}`, "package", name);
    return found.sort((a, b) => a.rank - b.rank).slice(0, most);
  };

  function nearest(g, word) {
    const { value } = graph.criterion(word.split(",")[0]);
    return graph.suggest(g, value.replace(/[*?[\]]/g, ""), 3).map((found) => found.text);
  }

  // The word that selects this node and no other.
  graph.word = (g, i) => {
    const kind = g.kind.of(i);
    if (["source", "exposure", "metric", "semantic_model", "saved_query"].includes(kind)) {
      return `${kind}:${g.package.of(i) === g.project ? "" : `${g.package.of(i)}.`}${g.name[i]}`;
    }
    g.taken ||= names(g);
    return g.taken.get(g.name[i]) === 1 ? g.name[i] : g.fqn(i).join(".");
  };

  // How often each name is used, by a node, a folder or a package: all of them are what a bare word may mean.
  function names(g) {
    const taken = new Map();
    const note = (name) => taken.set(name, (taken.get(name) ?? 0) + 1);
    for (let i = 0; i < g.count; i++) if (g.kind.of(i) !== "source") note(g.name[i]);
    new Set(g.folder.values.map((folder) => folder.split("/")[1]).filter(Boolean)).forEach(note);
    g.package.values.forEach(note);
    return taken;
  }
})();
