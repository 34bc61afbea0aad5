// Measures a written documentation site in headless Chromium, dbt's own beside it where it is given, and prints a table with budgets.
//
//   node benches/site.mjs <lineal's target folder> <node_modules with playwright-core> [--dbt <dbt's target folder>] [--model <name>] [--runs 5]
//
// Ours is opened from its folder (file://), dbt's from a server on this machine, as it needs one. Wall times are the best of the runs,
// since other work on the machine only adds to them; CPU is the main thread's, the median of the runs.
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { loadavg, cpus } from "node:os";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const words = process.argv.slice(2);
const option = (name, otherwise) => {
  const at = words.indexOf(`--${name}`);
  return at < 0 ? otherwise : words.splice(at, 2)[1];
};
const [dbt, model, runs] = [option("dbt"), option("model"), Number(option("runs", "5"))];
const [target, modules] = words.map((word) => resolve(word));
const site = join(target, "lineal-docs");
const { chromium } = createRequire(join(modules, "x.js"))("playwright-core");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});

const sorted = (list) => [...list].sort((a, b) => a - b);
const median = (list) => sorted(list)[list.length >> 1];
const least = (list) => sorted(list)[0];
const row = (what, value, budget = "", other = "") => console.log(`| ${what.padEnd(52)} | ${value.padStart(18)} | ${budget.padStart(9)} | ${other.padStart(20)} |`);
const ms = (value) => (value === undefined ? "" : value === Infinity ? "none in a minute" : value < 10 ? `${value.toFixed(1)} ms` : value < 2000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(1)} s`);
const kb = (bytes) => (bytes < 1e6 ? `${(bytes / 1000).toFixed(0)} KB` : `${(bytes / 1e6).toFixed(1)} MB`);

// Opens an address in a browser without any cache, waits for what makes it useful, and lets `then` go on from there.
async function visit(address, ready, then = async () => ({})) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  const metrics = async () => Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]));
  const begun = performance.now();
  await page.goto(address, { timeout: 600_000, waitUntil: "commit" });
  await page.waitForFunction(ready, null, { timeout: 600_000, polling: 20 });
  const wall = performance.now() - begun;
  const first = await metrics();
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  const more = await then(page, metrics);
  await context.close();
  return { wall, paint, cpu: first.TaskDuration * 1000, heap: first.JSHeapUsedSize / 1e6, elements: first.Nodes, ...more };
}

async function several(times, ...how) {
  const all = [];
  for (let run = 0; run < times; run++) all.push(await visit(...how));
  const of = (key, pick) => pick(all.map((one) => one[key]).filter((value) => value !== undefined));
  return { of, wall: of("wall", least), paint: of("paint", least), cpu: of("cpu", median), heap: of("heap", median), elements: of("elements", median) };
}

const files = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]));
const sizes = (folder, end) => sorted(files(folder).filter((path) => path.endsWith(end)).map((path) => statSync(path).size));
const assets = ["site.css", "site.js", "theme.js"].map((name) => statSync(join(site, "assets", name)).size).reduce((a, b) => a + b);

// How long a frame takes while the picture is dragged about, and how long finding all ancestors and descendants of a node does.
async function pan(page, metrics) {
  const before = await metrics();
  const frames = await page.evaluate(() => new Promise((done) => {
    const { view } = lineal.lineage;
    view.zoom(4);
    const times = [];
    let last = 0;
    let frame = 0;
    const step = (now) => {
      if (last) times.push(now - last);
      last = now;
      view.pan(frame < 90 ? -12 : 12, frame % 40 < 20 ? 5 : -5);
      if (++frame < 180) requestAnimationFrame(step);
      else done(times.sort((a, b) => a - b));
    };
    // The first moments belong to the zoom.
    setTimeout(() => requestAnimationFrame(step), 500);
  }));
  const after = await metrics();
  const rest = await page.evaluate(() => {
    const { view, scene } = lineal.lineage;
    const start = performance.now();
    for (let box = 0; box < scene.count; box += Math.ceil(scene.count / 20)) view.choose(box);
    return { reach: (performance.now() - start) / 20, boxes: scene.count, edges: scene.from.length, painted: performance.getEntriesByName("lineage-painted")[0].startTime };
  });
  return { ...rest, p95: frames[Math.floor(frames.length * 0.95)], frame: ((after.TaskDuration - before.TaskDuration) / 180) * 1000 };
}

// Opens the search, types a name letter by letter, and tells when the answers were there.
async function search(page) {
  return page.evaluate(async (name) => {
    const begun = performance.now();
    document.getElementById("find").click();
    while (!document.querySelector("dialog.search[open] input")) await new Promise((done) => setTimeout(done, 1));
    await lineal.search.query("x");
    const loaded = performance.now() - begun;
    const letters = [];
    for (const text of [...name].map((_, at) => name.slice(0, at + 1)).concat([name.slice(0, -2) + name.at(-1), "customer key", "one row for each"])) {
      const start = performance.now();
      await lineal.search.query(text);
      letters.push(performance.now() - start);
    }
    letters.sort((a, b) => a - b);
    return { loaded, letter: letters[letters.length >> 1], slowest: letters.at(-1) };
  }, name);
}

const address = (path) => pathToFileURL(join(site, path)).href;
const project = /"project_name":\s*"([^"]+)"/.exec(readFileSync(join(target, "manifest.json"), "utf8").slice(0, 4000))?.[1];
const name = model ?? readdirSync(join(site, "node", project)).filter((file) => file.endsWith(".html")).map((file) => file.slice(0, -5)).find((file) => !file.includes("."));
const nodePage = `node/${project}/${name}.html`;
const pages = sizes(join(site, "node", project), ".html");
const shown = () => document.querySelector("main h1") && document.readyState !== "loading" && performance.getEntriesByName("first-contentful-paint").length > 0;

// dbt's site: AngularJS, which draws a model's page once it has read both files.
let theirs = null;
if (dbt) {
  const folder = resolve(dbt);
  const server = createServer((request, answer) => {
    const path = join(folder, new URL(request.url, "http://x").pathname.replace(/\/$/, "/index.html"));
    if (!path.startsWith(folder) || !existsSync(path)) return answer.writeHead(404).end();
    const kind = path.endsWith(".html") ? "text/html" : "application/json";
    answer.writeHead(200, { "content-type": kind, "content-length": statSync(path).size });
    createReadStream(path).pipe(answer);
  }).listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const their = `http://127.0.0.1:${server.address().port}/`;
  const drawn = () => [...document.querySelectorAll("h1 .break, h1 span")].some((one) => one.textContent.trim().length > 1) && document.querySelectorAll("table tr, .hljs, pre code").length > 0;
  // Its search hangs where there are very many models.
  const PATIENCE = 60_000;
  const typed = async (page) => {
    const begun = performance.now();
    const answered = (name) => [...document.querySelectorAll(".search-results a, .result, .app-body a, .results a")].some((one) => one.textContent.includes(name));
    try {
      await page.locator("input[type=search]").first().fill(name, { timeout: PATIENCE });
      await page.waitForFunction(answered, name, { timeout: PATIENCE, polling: 20 });
    } catch {
      return { letter: Infinity };
    }
    return { letter: performance.now() - begun };
  };
  const times = Math.min(runs, 3);
  theirs = { page: await several(times, `${their}#!/model/model.${project}.${name}`, drawn, typed) };
  const weigh = ["index.html", "manifest.json", "catalog.json"].map((file) => readFileSync(join(folder, file)));
  theirs.bytes = weigh.reduce((all, one) => all + one.length, 0);
  theirs.packed = weigh.reduce((all, one) => all + gzipSync(one, { level: 1 }).length, 0);
  server.close();
}

const ours = await several(runs, address(nodePage), shown, search);
const first = await several(runs, address("index.html"), shown);
const painted = () => performance.getEntriesByName("lineage-painted").length > 0;
const whole = await several(runs, `${address("lineage.html")}#group=none`, painted, pan);
const opened = await several(runs, address("lineage.html"), painted);

console.log(`${files(site).filter((path) => path.endsWith(".html")).length} pages, ${kb(files(site).reduce((all, path) => all + statSync(path).size, 0))}; load ${loadavg()[0].toFixed(1)} on ${cpus().length} cores\n`);
row(name, "lineal", "budget", dbt ? "dbt docs" : "");
row("-", "-", "-", "-");
const other = (value) => (theirs ? value() : "");
row("a model's page: bytes with assets", kb(statSync(join(site, nodePage)).size + assets), "60 KB", other(() => `${kb(theirs.bytes)} (${kb(theirs.packed)} gzip)`));
row("the longest model's page, with assets", kb(pages.at(-1) + assets), "60 KB");
row("a model's page: first paint", ms(ours.paint), "300 ms", other(() => `${ms(theirs.page.wall)} to be useful`));
row("a model's page: CPU", ms(ours.cpu), "100 ms", other(() => ms(theirs.page.cpu)));
row("a model's page: DOM nodes, heap", `${ours.elements}, ${ours.heap.toFixed(1)} MB`, "2500", other(() => `${theirs.page.elements}, ${theirs.page.heap.toFixed(0)} MB`));
row("the first page: first paint, CPU", `${ms(first.paint)}, ${ms(first.cpu)}`, "300 ms");
row("search: ready", ms(ours.of("loaded", least)), "300 ms");
row("search: a keystroke, the slowest", `${ms(ours.of("letter", least))}, ${ms(ours.of("slowest", least))}`, "25 ms", other(() => ms(theirs.page.of("letter", least))));
row(`graph: ${whole.of("boxes", least)} nodes, ${whole.of("edges", least)} edges, painted`, ms(whole.of("painted", least)), "1000 ms");
row("graph: CPU until then", ms(whole.cpu), "200 ms");
row("graph: panning, p95 of a frame", ms(whole.of("p95", least)), "20 ms");
row("graph: panning, CPU of a frame", ms(whole.of("frame", median)));
row("graph: ancestors and descendants of a node", ms(whole.of("reach", least)));
row("graph: as it opens, by folder: painted, CPU", `${ms(opened.wall)}, ${ms(opened.cpu)}`, "1000 ms");
row("graph: data/graph.js", kb(statSync(join(site, "data/graph.js")).size), "250 KB");
row("search: names.js and columns.js", kb(statSync(join(site, "data/names.js")).size + statSync(join(site, "data/columns.js")).size), "787 KB");
await browser.close();
