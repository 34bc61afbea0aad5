// The lineage graph: what the page chooses, how it is walked, and what the address keeps. The site is that of the example.
const ready = (t) => t.page.waitForSelector("#lineage.is-ready");
const painted = (t) => t.page.waitForFunction(() => performance.getEntriesByName("lineage-painted").length > 0);
const hash = (t) => t.page.evaluate(() => decodeURIComponent(location.hash));
const shown = (t) => t.page.evaluate(() => Array.from(lineal.lineage.scene.label).filter((name) => !name.includes("inject")).sort());
const panel = (t) => t.page.locator("#lg-panel");

async function open(t, address = "") {
  await t.open("index.html");
  await t.open(`lineage.html${address}`);
  await ready(t);
  await painted(t);
}

// Where a box stands in the window.
async function place(t, name) {
  const at = await t.page.evaluate((name) => {
    const { scene, view } = lineal.lineage;
    const box = Array.from(scene.label).indexOf(name);
    const { scale, x, y } = view.camera;
    return [(scene.x[box] + scene.w[box] / 2) * scale + x, (scene.y[box] + scene.h[box] / 2) * scale + y];
  }, name);
  const frame = await t.page.locator("#lg-canvas").boundingBox();
  return [frame.x + at[0], frame.y + at[1]];
}

export async function selections_mean_what_the_command_line_means(t) {
  await open(t);
  const select = (words) => t.page.evaluate((words) => {
    const { g } = lineal.lineage;
    const { chosen, faults } = lineal.graph.select(g, words);
    return [[...chosen].map((node) => g.name[node]).filter((name) => name !== "inject").sort().join(" "), faults.length];
  }, words);
  for (const [words, expected] of [
    ["orders", "orders"],
    ["1+orders", "int_order_amounts orders stg_orders"],
    ["orders+1", "guests kiosk_days menu_sales orders"],
    ["orders+,tag:daily", "guests kiosk_days kiosk_months menu_sales orders"],
    ["+orders,resource_type:seed", "raw_menu raw_order_lines raw_orders"],
    ["@int_shift_costs,source:*", "roster.shifts roster.staff"],
    ["@int_shift_costs,resource_type:exposure", "monthly_letter"],
    ["models/intermediate", "int_order_amounts int_order_line_amounts int_shift_costs"],
    ["path:models/*/stg_o*.sql", "stg_order_lines stg_orders"],
    ["stg_orders.sql stg_staff", "stg_orders stg_staff"],
    ["source:roster.staff+1", "roster.staff stg_staff"],
    ["config.materialized:ephemeral", "int_order_line_amounts"],
    ["config.materialized:incremental+1,config.materialized:table", "guests kiosk_days menu_sales"],
    ["1+exposure:newsletter", "guests newsletter"],
    ["jaffle_shop.marts", "guests kiosk_days kiosk_months menu_sales monthly_letter newsletter orders"],
    ["marts.kiosk_*", "kiosk_days kiosk_months"],
    ["kiosk_[!d]*", "kiosk_months"],
    ["package:jaffle_shop,kiosk_days", "kiosk_days"],
    ["resource_type:exposure", "monthly_letter newsletter"],
  ]) t.equal(await select(words), [expected, 0], words);
  for (const words of ["nobody", "tags:x", "@orders+", "state:modified", "source:a.b.c.d"]) t.equal((await select(words))[1], 1, words);
}

export async function the_search_box_selects_and_the_address_keeps_it(t) {
  await open(t);
  await t.page.fill("#lg-s", "2+kiosk_days+1");
  await t.page.press("#lg-s", "Enter");
  t.equal(await shown(t), ["int_order_amounts", "int_shift_costs", "kiosk_days", "kiosk_months", "orders", "stg_orders", "stg_shifts", "stg_staff"]);
  t.equal(await hash(t), "#s=2+kiosk_days+1");
  await t.page.fill("#lg-x", "stg_*");
  await t.page.press("#lg-x", "Enter");
  t.equal(await shown(t), ["int_order_amounts", "int_shift_costs", "kiosk_days", "kiosk_months", "orders"]);
  await t.page.selectOption("#lg-color", "status");
  t.equal(await hash(t), "#s=2+kiosk_days+1&exclude=stg_*&color=status");
  t.ok((await t.page.locator("#lg-legend-list").innerText()).includes("passed"), "the legend names the states");
  await t.page.goBack();
  t.ok((await shown(t)).includes("stg_staff"), "back leads to the selection before");
  await open(t, "#s=2+kiosk_days+1&exclude=stg_*&color=status");
  t.equal((await shown(t)).length, 5, "the address alone shows the same");
  t.equal(await t.page.inputValue("#lg-x"), "stg_*");
}

export async function names_are_suggested_and_faults_told(t) {
  await open(t);
  await t.page.locator("#lg-s").pressSequentially("+kiosk_d");
  await t.page.waitForSelector("#lg-s-suggestions li");
  await t.page.press("#lg-s", "ArrowDown");
  await t.page.press("#lg-s", "Enter");
  t.equal(await t.page.inputValue("#lg-s"), "+kiosk_days");
  t.ok((await shown(t)).includes("roster.staff"), "what is upstream is shown");
  await t.page.fill("#lg-s", "kiosk");
  await t.page.press("#lg-s", "Enter");
  t.ok((await t.page.locator("#lg-faults").innerText()).includes("matches nothing"), "a word that matches nothing is told");
  await t.page.locator("#lg-faults button").first().click();
  t.equal(await t.page.locator("#lg-faults").innerText(), "");
  t.equal((await shown(t)).length, 1);
}

export async function what_takes_many_frames_is_shown_in_the_end(t) {
  await open(t);
  const [chosen, again] = await t.page.evaluate(async () => {
    const { view, scene } = lineal.lineage;
    // Painting takes many steps, each longer than a frame has.
    const { paint } = lineal.graph;
    lineal.graph.paint = function* (...what) { yield; yield; yield* paint(...what); };
    const now = performance.now.bind(performance);
    let later = 0;
    performance.now = () => now() + (later += 50);
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const painted = async () => { do await frame(); while (view.jobs.size || view.flight || view.waiting); return view.canvas.toDataURL(); };
    const before = view.canvas.toDataURL();
    view.choose(scene.label.indexOf("orders"));
    const chosen = await painted();
    view.changed();
    return [chosen !== before, chosen === (await painted())];
  });
  t.ok(chosen, "the choice is shown");
  t.ok(again, "nothing was left out that the next movement would show");
}

export async function a_click_chooses_and_a_double_click_opens(t) {
  await open(t);
  const [x, y] = await place(t, "orders");
  await t.page.mouse.move(x, y);
  t.ok((await t.page.locator("#lg-tip").innerText()).includes("orders"), "hovering names the node");
  await t.page.mouse.click(x, y);
  t.equal(await panel(t).locator("h2").innerText(), "orders");
  t.ok((await panel(t).innerText()).includes("incremental"), "the panel tells the materialization");
  await panel(t).getByRole("button", { name: "Focus on this" }).click();
  t.equal(await hash(t), "#s=2+orders+2&group=none&node=orders");
  await panel(t).getByRole("button", { name: "Downstream: one step less" }).click();
  t.equal(await hash(t), "#s=2+orders+1&group=none&node=orders");
  const inside = await shown(t);
  t.ok(inside.includes("menu_sales") && !inside.includes("kiosk_months"), `one step downstream: ${inside}`);
  const [atX, atY] = await place(t, "menu_sales");
  await t.page.mouse.dblclick(atX, atY);
  await t.page.waitForURL(/node\/jaffle_shop\/menu_sales\.html$/);
}

export async function the_graph_is_walked_with_the_keyboard(t) {
  await open(t, "#node=orders");
  await t.page.focus("#lg-canvas");
  const here = () => t.page.evaluate(() => lineal.lineage.scene.label[lineal.lineage.view.chosen]);
  const said = () => t.page.locator("#live").innerText();
  await t.page.keyboard.press("ArrowLeft");
  t.ok(["stg_orders", "int_order_amounts"].includes(await here()), `left of orders stands ${await here()}`);
  await t.page.keyboard.press("ArrowRight");
  t.equal(await here(), "orders");
  t.ok((await said()).startsWith("orders, model, incremental"), `said: ${await said()}`);
  const before = await t.page.evaluate(() => lineal.lineage.view.camera.scale);
  await t.page.keyboard.press("+");
  t.ok((await t.page.evaluate(() => lineal.lineage.view.camera.scale)) > before, "plus zooms in");
  await t.page.keyboard.press("f");
  t.ok((await hash(t)).startsWith("#s=2+orders+2"), "f focuses");
  await t.page.keyboard.press("Escape");
  t.equal(await panel(t).isVisible(), false, "Escape lets go");
  await open(t, "#node=orders");
  await t.page.focus("#lg-canvas");
  await t.page.keyboard.press("Enter");
  await t.page.waitForURL(/node\/jaffle_shop\/orders\.html$/);
}

export async function wheel_and_drag_move_the_picture(t) {
  await open(t);
  const camera = () => t.page.evaluate(() => ({ ...lineal.lineage.view.camera }));
  const first = await camera();
  const frame = await t.page.locator("#lg-canvas").boundingBox();
  await t.page.mouse.move(frame.x + 40, frame.y + 60);
  await t.page.mouse.wheel(0, -400);
  await t.page.waitForFunction((scale) => lineal.lineage.view.camera.scale > scale, first.scale);
  const zoomed = await camera();
  await t.page.mouse.down();
  await t.page.mouse.move(frame.x + 140, frame.y + 90, { steps: 4 });
  await t.page.mouse.up();
  const moved = await camera();
  t.equal([Math.round(moved.x - zoomed.x), Math.round(moved.y - zoomed.y)], [100, 30]);
  await t.page.click("#lg-fit");
  await t.page.waitForFunction((scale) => Math.abs(lineal.lineage.view.camera.scale - scale) < 0.001, first.scale);
}

export async function folders_collapse_and_open(t) {
  await open(t);
  await t.page.click("#lg-folders");
  t.ok((await t.page.locator("#lg-count").innerText()).includes("folders"), "folders are counted");
  const folders = await shown(t);
  t.ok(folders.includes("models/staging") && folders.includes("sources/roster"), folders.join(" "));
  const [x, y] = await place(t, "models/staging");
  await t.page.mouse.click(x, y);
  await panel(t).getByRole("button", { name: "Open this folder" }).click();
  t.ok((await shown(t)).includes("stg_orders"), "its models are shown");
  await t.page.goBack();
  t.ok((await shown(t)).includes("models/staging"), "back closes it");
}

export async function the_list_says_the_same(t) {
  await open(t, "#s=1+orders");
  await t.page.click("#lg-list-button");
  const list = await t.page.locator("#lg-list").innerText();
  for (const text of ["3 nodes, 2 edges", "orders model, incremental", "Upstream: ", "stg_orders"]) t.ok(list.includes(text), `${text} is not in: ${list}`);
  await t.axe("the list");
  await t.page.locator("#lg-list a", { hasText: "stg_orders" }).first().click();
  await t.page.waitForURL(/node\/jaffle_shop\/stg_orders\.html$/);
}

export async function pictures_are_saved(t) {
  await open(t, "#s=2+orders+2");
  for (const [button, start] of [["#lg-svg", "<svg"], ["#lg-png", "\u0089PNG"]]) {
    const [download] = await Promise.all([t.page.waitForEvent("download"), t.page.click(button)]);
    const parts = [];
    for await (const part of await download.createReadStream()) parts.push(part);
    const content = Buffer.concat(parts).toString("latin1");
    t.ok(content.startsWith(start) && content.length > 1000, `${download.suggestedFilename()} begins with ${content.slice(0, 20)}`);
    t.ok(download.suggestedFilename().startsWith("2+orders+2."), download.suggestedFilename());
    if (start === "<svg") t.ok(content.includes(">kiosk_days</text>"), "names are texts in the SVG");
  }
}

export async function colours_follow_light_and_dark(t) {
  await t.page.emulateMedia({ colorScheme: "light" });
  await open(t);
  const corner = () => t.page.evaluate(() => {
    const copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    copy.drawImage(document.getElementById("lg-canvas"), 0, 0);
    return [...copy.getImageData(3, 3, 1, 1).data].join();
  });
  const light = await corner();
  await t.page.click("#theme");
  for (let tries = 0; tries < 40 && (await corner()) === light; tries++) await t.page.waitForTimeout(50);
  t.ok((await corner()) !== light, "the picture stays as it was");
}

export async function relationships_are_drawn_and_told(t) {
  await t.open("erd.html");
  await ready(t);
  await painted(t);
  const tables = await shown(t);
  t.ok(tables.includes("stg_guests") && tables.includes("stg_orders"), tables.join(" "));
  t.ok((await t.page.locator(".lg-relations-table").innerText()).includes("stg_orders.guest_id"), "the table below names the columns");
  const [x, y] = await place(t, "stg_orders");
  await t.page.mouse.click(x, y);
  t.ok((await panel(t).innerText()).includes("guest_id → stg_guests.guest_id"), "the panel names the columns");
  await t.axe("relationships");
}

export async function a_node_page_shows_its_neighbours_without_scripts(t, context) {
  const page = await (await context.browser().newContext({ javaScriptEnabled: false })).newPage();
  await page.goto(`file://${t.folder}/node/jaffle_shop/orders.html`);
  const names = await page.locator("svg.focus a text, svg.focus .here text").allTextContents();
  t.ok(["orders", "stg_orders", "menu_sales", "kiosk_months"].every((name) => names.includes(name)), names.join(" "));
  await page.locator("svg.focus a", { hasText: "menu_sales" }).click();
  await page.waitForURL(/menu_sales\.html$/);
  await page.context().close();
}

export async function a_node_page_leads_to_the_graph(t) {
  await t.open("node/jaffle_shop/orders.html");
  await t.page.click("section[aria-labelledby=lineage] a.more");
  await ready(t);
  t.equal(await t.page.locator("#lg-panel h2").innerText(), "orders");
}
