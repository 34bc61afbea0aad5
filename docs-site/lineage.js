// The lineage page: what is chosen, what is shown of it, and the parts around the canvas.
(() => {
  "use strict";
  const lineal = globalThis.lineal;
  const graph = lineal.graph;

  const FOLDERS_FROM = 400; // nodes, beyond which folders are shown unless asked otherwise
  const TABLES_FROM = 80;
  const DEPTH = 2;
  const IN_LIST = 150;

  const page = document.getElementById("lineage");
  if (!page) return;
  const erd = page.dataset.mode === "erd";
  const $ = (id) => document.getElementById(`lg-${id}`);
  const { plural } = graph;

  const app = { g: null, state: {}, nodes: [], direct: new Set(), scene: null, look: null, view: null, measure: null };

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  // ---- state ---------------------------------------------------------------------------------------------------

  const grouped = () => !erd && (app.state.group ? app.state.group === "folder" : app.nodes.length > FOLDERS_FROM);
  const names = (text) => new Set((text ?? "").split(",").filter(Boolean));

  // Takes over what changes, writes the address, and shows it. A change of what is selected can be gone back from.
  function go(changes, back = true) {
    const state = { ...app.state, ...changes };
    for (const key of Object.keys(state)) if (!state[key]) delete state[key];
    const hash = graph.writeHash(state);
    if (hash === graph.writeHash(app.state)) return;
    history[back ? "pushState" : "replaceState"](null, "", hash);
    follow(state);
  }

  const SCENE_KEYS = ["s", "exclude", "group", "open", "shut"];

  function follow(state) {
    const before = app.state;
    app.state = state;
    const same = app.scene && SCENE_KEYS.every((key) => before[key] === state[key]);
    if (!same) choose();
    if (!app.look || before.color !== state.color) app.look = graph.look(app.g, state.color ?? "kind");
    if (same && before.color !== state.color) app.view.repaint(app.look);
    if (!same) build();
    controls();
    showChosen(state.node, !same);
    if (state.list) list();
    $("list").hidden = !state.list;
  }

  function choose() {
    const { g, state } = app;
    const everything = erd ? [...g.tables.keys()].sort((a, b) => a - b) : Array.from({ length: g.count }, (_, i) => i);
    const nothing = { chosen: new Set(), direct: new Set(), faults: [] };
    const chosen = state.s ? graph.select(g, state.s) : nothing;
    const left = state.exclude ? graph.select(g, state.exclude) : nothing;
    const shown = (node) => (!state.s || chosen.chosen.has(node)) && !left.chosen.has(node);
    app.nodes = state.s || state.exclude ? everything.filter(shown) : everything;
    app.direct = chosen.direct;
    faults([...chosen.faults.map((fault) => ["s", fault]), ...left.faults.map((fault) => ["exclude", fault])]);
  }

  function faults(all) {
    const lines = all.map(([key, { word, message, near }]) => {
      const links = (near ?? []).flatMap((text) => [" ", make("button", { type: "button", class: "lg-link", onclick: () => go({ [key]: (app.state[key] ?? "").replace(word, text) }) }, text)]);
      return make("p", {}, message, links.length ? ". Did you mean" : "", ...links, links.length ? "?" : "");
    });
    $("faults").replaceChildren(...lines);
    for (const [id, key] of [["s", "s"], ["x", "exclude"]]) $(id).setAttribute("aria-invalid", String(all.some(([own]) => own === key)));
  }

  function build() {
    const { g, state, nodes, look, measure } = app;
    const { clientWidth, clientHeight } = $("canvas");
    const aspect = Math.min(2.4, Math.max(0.7, clientWidth / Math.max(1, clientHeight)));
    const options = { group: grouped(), open: names(state.open), shut: names(state.shut), look, measure, aspect, width: clientWidth };
    app.scene = erd ? graph.erdScene(g, nodes, options) : graph.scene(g, nodes, options);
    $("empty").hidden = app.scene.count > 0;
    app.view.show({ g, scene: app.scene, look, measure, chosen: -1, marked: null });
  }

  // ---- the bar, the legend, the count --------------------------------------------------------------------------

  function controls() {
    const { state, scene, nodes } = app;
    for (const [id, key] of [["s", "s"], ["x", "exclude"]]) if ($(id) !== document.activeElement) $(id).value = state[key] ?? "";
    $("color").value = state.color ?? "kind";
    $("folders").setAttribute("aria-pressed", String(grouped()));
    $("nodes").setAttribute("aria-pressed", String(!grouped()));
    $("list-button").setAttribute("aria-pressed", String(Boolean(state.list)));
    $("all").hidden = !(state.s || state.exclude);
    const folders = scene.group.filter(Boolean).length;
    const what = erd ? plural(nodes.length, "table") : plural(nodes.length, "node");
    $("count").textContent = folders ? `${what} in ${plural(folders, "folder")}, ${plural(scene.from.length, "connection")}` : `${what}, ${plural(scene.from.length, erd ? "relationship" : "edge")}`;
    legend();
  }

  function legend() {
    const { look, nodes } = app;
    const entries = look.legend(nodes).map(({ label, hue, count, mark }) => {
      const swatch = make("span", { class: "lg-swatch", "aria-hidden": "true" }, mark);
      swatch.style.background = hue;
      return make("li", {}, swatch, label, make("span", { class: "lg-muted" }, ` ${graph.number(count)}`));
    });
    $("legend-title").textContent = graph.COLOURS[look.mode] ?? "kind";
    $("legend-list").replaceChildren(...entries);
  }

  // ---- one box -------------------------------------------------------------------------------------------------

  function boxOf(word) {
    if (!word) return -1;
    const { g, scene } = app;
    for (let box = 0; box < scene.count; box++) {
      if (scene.group[box] ? scene.group[box].path === word : graph.word(g, scene.node[box]) === word) return box;
    }
    return -1;
  }

  const wordOf = (box) => (app.scene.group[box] ? app.scene.group[box].path : graph.word(app.g, app.scene.node[box]));

  function showChosen(word, fresh) {
    let box = boxOf(word);
    if (box < 0 && fresh && app.direct.size === 1) box = app.scene.at.get([...app.direct][0]) ?? -1;
    app.view.choose(box);
    panel(box);
    if (!fresh) return;
    // What lies over the canvas shall not lie over the graph.
    app.view.covered = covered(box);
    app.view.fit(false);
    if (box >= 0 && app.view.free().scale < 0.5) app.view.center(box, false);
  }

  function covered(box) {
    if (box < 0) return { width: 0, height: 0, below: 0 };
    const { offsetWidth: width, offsetHeight: height, offsetTop: top } = $("panel");
    return matchMedia("(max-width: 640px)").matches ? { width: 0, height: 0, below: height } : { width, height: height + top, below: 0 };
  }

  const facts = (g, i) => [
    ["Path", g.path(i)],
    ["Materialized", g.materialization.of(i)],
    ["Owner", g.owner.of(i)],
    ["Group", g.group.of(i)],
    ["Tags", g.tags.of(i).join(", ")],
    ["Tests", g.tests[i] ? `${g.tests[i]}${g.failing[i] ? `, ${g.failing[i]} not passing` : ""}` : ""],
    ["State", graph.STATE_WORDS[g.state.of(i)] ?? ""],
    ["Last run took", g.seconds(i) === null ? "" : `${g.seconds(i).toLocaleString("en", { maximumSignificantDigits: 3 })} s`],
  ].filter(([, value]) => value);

  function panel(box) {
    const aside = $("panel");
    aside.hidden = box < 0;
    if (box < 0) return;
    const { g, scene } = app;
    aside.replaceChildren(...(scene.group[box] ? folderPanel(scene.group[box]) : nodePanel(g, scene.node[box])));
  }

  const close = () => make("button", { type: "button", class: "lg-close", "aria-label": "Close", onclick: () => go({ node: "" }, false) }, "×");

  function nodePanel(g, i) {
    const list = make("dl", {}, ...facts(g, i).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
    const up = g.reach(i, "up").size - 1;
    const down = g.reach(i, "down").size - 1;
    const folder = graph.folderOf(g, i);
    const parts = [close(), make("p", { class: "lg-kind" }, g.kind.of(i).replace(/_/g, " ")), make("h2", {}, make("a", { href: lineal.root + g.url(i) }, g.name[i])), list];
    if (erd) return [...parts, relations(g, i), depths(g, i, g.parents.of(i).length, g.children.of(i).length)];
    parts.push(depths(g, i, up, down));
    if (grouped()) parts.push(make("button", { type: "button", onclick: () => go(fold(folder)) }, `Collapse ${folder}`));
    return parts;
  }

  function relations(g, i) {
    const lines = g.relations.filter((relation) => relation.from === i || relation.to === i).map((relation) => {
      const other = relation.from === i ? relation.to : relation.from;
      const [own, theirs, arrow] = relation.from === i ? [relation.from_column, relation.to_column, "→"] : [relation.to_column, relation.from_column, "←"];
      return make("li", {}, `${own} ${arrow} ${g.name[other]}.${theirs}`, make("span", { class: "lg-muted" }, relation.enforced ? " foreign key" : " test"));
    });
    return make("ul", { class: "lg-relations" }, ...lines);
  }

  // The two steppers: how far upstream and downstream the selection reaches around this node.
  function depths(g, i, up, down) {
    const word = graph.word(g, i);
    const now = graph.criterion(app.state.s ?? "");
    const own = app.state.s && !/\s|,/.test(app.state.s) && app.direct.size === 1 && app.direct.has(i);
    const depth = own ? { up: now.at ? Infinity : now.parents ?? 0, down: now.at ? Infinity : now.children ?? 0 } : null;
    const text = (steps) => (steps === Infinity ? "" : String(steps));
    const set = (to) => go({ s: `${to.up ? `${text(to.up)}+` : ""}${word}${to.down ? `+${text(to.down)}` : ""}`, node: word, group: "none" });
    const side = (name, label, total) => {
      const steps = depth?.[name] ?? DEPTH;
      const other = depth ?? { up: DEPTH, down: DEPTH };
      const button = (shown, title, to) => make("button", { type: "button", "aria-label": title, disabled: to < 0, onclick: () => set({ ...other, [name]: to }) }, shown);
      const value = depth ? (steps === Infinity ? "all" : String(steps)) : "–";
      return make("div", { class: `lg-depth lg-depth-${name}` }, make("span", {}, label, make("span", { class: "lg-muted" }, ` ${graph.number(total)}`)), make("span", { class: "lg-steps" },
        button("−", `${label}: one step less`, steps === Infinity ? DEPTH : steps - 1), make("output", {}, value), button("+", `${label}: one step more`, steps === Infinity ? Infinity : steps + 1), button("all", `${label}: all of it`, Infinity)));
    };
    const focus = own ? null : make("button", { type: "button", class: "lg-main", onclick: () => set({ up: DEPTH, down: DEPTH }) }, "Focus on this");
    return make("div", { class: "lg-depths" }, side("up", erd ? "Refers to" : "Upstream", up), side("down", erd ? "Referred to by" : "Downstream", down), focus);
  }

  const without = (set, test) => [...set].filter((path) => !test(path)).join(",");
  const within = (path, folder) => path === folder || path.startsWith(`${folder}/`);

  function fold(folder) {
    const { open, shut } = app.state;
    const plain = folder.replace(/\/\*$/, "");
    const closed = without(names(shut), (path) => within(path, plain));
    return { open: without(names(open), (path) => within(path, plain)), shut: [closed, plain].filter(Boolean).join(","), node: plain };
  }

  function unfold(path) {
    const { open, shut } = app.state;
    const opened = new Set([...names(open), path]);
    return { open: [...opened].join(","), shut: without(names(shut), (closed) => closed === path), node: "" };
  }

  function folderPanel(group) {
    const plain = group.path.replace(/\/\*$/, "");
    const parent = plain.includes("/") ? plain.slice(0, plain.lastIndexOf("/")) : "";
    const bar = make("ul", { class: "lg-shares" }, ...graph.folderText(app.g, app.look, group).bar.map(({ label, hue, count }) => {
      const swatch = make("span", { class: "lg-swatch", "aria-hidden": "true" });
      swatch.style.background = hue;
      return make("li", {}, swatch, `${label} `, make("span", { class: "lg-muted" }, graph.number(count)));
    }));
    const only = plain.startsWith("sources/") ? `source:${plain.slice(8)}` : plain === "exposures" ? "exposure:*" : plain;
    return [
      close(), make("p", { class: "lg-kind" }, "folder"), make("h2", {}, plain), bar,
      make("button", { type: "button", class: "lg-main", onclick: () => go(unfold(group.path)) }, "Open this folder"),
      make("button", { type: "button", onclick: () => go({ s: only, group: "none", node: "", open: "", shut: "" }) }, "Show this folder alone"),
      parent ? make("button", { type: "button", onclick: () => go(fold(parent)) }, `Collapse into ${parent}`) : null,
    ].filter(Boolean);
  }

  function describe(box) {
    const { g, scene } = app;
    const up = scene.near.up(box).length;
    const down = scene.near.down(box).length;
    const around = `${up} upstream, ${down} downstream`;
    if (scene.group[box]) return `folder ${scene.group[box].path}, ${plural(scene.group[box].nodes.length, "node")}, ${around}`;
    const i = scene.node[box];
    return [g.name[i], g.kind.of(i).replace(/_/g, " "), g.materialization.of(i), graph.STATE_WORDS[g.state.of(i)], around].filter(Boolean).join(", ");
  }

  // ---- pointer and keyboard ------------------------------------------------------------------------------------

  const callbacks = {
    hover(box) {
      const tip = $("tip");
      tip.hidden = box < 0;
      $("canvas").style.cursor = box < 0 ? "" : "pointer";
      if (box < 0) return;
      const { scene } = app;
      const detail = scene.group[box] ? graph.folderText(app.g, app.look, scene.group[box]).words : describe(box).slice(scene.label[box].length + 2);
      tip.replaceChildren(make("strong", {}, scene.group[box] ? scene.group[box].path : scene.label[box]), make("span", {}, detail));
      place(tip, box);
    },
    choose(box, event) {
      if (box >= 0 && (event.ctrlKey || event.metaKey)) return void callbacks.open(box, event);
      $("tip").hidden = true;
      go({ node: box < 0 ? "" : wordOf(box) }, false);
      if (box >= 0) lineal.say(describe(box));
    },
    open(box, event) {
      if (box < 0) return;
      if (app.scene.group[box]) return void go(unfold(app.scene.group[box].path));
      const url = lineal.root + app.g.url(app.scene.node[box]);
      if (event.ctrlKey || event.metaKey) window.open(url);
      else location.href = url;
    },
    walk(way) {
      const { view, scene } = app;
      if (!scene.count) return;
      const box = view.chosen < 0 ? first() : view.neighbour(view.chosen, way);
      if (box < 0) return void lineal.say(`nothing to the ${way}`);
      go({ node: wordOf(box) }, false);
      view.reveal(box);
      lineal.say(`${describe(box)}. Enter opens it`);
    },
    key(key) {
      if (key === "f" && app.view.chosen >= 0 && !app.scene.group[app.view.chosen]) {
        const word = wordOf(app.view.chosen);
        go({ s: `${DEPTH}+${word}+${DEPTH}`, node: word, group: "none" });
        return true;
      }
      return false;
    },
    frame: (view) => map(view),
    painted: () => performance.mark("lineage-painted"),
  };

  // The box nearest to the middle of what is visible.
  function first() {
    const { scene, view } = app;
    const { left, right, top, bottom } = view.visible;
    const apart = (box) => Math.hypot(scene.x[box] + scene.w[box] / 2 - (left + right) / 2, scene.y[box] + scene.h[box] / 2 - (top + bottom) / 2);
    let best = 0;
    for (let box = 1; box < scene.count; box++) if (apart(box) < apart(best)) best = box;
    return best;
  }

  function place(tip, box) {
    const { scene, view } = app;
    const { scale, x, y } = view.camera;
    const middle = (scene.x[box] + scene.w[box] / 2) * scale + x;
    const below = (scene.y[box] + scene.h[box]) * scale + y + 10;
    const half = tip.offsetWidth / 2;
    tip.style.left = `${Math.max(8, Math.min(view.width - 2 * half - 8, middle - half))}px`;
    tip.style.top = `${below + tip.offsetHeight > view.height ? Math.max(8, scene.y[box] * scale + y - tip.offsetHeight - 10) : below}px`;
  }

  // ---- the small map -------------------------------------------------------------------------------------------

  // The picture is made small once; each frame only draws where one is.
  function map(view) {
    const small = $("map");
    const useful = view.overview && view.camera.scale > view.free().scale * 1.3;
    if (small.hidden !== !useful) small.hidden = !useful;
    if (!useful) return;
    const { bounds } = view.scene;
    const width = 176;
    const height = Math.max(40, Math.min(132, (width * bounds.height) / bounds.width));
    const { ratio } = view;
    const scale = Math.min(width / bounds.width, height / bounds.height);
    const camera = { scale, x: (width - bounds.width * scale) / 2 - bounds.left * scale, y: (height - bounds.height * scale) / 2 - bounds.top * scale };
    if (view.overview !== app.small?.of) {
      const canvas = make("canvas", { width: width * ratio, height: Math.round(height * ratio) });
      const ctx = canvas.getContext("2d", { alpha: false });
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      ctx.fillStyle = view.look.value("--bg");
      ctx.fillRect(0, 0, width, height);
      view.overview.show(ctx, camera);
      app.small = { of: view.overview, canvas };
      [small.width, small.height] = [canvas.width, canvas.height];
      small.style.height = `${height}px`;
    }
    view.mapCamera = camera;
    const ctx = small.getContext("2d");
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.drawImage(app.small.canvas, 0, 0);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const seen = view.visible;
    ctx.strokeStyle = view.look.value("--accent");
    ctx.lineWidth = 2;
    ctx.strokeRect(seen.left * scale + camera.x, seen.top * scale + camera.y, (seen.right - seen.left) * scale, (seen.bottom - seen.top) * scale);
  }

  function listenMap() {
    const small = $("map");
    const jump = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      small.setPointerCapture(event.pointerId);
      const frame = small.getBoundingClientRect();
      const { view } = app;
      const camera = view.mapCamera;
      const x = (event.clientX - frame.left - camera.x) / camera.scale;
      const y = (event.clientY - frame.top - camera.y) / camera.scale;
      const { scale } = view.camera;
      view.move({ scale, x: view.width / 2 - x * scale, y: view.height / 2 - y * scale }, false);
    };
    small.addEventListener("pointerdown", jump);
    small.addEventListener("pointermove", jump);
  }

  // ---- the list, which says the same in words ------------------------------------------------------------------

  function list(most = IN_LIST) {
    const { g, scene } = app;
    const order = Array.from({ length: scene.count }, (_, box) => box).sort((a, b) => scene.x[a] - scene.x[b] || scene.y[a] - scene.y[b]);
    const link = (box) => (scene.group[box] ? scene.group[box].path : make("a", { href: lineal.root + g.url(scene.node[box]) }, scene.label[box]));
    const near = (label, boxes) => (boxes.length ? make("p", {}, `${label}: `, ...boxes.slice(0, 40).flatMap(([box], at) => [at ? ", " : "", link(box)]), boxes.length > 40 ? ` and ${boxes.length - 40} more` : "") : null);
    const item = (box) => {
      const group = scene.group[box];
      const name = group ? make("button", { type: "button", class: "lg-link", onclick: () => go(unfold(group.path)) }, group.path) : link(box);
      const words = group ? graph.folderText(g, app.look, group).words : [g.kind.of(scene.node[box]).replace(/_/g, " "), g.materialization.of(scene.node[box]), graph.STATE_WORDS[g.state.of(scene.node[box])]].filter(Boolean).join(", ");
      return make("li", {}, make("p", {}, name, make("span", { class: "lg-muted" }, ` ${words}`)), near(erd ? "Refers to" : "Upstream", scene.near.up(box)), near(erd ? "Referred to by" : "Downstream", scene.near.down(box)));
    };
    const more = order.length > most ? make("button", { type: "button", onclick: () => list(most + 500) }, `Show ${Math.min(500, order.length - most)} more of ${order.length}`) : null;
    $("list").replaceChildren(make("h2", {}, $("count").textContent), make("ol", {}, ...order.slice(0, most).map(item)), ...[more].filter(Boolean));
  }

  // ---- export --------------------------------------------------------------------------------------------------

  function save(blob, ending) {
    const name = (app.state.s || (erd ? "relationships" : "lineage")).replace(/[^\w.+-]+/g, "_");
    const link = make("a", { href: URL.createObjectURL(blob), download: `${name}.${ending}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    lineal.say(`${name}.${ending} saved`);
  }

  function png() {
    const { g, scene, look, measure } = app;
    const pad = 24;
    const [width, height] = [scene.bounds.width + 2 * pad, scene.bounds.height + 2 * pad];
    // Browsers refuse canvases beyond some size; texts stay sharp up to twice their size.
    const scale = Math.min(2, 12000 / Math.max(width, height), Math.sqrt(100e6 / (width * height)));
    const canvas = make("canvas", { width: Math.ceil(width * scale), height: Math.ceil(height * scale) });
    const ctx = canvas.getContext("2d", { alpha: false });
    ctx.fillStyle = look.value("--bg");
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    ctx.setTransform(scale, 0, 0, scale, (pad - scene.bounds.left) * scale, (pad - scene.bounds.top) * scale);
    const view = { left: -Infinity, top: -Infinity, right: Infinity, bottom: Infinity };
    for (const _ of graph.paint(ctx, { g, scene, look, measure, view, scale })) { /* all at once */ }
    canvas.toBlob((blob) => (blob ? save(blob, "png") : lineal.say("this graph is too large for a picture: save it as SVG")), "image/png");
  }

  // ---- search with suggestions ---------------------------------------------------------------------------------

  function search(input, key) {
    const box = $(`${input.id.slice(3)}-suggestions`);
    let active = -1;
    const options = () => [...box.children];
    const hide = () => { box.hidden = true; active = -1; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
    const word = () => {
      const start = Math.max(input.value.lastIndexOf(" ", input.selectionStart - 1), input.value.lastIndexOf(",", input.selectionStart - 1)) + 1;
      return { start, end: input.selectionStart, text: input.value.slice(start, input.selectionStart) };
    };
    const take = (text) => {
      const { start, end, text: typed } = word();
      const [, before] = /^(@?\d*\+?)/.exec(typed);
      input.setRangeText(before + text, start, end, "end");
      hide();
    };
    const pick = (at) => {
      active = at;
      options().forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
      if (at >= 0) input.setAttribute("aria-activedescendant", options()[at].id);
    };
    const submit = () => { hide(); go({ [key]: input.value.trim().replace(/\s+/g, " "), node: "", group: "" }); };
    input.addEventListener("input", () => {
      const typed = graph.criterion(word().text).value;
      const found = typed.length > 1 ? graph.suggest(app.g, typed) : [];
      box.replaceChildren(...found.map(({ text, detail }, at) => make("li", { role: "option", id: `${box.id}-${at}`, "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); take(text); submit(); } }, make("span", {}, text), make("span", { class: "lg-muted" }, detail.replace(/_/g, " ")))));
      active = -1;
      box.hidden = !found.length;
      input.setAttribute("aria-expanded", String(found.length > 0));
    });
    input.addEventListener("keydown", (event) => {
      const many = options().length;
      if (event.key === "Escape") return void (box.hidden ? input.blur() : hide());
      if (event.key === "Enter") { event.preventDefault(); if (active >= 0) take(options()[active].firstChild.textContent); submit(); return; }
      if (box.hidden || !many) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); pick((active + (event.key === "ArrowDown" ? 1 : many)) % many); }
      if (event.key === "Tab" && active >= 0) { event.preventDefault(); take(options()[active].firstChild.textContent); }
    });
    input.addEventListener("blur", () => { hide(); if (input.value.trim() !== (app.state[key] ?? "")) submit(); });
  }

  // ---- start ---------------------------------------------------------------------------------------------------

  function listen() {
    search($("s"), "s");
    search($("x"), "exclude");
    $("color").append(...Object.entries(graph.COLOURS).map(([value, label]) => make("option", { value }, label)));
    $("color").addEventListener("change", () => go({ color: $("color").value === "kind" ? "" : $("color").value }, false));
    $("folders").addEventListener("click", () => go({ group: "folder", node: "" }));
    $("nodes").addEventListener("click", () => go({ group: "none", node: "", open: "", shut: "" }));
    $("all").addEventListener("click", () => go({ s: "", exclude: "", group: "", node: "", open: "", shut: "" }));
    $("list-button").addEventListener("click", () => { go({ list: app.state.list ? "" : "1" }, false); if (app.state.list) $("list").focus(); });
    $("png").addEventListener("click", png);
    $("svg").addEventListener("click", () => save(new Blob([graph.svg(app)], { type: "image/svg+xml" }), "svg"));
    $("in").addEventListener("click", () => app.view.zoom(1.3));
    $("out").addEventListener("click", () => app.view.zoom(1 / 1.3));
    $("fit").addEventListener("click", () => app.view.fit());
    listenMap();
    addEventListener("popstate", () => follow(graph.readHash(location.hash)));
    addEventListener("hashchange", () => follow(graph.readHash(location.hash)));
    addEventListener("lineal:theme", () => { app.look = graph.look(app.g, app.state.color ?? "kind"); app.view.repaint(app.look); legend(); panel(app.view.chosen); });
  }

  async function start() {
    const read = async (name) => lineal.inflate(await lineal.load(name));
    const [bytes, tables] = await Promise.all([read("graph"), erd ? read("erd") : null]);
    app.g = graph.decode(bytes);
    if (erd) app.g = graph.relationships(app.g, tables);
    app.measure = graph.measurer(graph.look(app.g, "kind"));
    app.view = new graph.View($("canvas"), callbacks);
    listen();
    page.classList.add("is-ready");
    const state = graph.readHash(location.hash);
    if (erd && !state.s && app.g.tables.size > TABLES_FROM) {
      const word = graph.word(app.g, graph.busiest(app.g));
      state.s = `1+${word}+1`;
      state.node = word;
    }
    follow(state);
  }

  lineal.lineage = app;
  start().catch((fault) => {
    $("empty").hidden = false;
    $("empty").textContent = `The graph could not be read: ${fault.message}`;
    throw fault;
  });
})();
