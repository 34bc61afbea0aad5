// index.html with manifest.json and catalog.json alone, as Cosmos serves them, and the one file that has everything inside.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const serve = async (t, use) => {
  const kinds = { "index.html": "text/html", "manifest.json": "application/json", "catalog.json": "application/json" };
  const server = createServer((request, answer) => {
    const name = new URL(request.url, "http://x").pathname.slice(1) || "index.html";
    if (!kinds[name]) return answer.writeHead(404).end();
    answer.writeHead(200, { "content-type": kinds[name] }).end(readFileSync(join(dirname(t.folder), name)));
  }).listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const address = `http://127.0.0.1:${server.address().port}/`;
  t.allowed = (url) => url.startsWith(address);
  try { await use(address); } finally { server.close(); }
};

async function reads_well(t) {
  const main = t.page.locator("main");
  await main.locator("h3", { hasText: "Ferries between four ports" }).waitFor();
  t.equal(await main.locator("ol > li").count(), 2, "items of the list");
  t.equal(await main.locator("ol ul > li").count(), 2, "items of the list within");
  t.equal(await main.locator("table tbody tr").count(), 2, "rows of the table");
  t.equal(await main.locator("blockquote").count(), 1, "quotes");
  t.equal(await main.locator("strong", { hasText: "paid" }).count(), 1, "strong words");
  await main.locator("a", { hasText: "month's figures" }).click();
  await main.locator("h1", { hasText: "revenue_by_month" }).waitFor();
  t.ok((await main.innerText()).includes("What each month earned"), "its description");
  await t.axe("a model without the site");
}

async function is_inert(t) {
  for (const name of ["inject", "inject_source.inject_table", "inject_exposure", "inject_metric", "inject_macro"]) {
    await t.page.fill("#find", name);
    await t.page.locator("#side a", { hasText: name }).first().click();
    await t.page.locator("main h1", { hasText: name }).waitFor();
    t.equal(await t.page.evaluate(() => window.injected), undefined, name);
    const bad = "main script, main iframe, main img, main svg, main [onerror], main [onclick], main a[href*='script:' i], main a[href^='data:']";
    t.equal(await t.page.locator(bad).count(), 0, `elements of the project with ${name}`);
  }
}

export async function three_files_alone_are_a_site(t) {
  // What is not there is asked for first.
  await serve(t, async (address) => {
    await t.page.goto(address);
    await reads_well(t);
    await is_inert(t);
  });
  t.faults = t.faults.filter((fault) => !fault.includes("404"));
}

export async function one_file_has_everything(t) {
  t.allowed = (url) => url.endsWith("/static_index.html");
  await t.page.goto("file://" + join(dirname(t.folder), "static_index.html"));
  await reads_well(t);
  await is_inert(t);
}
