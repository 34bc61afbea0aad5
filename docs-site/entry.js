// The page where dbt's readers look. Beside the whole site it leads there; with manifest.json and catalog.json alone, or with their
// content inside, it shows what they say.
(function () {
  "use strict";
  var site = document.body.dataset.site, embedded = document.getElementById("data");
  var main = document.getElementById("main"), side = document.getElementById("side"), find = document.getElementById("find");
  var kinds = ["model", "source", "seed", "snapshot", "exposure", "metric", "semantic_model", "saved_query", "function", "analysis", "macro"];
  var nodes = {}, order = [], children = {}, catalog = {}, project = "", overview = "";

  // dbt's addresses: #!/model/model.shop.orders
  function asked() {
    var parts = decodeURIComponent(location.hash).match(/^#!\/[a-z_-]+\/([^?#]+)/);
    return parts ? parts[1] : "";
  }

  if (embedded) show(JSON.parse(embedded.textContent));
  else {
    var script = document.createElement("script");
    script.src = site + "data/pages.js";
    window.lineal = { data: {} };
    script.onload = function () {
      var pages = window.lineal.data.pages || {}, id = asked();
      location.replace(site + ((id && (pages.special[id] || plain(id))) || "index.html"));
    };
    script.onerror = function () {
      Promise.all(["manifest.json", "catalog.json"].map(function (name) {
        return fetch(name).then(function (answer) { return answer.ok ? answer.json() : {}; }, function () { return {}; });
      })).then(function (loaded) {
        if (loaded[0].nodes) show({ manifest: loaded[0], catalog: loaded[1] });
        else main.replaceChildren(el("h1", "No documentation here"), el("p", "This page needs the folder lineal-docs beside it, or manifest.json and catalog.json served with it."));
      });
    };
    document.head.append(script);
  }

  // Where a page lies, unless the site says otherwise.
  function plain(id) {
    var parts = id.split("."), kind = parts[0], name = parts.slice(2).join(".");
    var folders = { model: "node", seed: "node", snapshot: "node", source: "node", unit_test: "test" };
    if (kind === "test") name = parts.slice(2, -1).join(".") || name;
    return (folders[kind] || kind) + "/" + parts[1] + "/" + name + ".html";
  }

  function el(tag, text, name) {
    var made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (name) made.className = name;
    return made;
  }

  function told(tag, text, name) {
    var made = el(tag, undefined, name);
    made.append.apply(made, markdown(text));
    return made;
  }

  function link(id) {
    var node = nodes[id], a = el("a", node ? node.title : id);
    if (node) a.href = "#!/" + node.resource_type + "/" + encodeURIComponent(id);
    return a;
  }

  function links(title, ids) {
    var known = ids.filter(function (id) { return nodes[id]; });
    if (!known.length) return [];
    var list = el("ul", undefined, "links");
    known.forEach(function (id) { var item = el("li"); item.append(link(id)); list.append(item); });
    return [el("h2", title), list];
  }

  function show(loaded) {
    var manifest = loaded.manifest;
    project = (manifest.metadata || {}).project_name || "";
    catalog = Object.assign({}, (loaded.catalog || {}).nodes, (loaded.catalog || {}).sources);
    ["nodes", "sources", "exposures", "metrics", "semantic_models", "saved_queries", "functions", "macros"].forEach(function (part) {
      Object.values(manifest[part] || {}).forEach(function (node) {
        if (kinds.indexOf(node.resource_type) < 0 || (node.docs && node.docs.show === false)) return;
        if (part === "macros" && /^dbt(_|$)/.test(node.package_name) && node.package_name !== project) return;
        node.title = part === "sources" ? node.source_name + "." + node.name : node.version ? node.name + ".v" + node.version : node.name;
        nodes[node.unique_id] = node;
      });
    });
    order = Object.keys(nodes).sort(function (a, b) { return nodes[a].title < nodes[b].title ? -1 : 1; });
    order.forEach(function (id) {
      (((nodes[id].depends_on || {}).nodes) || []).forEach(function (parent) { (children[parent] = children[parent] || []).push(id); });
    });
    Object.values(manifest.docs || {}).forEach(function (block) {
      if (block.name === "__overview__" && block.package_name !== "dbt") overview = block.block_contents;
    });
    addEventListener("hashchange", draw);
    find.addEventListener("input", list);
    draw();
  }

  function list() {
    var words = find.value.toLowerCase().split(/\s+/).filter(Boolean), current = asked();
    var parts = [];
    kinds.forEach(function (kind) {
      var found = order.filter(function (id) {
        var node = nodes[id];
        if (node.resource_type !== kind) return false;
        var text = words.length ? (node.title + " " + (node.description || "") + " " + Object.keys(node.columns || {}).join(" ") + " " + (node.tags || []).join(" ")).toLowerCase() : "";
        return words.every(function (word) { return text.indexOf(word) >= 0; });
      });
      if (!found.length) return;
      parts.push(el("p", kind.replace("_", " ") + " · " + found.length));
      found.slice(0, 500).forEach(function (id) {
        var a = link(id);
        if (id === current) a.setAttribute("aria-current", "page");
        parts.push(a);
      });
      if (found.length > 500) parts.push(el("p", "and " + (found.length - 500) + " more: search for them"));
    });
    side.replaceChildren.apply(side, parts.length ? parts : [el("p", "Nothing has all these words.")]);
  }

  function draw() {
    var node = nodes[asked()];
    list();
    document.title = (node ? node.title + " · " : "") + project;
    main.replaceChildren.apply(main, node ? page(node) : [el("h1", project), el("p", order.length + " resources. Choose one at the side, or search.", "faint"), told("div", overview, "prose")]);
    if (node) { main.focus({ preventScroll: true }); scrollTo(0, 0); }
  }

  function page(node) {
    var id = node.unique_id, known = catalog[id] || { columns: {} }, out = [el("h1", node.title)];
    var facts = el("dl");
    [["Kind", node.resource_type.replace("_", " ")], ["Materialized", (node.config || {}).materialized], ["Relation", (node.relation_name || "").replace(/"/g, "")],
      ["Owner", ((node.owner || {}).name) || ((node.meta || {}).owner)], ["Group", node.group], ["Tags", (node.tags || []).join(", ")], ["Package", node.package_name], ["File", node.original_file_path]
    ].forEach(function (pair) {
      if (!pair[1] || typeof pair[1] !== "string") return;
      var fact = el("div");
      fact.append(el("dt", pair[0]), el("dd", pair[1]));
      facts.append(fact);
    });
    out.push(facts, node.description ? told("div", node.description, "prose") : el("p", "No description yet.", "faint"));
    out = out.concat(columns(node, known));
    out = out.concat(links("Reads", ((node.depends_on || {}).nodes) || []), links("Used by", children[id] || []), links("Macros", ((node.depends_on || {}).macros) || []));
    [["Source", node.raw_code || node.macro_sql], ["Compiled", node.compiled_code]].forEach(function (pair) {
      if (!pair[1] || node.resource_type === "seed") return;
      var pre = el("pre");
      pre.tabIndex = 0;
      pre.append(el("code", pair[1]));
      out.push(el("h2", pair[0]), pre);
    });
    return out;
  }

  function columns(node, known) {
    var low = {}, rows = [];
    Object.values(node.columns || {}).forEach(function (column) { low[column.name.toLowerCase()] = column; });
    Object.values(known.columns || {}).sort(function (a, b) { return a.index - b.index; }).forEach(function (column) {
      var documented = low[column.name.toLowerCase()] || {};
      delete low[column.name.toLowerCase()];
      rows.push([column.name, column.type || documented.data_type, documented.description || column.comment]);
    });
    Object.values(low).forEach(function (column) { rows.push([column.name, column.data_type, column.description]); });
    if (!rows.length) return [];
    var table = el("table"), head = el("tr"), body = el("tbody"), top = el("thead"), box = el("div", undefined, "scroll");
    ["Column", "Type", "Description"].forEach(function (name) { head.append(el("th", name)); });
    top.append(head);
    rows.forEach(function (row) {
      var line = el("tr");
      row.forEach(function (cell, at) { line.append(at === 2 ? told("td", cell, "prose") : el("td", cell || "")); });
      body.append(line);
    });
    table.append(top, body);
    box.append(table);
    return [el("h2", "Columns"), box];
  }
})();
