// Colours: what a box looks like, and the legend that says so. All of them come from the style sheet.
(() => {
  "use strict";
  const lineal = (globalThis.lineal ||= {});
  const graph = (lineal.graph ||= {});

  const KIND = {
    model: "--model", source: "--source", seed: "--seed", snapshot: "--snapshot", exposure: "--exposure", metric: "--metric",
    semantic_model: "--semantic", saved_query: "--metric", analysis: "--analysis", function: "--macro",
  };
  const STATE = { pass: "--pass", warn: "--warn", fail: "--fail", error: "--fail", skipped: "--skip", notrun: "--faint" };
  graph.STATE_WORDS = { pass: "passed", warn: "warned", fail: "test failed", error: "error", skipped: "skipped", notrun: "not run" };
  graph.MARKS = { pass: "✓", warn: "!", fail: "✕", error: "✕", skipped: "–", notrun: "" };
  const STEPS = [[1, "under 1 s"], [10, "1 to 10 s"], [60, "10 to 60 s"], [600, "1 to 10 min"], [Infinity, "over 10 min"]];
  const CATEGORIES = 8;

  const words = (text) => text.replace(/_/g, " ");

  function stateColour(look) {
    const order = ["fail", "error", "warn", "skipped", "pass", "notrun"];
    return {
      key: (g, i) => g.state.of(i),
      order: (a, b) => order.indexOf(a) - order.indexOf(b),
      hue: (key) => look.value(STATE[key] ?? "--faint"),
      label: (key) => graph.STATE_WORDS[key] ?? key,
      mark: (key) => graph.MARKS[key],
    };
  }

  function durationColour(look) {
    const step = (seconds) => STEPS.findIndex(([most]) => seconds < most);
    return {
      key: (g, i) => (g.seconds(i) === null ? "" : String(step(g.seconds(i)))),
      order: (a, b) => b.localeCompare(a),
      hue: (key) => (key === "" ? look.value("--faint") : look.value(`--ramp-${Number(key) + 1}`)),
      label: (key) => (key === "" ? "not run" : STEPS[Number(key)][1]),
    };
  }

  // The most frequent get a colour of their own, the rest share grey.
  function categories(look, g, column, none) {
    const counts = new Map();
    for (let i = 0; i < g.count; i++) counts.set(column.of(i), (counts.get(column.of(i)) ?? 0) + 1);
    const ranked = [...counts.keys()].filter(Boolean).sort((a, b) => counts.get(b) - counts.get(a) || (a < b ? -1 : 1)).slice(0, CATEGORIES);
    const rank = new Map(ranked.map((value, at) => [value, at]));
    return {
      key: (_, i) => { const value = column.of(i); return value === "" ? "" : rank.has(value) ? value : "\u0000"; },
      order: (a, b) => (rank.get(a) ?? (a ? 98 : 99)) - (rank.get(b) ?? (b ? 98 : 99)),
      hue: (key) => (rank.has(key) ? look.value(`--category-${rank.get(key) + 1}`) : look.value("--faint")),
      label: (key) => (key === "" ? none : key === "\u0000" ? "others" : key),
    };
  }

  const kindColour = (look) => ({
    key: (g, i) => g.kind.of(i),
    order: (a, b) => Object.keys(KIND).indexOf(a) - Object.keys(KIND).indexOf(b),
    hue: (key) => look.value(KIND[key] ?? "--faint"),
    label: words,
  });

  graph.COLOURS = { kind: "kind", materialization: "materialization", owner: "owner", package: "package", status: "test state", duration: "duration" };

  // Reads the style sheet's variables once for each theme.
  graph.look = (g, mode) => {
    const style = getComputedStyle(document.documentElement);
    const known = new Map();
    const dark = lineal.theme() === "dark";
    // A variable's text is as it is written: `light-dark(#fff, #000)`.
    const read = (name) => {
      const text = style.getPropertyValue(name).trim();
      const both = /^light-dark\((.+), (.+)\)$/.exec(text);
      return (both ? both[dark ? 2 : 1] : text) || "#888888";
    };
    const look = {
      mode,
      value(name) {
        if (!known.has(name)) known.set(name, read(name));
        return known.get(name);
      },
      font: style.getPropertyValue("--sans").trim() || "system-ui, sans-serif",
    };
    const made = {
      materialization: () => categories(look, g, g.materialization, "none"),
      owner: () => categories(look, g, g.owner, "no owner"),
      package: () => categories(look, g, g.package, "none"),
      status: () => stateColour(look),
      duration: () => durationColour(look),
    };
    const colour = (made[mode] ?? (() => kindColour(look)))();
    const hues = new Map();
    look.key = (i) => colour.key(g, i);
    look.hueOf = (key) => {
      if (!hues.has(key)) hues.set(key, colour.hue(key));
      return hues.get(key);
    };
    look.hue = (i) => look.hueOf(colour.key(g, i));
    look.legend = (nodes) => {
      const counts = new Map();
      for (const node of nodes) counts.set(look.key(node), (counts.get(look.key(node)) ?? 0) + 1);
      const keys = [...counts.keys()].sort(colour.order);
      return keys.map((key) => ({ key, label: colour.label(key), hue: look.hueOf(key), mark: colour.mark?.(key) ?? "", count: counts.get(key) }));
    };
    look.mark = (i) => {
      const state = g.state.of(i);
      const loud = state === "fail" || state === "error" || state === "warn";
      if (!loud && (mode !== "status" || !graph.MARKS[state])) return null;
      return { text: graph.MARKS[state], hue: look.value(STATE[state]) };
    };
    // How a box is filled says how it is materialized.
    look.body = (i) => {
      const how = g.materialization.of(i);
      if (how === "ephemeral") return "dashed";
      if (how === "view") return "outlined";
      if (how === "incremental" || how === "microbatch") return "striped";
      return "solid";
    };
    return look;
  };
})();
