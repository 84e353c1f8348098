/** What can be seen of an image on the viewer's page: zoom, windows, one plane large, full screen. */
import assert from "node:assert/strict";
import { readExam } from "../../lib/data/exam.ts";
import { PLANES } from "../../lib/terms.ts";
import { inaccessible, inChromium } from "../support/chromium.ts";
import { SAGITTAL, shown, text, until, withPage } from "../support/viewer_page.ts";

inChromium(
  "zoom, windows, one plane large, full screen: by wheel, drag, keys and buttons",
  async (browser) => {
    await withPage(browser, async ({ page, folder }) => {
      await shown(page, "0002");
      const zoom = () => text(page, `${SAGITTAL} .zoom`);
      const pixel = () => text(page, `${SAGITTAL} .pixel`);
      const click = (button: string) => page.locator(`${SAGITTAL} ${button}`).click();
      const box = (await page.locator(`${SAGITTAL} .stage`).boundingBox())!;

      // Around the pointer: what it points at stays below it.
      const scale = box.width / 96;
      await page.mouse.move(box.x + 70.5 * scale, box.y + 20.5 * scale);
      const pointedAt = await pixel();
      assert.match(pointedAt, / at column 70, row 20$/);
      await page.keyboard.down("Control");
      for (let notch = 0; notch < 4; notch++) await page.mouse.wheel(0, -120);
      await page.keyboard.up("Control");
      await until("it is zoomed", async () => await zoom() === "272 %");
      const onPointer = async () => {
        await page.mouse.move(box.x + 70.5 * scale + 0.1, box.y + 20.5 * scale);
        return await pixel();
      };
      assert.equal(await onPointer(), pointedAt);
      assert.deepEqual(await inaccessible(page), [], "with an enlarged image");
      // Dragged with it, it stays below it too; the window is left alone.
      const window = () => text(page, `${SAGITTAL} .window`);
      const full = await window();
      await page.keyboard.down("Shift");
      await page.mouse.down();
      await page.mouse.move(box.x + 50.5 * scale, box.y + 40.5 * scale, { steps: 4 });
      await page.mouse.up();
      await page.keyboard.up("Shift");
      assert.equal(await pixel(), pointedAt);
      assert.equal(await window(), full);
      await page.keyboard.press("0");
      assert.equal(await zoom(), "100 %");
      assert.equal(await text(page, "#announce"), "sagittal, zoom 100 %");
      assert.match(await onPointer(), / at column 70, row 20$/);

      const transform = () =>
        page.evaluate(`document.querySelector('${SAGITTAL} canvas').style.transform`);
      await click(".zoom-in");
      await page.keyboard.press("+");
      assert.equal(await zoom(), "156 %");
      const centred = await transform();
      await click(".move.right");
      assert.notEqual(await transform(), centred);
      await page.keyboard.press("j");
      assert.equal(await transform(), centred, "and back with a key");
      for (let press = 0; press < 9; press++) await page.keyboard.press("l");
      assert.equal(
        await transform(),
        "translate(-28.125%, 0%) scale(1.5625)",
        "not beyond its edge",
      );
      await click(".zoom-out");
      await click(".zoom-out");
      assert.equal(await transform(), "", "never smaller than the stage");

      // Windows are of the whole volume's values.
      const { voxels } = await readExam(folder.at("data/valid/sagittal/0002.npy"), "0002");
      const sorted = Array.from(voxels).sort((a, b) => a - b);
      const at = (share: number) => sorted[Math.floor(share * sorted.length)];
      const [least, largest] = [sorted[0], sorted.at(-1)!];
      const contrast = async () => Number(/Contrast ([\d.]+)/.exec(await window())![1]);
      const windows = page.locator(`${SAGITTAL} .windows`);
      await windows.selectOption("contrast");
      assert.ok(Math.abs(await contrast() - (at(0.95) - at(0.05))) <= 1, await window());
      await windows.selectOption("dark");
      assert.ok(Math.abs(await contrast() - (largest - least) / 2) < 0.1, await window());
      await page.locator("main").focus();
      await page.keyboard.press("w");
      assert.equal(await windows.inputValue(), "bright");
      assert.equal(await text(page, "#announce"), "sagittal, Bright half");
      await page.keyboard.press("n");
      await shown(page, "0003");
      assert.equal(await windows.inputValue(), "bright", "it stays for the next exam");
      await page.keyboard.press("p");
      await shown(page, "0002");
      await page.keyboard.press("r");
      assert.equal(await window(), full);

      const visible = async () => {
        const each = PLANES.map((plane) => page.locator(`[data-plane="${plane}"]`));
        const seen = await Promise.all(each.map((panel) => panel.isVisible()));
        return PLANES.filter((_, index) => seen[index]);
      };
      await page.mouse.dblclick(box.x + 50, box.y + 50);
      assert.deepEqual(await visible(), ["sagittal"]);
      const large = (await page.locator(`${SAGITTAL} .stage`).boundingBox())!;
      assert.ok(large.width > 1.8 * box.width, `${large.width} pixels and not ${box.width}`);
      assert.ok(large.height + 200 < 900, "and the rest fits below it");
      assert.equal(await page.locator(`${SAGITTAL} .enlarge`).getAttribute("aria-pressed"), "true");
      await page.keyboard.press("2");
      assert.deepEqual(await visible(), ["coronal"]);
      assert.deepEqual(await inaccessible(page), [], "with one plane");
      await page.keyboard.press("Escape");
      assert.equal((await visible()).length, 3);

      const fills = () => page.evaluate("document.fullscreenElement !== null");
      await page.keyboard.press("f");
      await until("it fills the screen", async () => await fills() === true);
      assert.ok(await page.locator("#notice").isVisible());
      assert.equal(await page.locator("#full-screen").getAttribute("aria-pressed"), "true");
      await page.locator("#full-screen").click();
      await until("it does no longer", async () => await fills() === false);
    }, { options: { models: [] } });
  },
);
