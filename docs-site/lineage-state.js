// What is shown, as the address says it: lineage.html#s=2+orders+2&exclude=tag:old&color=status
(() => {
  "use strict";
  const lineal = (globalThis.lineal ||= {});
  const graph = (lineal.graph ||= {});

  const KEYS = ["s", "exclude", "color", "group", "open", "shut", "node", "list"];
  const PLAIN = { "%2B": "+", "%3A": ":", "%2F": "/", "%2C": ",", "%40": "@" };

  graph.readHash = (hash) => {
    const state = {};
    for (const part of hash.replace(/^#/, "").split("&")) {
      const cut = part.indexOf("=");
      const key = cut < 0 ? part : part.slice(0, cut);
      if (!KEYS.includes(key)) continue;
      try {
        state[key] = decodeURIComponent(part.slice(cut + 1));
      } catch {
        state[key] = part.slice(cut + 1);
      }
    }
    return state;
  };

  graph.writeHash = (state) => {
    const parts = KEYS.filter((key) => state[key]).map((key) => {
      const value = encodeURIComponent(state[key]).replace(/%(2B|3A|2F|2C|40)/g, (code) => PLAIN[code]);
      return `${key}=${value}`;
    });
    return `#${parts.join("&")}`;
  };
})();
