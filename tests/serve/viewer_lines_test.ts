/** Letters, scale bar and reference lines over the images of imported exams. */
import assert from "node:assert/strict";
import { importExams } from "../../lib/imaging/import.ts";
import { type Plane, PLANES } from "../../lib/terms.ts";
import { inaccessible, inChromium, type Page } from "../support/chromium.ts";
import type { TemporaryFolder } from "../support/folders.ts";
import { study } from "../support/study.ts";
import { shown, text, until, withPage } from "../support/viewer_page.ts";

const panel = (plane: Plane) => `[data-plane="${plane}"]`;

/** Writes a study's files below a folder. */
async function writeStudy(folder: TemporaryFolder, name: string, frame?: string): Promise<void> {
  const more: Record<string, string> = frame === undefined ? {} : { "0020,0052 UI": frame };
  for (const [path, bytes] of study(1, more)) await folder.write(`${name}/${path}`, bytes);
}

/** The dataset with one imported exam, 0001: 64 pixels of half a millimetre, slices 4 mm apart from 0 on. */
async function prepare(folder: TemporaryFolder): Promise<void> {
  await writeStudy(folder, "study", "2.25.5");
  await importExams({ paths: [folder.at("study")], out: folder.at("data") });
}

/** No models; and a machine with much other work takes its time to read a study. */
const OPTIONS = { models: [], limits: { deadline: 600_000 } };

/** What is read off the page: boxes on the screen. */
interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const box = (page: Page, selector: string): Promise<Box> =>
  page.locator(selector).evaluate((element: { getBoundingClientRect(): Box }) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return { x, y, width, height };
  });

/** The pixels of a plane's image, from its left upper corner, between which a line lies. */
async function lineIn(page: Page, plane: Plane, other: Plane): Promise<Box | undefined> {
  const selector = `${panel(plane)} line.${other}`;
  if (await page.locator(selector).count() === 0) return undefined;
  const line = await box(page, selector);
  // As the browser has transformed it, whatever the page thinks of its zoom.
  const image = await box(page, `${panel(plane)} .stage canvas`);
  const [right, down] = [256 / image.width, 256 / image.height];
  return {
    ...{ x: (line.x - image.x) * right, y: (line.y - image.y) * down },
    ...{ width: line.width * right, height: line.height * down },
  };
}

/** Goes to a slice, from 1. */
async function go(page: Page, plane: Plane, slice: number): Promise<void> {
  await page.locator(`${panel(plane)} .slice`).focus();
  await page.keyboard.press("Home");
  for (let step = 1; step < slice; step++) await page.keyboard.press("ArrowRight");
  assert.match(await text(page, `${panel(plane)} .at`), new RegExp(`^Slice ${slice} of 18`));
}

const isNear = (found: number, expected: number, what: string) =>
  assert.ok(Math.abs(found - expected) < 0.6, `${what}: ${found} and not ${expected}`);

/** How many millimetres the bar of a plane is long, by the image below it, and what it says. */
async function barIn(page: Page, plane: Plane): Promise<[measured: number, said: string]> {
  const bar = await box(page, `${panel(plane)} .scale-bar`);
  const image = await box(page, `${panel(plane)} .stage canvas`);
  return [bar.width * 32 / image.width, await text(page, `${panel(plane)} .scale-bar`)];
}

const letters = async (page: Page, plane: Plane) =>
  (await page.locator(`${panel(plane)} .letter`).allTextContents()).join("");

inChromium(
  "an imported exam has letters, a scale bar and the other planes' lines",
  async (browser) => {
    await withPage(browser, async ({ page, folder }) => {
      await shown(page, "0001");
      assert.equal(await letters(page, "sagittal"), "APHF");
      assert.equal(await letters(page, "coronal"), "RLHF");
      assert.equal(await letters(page, "axial"), "RLAP");
      assert.deepEqual(await inaccessible(page), []);

      // A pixel is an eighth of a millimetre, the first one's centre 3/16 before the scan's.
      await go(page, "sagittal", 3);
      await go(page, "coronal", 4);
      await go(page, "axial", 18);
      const inSagittal = (await lineIn(page, "sagittal", "coronal"))!;
      isNear(inSagittal.x, 8 * (12 + 0.1875) + 0.5, "the coronal slice at 12 mm");
      isNear(inSagittal.width, 0, "upright");
      isNear(inSagittal.height, 256, "from top to bottom");
      isNear(
        (await lineIn(page, "coronal", "sagittal"))!.x,
        8 * 8.1875 + 0.5,
        "the sagittal one at 8",
      );
      const level = (await lineIn(page, "sagittal", "axial"))!;
      isNear(level.y, 8 * 0.1875 + 0.5, "the axial slice at 0 mm");
      isNear(level.width, 256, "from side to side");
      const inAxial = (await lineIn(page, "axial", "coronal"))!;
      isNear(inAxial.y, 8 * 12.1875 + 0.5, "the coronal slice, seen from below");
      assert.deepEqual(
        await page.locator(`${panel("sagittal")} .lines text`).allTextContents(),
        ["cor 4", "ax 18"],
      );
      assert.equal(
        await page.locator(`${panel("sagittal")} .lies`).textContent(),
        "Left anterior, right posterior, top head, bottom feet. The whole image is 32 mm wide. " +
          "The coronal slice 4 cuts it from column 98, row 0 to column 98, row 255. " +
          "The axial slice 18 cuts it from column 0, row 2 to column 255, row 2.",
      );
      const described = page.locator(`${panel("sagittal")} canvas[role=img]`);
      assert.equal(
        await described.getAttribute("aria-describedby"),
        await page.locator(`${panel("sagittal")} .lies`).getAttribute("id"),
      );
      // A slice that does not reach the image has no line on it.
      await go(page, "coronal", 10);
      assert.equal(await lineIn(page, "sagittal", "coronal"), undefined);
      await go(page, "coronal", 5);
      isNear((await lineIn(page, "sagittal", "coronal"))!.x, 8 * 16.1875 + 0.5, "at 16 mm");

      // With the image, however that is enlarged and moved; the bar's length is right at each zoom.
      const [whole, wholeSaid] = await barIn(page, "sagittal");
      assert.equal(wholeSaid, "10 mm");
      assert.ok(Math.abs(whole - 10) < 0.1, `${whole} mm`);
      await page.locator(`${panel("sagittal")} .slice`).focus();
      for (let press = 0; press < 3; press++) await page.keyboard.press("+");
      await page.keyboard.press("j");
      assert.equal(await text(page, `${panel("sagittal")} .zoom`), "195 %");
      isNear((await lineIn(page, "sagittal", "coronal"))!.x, 8 * 16.1875 + 0.5, "enlarged");
      const [half, halfSaid] = await barIn(page, "sagittal");
      assert.equal(halfSaid, "5 mm");
      assert.ok(Math.abs(half - 5) < 0.05, `${half} mm`);
      assert.deepEqual(await inaccessible(page), [], "enlarged");
      // Beside the buttons, and on the stage.
      const letter = await box(page, `${panel("sagittal")} .letter[data-side="left"]`);
      const button = await box(page, `${panel("sagittal")} .move.left`);
      assert.ok(letter.x > button.x + button.width);
      await page.keyboard.press("r");

      // Off and on, by key and button: only the lines.
      const lines = page.locator(".lines line");
      const before = await lines.count();
      assert.ok(before >= 4);
      await page.keyboard.press("g");
      assert.equal(await lines.count(), 0);
      assert.equal(await text(page, "#announce"), "Reference lines off");
      assert.equal(await page.locator("#lines").getAttribute("aria-pressed"), "false");
      assert.doesNotMatch(
        (await page.locator(`${panel("sagittal")} .lies`).textContent())!,
        /cuts/,
      );
      assert.equal(await letters(page, "sagittal"), "APHF");
      await page.locator("#lines").click();
      assert.equal(await lines.count(), before);
      // Between the image and the values that are read off it is nothing.
      const stage = await box(page, `${panel("sagittal")} .stage`);
      await page.mouse.move(stage.x + stage.width * 130 / 256, stage.y + stage.height / 2);
      assert.match(
        await text(page, `${panel("sagittal")} .pixel`),
        / at column (129|130), row 12\d$/,
      );
      await page.locator("#help").click();
      assert.match(await text(page, "#help-dialog"), /G\s+lines of the other planes' slices/);
      await page.keyboard.press("Escape");

      // An exam of which nothing is known has nothing of it.
      await page.locator("#next").click();
      await shown(page, "0002");
      for (const plane of PLANES) {
        assert.equal(await letters(page, plane), "");
        assert.equal(await page.locator(`${panel(plane)} .overlay`).isVisible(), false);
        assert.equal(await page.locator(`${panel(plane)} .lies`).textContent(), "");
      }
      assert.equal(await page.locator("#lines").isVisible(), false);
      assert.equal(await lines.count(), 0);
      await page.keyboard.press("g");
      assert.match(
        await text(page, "#announce"),
        /^It is not known how the planes of this exam lie/,
      );

      // A study that is dropped has them too; without a frame of reference no lines.
      await writeStudy(folder, "other");
      await page.locator("#folder").setInputFiles(folder.at("other"));
      await page.waitForSelector('body[data-shown*="-"]');
      assert.equal(await letters(page, "coronal"), "RLHF");
      assert.equal((await barIn(page, "axial"))[1], "10 mm");
      assert.equal(await page.locator("#lines").isVisible(), false);
      await page.locator("#folder").setInputFiles(folder.at("study"));
      await until("there are lines", async () => await page.locator("#lines").isVisible());
      await go(page, "sagittal", 3);
      await go(page, "coronal", 2);
      isNear(
        (await lineIn(page, "sagittal", "coronal"))!.x,
        8 * 4.1875 + 0.5,
        "of a dropped study",
      );
    }, { options: OPTIONS, prepare });
  },
);

inChromium("at 360 pixels letters, bar and lines stay on their stages", async (browser) => {
  await withPage(browser, async ({ page }) => {
    await shown(page, "0001");
    await go(page, "sagittal", 3);
    await go(page, "coronal", 4);
    const stage = await box(page, `${panel("sagittal")} .stage`);
    assert.ok(stage.width > 250 && stage.x + stage.width <= 360);
    for (const selector of [".letter", ".scale-bar", ".lines text"]) {
      const all = page.locator(`${panel("sagittal")} ${selector}`);
      assert.ok(await all.count() > 0);
      for (const each of await all.all()) {
        const found = (await each.boundingBox())!;
        assert.ok(found.x >= stage.x && found.x + found.width <= stage.x + stage.width, selector);
        assert.ok(found.y >= stage.y && found.y + found.height <= stage.y + stage.height, selector);
      }
    }
    isNear((await lineIn(page, "sagittal", "coronal"))!.x, 8 * 12.1875 + 0.5, "the line");
    const wide = await page.evaluate("document.documentElement.scrollWidth");
    assert.equal(wide, 360);
    assert.deepEqual(await inaccessible(page), []);
  }, { options: OPTIONS, prepare, view: { viewport: { width: 360, height: 800 } } });
});
