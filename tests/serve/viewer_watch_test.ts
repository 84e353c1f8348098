/** A study of a watched PACS arrives in the viewer's list by itself, and opens beside its heat maps. */
import assert from "node:assert/strict";
import { openPacs } from "../../lib/pacs/open.ts";
import { WatchList } from "../../lib/pacs/watch_list.ts";
import { watchWith } from "../../lib/pacs/watch_pacs.ts";
import { loadClassifier, startEngine } from "../../mod.ts";
import { inaccessible, inChromium } from "../support/chromium.ts";
import { FakePacs } from "../support/fake_pacs.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { writeCombinedModels } from "../support/served_models.ts";
import { study } from "../support/study.ts";
import { ready, shown, text, until, withPage } from "../support/viewer_page.ts";

const KNEE = {
  ...{ "0008,0016 UI": "1.2.840.10008.5.1.4.1.1.4", "0018,0015 CS": "KNEE" },
  ...{ "0008,0020 DA": "20260131", "0008,1030 LO": "MR knee left" },
};

inChromium(
  "a study of the PACS arrives in the list, opens, and has an address",
  async (browser) => {
    await using fake = new FakePacs();
    await using folder = await TemporaryFolder.make();
    await writeCombinedModels(folder);
    await startEngine("wasm");
    using classifier = await loadClassifier(folder.at("combined.json"));
    const pacs = { url: fake.url, credentials: "never:shown" };
    const list = new WatchList();
    const ends = new AbortController();
    const options = { models: [classifier], pacs, viewer: { watch: list } };
    let watching: Promise<void> | undefined;
    await withPage(browser, async ({ page }) => {
      const rows = page.locator("#exams li");
      const words = () => rows.allInnerTexts();
      await until(
        "the page is there",
        async () => (await text(page, "#watch")).startsWith("A PACS"),
      );
      assert.deepEqual([await text(page, "#count"), await text(page, "#exam-title")], [
        "0 exams",
        "No exam yet",
      ]);
      watching = watchWith(openPacs(pacs), {
        ...{ classifiers: [classifier], folder: folder.at("watch"), list, every: 0.05 },
        signal: ends.signal,
      });
      await fake.take(study(1, KNEE).values());
      await until(
        "it is read",
        async () => /2026-01-31 MR knee left\s+0\.\d{3}/.test(`${await words()}`),
      );
      assert.equal(await text(page, "#exam-title"), "No exam yet", "nothing is fetched unasked");
      await fake.take([...study(2, KNEE).values()].slice(18));
      await until("so is the next", async () => (await rows.count()) === 2);
      await until("which has no plane", async () => /cannot be read/.test((await words())[0]));
      assert.equal(
        await rows.first().locator(".probability").first().getAttribute("title"),
        "it has no sagittal series",
      );
      assert.equal(await text(page, "#count"), "2 exams, 1 without an answer");
      assert.deepEqual(await inaccessible(page), []);

      const answered = await rows.nth(1).locator(".probability").first().innerText();
      await rows.nth(1).click();
      await shown(page, "2.25.71");
      await ready(page);
      assert.equal(await text(page, "#exam-title"), "2026-01-31 MR knee left");
      assert.match(await text(page, "#probabilities"), new RegExp(`^Combined\\s+${answered}`));
      assert.match(await text(page, '[data-plane="axial"] .series'), /18 slices of 64×64/);
      assert.ok(page.url().includes("#pacs/2.25.71?model=combined"), page.url());
      assert.deepEqual(await inaccessible(page), []);

      // What came meanwhile is above it, and back leads to it.
      await fake.take(study(4, KNEE).values());
      await until("another one is there", async () => (await rows.count()) === 3);
      await page.waitForTimeout(600);
      await rows.nth(1).click();
      await shown(page, "2.25.72");
      await until(
        "it says what is missing",
        async () => /has no sagittal plane/.test(await text(page, "#probabilities")),
      );
      await page.goBack();
      await shown(page, "2.25.71");

      // A link that was sent opens it, and one to a study that is not there says so.
      const address = page.url();
      await page.goto("about:blank");
      await page.goto(address);
      await shown(page, "2.25.71");
      await page.evaluate(`location.hash = "#pacs/2.25.79"`);
      await until(
        "it says so",
        async () => (await text(page, "#message")).includes("There is no exam 'pacs/2.25.79' here"),
      );

      fake.trouble = () => new Response(null, { status: 503 });
      await until(
        "it says that the PACS is down",
        async () => (await text(page, "#watch")).startsWith("The PACS does not answer"),
      );
      const sources = await page.content();
      assert.ok(!/never|dicom-web/.test(sources));
      await page.setViewportSize({ width: 360, height: 800 });
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 360);
      await page.goto("about:blank");
      await page.goto(new URL("/", address).href);
      await until("the list is seen, as nothing else is", () => page.locator("#watch").isVisible());
      assert.equal(await text(page, "#exam-title"), "No exam yet");
      ends.abort();
      await watching;
    }, { options });
  },
);
