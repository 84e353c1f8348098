/** A second model beside the first on the viewer's page. */
import assert from "node:assert/strict";
import { PLANES, TASKS } from "../../lib/terms.ts";
import { inaccessible, inChromium, type Page } from "../support/chromium.ts";
import { shown, text, until, withPage } from "../support/viewer_page.ts";

/** What the models are said to say of each exam; both are positive from 0.5 on. */
const SAID: Record<string, { coronal: number; sagittal?: number }> = {
  "0002": { coronal: 0.55, sagittal: 0.95 },
  "0003": { coronal: 0.3, sagittal: 0.55 },
  "0004": { coronal: 0.9, sagittal: 0.1 },
  "0005": { coronal: 0.2, sagittal: 0.2 },
  // It has no sagittal plane.
  "0006": { coronal: 0.6 },
};

const predictions = (id: string) =>
  Object.entries(SAID[id]).map(([model, probability]) => {
    const logit = 10 * probability;
    return { model, probability, logit, decision: probability >= 0.5 };
  });

/** Answers instead of the models. */
function before({ url }: Request): Response | undefined {
  if (url.includes("/viewer/verdicts")) {
    const lines = Object.keys(SAID).map((id) =>
      `${JSON.stringify({ id, verdicts: predictions(id) })}\n`
    );
    return new Response(lines.join(""));
  }
  const id = /\/viewer\/reading\/valid\/(\d+)$/.exec(url)?.[1];
  if (id === undefined) return undefined;
  return Response.json({ predictions: predictions(id), planes: {}, odd: {} });
}

const hash = (page: Page) => new URL(page.url()).hash;
const names = (page: Page) => page.locator("#exams li .name").allTextContents();
const second = (page: Page) => page.locator("#second").inputValue();

inChromium(
  "a second model's answers stand beside the first's, and exams are sorted by where they disagree",
  async (browser) => {
    await withPage(browser, async ({ page, folder }) => {
      await shown(page, "0002");
      await until("all are told of", async () => await text(page, "#count") === "5 exams");
      const byDisagreement = page.locator('#order option[value="disagreement"]');
      assert.ok(await byDisagreement.isDisabled(), "there is nothing to disagree with");
      assert.equal(await page.locator("#exams .second:visible").count(), 0);
      assert.deepEqual(
        await page.locator("#second option").allTextContents(),
        ["None", "ACL tear, axial", "ACL tear, sagittal", "ACL tear, three planes"],
      );
      // What back returns to must have been looked at for a moment.
      await new Promise((resolve) => setTimeout(resolve, 700));
      await page.locator("#second").selectOption("sagittal");
      assert.equal(hash(page), "#valid/0002?model=coronal&second=sagittal");
      await page.locator("#order").selectOption("disagreement");
      assert.deepEqual(await names(page), ["0004", "0003", "0002", "0005", "0006"]);
      assert.equal(await text(page, "#count"), "5 exams, decisions differ on 2");
      const cell = (id: string) => page.locator(`#exam-valid-${id} .second`);
      assert.equal(await cell("0004").textContent(), "≠ second model 0.100, decisions differ");
      assert.equal(await cell("0002").textContent(), "second model 0.950");
      assert.equal(await cell("0006").textContent(), "second model –");
      assert.equal(await cell("0006").getAttribute("title"), "sagittal: no sagittal plane");

      // With the keyboard to where they disagree most; all of it is read aloud.
      await page.locator("#exams").focus();
      await page.keyboard.press("Home");
      await shown(page, "0004");
      await until(
        "both are said",
        async () =>
          /^coronal probability 0\.900, positive.* Second, sagittal probability 0\.100, negative.* decide/
            .test(await text(page, "#announce")),
      );
      assert.match(
        await text(page, "#probabilities"),
        /^Coronal\s+0\.900 positive[^\n]*\s+Second, sagittal\s+0\.100 negative/,
      );
      assert.deepEqual(await inaccessible(page), []);
      assert.equal(hash(page), "#valid/0004?model=coronal&second=sagittal&order=disagreement");

      const saving = page.waitForEvent("download");
      await page.locator("#save-list").click();
      const download = await saving;
      assert.equal(download.suggestedFilename(), "exams_valid_coronal_sagittal.csv");
      const [head, ...lines] = (await Deno.readTextFile(await download.path())).split("\n");
      const answer = ["probability", "logit", "threshold", "decision", "outcome", "note"];
      assert.deepEqual(head.split(",").slice(7), [
        ...answer,
        ...["model", ...answer].map((name) => `second_${name}`),
      ]);
      const labels = await Promise.all(TASKS.map(async (task) => {
        const text = await Deno.readTextFile(folder.at(`data/valid-${task}.csv`));
        return /^0004,(.)$/m.exec(text)![1];
      }));
      const [first, other] = labels[1] === "1" ? ["TP", "FN"] : ["FP", "TN"];
      assert.equal(
        lines[0],
        `valid,0004,${labels},coronal,acl,0.9,9,0.5,positive,${first},,` +
          `sagittal,0.1,1,0.5,negative,${other},`,
      );
      assert.match(lines[4], /,sagittal,,,0\.5,,,plane missing: no sagittal plane$/);

      // Whoever asks the second one has the two change places.
      await page.locator("#model").selectOption("sagittal");
      assert.equal(hash(page), "#valid/0004?model=sagittal&second=coronal&order=disagreement");
      assert.equal(await cell("0004").textContent(), "≠ second model 0.900, decisions differ");
      await page.setViewportSize({ width: 360, height: 740 });
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 360);

      // The address is followed; without a second model in it there is none, nor an order by it.
      await page.evaluate(`location.hash = "#valid/0003?model=coronal&second=sagittal"`);
      await shown(page, "0003");
      assert.equal(await second(page), "sagittal");
      await page.evaluate(`location.hash = "#valid/0003?model=coronal&second=nobody"`);
      await until(
        "it is said",
        async () =>
          await text(page, "#message") ===
            "There is no second model 'nobody' here to stand beside 'coronal'.",
      );
      assert.equal(hash(page), "#valid/0003?model=coronal");
      assert.deepEqual([await second(page), await page.locator("#order").inputValue()], ["", "id"]);
      assert.deepEqual(await names(page), Object.keys(SAID));
    }, {
      before,
      hash: "#valid/0002?model=coronal",
      models: [...PLANES.map((plane) => `${plane}.safetensors`), "combined.json"],
      prepare: (folder) => Deno.remove(folder.at("data/valid/sagittal/0006.npy")),
    });
  },
);
