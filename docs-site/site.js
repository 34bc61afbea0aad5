// What every page does beyond being read: shards of data, light and dark, copying, how long ago.
(function () {
  "use strict";
  var html = document.documentElement;
  var root = html.dataset.root || "";
  var loading = {};
  var lineal = (window.lineal = {
    root: root,
    data: {},
    // A shard of data: a classic script, since pages opened from a folder may not fetch.
    load: function (name) {
      return (loading[name] = loading[name] || new Promise(function (done, failed) {
        if (lineal.data[name] !== undefined) return done(lineal.data[name]);
        var script = document.createElement("script");
        script.src = root + "data/" + name + ".js";
        script.onload = function () { done(lineal.data[name]); };
        script.onerror = function () { delete loading[name]; failed(new Error("data/" + name + ".js is not there")); };
        document.head.append(script);
      }));
    },
    // Base64 of deflated bytes.
    inflate: function (base64) {
      var stream = new Blob([decoded(base64)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
      return new Response(stream).arrayBuffer().then(function (buffer) { return new Uint8Array(buffer); });
    },
    theme: function () {
      return html.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    },
    say: function (text) { document.getElementById("live").textContent = text; }
  });

  function decoded(base64) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
    var text = atob(base64), bytes = new Uint8Array(text.length);
    for (var i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  }

  function themeChanged() {
    window.dispatchEvent(new Event("lineal:theme"));
    var button = document.getElementById("theme");
    button.textContent = lineal.theme() === "dark" ? "☀" : "☾";
  }
  var button = document.getElementById("theme");
  button.hidden = false;
  button.onclick = function () {
    html.dataset.theme = lineal.theme() === "dark" ? "light" : "dark";
    try { localStorage.setItem("lineal-theme", html.dataset.theme); } catch (_) { /* only for this page then */ }
    themeChanged();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themeChanged);
  themeChanged();

  // The search comes with its own script when it is first asked for.
  var find = document.getElementById("find");
  function search() {
    if (lineal.search) return lineal.search.open();
    var script = document.createElement("script");
    script.src = root + "assets/search.js";
    script.onload = function () { lineal.search.open(); };
    document.head.append(script);
  }
  find.setAttribute("role", "button");
  find.addEventListener("click", function (event) { event.preventDefault(); search(); });
  find.addEventListener("keydown", function (event) { if (event.key === " ") { event.preventDefault(); search(); } });
  document.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
    var slash = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
    var letter = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (slash || letter) { event.preventDefault(); search(); }
  });

  // dbt's old addresses: #!/model/model.shop.orders
  function legacy() {
    var parts = /^#!\/([a-z_-]+)\/([^?#]+)/.exec(decodeURIComponent(location.hash));
    if (parts && !root) location.replace("../index.html" + location.hash);
  }
  addEventListener("hashchange", legacy);
  legacy();

  var narrow = matchMedia("(max-width: 800px)");
  function fold() { document.getElementById("menu").open = !narrow.matches; }
  narrow.addEventListener("change", fold);
  fold();
  document.querySelectorAll(".copy").forEach(function (code) {
    var copy = document.createElement("button");
    copy.type = "button";
    copy.textContent = "copy";
    copy.setAttribute("aria-label", "Copy " + code.textContent);
    copy.onclick = function () {
      navigator.clipboard.writeText(code.textContent).then(function () { copy.textContent = "copied"; lineal.say("Copied"); });
    };
    code.after(copy);
  });

  var units = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];
  document.querySelectorAll("time").forEach(function (time) {
    var past = (Date.now() - new Date(time.dateTime)) / 1000;
    var unit = units.find(function (unit) { return Math.abs(past) >= unit[1]; });
    var count = unit && Math.round(Math.abs(past) / unit[1]), span = unit && count + " " + unit[0] + (count === 1 ? "" : "s");
    var ago = !unit ? "just now" : past > 0 ? span + " ago" : "in " + span;
    time.title = time.textContent + " UTC, " + ago;
    if (time.closest(".facts, .ago")) time.textContent = ago;
  });

  // Last: it has the page laid out.
  var here = document.querySelector(".siblings [aria-current]");
  if (here) here.scrollIntoView({ block: "nearest" });
})();
