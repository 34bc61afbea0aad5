// What is shown: boxes for nodes or for folders of them, and the edges between.
(() => {
  "use strict";
  const lineal = (globalThis.lineal ||= {});
  const graph = (lineal.graph ||= {});

  const NODE = { height: 30, least: 96, most: 330 };
  const WHOLE = { width: 200, height: 30, pitch: 44, aside: 28, between: 300 };
  const FOLDER = { width: 230, height: 58 };
  const WHOLE_FROM = 2500; // nodes, beyond which the layout made at build time is used
  const GROUPS = [32, 16, 8]; // folders at most; fewer where a long chain of them could not be read
  const READABLE = 0.45; // scale

  // ---- folders -------------------------------------------------------------------------------------------------

  const MEANINGS = new Set(["metric", "semantic_model", "saved_query"]);
  function folderOf(g, i) {
    const kind = g.kind.of(i);
    if (kind === "source") return ["sources", g.name[i].split(".")[0]];
    if (kind === "exposure") return ["exposures"];
    if (MEANINGS.has(kind)) return ["semantic layer"];
    const own = g.package.of(i) === g.project ? [] : [g.package.of(i)];
    return [...own, ...g.folder.of(i).split("/")];
  }

  function tree(g, nodes) {
    const root = { path: "", nodes: [], below: new Map(), count: 0 };
    for (const node of nodes) {
      let at = root;
      at.count++;
      for (const part of folderOf(g, node)) {
        if (!at.below.has(part)) at.below.set(part, { path: at.path ? `${at.path}/${part}` : part, nodes: [], below: new Map(), count: 0 });
        at = at.below.get(part);
        at.count++;
      }
      at.nodes.push(node);
    }
    return root;
  }

  // Opens the largest folders first, while there are few enough.
  function opened(root, most) {
    const open = new Set();
    const shown = new Set(root.below.values());
    const parts = (folder) => folder.below.size + (folder.nodes.length ? 1 : 0);
    for (;;) {
      const one = [...shown].filter((folder) => folder.below.size);
      const next = one.find((folder) => parts(folder) === 1) ?? one.filter((folder) => shown.size - 1 + parts(folder) <= most).sort((a, b) => b.count - a.count)[0];
      if (!next) return open;
      open.add(next.path);
      shown.delete(next);
      for (const below of next.below.values()) shown.add(below);
    }
  }

  // The folders to draw, each with its nodes, and the nodes that stand for themselves.
  function folders(root, most, open, shut) {
    const auto = opened(root, most);
    const groups = [];
    const alone = [];
    const all = (folder) => [...folder.nodes, ...[...folder.below.values()].flatMap(all)];
    const add = (path, members) => groups.push({ path, nodes: members });
    const walk = (folder) => {
      if (shut.has(folder.path) || !(auto.has(folder.path) || open.has(folder.path))) return add(folder.path, all(folder));
      for (const below of folder.below.values()) walk(below);
      if (!folder.nodes.length) return undefined;
      if (!folder.below.size || open.has(`${folder.path}/*`)) alone.push(...folder.nodes);
      else add(`${folder.path}/*`, folder.nodes);
      return undefined;
    };
    for (const folder of root.below.values()) walk(folder);
    alone.push(...root.nodes);
    return { groups, alone };
  }

  graph.folderOf = (g, i) => folderOf(g, i).join("/");

  // ---- scenes --------------------------------------------------------------------------------------------------

  function empty(count) {
    return {
      count, x: new Float32Array(count), y: new Float32Array(count), w: new Float32Array(count), h: new Float32Array(count),
      node: new Int32Array(count).fill(-1), group: new Array(count).fill(null), label: new Array(count),
      from: [], to: [], weight: null, bends: null, whole: false, at: new Map(),
    };
  }

  function finish(scene) {
    let [left, top, right, bottom] = [0, 0, 1, 1];
    for (let i = 0; i < scene.count; i++) {
      if (i === 0 || scene.x[i] < left) left = scene.x[i];
      if (i === 0 || scene.y[i] < top) top = scene.y[i];
      if (i === 0 || scene.x[i] + scene.w[i] > right) right = scene.x[i] + scene.w[i];
      if (i === 0 || scene.y[i] + scene.h[i] > bottom) bottom = scene.y[i] + scene.h[i];
    }
    scene.bounds = { left, top, right, bottom, width: right - left, height: bottom - top };
    scene.near = { up: lists(scene, scene.to, scene.from), down: lists(scene, scene.from, scene.to) };
    return scene;
  }

  // Edges by the box at one end: pairs of edge and the other box.
  function lists(scene, own, other) {
    let made = null;
    return (box) => {
      if (!made) {
        made = Array.from({ length: scene.count }, () => []);
        for (let e = 0; e < own.length; e++) made[own[e]].push([other[e], e]);
      }
      return made[box];
    };
  }

  // The whole project as laid out at build time, or a large part of it.
  function whole(g, nodes) {
    const scene = empty(nodes.length);
    const columns = new Map();
    for (const node of nodes) columns.set(g.layer[node] * 4096 + g.column[node], 0);
    let x = -WHOLE.between;
    let before = -1;
    for (const slot of [...columns.keys()].sort((a, b) => a - b)) {
      const layer = Math.floor(slot / 4096);
      x += layer === before ? WHOLE.aside : WHOLE.between;
      columns.set(slot, x);
      x += WHOLE.width;
      before = layer;
    }
    const boxes = new Int32Array(g.count).fill(-1);
    for (let box = 0; box < nodes.length; box++) {
      const node = nodes[box];
      boxes[node] = box;
      scene.node[box] = node;
      scene.x[box] = columns.get(g.layer[node] * 4096 + g.column[node]);
      scene.y[box] = g.y[node] * WHOLE.pitch - WHOLE.height / 2;
      scene.label[box] = g.name[node];
    }
    scene.w.fill(WHOLE.width);
    scene.h.fill(WHOLE.height);
    scene.at = { get: (node) => (boxes[node] < 0 ? undefined : boxes[node]) };
    for (let e = 0; e < g.from.length; e++) {
      const from = boxes[g.from[e]];
      const to = boxes[g.to[e]];
      if (from >= 0 && to >= 0) { scene.from.push(from); scene.to.push(to); }
    }
    scene.whole = true;
    return finish(scene);
  }

  function boxes(g, groups, alone, { measure, look }) {
    const list = groups.map((group) => {
      const rank = group.nodes.reduce((sum, node) => sum + g.layer[node], 0) / group.nodes.length;
      return { group, label: group.path, w: FOLDER.width, h: FOLDER.height, rank };
    });
    const byPlace = [...alone].sort((a, b) => g.layer[a] - g.layer[b] || g.y[a] - g.y[b] || a - b);
    for (const node of byPlace) {
      const w = Math.min(NODE.most, Math.max(NODE.least, Math.ceil(measure(g.name[node])) + 28 + (look.mark(node) ? 16 : 0)));
      list.push({ node, label: g.name[node], w, h: NODE.height, rank: g.layer[node] });
    }
    return list;
  }

  // Boxes laid out here and now, with the edges between them counted.
  function fresh(g, groups, alone, options) {
    const list = boxes(g, groups, alone, options);
    const owner = new Map();
    list.forEach((box, at) => (box.group ? box.group.nodes.forEach((node) => owner.set(node, at)) : owner.set(box.node, at)));
    const weights = new Map();
    for (let e = 0; e < g.from.length; e++) {
      const from = owner.get(g.from[e]);
      const to = owner.get(g.to[e]);
      if (from === undefined || to === undefined || from === to) continue;
      const key = from * list.length + to;
      weights.set(key, (weights.get(key) ?? 0) + 1);
    }
    const edges = [...weights.keys()].map((key) => [Math.floor(key / list.length), key % list.length]);
    return arrange(list, edges, [...weights.values()], options.aspect);
  }

  // list: boxes with their sizes; the scene they make.
  function arrange(list, edges, weights, aspect) {
    const scene = empty(list.length);
    const laid = graph.layout(list, edges, aspect);
    list.forEach((box, at) => {
      scene.x[at] = laid.x[at];
      scene.y[at] = laid.y[at];
      scene.w[at] = box.w;
      scene.h[at] = box.h;
      scene.label[at] = box.label;
      scene.node[at] = box.node ?? -1;
      scene.group[at] = box.group ?? null;
      if (box.node !== undefined) scene.at.set(box.node, at);
    });
    scene.from = edges.map((edge) => edge[0]);
    scene.to = edges.map((edge) => edge[1]);
    scene.weight = weights;
    scene.bends = laid.bends;
    return finish(scene);
  }
  graph.arrange = arrange;

  graph.scene = (g, nodes, options) => {
    if (!options.group) return nodes.length > WHOLE_FROM ? whole(g, nodes) : fresh(g, [], nodes, options);
    const root = tree(g, nodes);
    const none = new Set();
    const draw = (most, open, shut) => {
      const { groups, alone } = folders(root, most, open, shut);
      return fresh(g, groups, alone, options);
    };
    const readable = (most) => draw(most, none, none).bounds.width * READABLE <= options.width;
    const most = GROUPS.find((most, at) => at === GROUPS.length - 1 || readable(most));
    return draw(most, options.open, options.shut);
  };
})();
