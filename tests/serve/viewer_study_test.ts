/** Studies that are dropped on the viewer's page, and what the page says of odd exams. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { concat } from "../../lib/bytes.ts";
import { encodeNpy } from "../../lib/data/npy.ts";
import { loadClassifier } from "../../lib/classifier/load.ts";
import { predictPatients } from "../../lib/classifier/predict_patients.ts";
import { Studies } from "../../lib/imaging/studies.ts";
import { encodeZip } from "../../lib/zip.ts";
import { inaccessible, inChromium } from "../support/chromium.ts";
import { study } from "../support/study.ts";
import { ready, SAGITTAL, shown, text, until, withPage } from "../support/viewer_page.ts";

const AXIAL = '[data-plane="axial"]';

inChromium(
  "a folder of a study is chosen, and its planes and answers are predict's",
  async (browser) => {
    await withPage(browser, async ({ page, folder }) => {
      await shown(page, "0002");
      for (const [name, bytes] of study(1)) await folder.write(`export/${name}`, bytes);
      await folder.write("export/.hidden", new Uint8Array(9));
      await folder.write("export/axial/broken", study(1).get("axial/IM0")!.subarray(0, 300));
      await page.locator("#folder").setInputFiles(folder.at("export"));
      await page.waitForSelector('body[data-shown*="-"]');
      await ready(page);
      assert.equal(await text(page, "#exam-title"), "export");
      using classifier = await loadClassifier(folder.at("combined.json"));
      using studies = await Studies.open([folder.at("export")]);
      const [{ name: id, exams: files }] = studies.studies;
      const [outcome] = await Array.fromAsync(predictPatients(classifier, [{ id, files }]));
      assert.ok("prediction" in outcome);
      const digits = outcome.prediction.probability.toFixed(3).replace(".", "\\.");
      assert.match(await text(page, "#probabilities"), new RegExp(`^Combined\\s+${digits} `));
      assert.equal(
        await text(page, `${SAGITTAL} .series`),
        "sagittal Doe scan · 18 slices of 64×64",
      );
      assert.match(await text(page, `${SAGITTAL} .at`), /^Slice 9 of 18/);
      // What could not be read is said, what is hidden was not sent.
      assert.match(
        await text(page, "#message"),
        /^Cannot read the DICOM file 'export.axial.broken': /,
      );
      assert.deepEqual(await inaccessible(page), []);
      // What was said of it does not stay with another exam.
      await page.locator("#exams li").nth(1).click();
      await shown(page, "0002");
      assert.equal(await page.locator(`${SAGITTAL} .series`).isVisible(), false);
      assert.equal(await page.locator("#message").isVisible(), false);
    });
  },
);

inChromium(
  "several series of a plane are asked about, in a zip archive and in dropped folders",
  async (browser) => {
    await withPage(browser, async ({ page, faults }) => {
      await shown(page, "0002");
      const files = study(1);
      for (
        const [name, bytes] of study(1, { "0020,000E UI": "2.25.99", "0008,103E LO": "again" })
      ) {
        if (name.startsWith("axial")) files.set(`more/${name}`, bytes);
      }
      const archive = {
        name: "knee.zip",
        mimeType: "application/zip",
        buffer: Buffer.from(concat(encodeZip(files))),
      };
      await page.locator("#files").setInputFiles(archive);
      await page.waitForSelector("#series-dialog[open]");
      assert.deepEqual(await inaccessible(page), [], "with the series' dialog open");
      const select = page.locator("#series-choices select");
      assert.deepEqual(await select.locator("option").allInnerTexts(), [
        "axial Doe scan · 18 slices of 64×64",
        "again · 18 slices of 64×64",
      ]);
      await select.selectOption("axial=again");
      await page.locator("#series-read").click();
      await page.waitForSelector('body[data-shown*="-"]');
      assert.equal(await text(page, `${AXIAL} .series`), "again · 18 slices of 64×64");
      assert.equal(await text(page, "#exam-title"), "knee.zip");

      // No choice, no exam.
      await page.locator("#files").setInputFiles(archive);
      await page.waitForSelector("#series-dialog[open]");
      await page.keyboard.press("Escape");
      await until(
        "it is said",
        async () =>
          await text(page, "#message") === "The study is not shown: no series was chosen.",
      );

      // A drop of a folder, as browsers give it: a reader gives some files, then others, then none.
      const axial = [...study(1)].filter(([name]) => name.startsWith("axial"));
      await page.evaluate(
        ([axial]) => {
          const entries = axial.map(([name, base64]) => ({
            isFile: true,
            fullPath: `/dropped/${name}`,
            file: (give: (file: File) => void) =>
              give(new File([Uint8Array.fromBase64(base64)], name.split("/")[1])),
          }));
          const folder = {
            isFile: false,
            fullPath: "/dropped",
            createReader: () => ({
              readEntries: (give: (some: unknown[]) => void) => give(entries.splice(0, 10)),
            }),
          };
          const dataTransfer = {
            types: ["Files"],
            items: [{ kind: "file", webkitGetAsEntry: () => folder }],
          };
          const drop = new Event("drop", { bubbles: true, cancelable: true });
          dispatchEvent(Object.defineProperty(drop, "dataTransfer", { value: dataTransfer }));
        },
        [axial.map(([name, bytes]) => [name, bytes.toBase64()] as const)] as const,
      );
      await until("it is shown", async () => await text(page, "#exam-title") === "dropped");
      await until("it is read", async () => /18/.test(await text(page, `${AXIAL} .at`)));
      assert.equal(await page.locator(SAGITTAL).isVisible(), false);
      // The browser itself notes the two requests that were refused.
      assert.equal(faults.filter((fault) => /422 \(Unprocessable/.test(fault)).length, 2);
      faults.splice(0, Infinity, ...faults.filter((fault) => !/422/.test(fault)));
    });
  },
);

inChromium("files that the service would not take are not sent", async (browser) => {
  await withPage(browser, async ({ page }) => {
    await shown(page, "0002");
    await page.locator("#files").setInputFiles({
      name: "knee.zip",
      mimeType: "application/zip",
      buffer: Buffer.alloc(2_000_000),
    });
    await until(
      "it is said",
      async () =>
        await text(page, "#message") ===
          "These files have 2 MB, at most 1 MB: give only the series " +
            "that are needed, or a zip archive of them.",
    );
  }, { options: { limits: { bodyBytes: 1024 * 1024 } } });
});

inChromium(
  "an exam that is odd is shown with a warning, in the page and aloud",
  async (browser) => {
    await withPage(browser, async ({ page, folder }) => {
      await shown(page, "0003");
      await ready(page);
      const warning = `${SAGITTAL} .remarks`;
      assert.match(
        await text(page, warning),
        /^Do not rely on the answer: its values go from -3 to 3, as z-scores do, where 0–255 are expected\.$/,
      );
      assert.match(
        await text(page, "#announce"),
        /sagittal: Do not rely on the answer: its values/,
      );
      assert.equal(await page.locator(`${AXIAL} .remarks`).isVisible(), false);
      assert.deepEqual(await inaccessible(page), []);
      await page.keyboard.press("n");
      await shown(page, "0004");
      assert.equal(await page.locator(warning).isVisible(), false);
      assert.ok(await Deno.stat(folder.at("data/valid/sagittal/0003.npy")));
    }, {
      hash: "#valid/0003",
      prepare: async (folder) => {
        const values = Float32Array.from({ length: 5 * 96 * 96 }, (_, i) => i % 7 - 3);
        await folder.write("data/valid/sagittal/0003.npy", encodeNpy(values, [5, 96, 96]));
      },
    });
  },
);
