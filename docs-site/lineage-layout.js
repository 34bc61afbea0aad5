// Lays out what is shown of the graph: the same way as src/docs/graph/layout.rs does for the whole one.
(() => {
  "use strict";
  const lineal = (globalThis.lineal ||= {});
  const graph = (lineal.graph ||= {});

  const GAP = 12; // between boxes one above the other
  const BEND = 16; // the room of an edge that passes a layer
  const ASIDE = 28; // between columns of one layer
  const BETWEEN = 72; // between layers
  const READABLE = 1000;

  // Children of each vertex without the edges that lead back, and parents before children.
  function acyclic(count, edges, rank) {
    const children = Array.from({ length: count }, () => []);
    for (const [from, to] of edges) if (from !== to) children[from].push(to);
    const byRank = (a, b) => rank(a) - rank(b) || a - b;
    for (const list of children) list.sort(byRank);
    const state = new Uint8Array(count);
    const finished = [];
    for (const start of Array.from({ length: count }, (_, i) => i).sort(byRank)) {
      if (state[start]) continue;
      const walk = [[start, 0]];
      state[start] = 1;
      while (walk.length) {
        const step = walk[walk.length - 1];
        const [vertex, next] = step;
        if (next >= children[vertex].length) {
          state[vertex] = 2;
          finished.push(vertex);
          walk.pop();
          continue;
        }
        const child = children[vertex][next];
        if (state[child] === 1) children[vertex].splice(next, 1);
        else {
          step[1]++;
          if (!state[child]) { state[child] = 1; walk.push([child, 0]); }
        }
      }
    }
    return { children, topological: finished.reverse() };
  }

  function layersOf(count, children, parents, topological) {
    const layer = new Int32Array(count);
    for (const vertex of topological) for (const parent of parents[vertex]) layer[vertex] = Math.max(layer[vertex], layer[parent] + 1);
    for (const vertex of [...topological].reverse()) {
      if (!children[vertex].length || children[vertex].length < parents[vertex].length) continue;
      layer[vertex] = Math.min(...children[vertex].map((child) => layer[child])) - 1;
    }
    return layer;
  }

  // Cuts edges into pieces from layer to layer; the edges of one parent share their bends.
  function cut(count, children, layers) {
    const layer = Array.from(layers);
    const left = Array.from({ length: count }, () => []);
    const right = Array.from({ length: count }, () => []);
    const firstBend = new Int32Array(count).fill(-1);
    const join = (from, to) => { right[from].push(to); left[to].push(from); };
    for (let vertex = 0; vertex < count; vertex++) {
      const start = layer[vertex];
      const last = children[vertex].reduce((most, child) => Math.max(most, layer[child]), start);
      let before = vertex;
      for (let at = start + 1; at < last; at++) {
        const bend = layer.length;
        if (firstBend[vertex] < 0) firstBend[vertex] = bend;
        layer.push(at);
        left.push([]);
        right.push([]);
        join(before, bend);
        before = bend;
      }
      for (const child of children[vertex]) {
        const steps = layer[child] - start;
        join(steps === 1 ? vertex : firstBend[vertex] + steps - 2, child);
      }
    }
    return { layer, left, right, firstBend };
  }

  function firstOrder(count, layered, first) {
    const order = Array.from({ length: layered.layer.reduce((a, b) => Math.max(a, b), -1) + 1 }, () => []);
    const seen = new Uint8Array(layered.layer.length);
    for (const start of first) {
      const open = [start];
      while (open.length) {
        const vertex = open.pop();
        if (seen[vertex]) continue;
        seen[vertex] = 1;
        order[layered.layer[vertex]].push(vertex);
        for (const next of [...layered.left[vertex], ...layered.right[vertex]].reverse()) if (!seen[next]) open.push(next);
      }
    }
    return order;
  }

  function crossings(order, right, position) {
    let total = 0;
    for (let at = 0; at + 1 < order.length; at++) {
      const tree = new Uint32Array(order[at + 1].length + 1);
      let seen = 0;
      for (const vertex of order[at]) {
        for (const to of right[vertex]) {
          let upTo = 0;
          for (let i = position[to] + 1; i > 0; i &= i - 1) upTo += tree[i];
          total += seen - upTo;
        }
        for (const to of right[vertex]) {
          seen++;
          for (let i = position[to] + 1; i < tree.length; i += i & -i) tree[i]++;
        }
      }
    }
    return total;
  }

  function sortLayer(list, near, position) {
    let above = -1;
    const key = new Map();
    for (const vertex of list) {
      if (near[vertex].length) above = near[vertex].reduce((sum, next) => sum + position[next], 0) / near[vertex].length;
      key.set(vertex, above);
    }
    list.sort((a, b) => key.get(a) - key.get(b));
    list.forEach((vertex, at) => { position[vertex] = at; });
  }

  function sweep(order, layered) {
    const position = new Uint32Array(layered.layer.length);
    order.forEach((list) => list.forEach((vertex, at) => { position[vertex] = at; }));
    let fewest = crossings(order, layered.right, position);
    let best = order.map((list) => list.slice());
    const rounds = layered.layer.length > READABLE ? 6 : 24;
    for (let round = 0; round < rounds && fewest > 0; round++) {
      for (let at = 1; at < order.length; at++) sortLayer(order[at], layered.left, position);
      for (let at = order.length - 2; at >= 0; at--) sortLayer(order[at], layered.right, position);
      const now = crossings(order, layered.right, position);
      if (now < fewest) { fewest = now; best = order.map((list) => list.slice()); }
    }
    best.forEach((list) => list.forEach((vertex, at) => { position[vertex] = at; }));
    if (layered.layer.length <= READABLE) untangle(best, layered, position);
    return best;
  }

  function untangle(order, { left, right }, position) {
    const pairs = (above, below) => {
      let count = 0;
      for (const from of above) for (const to of below) if (position[to] < position[from]) count++;
      return count;
    };
    const count = (first, second) => pairs(left[first], left[second]) + pairs(right[first], right[second]);
    for (let round = 0, better = true; round < 8 && better; round++) {
      better = false;
      for (const list of order) {
        for (let at = 1; at < list.length; at++) {
          const [above, below] = [list[at - 1], list[at]];
          if (count(below, above) >= count(above, below)) continue;
          [list[at - 1], list[at], position[above], position[below]] = [below, above, at, at - 1];
          better = true;
        }
      }
    }
  }

  // Rows of one layer: boxes side by side where the layer is wrapped, or one bend.
  function rowsOf(list, count, heights, most, column) {
    const wide = Math.max(1, Math.ceil(list.filter((vertex) => vertex < count).length / most));
    const rows = [];
    let open = [];
    let bends = [];
    const close = () => {
      if (open.length) {
        open.forEach((vertex, at) => { column[vertex] = at; });
        rows.push({ members: open, height: Math.max(...open.map((vertex) => heights[vertex])) + GAP });
      }
      for (const bend of bends) rows.push({ members: [bend], height: BEND });
      open = [];
      bends = [];
    };
    for (const vertex of list) {
      if (vertex < count) open.push(vertex);
      else bends.push(vertex);
      if (!open.length || open.length === wide) close();
    }
    close();
    return rows;
  }

  function settle(rows, y, near, count) {
    const blocks = [];
    const offsets = [];
    let offset = 0;
    rows.forEach((row, at) => {
      if (at) offset += (rows[at - 1].height + row.height) / 2;
      offsets.push(offset);
      let wish = 0;
      let weight = 0;
      for (const member of row.members) {
        const strength = member >= count ? 4 : 1;
        for (const list of near) for (const next of list[member]) { wish += strength * (y[next] - offset); weight += strength; }
      }
      if (!weight) { weight = 0.01; wish = weight * (y[row.members[0]] - offset); }
      blocks.push({ wish, weight, rows: 1 });
      while (blocks.length > 1) {
        const below = blocks[blocks.length - 1];
        const above = blocks[blocks.length - 2];
        if (above.wish / above.weight < below.wish / below.weight) break;
        blocks.pop();
        above.wish += below.wish;
        above.weight += below.weight;
        above.rows += below.rows;
      }
    });
    let at = 0;
    for (const block of blocks) {
      for (let n = 0; n < block.rows; n++, at++) for (const member of rows[at].members) y[member] = block.wish / block.weight + offsets[at];
    }
  }

  function heightsOf(order, layered, count, heights, most) {
    const column = new Uint32Array(count);
    const y = new Float64Array(layered.layer.length);
    const layers = order.map((list) => rowsOf(list, count, heights, most, column));
    for (const rows of layers) {
      let top = -rows.reduce((sum, row) => sum + row.height, 0) / 2;
      for (const row of rows) {
        for (const member of row.members) y[member] = top + row.height / 2;
        top += row.height;
      }
    }
    const { left, right } = layered;
    for (let round = 0; round < 8; round++) {
      const both = round >= 5;
      for (let at = 1; at < layers.length; at++) settle(layers[at], y, both ? [left, right] : [left], count);
      for (let at = layers.length - 2; at >= 0; at--) settle(layers[at], y, both ? [left, right] : [right], count);
    }
    return { y, column };
  }

  // Which connected part each box belongs to, the largest first.
  function partsOf(count, children, parents) {
    const part = new Int32Array(count).fill(-1);
    const sizes = [];
    for (let start = 0; start < count; start++) {
      if (part[start] >= 0) continue;
      const open = [start];
      part[start] = sizes.length;
      let size = 0;
      while (open.length) {
        const vertex = open.pop();
        size++;
        for (const next of [...children[vertex], ...parents[vertex]]) if (part[next] < 0) { part[next] = sizes.length; open.push(next); }
      }
      sizes.push(size);
    }
    return { part, sizes };
  }

  // boxes: {w, h, rank}; edges: [from, to]. Gives the top left corner of each box, and for each edge the points it bends at.
  graph.layout = (boxes, edges, aspect = 1.6) => {
    const linked = new Set(edges.flat());
    const inside = boxes.map((_, i) => i).filter((i) => linked.has(i));
    const loose = boxes.map((_, i) => i).filter((i) => !linked.has(i));
    const placed = layered(inside.map((i) => boxes[i]), renumber(inside, edges), aspect);
    const result = { x: new Float64Array(boxes.length), y: new Float64Array(boxes.length), bends: placed.bends };
    inside.forEach((i, at) => { result.x[i] = placed.x[at]; result.y[i] = placed.y[at]; });
    scatter(loose, boxes, result, placed, aspect);
    return result;
  };

  function renumber(inside, edges) {
    const at = new Map(inside.map((i, position) => [i, position]));
    return edges.map(([from, to]) => [at.get(from), at.get(to)]);
  }

  // Boxes without edges: lines of them below the rest.
  function scatter(loose, boxes, result, placed, aspect) {
    if (!loose.length) return;
    const wide = Math.max(...loose.map((i) => boxes[i].w)) + ASIDE;
    const high = Math.max(...loose.map((i) => boxes[i].h)) + GAP;
    const own = Math.sqrt(loose.length * wide * high * aspect);
    const columns = Math.max(1, Math.min(loose.length, Math.round(Math.max(placed.width, own) / wide)));
    const top = placed.height ? placed.height + 48 : 0;
    loose.forEach((i, at) => {
      result.x[i] = (at % columns) * wide;
      result.y[i] = top + Math.floor(at / columns) * high;
    });
  }

  function layered(boxes, edges, aspect) {
    const count = boxes.length;
    if (!count) return { x: [], y: [], bends: [], width: 0, height: 0 };
    const { children, topological } = acyclic(count, edges, (i) => boxes[i].rank ?? 0);
    const parents = Array.from({ length: count }, () => []);
    children.forEach((list, from) => list.forEach((to) => parents[to].push(from)));
    const layers = layersOf(count, children, parents, topological);
    const graphed = cut(count, children, layers);
    const { part, sizes } = partsOf(count, children, parents);
    const first = boxes.map((_, i) => i);
    first.sort((a, b) => sizes[part[b]] - sizes[part[a]] || part[a] - part[b] || layers[a] - layers[b] || a - b);
    const order = sweep(firstOrder(count, graphed, first), graphed);
    const heights = boxes.map((box) => box.h);
    const { y, column } = heightsOf(order, graphed, count, heights, rowsFor(order, boxes, aspect));
    return coordinates(boxes, edges, graphed, { y, column, layers });
  }

  // A layer is wrapped where the whole would be far higher than wide.
  function rowsFor(order, boxes, aspect) {
    const sizes = order.map((list) => list.filter((vertex) => vertex < boxes.length).length);
    const high = boxes.reduce((sum, box) => sum + box.h + GAP, 0) / boxes.length;
    const wide = boxes.reduce((sum, box) => sum + box.w + ASIDE, 0) / boxes.length;
    let rows = 24;
    for (;;) {
      const width = sizes.reduce((sum, size) => sum + Math.ceil(size / rows) * wide + BETWEEN, 0);
      if (width <= aspect * rows * high || rows > 100000) return rows;
      rows += Math.max(1, rows >> 3);
    }
  }

  function coordinates(boxes, edges, graphed, { y, column, layers }) {
    const widths = new Map();
    boxes.forEach((box, i) => {
      const slot = layers[i] * 4096 + column[i];
      widths.set(slot, Math.max(widths.get(slot) ?? 0, box.w));
    });
    const start = new Map();
    const span = new Map();
    let x = 0;
    let before = -1;
    for (const slot of [...widths.keys()].sort((a, b) => a - b)) {
      const layer = Math.floor(slot / 4096);
      if (before >= 0) x += layer === before ? ASIDE : BETWEEN;
      start.set(slot, x);
      const known = span.get(layer) ?? [x, x];
      x += widths.get(slot);
      span.set(layer, [known[0], x]);
      before = layer;
    }
    let top = Infinity;
    let bottom = -Infinity;
    boxes.forEach((box, i) => { top = Math.min(top, y[i] - box.h / 2); bottom = Math.max(bottom, y[i] + box.h / 2); });
    for (const value of y) { top = Math.min(top, value); bottom = Math.max(bottom, value); }
    const bends = edges.map(([from, to]) => {
      const steps = layers[to] - layers[from];
      if (steps < 2 || graphed.firstBend[from] < 0) return null;
      return Array.from({ length: steps - 1 }, (_, n) => [...span.get(layers[from] + 1 + n), y[graphed.firstBend[from] + n] - top]);
    });
    return {
      x: boxes.map((_, i) => start.get(layers[i] * 4096 + column[i])),
      y: boxes.map((box, i) => y[i] - box.h / 2 - top),
      bends,
      width: x,
      height: bottom - top,
    };
  }
})();
