import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readExam } from "../../lib/data/exam.ts";
import { loadMRNet } from "../../lib/model/create.ts";
import { PLANES } from "../../lib/terms.ts";
import { inaccessible, inChromium, type Page } from "../support/chromium.ts";
import type { TemporaryFolder } from "../support/folders.ts";
import { ready, SAGITTAL, shown, text, until, withPage } from "../support/viewer_page.ts";

const panel = (plane: string) => `[data-plane="${plane}"]`;
const hash = (page: Page) => new URL(page.url()).hash;

/** What back returns to must have been looked at for a moment. */
const looked = () => new Promise((resolve) => setTimeout(resolve, 700));

const model = (page: Page) => page.locator("#model").inputValue();

inChromium(
  "the address names exam, model and plane; it can be sent, and back returns",
  async (browser) => {
    await withPage(browser, async ({ page }) => {
      await shown(page, "0003");
      assert.equal(await model(page), "coronal");
      await until(
        "the plane that the link names has the keys",
        async () => await page.locator(":focus").getAttribute("aria-label") === "coronal slice",
      );
      assert.equal(hash(page), "#valid/0003?model=coronal&plane=coronal");
      await until(
        "the model of the link answers",
        async () => /^Coronal\s+\d/.test(await text(page, "#probabilities")),
      );
      assert.deepEqual(await inaccessible(page), []);

      await looked();
      await page.keyboard.press("n");
      await shown(page, "0004");
      assert.equal(hash(page), "#valid/0004?model=coronal&plane=coronal");
      await looked();
      await page.locator("#model").selectOption("combined");
      assert.equal(hash(page), "#valid/0004?model=combined&plane=coronal");
      await page.locator(`${panel("axial")} input.slice`).focus();
      assert.equal(hash(page), "#valid/0004?model=combined&plane=axial", "not a step of its own");
      await looked();
      // Leafed past is not looked at.
      await page.keyboard.press("n");
      await page.keyboard.press("n");
      await shown(page, "0006");

      await page.goBack();
      await shown(page, "0004");
      assert.equal(await model(page), "combined");
      await page.goBack();
      await until("the model before is chosen", async () => await model(page) === "coronal");
      assert.equal(await text(page, "#exam-title"), "Exam 0004");
      await page.goBack();
      await shown(page, "0003");
      await page.goForward();
      await shown(page, "0004");

      // Where somebody leafs to stands there once that has come to rest; it is no step of its own.
      const slice = async (window: Page, plane: string) =>
        (await text(window, `${panel(plane)} .at`)).split(" · ")[0];
      await page.locator(`${panel("axial")} input.slice`).focus();
      await page.keyboard.press("Home");
      await until(
        "the slice stands there",
        () => Promise.resolve(hash(page) === "#valid/0004?model=coronal&plane=axial&slice=1"),
      );
      await looked();
      await page.keyboard.press("End");
      const last = await slice(page, "axial");
      const [, number] = /^Slice (\d) of \1$/.exec(last)!;
      await page.keyboard.press("n");
      await shown(page, "0005");
      assert.equal(hash(page), "#valid/0005?model=coronal&plane=axial", "from its middle");
      await page.goBack();
      await shown(page, "0004");
      await until("the last slice is back", async () => await slice(page, "axial") === last);
      assert.equal(hash(page), `#valid/0004?model=coronal&plane=axial&slice=${number}`);

      // Another window shows the same by the same address.
      const address = page.url();
      const other = await browser.newPage();
      await other.goto(address);
      await shown(other, "0004");
      assert.deepEqual([await model(other), hash(other)], ["coronal", new URL(address).hash]);
      await until("the slice is shown", async () => await slice(other, "axial") === last);
      await other.close();

      // So do the list's order and filters, and back returns to those of before.
      await page.locator("#order").selectOption("probability");
      await page.locator("#search").fill("000");
      const filtered = `#valid/0004?model=coronal&plane=axial&slice=${number}&order=probability`;
      const stands = (window: Page, wanted: string) =>
        until(`${wanted} stands there`, () => Promise.resolve(hash(window) === wanted));
      await stands(page, `${filtered}&search=000`);
      const third = await browser.newPage();
      await third.goto(page.url());
      await shown(third, "0004");
      const chosen = (window: Page) =>
        Promise.all(["order", "search"].map((id) => window.locator(`#${id}`).inputValue()));
      assert.deepEqual(await chosen(third), ["probability", "000"]);
      await stands(third, `${filtered}&search=000`);
      await third.evaluate(`location.hash = "#valid/0003?order=none&label=7&search=3"`);
      await shown(third, "0003");
      assert.deepEqual(await chosen(third), ["id", "3"], "what cannot be chosen is as at first");
      assert.equal(await third.locator("#label").inputValue(), "");
      await third.close();
      await looked();
      await page.locator("#search").fill("0006");
      await shown(page, "0006");
      await page.goBack();
      await shown(page, "0004");
      await page.locator("#order").selectOption("id");
      await page.locator("#search").fill("");
      await stands(page, new URL(address).hash);

      await page.locator(".skip").focus();
      await page.keyboard.press("Enter");
      assert.equal(await page.locator(":focus").getAttribute("id"), "exam");
      assert.equal(hash(page), new URL(address).hash, "the skip link leaves the address alone");
    }, { hash: "#valid/0003?model=coronal&plane=coronal" });
  },
);

inChromium(
  "an exam, model or plane that is not there is said, and no other exam shown",
  async (browser) => {
    await withPage(browser, async ({ page }) => {
      const message = () => text(page, "#message");
      await until("it is said", () => page.locator("#message").isVisible());
      assert.equal(
        await message(),
        "There is no exam 'valid/9999' here: choose one from the list.",
      );
      assert.equal(await text(page, "#exam-title"), "No exam 'valid/9999'");
      for (const plane of PLANES) assert.equal(await page.locator(panel(plane)).isVisible(), false);
      assert.equal(await page.locator("#answer").isVisible(), false);
      assert.equal(await page.locator('#exams [aria-selected="true"]').count(), 0);
      assert.equal(hash(page), "#valid/9999", "the address stays what it was");
      assert.deepEqual(await inaccessible(page), []);
      await page.locator("#exams li", { hasText: "0004" }).click();
      await shown(page, "0004");
      assert.equal(await page.locator("#message").isVisible(), false);

      await page.evaluate(`location.hash = "#valid/0002?model=nobody&plane=oblique"`);
      await shown(page, "0002");
      assert.equal(
        await message(),
        "There is no model 'nobody' here: 'combined' is asked. This exam has no plane 'oblique'.",
      );
      await page.evaluate(`location.hash = "#valid/0002?model=combined&plane=axial&slice=0"`);
      await until("it is said", async () => await message() === "'0' is no slice.");
      await page.evaluate(`location.hash = "#valid/0003?plane=axial&slice=99"`);
      await shown(page, "0003");
      await until(
        "it is said",
        async () => /^The axial plane has \d slices and no slice 99\.$/.test(await message()),
      );
      assert.equal(hash(page), "#valid/0003?model=combined&plane=axial");
      await page.evaluate(`location.hash = "#valid/0003?plane=axial&slice=98"`);
      await until("it is said again", async () => /no slice 98\.$/.test(await message()));
      await page.evaluate(`location.hash = "#valid/0003?slice=2"`);
      await until(
        "it is said of the plane",
        async () => await message() === "The address names slice 2 and no plane.",
      );
      await page.evaluate(`location.hash = "#<img src=x>"`);
      await until(
        "nothing is shown",
        async () => /^No exam '<img/.test(await text(page, "#exam-title")),
      );
      await page.evaluate(`location.hash = "#dropped/1"`);
      await until("it is said of files", async () => /known to their page/.test(await message()));
      await page.keyboard.press("n");
      await shown(page, "0002");
      assert.match(hash(page), /^#valid\/0002/);
    }, { hash: "#valid/9999" });
  },
);

/** Files as a browser hands them over, of an exam to train on. */
async function filesOf(folder: TemporaryFolder, planes: readonly string[], name: string) {
  return await Promise.all(planes.map(async (plane) => ({
    name: name.replace("PLANE", plane),
    mimeType: "application/octet-stream",
    buffer: Buffer.from(await Deno.readFile(folder.at(`data/train/${plane}/0000.npy`))),
  })));
}

inChromium(
  "a dropped exam has its file's name, is said to be read, and gives what one plane can",
  async (browser) => {
    const held = Promise.withResolvers<undefined>();
    const reading = Promise.withResolvers<undefined>();
    const before = ({ url }: Request) =>
      url.endsWith("/viewer/exams")
        ? held.promise
        : url.includes("/reading/dropped/")
        ? reading.promise
        : undefined;
    await withPage(browser, async ({ page, folder, faults }) => {
      // Whatever fails, nothing is left waiting.
      using _ = {
        [Symbol.dispose]: () => [held, reading].forEach(({ resolve }) => resolve(undefined)),
      };
      await shown(page, "0002");
      await ready(page);
      const row = page.locator("#exams li").first();
      await page.locator("#files").setInputFiles(
        await filesOf(folder, ["sagittal"], "Mrs Doe, PLANE.npy"),
      );
      await page.locator("#planes-read").click();
      await until(
        "its name stands there",
        async () => await text(page, "#exam-title") === "Mrs Doe, sagittal.npy",
      );
      assert.equal(await text(page, `${SAGITTAL} .wait`), "Reading…");
      assert.match(await row.innerText(), /^Mrs Doe, sagittal\.npy\s+reading…/);
      assert.equal(
        await page.locator(panel("axial")).isVisible(),
        false,
        "nothing of the exam before",
      );
      assert.equal(await page.locator("#answer").isVisible(), false);
      assert.deepEqual(await inaccessible(page), [], "while it is on its way");
      held.resolve(undefined);
      await page.waitForSelector('body[data-shown*="-"]');
      assert.equal(await text(page, "#exam-title"), "Mrs Doe, sagittal.npy");
      assert.match(await page.title(), /^Mrs Doe, sagittal\.npy/);
      assert.equal(hash(page), "#dropped/1?model=combined");
      await until(
        "it is asked about",
        async () => /reading…/.test(await row.innerText()),
      );
      assert.match(
        await text(page, "#probabilities"),
        /^Combined\s+–[\s\S]*Sagittal\s+–[\s\S]*Reading…/,
      );
      assert.equal(await page.locator("#probabilities").getAttribute("aria-busy"), "true");
      reading.resolve(undefined);

      // The combination lacks two planes; its member of the third answers all the same.
      const exam = await readExam(folder.at("data/train/sagittal/0000.npy"), "0000");
      const { model } = await loadMRNet(folder.at("sagittal.safetensors"));
      const { probability } = await model.predict(exam);
      await until(
        "it is answered",
        async () =>
          new RegExp(`Sagittal\\s+${probability.toFixed(3)}`).test(
            await text(page, "#probabilities"),
          ),
      );
      const said = await text(page, "#probabilities");
      assert.match(said, /^Combined\s+–/);
      assert.match(said, /This exam has no axial, coronal plane, which this model needs\./);
      assert.match(
        await text(page, "#announce"),
        new RegExp(`sagittal probability ${probability.toFixed(3)}`),
      );
      assert.equal(await page.locator("#probabilities").getAttribute("aria-busy"), "false");
      assert.equal(await text(page, `${SAGITTAL} .whose`), "Map by combined/sagittal");
      assert.ok(await page.locator(`${SAGITTAL} .deciders button`).count() > 0, "with its map");
      assert.deepEqual(await inaccessible(page), []);

      // What is no exam leaves what was looked at.
      await page.locator("#files").setInputFiles({
        name: "note_cor.npy",
        mimeType: "text/plain",
        buffer: Buffer.from("not an exam"),
      });
      await page.locator("#planes-read").click();
      await until(
        "the fault is said",
        async () => /^Cannot read 'coronal'/.test(await text(page, "#message")),
      );
      assert.equal(await text(page, "#exam-title"), "Mrs Doe, sagittal.npy");
      assert.equal(await page.locator("#exams li").count(), 6);
      assert.match(faults.pop() ?? "", /422/);

      await page.goBack();
      await shown(page, "0002");
      await page.goForward();
      await until(
        "forward leads to it",
        async () => await text(page, "#exam-title") === "Mrs Doe, sagittal.npy",
      );
    }, { before, models: ["combined.json"] });
  },
);

inChromium("whose map is shown stands at each panel, and goes with the map", async (browser) => {
  await withPage(browser, async ({ page }) => {
    await shown(page, "0002");
    await ready(page);
    const whose = async (plane: string) => await text(page, `${panel(plane)} .whose`);
    for (const plane of PLANES) assert.equal(await whose(plane), `Map by combined/${plane}`);
    await page.locator("#model").selectOption("coronal");
    assert.equal(await whose("coronal"), "Map by coronal");
    for (const plane of ["axial", "sagittal"]) {
      assert.equal(await whose(plane), `Map by ${plane}, not the model chosen`);
    }
    const label = () => page.locator(`${panel("axial")} .stage canvas`).getAttribute("aria-label");
    assert.match(
      await label() ?? "",
      /^axial, slice \d of \d, Map by axial, not the model chosen$/,
    );
    await page.keyboard.press("h");
    assert.equal(await whose("axial"), "");
    assert.match(await label() ?? "", /^axial, slice \d of \d$/);
    await page.keyboard.press("h");
    await page.keyboard.press("n");
    assert.equal(await whose("axial"), "", "nothing is shown before it is read");
  });
});

inChromium("what the list shows after a filter is what is selected", async (browser) => {
  await withPage(browser, async ({ page }) => {
    await until("all are read", async () => await text(page, "#count") === "5 exams");
    const selected = async () =>
      await page.locator('#exams [aria-selected="true"] .name').allTextContents();
    const agrees = async () =>
      (await selected()).length === 1 &&
      await text(page, "#exam-title") === `Exam ${(await selected())[0]}`;
    await page.locator("#search").focus();
    await page.keyboard.type("0005");
    await shown(page, "0005");
    assert.deepEqual(await selected(), ["0005"]);
    assert.equal(await page.locator(":focus").getAttribute("id"), "search", "typing goes on");
    assert.match(hash(page), /^#valid\/0005/);
    await page.locator("#search").fill("");
    await page.locator("#split").selectOption("train");
    await shown(page, "0000");
    assert.ok(await agrees());
    await page.locator("#split").selectOption("valid");
    await shown(page, "0002");
    for (const value of ["1", "0"]) {
      await page.locator("#label").selectOption(value);
      await until(`with label ${value} they agree`, agrees);
    }
    // Back to one that the filters hide takes them back.
    const hidden = (await page.locator("#exams li .name").allTextContents()).includes("0005")
      ? "1"
      : "0";
    await page.locator("#label").selectOption(hidden);
    await until("they agree", agrees);
    await page.evaluate(`location.hash = "#valid/0005"`);
    await shown(page, "0005");
    assert.deepEqual([await page.locator("#label").inputValue(), await selected()], ["", ["0005"]]);
    // What nothing is left of leaves the exam where it is.
    await page.locator("#search").fill("none of that name");
    await new Promise((resolve) => setTimeout(resolve, 600));
    assert.equal(await text(page, "#exam-title"), "Exam 0005");
  });
});

inChromium(
  "a file's long name makes no page wider, and is found by the search",
  async (browser) => {
    await withPage(browser, async ({ page, folder }) => {
      await shown(page, "0002");
      const name = `${"a_rather_long_name_".repeat(6)}PLANE.npy`;
      await page.locator("#files").setInputFiles(await filesOf(folder, ["coronal"], name));
      await page.locator("#planes-read").click();
      await page.waitForSelector('body[data-shown*="-"]');
      await page.locator("#toggle-list").click();
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 360);
      assert.deepEqual(await inaccessible(page), []);
      await page.locator("#search").fill("RATHER_LONG");
      assert.equal(await page.locator("#exams li").count(), 1);
      await page.evaluate(`location.hash = "#${"valid".repeat(40)}"`);
      await until("it is said", () => page.locator("#message").isVisible());
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 360);
    }, {
      options: { models: [] },
      view: { viewport: { width: 360, height: 800 }, colorScheme: "dark" },
    });
  },
);
