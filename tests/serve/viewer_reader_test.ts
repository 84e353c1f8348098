/** Reader mode on the viewer's page. */
import assert from "node:assert/strict";
import { inaccessible, inChromium, type Page } from "../support/chromium.ts";
import { ready, SAGITTAL, shown, text, until, withPage } from "../support/viewer_page.ts";

/** Answers the exam on show with the keyboard alone. */
async function answer(page: Page, key: "ArrowRight" | "Space"): Promise<void> {
  await page.locator("#reader input").first().focus();
  await page.keyboard.press(key);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#own-answer:not([hidden])");
}

inChromium(
  "a reader answers first; then labels and models are shown, and the two compared",
  async (browser) => {
    await withPage(browser, async ({ page, folder }) => {
      await shown(page, "0002");
      const hidden = async () => {
        for (const selector of ["#answer", "#own-answer", `${SAGITTAL} .deciders button`]) {
          assert.equal(await page.locator(selector).first().isVisible(), false, selector);
        }
        assert.equal(await page.locator("#labels li").count(), 0);
      };
      await hidden();
      assert.deepEqual(await inaccessible(page), [], "with the question");
      assert.equal(await page.locator("#open").isVisible(), false, "no files of others");
      await until(
        "the list is at its end",
        async () => await text(page, "#count") === "5 exams, 5 without your answer",
      );
      assert.match(await page.locator("#exams li").first().innerText(), /^0002\s+not answered\s*$/);
      await page.locator("#reader button").click();
      assert.equal(
        await page.evaluate(`document.querySelector("#reader input:invalid") !== null`),
        true,
        "nothing is given without an answer",
      );

      await answer(page, "Space");
      assert.equal(await text(page, "#own-answer"), "Your answer: ACL tear present");
      assert.equal(await page.locator("#labels li").count(), 3);
      assert.equal(await page.locator(":focus").getAttribute("id"), "next");
      assert.match(
        await Deno.readTextFile(folder.at("answers.csv")),
        /^split,id,task,answer,answered_at\nvalid,0002,acl,1,[-\dT:.]+Z\n$/,
      );
      await ready(page);
      assert.match(
        await page.locator("#exams li").first().innerText(),
        /^0002\s+0\.\d{3}\s+[TF][PN]/,
      );
      await page.keyboard.press("Enter");
      await shown(page, "0003");
      await hidden();
      await answer(page, "ArrowRight");
      assert.equal(await text(page, "#own-answer"), "Your answer: ACL tear absent");
      await ready(page);

      // What was answered is known after the page is loaded again, and of the next exam nothing is.
      await page.reload();
      await shown(page, "0003");
      assert.equal(await text(page, "#own-answer"), "Your answer: ACL tear absent");
      await page.keyboard.press("n");
      await shown(page, "0004");
      await hidden();

      await page.locator("#compare").click();
      await page.waitForSelector("#compare-dialog[open]");
      assert.match(await text(page, "#compare-exams"), /^2 exams of valid answered; \d with/);
      assert.equal(await page.locator("#compare-rows tr").count(), 3);
      assert.match(await text(page, "#compare-kappa"), /^Cohen's kappa of the two: /);
      assert.deepEqual(await inaccessible(page), [], "with the comparison");
      const title = () => text(page, "#compare-title");
      assert.equal(await title(), "Reader and model: ACL tear, three planes");
      await page.locator("#compare-model").selectOption("coronal");
      await until(
        "the other model's numbers are there",
        async () => await title() === "Reader and model: ACL tear, coronal",
      );
      assert.match(await text(page, "#compare-exams"), /^2 exams of valid answered; \d with/);
      await page.setViewportSize({ width: 360, height: 740 });
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 360);
    }, { reader: true });
  },
);

inChromium(
  "an answered exam that nobody waits for is read by the models too",
  async (browser) => {
    // The answer about the exam on show never comes.
    const before = (request: Request) =>
      request.url.includes("/viewer/reading/") ? new Promise<undefined>(() => {}) : undefined;
    await withPage(browser, async ({ page }) => {
      await shown(page, "0002");
      await until(
        "the list is at its end",
        async () => await text(page, "#count") === "5 exams, 5 without your answer",
      );
      await answer(page, "Space");
      // What nobody has answered is not read by the models either.
      await until(
        "the list says so",
        async () => await text(page, "#count") === "5 exams, 4 without your answer, 0 of 1 read",
      );
      await page.keyboard.press("Enter");
      await shown(page, "0003");
      const first = page.locator("#exams li").first();
      await until(
        "the list has what the models say",
        async () => /^0002\s+0\.\d{3}\s+[TF][PN]/.test(await first.innerText()),
      );
    }, { reader: true, before });
  },
);
