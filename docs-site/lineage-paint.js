// Paints a scene: on a canvas, a slice at a time, or as SVG.
(() => {
  "use strict";
  const lineal = (globalThis.lineal ||= {});
  const graph = (lineal.graph ||= {});

  const LABEL_FROM = 0.42; // scale at which names are worth painting
  const SHAPE_FROM = 0.22; // scale at which corners and borders are
  const FONT = 12.5;

  // ---- geometry ------------------------------------------------------------------------------------------------

  // An edge as points and curves: [x, y] to start, then [x, y] straight or [c1x, c1y, c2x, c2y, x, y].
  function route(scene, e) {
    const [from, to] = [scene.from[e], scene.to[e]];
    let x = scene.x[from] + scene.w[from];
    let y = scene.y[from] + (scene.ports?.[e][0] ?? scene.h[from] / 2);
    const path = [[x, y]];
    const curve = (toX, toY) => {
      const pull = toX > x ? (toX - x) / 2 : 70;
      path.push(Math.abs(toY - y) < 0.5 && toX > x ? [toX, toY] : [x + pull, y, toX - pull, toY, toX, toY]);
      [x, y] = [toX, toY];
    };
    for (const [start, end, bend] of scene.bends?.[e] ?? []) {
      curve(start, bend);
      path.push([end, bend]);
      x = end;
    }
    curve(scene.x[to], scene.y[to] + (scene.ports?.[e][1] ?? scene.h[to] / 2));
    return path;
  }

  function trace(ctx, path) {
    ctx.moveTo(path[0][0], path[0][1]);
    for (let at = 1; at < path.length; at++) {
      const step = path[at];
      if (step.length === 2) ctx.lineTo(step[0], step[1]);
      else ctx.bezierCurveTo(step[0], step[1], step[2], step[3], step[4], step[5]);
    }
  }

  function outside(scene, e, view) {
    const [from, to] = [scene.from[e], scene.to[e]];
    const left = Math.min(scene.x[from], scene.x[to]);
    const right = Math.max(scene.x[from] + scene.w[from], scene.x[to] + scene.w[to]);
    if (right < view.left || left > view.right) return true;
    let top = Math.min(scene.y[from], scene.y[to]);
    let bottom = Math.max(scene.y[from] + scene.h[from], scene.y[to] + scene.h[to]);
    for (const bend of scene.bends?.[e] ?? []) { top = Math.min(top, bend[2]); bottom = Math.max(bottom, bend[2]); }
    return bottom < view.top || top > view.bottom;
  }

  // Names end in what tells them apart: the middle is left out.
  graph.shorten = (text, room, measure) => {
    const width = measure(text);
    if (width <= room) return text;
    let keep = Math.max(4, Math.floor((text.length * room) / width) - 1);
    for (;;) {
      const head = Math.ceil(keep * 0.45);
      const short = `${text.slice(0, head)}…${text.slice(text.length - (keep - head))}`;
      if (keep <= 4 || measure(short) <= room) return short;
      keep--;
    }
  };

  graph.measurer = (look) => {
    const ctx = document.createElement("canvas").getContext("2d");
    ctx.font = `500 ${FONT}px ${look.font}`;
    const widths = new Map();
    return (text) => {
      if (!widths.has(text)) widths.set(text, ctx.measureText(text).width);
      return widths.get(text);
    };
  };

  function label(scene, box, look, measure) {
    const shown = (look.short ||= new Map()).get(scene) ?? [];
    look.short.set(scene, shown);
    return (shown[box] ||= graph.shorten(scene.label[box], scene.w[box] - (look.mark(scene.node[box]) ? 42 : 24), measure));
  }

  // 13,552: loading what the browser knows of languages takes longer than all else that is written here.
  graph.number = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");
  const plural = (count, word) => `${graph.number(count)} ${word}${count === 1 ? "" : /[^aeiou]y$/.test(word) ? "" : "s"}`.replace(/([^aeiou])y$/, count === 1 ? "$1y" : "$1ies");
  graph.plural = plural;

  // What a folder's box says: its name, what is in it, and the shares of its bar.
  function folderText(g, look, group) {
    group.words ||= (() => {
      const kinds = new Map();
      for (const node of group.nodes) kinds.set(g.kind.of(node), (kinds.get(g.kind.of(node)) ?? 0) + 1);
      return [...kinds].sort((a, b) => b[1] - a[1]).slice(0, 2).map(([kind, count]) => plural(count, kind.replace(/_/g, " "))).join(" · ");
    })();
    if (group.look !== look) {
      group.look = look;
      group.bar = look.legend(group.nodes);
    }
    const parts = group.path.replace(/\/\*$/, "").split("/");
    return { title: parts.slice(-2).join(" / "), words: group.words, bar: group.bar };
  }
  graph.folderText = folderText;

  // ---- canvas --------------------------------------------------------------------------------------------------

  // A generator: it paints a little and yields, and whoever runs it says how long that goes on. `marked` limits it to what is
  // upstream or downstream of one box, in those colours.
  graph.paint = function* (ctx, { g, scene, look, measure, view, scale, marked, only }) {
    if (scene.whole && scale < SHAPE_FROM && !only) {
      yield* paintFar(ctx, { scene, look, view, scale });
      return;
    }
    yield* paintEdges(ctx, { scene, look, view, scale, marked, only });
    yield* paintBoxes(ctx, { g, scene, look, measure, view, scale, marked, only });
  };

  function edgeStyle(scene, look, scale, only) {
    const thin = scene.whole ? 1 : 1.2;
    return {
      width: (e) => Math.max(0.7 / scale, Math.min(scene.weight ? thin + Math.log2(scene.weight[e]) * 0.4 : thin, 4.5)),
      alpha: only ? 0.9 : scene.whole ? Math.min(0.75, Math.max(0.16, 0.2 + scale * 0.6)) : 0.85,
    };
  }

  function* paintEdges(ctx, { scene, look, view, scale, marked, only }) {
    const style = edgeStyle(scene, look, scale, only);
    ctx.lineJoin = "round";
    ctx.globalAlpha = style.alpha;
    let open = 0;
    let last = "";
    const flush = () => { if (open) ctx.stroke(); open = 0; };
    for (let e = 0; e < scene.from.length; e++) {
      if (e % 256 === 255) yield;
      if (only && !marked.edges.has(e)) continue;
      if (outside(scene, e, view)) continue;
      const hue = only ? look.value(marked.edges.get(e) === "up" ? "--upstream" : "--downstream") : look.value("--line-strong");
      const width = style.width(e) * (only ? 1.5 : 1);
      const pen = `${hue} ${width}`;
      if (pen !== last || open >= 48) {
        flush();
        if (pen !== last) { ctx.strokeStyle = hue; ctx.lineWidth = width; last = pen; }
        ctx.beginPath();
      }
      const path = route(scene, e);
      trace(ctx, path);
      if (scene.ports) traceEnds(ctx, path);
      open++;
    }
    flush();
    ctx.globalAlpha = 1;
  }

  // One at the left, many at the right: a bar, and a crow's foot.
  function traceEnds(ctx, path) {
    const [x, y] = path[0];
    const [endX, endY] = path[path.length - 1].slice(-2);
    ctx.moveTo(x + 7, y - 5);
    ctx.lineTo(x + 7, y + 5);
    for (const foot of [-6, 6]) { ctx.moveTo(endX - 10, endY); ctx.lineTo(endX, endY + foot); }
  }

  // A whole project from far away, where a curve of a few pixels is not told from three lines, a flat one not from one, and a box is
  // its colour: each thing a canvas is told takes as long as painting it.
  function* paintFar(ctx, { scene, look, view, scale }) {
    const { x, y, w, h, from, to, count } = scene;
    const style = edgeStyle(scene, look, scale, false);
    ctx.lineJoin = "round";
    ctx.globalAlpha = style.alpha;
    ctx.strokeStyle = look.value("--line-strong");
    ctx.lineWidth = style.width(0);
    ctx.beginPath();
    for (let e = 0; e < from.length; e++) {
      if (e % 256 === 255) yield;
      if (e % 48 === 47) { ctx.stroke(); ctx.beginPath(); }
      const start = from[e];
      const end = to[e];
      const startX = x[start] + w[start];
      const startY = y[start] + h[start] / 2;
      const dx = x[end] - startX;
      const dy = y[end] + h[end] / 2 - startY;
      if (Math.max(startX, startX + dx) < view.left || Math.min(startX, startX + dx) > view.right) continue;
      if (Math.max(startY, startY + dy) < view.top || Math.min(startY, startY + dy) > view.bottom) continue;
      ctx.moveTo(startX, startY);
      if (Math.abs(dy) * scale > 8) {
        ctx.lineTo(startX + dx * 0.25, startY + dy * 0.09);
        ctx.lineTo(startX + dx * 0.75, startY + dy * 0.91);
      }
      ctx.lineTo(startX + dx, startY + dy);
    }
    ctx.stroke();
    ctx.globalAlpha = 1;
    const hues = new Map();
    for (let box = 0; box < count; box++) {
      if (x[box] > view.right || x[box] + w[box] < view.left || y[box] > view.bottom || y[box] + h[box] < view.top) continue;
      const hue = look.hue(scene.node[box]);
      const boxes = hues.get(hue);
      if (boxes) boxes.push(box);
      else hues.set(hue, [box]);
    }
    for (const [hue, boxes] of hues) {
      ctx.fillStyle = hue;
      for (let at = 0; at < boxes.length; at++) {
        if (at % 256 === 255) yield;
        const box = boxes[at];
        ctx.fillRect(x[box], y[box], w[box], Math.max(h[box], 1 / scale));
      }
    }
  }

  function* paintBoxes(ctx, args) {
    const { scene, view, scale, marked, only, look } = args;
    let done = 0;
    for (let box = 0; box < scene.count; box++) {
      if (only && !marked.boxes.has(box)) continue;
      if (scene.x[box] > view.right || scene.x[box] + scene.w[box] < view.left) continue;
      if (scene.y[box] > view.bottom || scene.y[box] + scene.h[box] < view.top) continue;
      if (scale < SHAPE_FROM && !scene.group[box] && scene.node[box] >= 0) {
        ctx.fillStyle = look.hue(scene.node[box]);
        ctx.fillRect(scene.x[box], scene.y[box], scene.w[box], Math.max(scene.h[box], 1 / scale));
      } else paintBox(ctx, box, args);
      if (++done % 64 === 0) yield;
    }
  }

  function paintBox(ctx, box, args) {
    const { scene } = args;
    if (scene.group[box]) paintFolder(ctx, box, args);
    else if (scene.table?.[box]) paintTable(ctx, box, args);
    else paintNode(ctx, box, args);
  }

  const rounded = (ctx, x, y, w, h, r) => { ctx.beginPath(); ctx.roundRect(x, y, w, h, r); };

  function paintNode(ctx, box, { scene, look, measure, scale }) {
    const node = scene.node[box];
    const [x, y, w, h] = [scene.x[box], scene.y[box], scene.w[box], scene.h[box]];
    const body = look.body(node);
    const hue = look.hue(node);
    rounded(ctx, x, y, w, h, 7);
    ctx.fillStyle = look.value("--panel");
    ctx.fill();
    ctx.fillStyle = hue;
    if (body === "solid" || body === "striped") { ctx.globalAlpha = 0.17; ctx.fill(); ctx.globalAlpha = 1; }
    if (body === "dashed") ctx.setLineDash([4, 3]);
    ctx.strokeStyle = hue;
    ctx.lineWidth = Math.max(1.25, 0.8 / scale);
    ctx.stroke();
    ctx.setLineDash([]);
    paintBar(ctx, body, hue, x, y, h);
    if (scale < LABEL_FROM) return;
    ctx.fillStyle = look.value("--text");
    ctx.font = `500 ${FONT}px ${look.font}`;
    ctx.textBaseline = "middle";
    ctx.fillText(label(scene, box, look, measure), x + 14, y + h / 2 + 0.5);
    const mark = look.mark(node);
    if (mark) paintMark(ctx, mark, x + w - 14, y + h / 2, look);
  }

  function paintBar(ctx, body, hue, x, y, h) {
    ctx.fillStyle = hue;
    if (body === "striped") for (let part = 0; part < 3; part++) ctx.fillRect(x + 4, y + 6 + part * ((h - 12) / 3), 3.5, (h - 12) / 3 - 2);
    else if (body === "solid") ctx.fillRect(x + 4, y + 6, 3.5, h - 12);
  }

  function paintMark(ctx, mark, x, y, look) {
    ctx.beginPath();
    ctx.arc(x, y, 7, 0, 2 * Math.PI);
    ctx.fillStyle = mark.hue;
    ctx.fill();
    ctx.fillStyle = look.value("--panel");
    ctx.font = `700 10px ${look.font}`;
    ctx.textAlign = "center";
    ctx.fillText(mark.text, x, y + 0.5);
    ctx.textAlign = "start";
  }

  function paintFolder(ctx, box, { g, scene, look, measure, scale }) {
    const [x, y, w, h] = [scene.x[box], scene.y[box], scene.w[box], scene.h[box]];
    const { title, words, bar } = folderText(g, look, scene.group[box]);
    ctx.strokeStyle = look.value("--line-strong");
    ctx.lineWidth = Math.max(1.1, 0.8 / scale);
    for (const shift of [8, 4, 0]) {
      rounded(ctx, x + shift / 2, y - shift + 8, w - shift, h - 8, 8);
      ctx.fillStyle = look.value("--panel");
      ctx.fill();
      ctx.stroke();
    }
    const total = bar.reduce((sum, part) => sum + part.count, 0);
    let at = x + 12;
    for (const part of bar) {
      const length = ((w - 24) * part.count) / total;
      ctx.fillStyle = part.hue;
      ctx.fillRect(at, y + h - 10, Math.max(length - 1, 1), 4);
      at += length;
    }
    if (scale < LABEL_FROM * 0.75) return;
    ctx.textBaseline = "middle";
    ctx.fillStyle = look.value("--text");
    ctx.font = `600 ${FONT}px ${look.font}`;
    scene.short ||= new Array(scene.count);
    scene.short[box] ||= graph.shorten(title, w - 30, (text) => measure(text) * 1.05);
    ctx.fillText(scene.short[box], x + 12, y + 22);
    ctx.fillStyle = look.value("--muted");
    ctx.font = `400 11px ${look.font}`;
    ctx.fillText(words, x + 12, y + 38);
  }

  // A table with its key columns, for the entity-relationship view.
  function paintTable(ctx, box, { scene, look, measure, scale }) {
    const [x, y, w, h] = [scene.x[box], scene.y[box], scene.w[box], scene.h[box]];
    const hue = look.hue(scene.node[box]);
    rounded(ctx, x, y, w, h, 7);
    ctx.fillStyle = look.value("--panel");
    ctx.fill();
    ctx.save();
    ctx.clip();
    ctx.globalAlpha = 0.17;
    ctx.fillStyle = hue;
    ctx.fillRect(x, y, w, 28);
    ctx.restore();
    ctx.strokeStyle = hue;
    ctx.lineWidth = Math.max(1.25, 0.8 / scale);
    rounded(ctx, x, y, w, h, 7);
    ctx.stroke();
    if (scale < LABEL_FROM) return;
    ctx.textBaseline = "middle";
    ctx.fillStyle = look.value("--text");
    ctx.font = `600 ${FONT}px ${look.font}`;
    ctx.fillText(graph.shorten(scene.label[box], w - 24, (text) => measure(text) * 1.05), x + 12, y + 14.5);
    scene.table[box].lines.forEach((line, at) => {
      const middle = y + 28 + 11 + at * 21;
      ctx.fillStyle = look.value(line.quiet ? "--muted" : "--text");
      ctx.font = `400 12px ${look.font}`;
      ctx.fillText(graph.shorten(line.text, w - 64, measure), x + 12, middle);
      ctx.fillStyle = look.value("--muted");
      ctx.font = `600 10px ${look.font}`;
      ctx.textAlign = "end";
      ctx.fillText(line.role ?? "", x + w - 10, middle);
      ctx.textAlign = "start";
    });
  }

  // ---- SVG -----------------------------------------------------------------------------------------------------

  const escape = (text) => String(text).replace(/[&<>"]/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[letter]);
  const round = (value) => Math.round(value * 10) / 10;

  graph.svg = ({ g, scene, look, measure }) => {
    const pad = 24;
    const { left, top, width, height } = scene.bounds;
    const parts = [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${round(left - pad)} ${round(top - pad)} ${round(width + 2 * pad)} ${round(height + 2 * pad)}" width="${round(width + 2 * pad)}" height="${round(height + 2 * pad)}" font-family="${escape(look.font)}">`,
      `<rect x="${round(left - pad)}" y="${round(top - pad)}" width="100%" height="100%" fill="${look.value("--bg")}"/>`,
      `<g fill="none" stroke="${look.value("--line-strong")}" stroke-opacity=".85">`,
    ];
    const style = edgeStyle(scene, look, 1, false);
    for (let e = 0; e < scene.from.length; e++) {
      const [start, ...steps] = route(scene, e);
      const d = `M${start.map(round).join(" ")}${steps.map((step) => (step.length === 2 ? "L" : "C") + step.map(round).join(" ")).join("")}`;
      parts.push(`<path d="${d}" stroke-width="${round(style.width(e))}"/>`);
    }
    parts.push("</g>");
    for (let box = 0; box < scene.count; box++) parts.push(svgBox({ g, scene, look, measure }, box));
    parts.push("</svg>");
    return parts.join("\n");
  };

  function svgBox({ g, scene, look, measure }, box) {
    const [x, y, w, h] = [scene.x[box], scene.y[box], scene.w[box], scene.h[box]].map(round);
    const text = (value, at, size, weight, hue, more = "") => `<text x="${round(at[0])}" y="${round(at[1])}" font-size="${size}" font-weight="${weight}" fill="${hue}" dominant-baseline="central"${more}>${escape(value)}</text>`;
    const rect = (fill, stroke, more = "") => `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="7" fill="${fill}" stroke="${stroke}"${more}/>`;
    const panel = look.value("--panel");
    if (scene.group[box]) {
      const { title, words } = folderText(g, look, scene.group[box]);
      return `<g>${rect(panel, look.value("--line-strong"))}${text(title, [x + 12, y + 20], FONT, 600, look.value("--text"))}${text(words, [x + 12, y + 38], 11, 400, look.value("--muted"))}</g>`;
    }
    const node = scene.node[box];
    const hue = look.hue(node);
    const body = look.body(node);
    const soft = body === "solid" || body === "striped" ? rect(hue, "none", ' fill-opacity=".17"') : "";
    const dash = body === "dashed" ? ' stroke-dasharray="4 3"' : "";
    const table = scene.table?.[box];
    const middle = table ? y + 14.5 : y + h / 2;
    const mark = look.mark(node);
    const marked = mark ? `<circle cx="${x + w - 14}" cy="${middle}" r="7" fill="${mark.hue}"/>${text(mark.text, [x + w - 14, middle], 10, 700, panel, ' text-anchor="middle"')}` : "";
    const lines = (table?.lines ?? []).map((line, at) => text(`${line.text} ${line.role ?? ""}`, [x + 12, y + 39 + at * 21], 12, 400, look.value("--text")));
    return `<g><title>${escape(scene.label[box])}</title>${rect(panel, "none")}${table ? "" : soft}${rect("none", hue, dash)}${text(label(scene, box, look, measure), [x + 14, middle], FONT, 500, look.value("--text"))}${marked}${lines.join("")}</g>`;
  }
})();
