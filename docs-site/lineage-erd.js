// The entity-relationship view: tables with their key columns, from relationships tests and foreign keys.
(() => {
  "use strict";
  const lineal = (globalThis.lineal ||= {});
  const graph = (lineal.graph ||= {});

  const HEAD = 28;
  const LINE = 21;

  // The graph's nodes with relationships in the place of lineage: who is referred to stands upstream.
  graph.relationships = (g, bytes) => {
    const erd = JSON.parse(new TextDecoder().decode(bytes));
    const pairs = new Map();
    for (const relation of erd.relations) {
      const key = `${relation.to} ${relation.from}`;
      if (relation.to !== relation.from) pairs.set(key, [relation.to, relation.from]);
    }
    const from = Uint32Array.from([...pairs.values()], (pair) => pair[0]);
    const to = Uint32Array.from([...pairs.values()], (pair) => pair[1]);
    const near = (own, other) => {
      const lists = new Map();
      own.forEach((node, at) => lists.set(node, [...(lists.get(node) ?? []), other[at]]));
      return { of: (node) => lists.get(node) ?? [] };
    };
    const tables = new Map(erd.tables.map((table) => [table.node, table]));
    return Object.assign(Object.create(g), { from, to, parents: near(to, from), children: near(from, to), tables, relations: erd.relations });
  };

  function linesOf(table) {
    const lines = table.columns.map((column) => ({ text: column.name, role: [column.primary ? "PK" : "", column.foreign ? "FK" : ""].filter(Boolean).join(" ") }));
    if (table.more) lines.push({ text: `${table.more} more`, quiet: true });
    return lines;
  }

  graph.erdScene = (g, nodes, { measure, aspect }) => {
    const shown = nodes.filter((node) => g.tables.has(node));
    const at = new Map(shown.map((node, box) => [node, box]));
    const boxes = shown.map((node) => {
      const lines = linesOf(g.tables.get(node));
      const widest = Math.max(measure(g.name[node]) * 1.06 + 26, ...lines.map((line) => measure(line.text) + 70));
      return { node, label: g.name[node], lines, w: Math.min(300, Math.max(150, Math.ceil(widest))), h: HEAD + lines.length * LINE + 6, rank: g.layer[node] };
    });
    const drawn = g.relations.filter((relation) => at.has(relation.from) && at.has(relation.to) && relation.from !== relation.to);
    const edges = drawn.map((relation) => [at.get(relation.to), at.get(relation.from)]);
    const scene = graph.arrange(boxes, edges, null, aspect);
    const port = (node, name) => {
      const line = g.tables.get(node).columns.findIndex((column) => column.name === name);
      return line < 0 ? HEAD / 2 : HEAD + 11 + line * LINE;
    };
    scene.ports = drawn.map((relation) => [port(relation.to, relation.to_column), port(relation.from, relation.from_column)]);
    scene.table = boxes;
    return scene;
  };

  // Where to begin in a large project: what has the most relationships, and what it is related to.
  graph.busiest = (g) => {
    const degree = (node) => g.parents.of(node).length + g.children.of(node).length;
    return [...g.tables.keys()].sort((a, b) => degree(b) - degree(a) || a - b)[0];
  };
})();
