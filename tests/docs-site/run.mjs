// Opens a written site in Chromium and runs every *.test.mjs beside this file on it, or those named after the folders.
//
//   node run.mjs <folder of the site's index.html's lineal-docs> <node_modules> [name …]
//
// A page that complains on its console, asks for anything outside the folder (and the project's own assets beside it) or throws fails the test that opened it.
import { createRequire } from "node:module";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [site, modules, ...only] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), "x.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const folder = resolve(site);
const here = dirname(fileURLToPath(import.meta.url));

class Test {
  constructor(page, name) {
    this.page = page;
    this.name = name;
    this.folder = folder;
    this.faults = [];
    this.allowed = null;
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.faults.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.faults.push(`thrown: ${error.message}`));
    page.on("request", (request) => {
      const url = request.url();
      const inside = url.startsWith(pathToFileURL(folder).href) || url.startsWith(`${pathToFileURL(dirname(folder)).href}/assets/`) || /^(data|blob):/.test(url);
      if (!inside && !(this.allowed && this.allowed(url))) this.faults.push(`request outside the folder: ${url}`);
    });
  }
  async open(path) {
    await this.page.goto(/^https?:/.test(path) ? path : pathToFileURL(folder).href + "/" + path);
    await this.page.waitForLoadState("load");
  }
  ok(value, what) {
    if (!value) throw new Error(what);
  }
  equal(found, expected, what) {
    const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
    if (a !== b) throw new Error(`${what}: ${a}, expected ${b}`);
  }
  // No serious finding of axe-core.
  async axe(what, rules) {
    const found = await this.page.evaluate(async ([axe, rules]) => {
      if (!window.axe) (0, eval)(axe);
      const options = { resultTypes: ["violations"], preload: false };
      if (rules) options.runOnly = rules;
      const result = await window.axe.run(document, options);
      return result.violations
        .filter((one) => ["serious", "critical"].includes(one.impact))
        .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
    }, [axe, rules]);
    this.equal(found, [], `accessibility of ${what}`);
  }
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
let failed = 0;
for (const file of readdirSync(here).filter((name) => name.endsWith(".test.mjs")).sort()) {
  if (only.length && !only.some((name) => file.startsWith(name))) continue;
  const module = await import(pathToFileURL(join(here, file)).href);
  for (const [name, run] of Object.entries(module).filter(([, value]) => typeof value === "function")) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, bypassCSP: false });
    const page = await context.newPage();
    const test = new Test(page, name);
    try {
      await run(test, context);
      if (test.faults.length) throw new Error(test.faults.slice(0, 5).join("\n    "));
      console.log(`ok ${file} ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${file} ${name}\n    ${error.message}`);
    }
    await context.close();
  }
}
await browser.close();
process.exit(failed ? 1 : 0);
