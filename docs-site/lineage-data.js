// Reads data/graph.js: columns of numbers and texts, as src/docs/graph/data.rs writes them.
(() => {
  "use strict";
  const lineal = (globalThis.lineal ||= {});
  const graph = (lineal.graph ||= {});

  const VERSION = 1;
  const INSIDE = "\u001f"; // between the parts of one text

  class Reader {
    constructor(bytes) {
      this.bytes = bytes;
      this.at = 0;
    }
    number() {
      let value = 0;
      let scale = 1;
      for (;;) {
        const byte = this.bytes[this.at++];
        value += (byte & 127) * scale;
        if (byte < 128) return value;
        scale *= 128;
      }
    }
    signed() {
      const value = this.number();
      return value % 2 ? -(value + 1) / 2 : value / 2;
    }
    texts() {
      const count = this.number();
      const length = this.number();
      const text = new TextDecoder().decode(this.bytes.subarray(this.at, this.at + length));
      this.at += length;
      return count ? text.split("\n") : [];
    }
    numbers(count) {
      const column = new Uint32Array(count);
      for (let i = 0; i < count; i++) column[i] = this.bytes[this.at] < 128 ? this.bytes[this.at++] : this.number();
      return column;
    }
    // A few texts, and for each node which one it has.
    choice(count) {
      const values = this.texts();
      return { values, at: this.numbers(count), of(i) { return values[this.at[i]]; } };
    }
    // The same, each text being several.
    lists(count) {
      const { values, at } = this.choice(count);
      let lists;
      return {
        at,
        get lists() { return (lists ??= values.map((text) => (text ? text.split(INSIDE) : []))); },
        of(i) { return this.lists[at[i]]; },
      };
    }
  }

  // Which nodes stand next to each node: all lists in one array, and where each begins.
  function adjacency(count, from, to) {
    const start = new Uint32Array(count + 1);
    for (let e = 0; e < from.length; e++) start[from[e] + 1]++;
    for (let i = 0; i < count; i++) start[i + 1] += start[i];
    const fill = start.slice();
    const list = new Uint32Array(from.length);
    for (let e = 0; e < from.length; e++) list[fill[from[e]]++] = to[e];
    return { start, list, of: (node) => list.subarray(start[node], start[node + 1]) };
  }

  graph.decode = (bytes) => {
    const read = new Reader(bytes);
    const version = read.number();
    if (version !== VERSION) throw new Error(`data/graph.js has version ${version}, this page reads ${VERSION}: generate the site anew`);
    const count = read.number();
    const g = { count, project: read.texts()[0] };
    g.name = read.texts();
    g.kind = read.choice(count);
    g.package = read.choice(count);
    g.folder = read.choice(count);
    g.file = read.texts();
    g.patch = read.choice(count);
    g.ownUrl = read.texts();
    g.ownFqn = read.texts();
    g.materialization = read.choice(count);
    g.owner = read.choice(count);
    g.group = read.choice(count);
    g.access = read.choice(count);
    g.version = read.choice(count);
    g.tags = read.lists(count);
    g.config = read.lists(count);
    g.state = read.choice(count);
    g.milliseconds = read.numbers(count); // one more than measured; 0: never ran
    g.tests = read.numbers(count);
    g.failing = read.numbers(count);
    g.layer = read.numbers(count);
    g.column = read.numbers(count);
    g.y = new Float32Array(count);
    for (let i = 0; i < count; i++) g.y[i] = read.signed() / 4;
    const from = [];
    const to = [];
    for (let node = 0; node < count; node++) {
      let parent = -1;
      for (let left = read.number(); left > 0; left--) {
        parent += read.number() + 1;
        from.push(parent);
        to.push(node);
      }
    }
    g.from = new Uint32Array(from);
    g.to = new Uint32Array(to);
    g.children = adjacency(count, g.from, g.to);
    g.parents = adjacency(count, g.to, g.from);
    return Object.assign(g, answers(g));
  };

  // What follows from the columns.
  function answers(g) {
    const file = (i) => g.file[i] || `${g.name[i]}.sql`;
    const path = (i) => (g.folder.of(i) ? `${g.folder.of(i)}/${file(i)}` : file(i));
    return {
      file,
      path,
      url: (i) => g.ownUrl[i] || `node/${g.package.of(i)}/${g.name[i]}.html`,
      fqn(i) {
        if (g.ownFqn[i]) return g.ownFqn[i].split(INSIDE);
        const folders = g.folder.of(i).split("/").slice(1);
        return [g.package.of(i), ...folders, g.name[i]];
      },
      seconds: (i) => (g.milliseconds[i] ? (g.milliseconds[i] - 1) / 1000 : null),
      // The nodes that lead to `start` (or that it leads to), with their distance.
      reach(start, side, depth = Infinity) {
        const near = side === "up" ? g.parents : g.children;
        const found = new Map([[start, 0]]);
        let edge = [start];
        for (let step = 1; edge.length && step <= depth; step++) {
          const next = [];
          for (const node of edge) for (const other of near.of(node)) if (!found.has(other)) { found.set(other, step); next.push(other); }
          edge = next;
        }
        return found;
      },
    };
  }
})();
