// Measures the lineage page of a written site in headless Chromium: how long the whole graph takes to open, what that costs on
// the main thread, and how steady panning is.
//
//   node benches/lineage.mjs <a site's lineal-docs folder> <node_modules with playwright-core> [runs]
//
// Prints the median of the runs and the budget beside each figure. Wall times count only on an idle machine: the load is printed.
import { createRequire } from "node:module";
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { loadavg, cpus } from "node:os";
import { pathToFileURL } from "node:url";

const [site, modules, runs = "5"] = process.argv.slice(2);
const { chromium } = createRequire(join(resolve(modules), "x.js"))("playwright-core");
const address = `${pathToFileURL(resolve(site)).href}/lineage.html`;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });

async function measure(hash) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  const metrics = async () => Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]));
  await page.goto(address + hash);
  await page.waitForFunction(() => performance.getEntriesByName("lineage-painted").length > 0, null, { timeout: 120_000 });
  const open = await page.evaluate(() => performance.getEntriesByName("lineage-painted")[0].startTime);
  const opened = await metrics();
  const [nodes, edges] = await page.evaluate(() => [lineal.lineage.scene.count, lineal.lineage.scene.from.length]);
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
  const panned = await metrics();
  const reach = await page.evaluate(() => {
    const { view, scene } = lineal.lineage;
    const start = performance.now();
    for (let box = 0; box < scene.count; box += Math.ceil(scene.count / 20)) view.choose(box);
    return (performance.now() - start) / 20;
  });
  await context.close();
  return { nodes, edges, open, cpu: opened.TaskDuration * 1000, frame: ((panned.TaskDuration - opened.TaskDuration) / 180) * 1000, p95: frames[Math.floor(frames.length * 0.95)], heap: opened.JSHeapUsedSize / 1e6, reach };
}

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
for (const [title, hash] of [["the whole graph", "#group=none"], ["as it opens", ""]]) {
  const all = [];
  for (let run = 0; run < Number(runs); run++) all.push(await measure(hash));
  const of = (key) => median(all.map((one) => one[key]));
  console.log(`${title}: ${of("nodes")} boxes, ${of("edges")} edges`);
  console.log(`  painted after        ${of("open").toFixed(0)} ms   (budget 1000)`);
  console.log(`  main thread to there ${of("cpu").toFixed(0)} ms   (budget 200)`);
  console.log(`  a frame of panning   ${of("p95").toFixed(1)} ms p95   (budget 20), ${of("frame").toFixed(1)} ms of CPU`);
  console.log(`  reach of a node      ${of("reach").toFixed(1)} ms, heap ${of("heap").toFixed(0)} MB`);
}
console.log(`data/graph.js ${(statSync(join(site, "data/graph.js")).size / 1000).toFixed(0)} KB   (budget 250)`);
console.log(`load ${loadavg()[0].toFixed(1)} on ${cpus().length} cores`);
await browser.close();
