// Markdown for the page that stands alone, as elements: headings, lists, tables, quotes, code, links. What is HTML in it stays text.
const markdown = (() => {
  "use strict";
  const el = (tag, ...inner) => {
    const made = document.createElement(tag);
    made.append(...inner);
    return made;
  };

  // Code, pictures and links, strong and emphasized words, and what a backslash keeps as it is.
  const INLINE = /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)|!?\[([^\]\n]*)\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"\n]*")?\s*\)|<(https?:[^\s<>]+)>|(\*\*|__)(?=\S)([\s\S]*?\S)\6|(\*|\b_)(?=\S)([^*_\n]*?[^\s*_])(?:\*|_\b)|\\([\\`*_{}[\]()#+.!|<>~-])/;

  // Where a link may lead: the web, mail, this page.
  const safe = (to) => /^(https?:|mailto:|#)/i.test(to) && !/[\u0000-\u001f]/.test(to);

  function inline(text) {
    const out = [];
    let rest = text;
    for (let found; (found = INLINE.exec(rest)); ) {
      const [all, , code, name, to, address, , strong, , soft, kept] = found;
      if (found.index) out.push(rest.slice(0, found.index));
      rest = rest.slice(found.index + all.length);
      if (code !== undefined) out.push(el("code", code.trim() || code));
      else if (strong !== undefined) out.push(el("strong", ...inline(strong)));
      else if (soft !== undefined) out.push(el("em", ...inline(soft)));
      else if (kept !== undefined) out.push(kept);
      else {
        const shown = name === undefined ? [address] : inline(name);
        const target = to ?? address;
        if (!safe(target)) { out.push(...shown); continue; }
        const link = el("a", ...shown);
        link.href = target;
        out.push(link);
      }
    }
    if (rest) out.push(rest);
    return out;
  }

  const ITEM = /^(\s*)(?:[-*+]|\d{1,9}[.)])(\s+|$)/;
  const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
  const FENCE = /^ {0,3}(```+|~~~+)/;
  const DASHES = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
  const begins = (line) => ITEM.test(line) || RULE.test(line) || FENCE.test(line) || /^ {0,3}(#{1,6}\s|>)/.test(line);

  const cells = (line) => line.trim().replace(/^\||(?<!\\)\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));

  function table(head, rows) {
    const row = (tag, line, most) => el("tr", ...cells(line).slice(0, most).map((cell) => el(tag, ...inline(cell))));
    const box = el("div", el("table", el("thead", row("th", head)), el("tbody", ...rows.map((line) => row("td", line, cells(head).length)))));
    box.className = "scroll";
    return box;
  }

  function list(lines) {
    const ordered = /^\s*\d/.test(lines[0]), items = [];
    const indent = ITEM.exec(lines[0])[1].length;
    for (const line of lines) {
      const found = ITEM.exec(line);
      if (found && found[1].length <= indent + 1) items.push([line.slice(found[0].length)]);
      else items[items.length - 1].push(line.replace(/^ {1,4}/, ""));
    }
    return el(ordered ? "ol" : "ul", ...items.map((inner) => {
      // A line of its own is no paragraph.
      const made = blocks(inner);
      if (made.length && made[0].tagName === "P") made.splice(0, 1, ...made[0].childNodes);
      return el("li", ...made);
    }));
  }

  function blocks(lines) {
    const out = [];
    let at = 0;
    const take = (goes) => {
      const from = at;
      while (at < lines.length && goes(lines[at], at)) at += 1;
      return lines.slice(from, at);
    };
    while (at < lines.length) {
      const line = lines[at], heading = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/.exec(line), fence = FENCE.exec(line);
      if (!line.trim()) at += 1;
      else if (fence) {
        at += 1;
        const code = take((next) => !next.trim().startsWith(fence[1]));
        at += 1;
        out.push(el("pre", el("code", code.join("\n"))));
      } else if (heading) {
        at += 1;
        out.push(el("h" + Math.min(6, Math.max(3, heading[1].length + 1)), ...inline(heading[2])));
      } else if (RULE.test(line)) {
        at += 1;
        out.push(el("hr"));
      } else if (/^ {0,3}>/.test(line)) {
        out.push(el("blockquote", ...blocks(take((next) => /^ {0,3}>/.test(next)).map((next) => next.replace(/^ {0,3}> ?/, "")))));
      } else if (ITEM.test(line)) {
        const goes = (next, at) => ITEM.test(next) || /^\s{2,}\S/.test(next) || (!next.trim() && (ITEM.test(lines[at + 1] ?? "") || /^\s{2,}\S/.test(lines[at + 1] ?? "")));
        out.push(list(take(goes)));
      } else if (line.includes("|") && DASHES.test(lines[at + 1] ?? "") && cells(line).length === cells(lines[at + 1]).length) {
        at += 2;
        out.push(table(line, take((next) => next.trim() !== "" && next.includes("|"))));
      } else {
        const from = at;
        const text = take((next, at) => next.trim() !== "" && (at === from || !begins(next)));
        out.push(el("p", ...inline(text.map((next) => next.trim()).join("\n"))));
      }
    }
    return out;
  }

  return (text) => blocks(String(text || "").split(/\r?\n/));
})();
