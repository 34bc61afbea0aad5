// The search: by keyboard alone, whole names before parts of names, slips of the finger, words of texts.
async function ask(t, text) {
  await t.page.keyboard.press("/");
  await t.page.waitForSelector("dialog.search input");
  await t.page.fill("dialog.search input", text);
  await t.page.waitForFunction(() => document.querySelector("#hits").children.length || document.querySelector(".hint").textContent);
  await t.page.waitForTimeout(60);
  return t.page.$$eval("#hits a span:nth-child(2)", (found) => found.map((one) => one.textContent));
}

export async function it_finds_by_keyboard_alone(t) {
  await t.open("index.html");
  const found = await ask(t, "orders");
  t.equal(found[0], "orders", "the first answer");
  t.ok(found.includes("stg_orders"), "names that have it inside");
  await t.axe("the search");
  await t.page.keyboard.press("ArrowDown");
  t.equal(await t.page.getAttribute("dialog.search input", "aria-activedescendant"), "hit-1", "the second is chosen");
  await t.page.keyboard.press("ArrowUp");
  await t.page.keyboard.press("Enter");
  await t.page.waitForURL(/node\/[a-z_]+\/orders\.html/);
}

export async function slips_are_forgiven(t) {
  await t.open("tests.html");
  t.ok((await ask(t, "stg_oders")).includes("stg_orders"), "a letter is missing");
  t.ok((await ask(t, "guets")).includes("guests"), "two letters are swapped");
}

export async function columns_tags_and_texts_are_found(t) {
  await t.open("index.html");
  t.ok((await ask(t, "order_id")).includes("order_id"), "a column");
  t.ok((await ask(t, "daily")).includes("daily"), "a tag");
  // `toasted` stands in descriptions or code only where the project says so; `kiosk` does in many.
  t.ok((await ask(t, "grows with")).includes("orders"), "words of a description");
  t.equal((await ask(t, "zzqqxx")).length, 0, "nothing");
}

export async function it_opens_with_ctrl_k_and_closes_with_escape(t) {
  await t.open("index.html");
  await t.page.keyboard.press("Control+k");
  await t.page.waitForSelector("dialog.search[open]");
  await t.page.keyboard.press("Escape");
  await t.page.waitForSelector("dialog.search[open]", { state: "detached" }).catch(() => {});
  t.equal(await t.page.locator("dialog.search[open]").count(), 0, "open dialogs");
}

export async function tab_reaches_the_content(t) {
  await t.open("index.html");
  await t.page.keyboard.press("Tab");
  t.equal(await t.page.evaluate(() => document.activeElement.className), "skip", "the first stop");
  await t.page.keyboard.press("Enter");
  t.equal(await t.page.evaluate(() => document.activeElement.id), "main", "after it");
}
