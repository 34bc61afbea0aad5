// The pages of the site: that all of them hold together, can be read without scripts, and let nothing of the project out.
import { readdirSync, readFileSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";

function pages(folder, below = "") {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = below ? `${below}/${entry.name}` : entry.name;
    return entry.isDirectory() ? pages(folder, path) : path.endsWith(".html") ? [path] : [];
  });
}

// One page of each kind: the folder it is in, else its name.
function kinds(folder) {
  const seen = new Map();
  for (const page of pages(folder)) {
    const kind = page.includes("/") ? page.split("/")[0] : page;
    if (!seen.has(kind)) seen.set(kind, page);
  }
  return seen;
}

export async function every_link_leads_somewhere(t) {
  const missing = new Set(), known = new Map();
  const text = (path) => {
    if (!known.has(path)) known.set(path, existsSync(path) ? readFileSync(path, "utf8") : "");
    return known.get(path);
  };
  for (const page of pages(t.folder)) {
    const html = readFileSync(join(t.folder, page), "utf8");
    for (const [, to] of html.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
      const [path, mark] = to.replaceAll("&amp;", "&").split("#");
      if (/^[a-z]+:/.test(path)) continue;
      const target = path ? join(t.folder, dirname(page), decodeURIComponent(path)) : join(t.folder, page);
      if (!text(target) || (mark && target.endsWith(".html") && !target.endsWith("lineage.html") && !text(target).includes(`id="${mark}"`))) missing.add(`${page}: ${to}`);
    }
  }
  t.equal([...missing].slice(0, 10), [], "links that lead nowhere");
}

export async function no_page_carries_inline_code(t) {
  for (const page of pages(t.folder)) {
    const html = readFileSync(join(t.folder, page), "utf8");
    t.ok(!/<script(?![^>]*\ssrc=)/.test(html), `${page} has an inline script`);
    t.ok(!/<[a-z]+[^>]*\s(?:style|on[a-z]+)=/i.test(html.replace(/<pre[\s\S]*?<\/pre>/g, "").replace(/="[^"]*"/g, "=q")), `${page} has an inline style or handler`);
    t.ok(html.includes("script-src 'self'"), `${page} has no policy`);
  }
}

const KINDS = ["index.html", "node", "tests", "test", "exposure", "metric", "semantic_model", "saved_query", "function", "analysis", "macro", "tag",
  "owner", "group", "package", "column", "folder", "schema", "run", "runs.html", "tests.html", "freshness.html", "changes.html", "project.html",
  "database.html", "sources.html", "exposures.html", "metrics.html", "columns.html", "macros.html", "tags.html", "owners.html", "packages.html",
  "lineage.html", "erd.html", "404.html"];

// Each kind once: as it is seen in light, in the dark, on a phone and without scripts.
export async function every_kind_of_page_can_be_read(t, context) {
  const found = kinds(t.folder);
  for (const kind of KINDS) t.ok(found.has(kind), `no page of the kind ${kind}`);
  const plain = await (await context.browser().newContext({ javaScriptEnabled: false })).newPage();
  // Pages made from one template share their rules: each template is looked through in full once, its colours in the dark as well.
  const looked = new Set();
  for (const [kind, page] of found) {
    await t.page.setViewportSize({ width: 1280, height: 800 });
    await t.open(page);
    t.ok((await t.page.locator("main h1").count()) > 0, `${page} (${kind}) has no heading`);
    const template = ["metric", "semantic_model", "saved_query", "function", "analysis", "exposure"].includes(kind) ? "node" : ["tag", "owner", "schema", "sources.html", "exposures.html", "metrics.html"].includes(kind) ? "folder"
      : ["macros.html", "tags.html", "owners.html", "packages.html"].includes(kind) ? "columns.html" : kind === "database.html" ? "project.html" : kind;
    if (!looked.has(template)) {
      looked.add(template);
      await t.axe(page);
      await t.page.emulateMedia({ colorScheme: "dark" });
      await t.axe(`${page} in the dark`, ["color-contrast"]);
      await t.page.emulateMedia({ colorScheme: "light" });
    }
    await t.page.setViewportSize({ width: 360, height: 740 });
    const wide = await t.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    t.ok(wide <= 0, `${page} is ${wide} px wider than a phone`);
    await plain.goto("file://" + join(t.folder, page));
    t.ok((await plain.locator("main").innerText()).trim().length > 10, `${page} says nothing without scripts`);
  }
  await plain.context().close();
}

export async function a_node_page_stays_within_its_budget(t) {
  const { size } = await import("node:fs").then((fs) => ({ size: (path) => fs.statSync(join(t.folder, path)).size }));
  const assets = size("assets/site.css") + size("assets/site.js") + size("assets/theme.js");
  for (const page of pages(t.folder).filter((page) => page.startsWith("node/"))) {
    t.ok(size(page) + assets <= 60 * 1024, `${page} weighs ${size(page) + assets} bytes with its assets`);
  }
}

export async function the_reader_chooses_light_or_dark(t) {
  await t.page.emulateMedia({ colorScheme: "light" });
  await t.open("index.html");
  const colour = () => t.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await colour();
  await t.page.click("#theme");
  const dark = await colour();
  t.ok(light !== dark, "the button changes nothing");
  await t.open("tests.html");
  t.equal(await colour(), dark, "the next page");
}

export async function what_a_project_says_is_inert(t) {
  // The test's project has a model whose texts try to get out of the page.
  const nasty = pages(t.folder).filter((page) => readFileSync(join(t.folder, page), "utf8").includes("inject-me"));
  t.ok(nasty.length > 10, "the project's attempts are on no page");
  for (const page of nasty) {
    await t.open(page);
    t.equal(await t.page.evaluate(() => window.injected), undefined, page);
    const bad = await t.page.evaluate(() => document.querySelectorAll("main script, main iframe, main object, main [onerror], main [onload], main [onclick], main [onmouseover], main a[href*='script:' i], main a[href^='data:'], main img[src^='x'], main b[onclick]").length);
    t.equal(bad, 0, `elements of the project on ${page}`);
  }
}

export async function old_addresses_lead_to_pages(t) {
  const node = pages(t.folder).find((page) => page.startsWith("node/"));
  const [, kind, id] = /data-id="(([a-z_]+)\.[^"]+)"/.exec(pages(t.folder).filter((page) => page.startsWith("node/")).map((page) => readFileSync(join(t.folder, page), "utf8")).join("\n")) || [];
  t.ok(node && kind && id, "no node");
  t.allowed = (url) => url.startsWith("file://" + dirname(t.folder));
  await t.page.goto("file://" + join(dirname(t.folder), "index.html") + "#!/" + id + "/" + kind);
  await t.page.waitForURL(/lineal-docs\/node\//);
  await t.page.goto("file://" + join(t.folder, "index.html") + "#!/" + id + "/" + kind);
  await t.page.waitForURL(/lineal-docs\/node\//);
  await t.page.goto("file://" + join(dirname(t.folder), "index.html"));
  await t.page.waitForURL(/lineal-docs\/index\.html$/);
}
