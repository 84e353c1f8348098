import assert from "node:assert/strict";
import { readExam } from "../../lib/data/exam.ts";
import { colorOf } from "../../lib/explain/color_map.ts";
import { explain } from "../../lib/explain/explain.ts";
import { loadMRNet } from "../../lib/model/create.ts";
import { createHandler } from "../../lib/serve/handler.ts";
import { inaccessible, inChromium } from "../support/chromium.ts";
import { TemporaryFolder } from "../support/folders.ts";
import {
  picture,
  pixelsOf,
  ready,
  SAGITTAL,
  shown,
  text,
  until,
  withPage,
  writeNoise,
} from "../support/viewer_page.ts";
import { assertWithin } from "../support/time.ts";

inChromium(
  "leafing: slider, wheel, keys and play; the values are those of the file",
  async (browser) => {
    await withPage(browser, async ({ page, folder }) => {
      await shown(page, "0002");
      await ready(page);
      await page.locator("#map-on").uncheck();
      const exam = await readExam(folder.at("data/valid/sagittal/0002.npy"), "0002");
      const middle = (exam.slices - 1) >> 1;
      const at = async (slice: number) => {
        await until(
          `slice ${slice} is shown`,
          async () =>
            (await text(page, `${SAGITTAL} .at`)).startsWith(
              `Slice ${slice + 1} of ${exam.slices}`,
            ),
        );
        const pixels = exam.height * exam.width;
        const voxels = exam.voxels.subarray(slice * pixels, (slice + 1) * pixels);
        const drawn = (await picture(page, "sagittal")).filter((_, at) => at % 4 === 0);
        const values = Array.from(exam.voxels);
        const black = values.reduce((a, b) => Math.min(a, b));
        const white = values.reduce((a, b) => Math.max(a, b));
        drawn.forEach((value, pixel) => {
          const wanted = (voxels[pixel] - black) * 255 / (white - black);
          assert.ok(Math.abs(value - wanted) <= 0.51, `pixel ${pixel} is ${value}, not ${wanted}`);
        });
      };
      await at(middle);
      const slider = page.locator(`${SAGITTAL} input.slice`);
      await slider.focus();
      await page.keyboard.press("ArrowRight");
      await at(middle + 1);
      await page.keyboard.press("Home");
      await at(0);
      assert.match(await slider.getAttribute("aria-valuetext") ?? "", /^slice 1 of \d/);
      await page.locator(`${SAGITTAL} .stage`).hover();
      await page.mouse.wheel(0, 130);
      await at(2);
      await page.locator(`${SAGITTAL} .play`).click();
      await until(
        "it plays",
        async () => !(await text(page, `${SAGITTAL} .at`)).startsWith("Slice 3 "),
      );
      assert.equal(await page.locator(`${SAGITTAL} .play`).getAttribute("aria-pressed"), "true");
      await page.locator(`${SAGITTAL} .play`).click();
      await slider.focus();
      await page.keyboard.press("Home");

      // The value under the pointer, in the middle of the pixel at column 30, row 40.
      const box = (await page.locator(`${SAGITTAL} .stage`).boundingBox())!;
      const scale = box.width / exam.width;
      await page.mouse.move(box.x + 30.5 * scale, box.y + 40.5 * scale);
      const value = exam.voxels[40 * exam.width + 30];
      const pixel = () => text(page, `${SAGITTAL} .pixel`);
      assert.equal(await pixel(), `Value ${value} at column 30, row 40`);
      await page.keyboard.press("Shift+ArrowDown");
      assert.equal(
        await pixel(),
        `Value ${exam.voxels[41 * exam.width + 30]} at column 30, row 41`,
      );
      assert.equal(await text(page, "#announce"), await pixel(), "and it is said aloud");

      // Dragging: to the right more contrast, a button takes it back.
      const contrast = async () =>
        Number(/Contrast ([\d.]+)/.exec(await text(page, `${SAGITTAL} .window`))![1]);
      const before = await contrast();
      await page.mouse.down();
      await page.mouse.move(box.x + 90 * scale, box.y + 40 * scale, { steps: 4 });
      await page.mouse.up();
      assert.ok(await contrast() < before);
      assert.equal(await page.locator(`${SAGITTAL} .windows`).inputValue(), "own");
      await page.locator(`${SAGITTAL} .reset`).click();
      assert.equal(await contrast(), before);
    });
  },
);

inChromium(
  "the answer: what the models say, what decided, and the map over the slices",
  async (browser) => {
    await withPage(browser, async ({ page, folder }) => {
      await shown(page, "0002");
      await ready(page);
      const exam = await readExam(folder.at("data/valid/sagittal/0002.npy"), "0002");
      const { model } = await loadMRNet(folder.at("sagittal.safetensors"));
      const { probability, slices } = await explain(model, exam);
      const said = await text(page, "#probabilities");
      assert.match(said, new RegExp(`Sagittal\\s+${probability.toFixed(3).replace(".", "\\.")}`));
      assert.match(said, /Positive from 0\.400 on \(chosen on valid exams\)/);
      const decided = slices.map(({ share }, slice) => ({ share, slice }))
        .filter(({ share }) => share !== 0)
        .sort((a, b) => Math.abs(b.share) - Math.abs(a.share)).slice(0, 3);
      const buttons = page.locator(`${SAGITTAL} .deciders button`);
      const named = (await buttons.allInnerTexts()).map((each) => Number(each.split(":")[0]) - 1);
      assert.deepEqual(named, decided.map(({ slice }) => slice));
      await buttons.first().click();
      assert.match(await text(page, `${SAGITTAL} .at`), new RegExp(`^Slice ${named[0] + 1} of`));

      const grey = (pixels: number[]) =>
        pixels.every((value, at) => at % 4 === 3 || value === pixels[at - at % 4]);
      const strong = await picture(page, "sagittal");
      assert.equal(grey(strong), false, "there is colour where it looked");
      await page.locator("#opacity").fill("10");
      const faint = await picture(page, "sagittal");
      const colour = (pixels: number[]) =>
        pixels.reduce(
          (sum, value, at) => at % 4 === 2 ? sum + Math.abs(value - pixels[at - 2]) : sum,
          0,
        );
      assert.ok(colour(faint) < 0.5 * colour(strong) && colour(faint) > 0);
      await page.keyboard.press("h");
      assert.equal(grey(await picture(page, "sagittal")), true);
      // Columns on the slider's strip in two colours, neither of them black.
      const strip = await page.locator(`${SAGITTAL} .marks`).evaluate(pixelsOf);
      const colors = new Set<string>();
      for (let at = 0; at < strip.length; at += 4) colors.add(strip.slice(at, at + 3).join());
      assert.ok(
        [0.8, -0.8].some((value) => colors.has(colorOf(Math.round(value * 64) / 64).join())),
        "the colours are the heat map's",
      );
      const marks = strip.filter((value, at) =>
        at % 4 === 2 && strip[at + 1] > 0 && Math.abs(value - strip[at - 2]) > 60
      ).length;
      assert.ok(marks > 20, `${marks} pixels are coloured`);
      await page.locator("#model").selectOption("coronal");
      await until(
        "another model answers",
        async () =>
          /^Coronal\s+\d/.test(await text(page, "#probabilities")),
      );

      // On paper: one page of what is on show, all planes, and what it is not for.
      await page.locator(`${SAGITTAL} .enlarge`).click();
      const pdf = new TextDecoder("latin1").decode(await page.pdf({ format: "A4" }));
      assert.equal(pdf.match(/\/Type \/Page\b/g)?.length, 1);
      await page.emulateMedia({ media: "print" });
      const panels = ["sagittal", "coronal", "axial"].map((plane) => `[data-plane="${plane}"]`);
      const printed = ["#notice", "#exam-title", "#labels", "#probabilities", "#scale"];
      for (const selector of [...printed, ...panels.map((panel) => `${panel} .at`)]) {
        assert.ok(await page.locator(selector).isVisible(), selector);
      }
      for (const selector of ["#list-panel", "#next", "#model", `${SAGITTAL} .tools`, "#open"]) {
        assert.equal(await page.locator(selector).isVisible(), false, selector);
      }
      assert.equal(await text(page, "#printed-model"), "Model: ACL tear, coronal (coronal)");
      assert.match(await text(page, "#printed-at"), /^Printed .* from http.*#valid\/0002\?model=c/);
    });
  },
);

inChromium("the list: verdicts as they come, search, filters and order", async (browser) => {
  await withPage(browser, async ({ page }) => {
    await until("all are read", async () => await text(page, "#count") === "5 exams");
    const rows = async () => {
      let texts: string[] = [];
      // A row that was never drawn yet has no text to be read.
      await until("the list is drawn", async () => {
        texts = await page.locator("#exams li").allInnerTexts();
        return texts.every((row) => row !== "");
      });
      return texts.map((row) => {
        const [id, probability, tag] = row.split(/\s+/);
        return { id, probability: Number(probability), tag };
      });
    };
    const all = await rows();
    assert.deepEqual(all.map(({ id }) => id), ["0002", "0003", "0004", "0005", "0006"]);
    for (const { probability, tag } of all) {
      assert.match(tag, probability >= 0.4 ? /^(TP|FP)$/ : /^(TN|FN)$/);
    }
    await page.locator("#order").selectOption("probability");
    const falling = (await rows()).map(({ probability }) => probability);
    assert.deepEqual(falling, falling.toSorted((a, b) => b - a));
    await page.locator("#order").selectOption("error");
    const errors = (await rows()).map(({ probability, tag }) =>
      /TP|FN/.test(tag) ? 1 - probability : probability
    );
    assert.deepEqual(errors, errors.toSorted((a, b) => b - a));
    for (const tag of ["TP", "FP", "TN", "FN"]) {
      await page.locator("#outcome").selectOption(tag);
      assert.deepEqual(
        (await rows()).map(({ id }) => id).sort(),
        all.filter((row) => row.tag === tag).map(({ id }) => id),
      );
    }
    await page.locator("#outcome").selectOption("");
    await page.locator("#label").selectOption("1");
    assert.deepEqual(
      (await rows()).map(({ id }) => id).sort(),
      all.filter(({ tag }) => /TP|FN/.test(tag)).map(({ id }) => id),
    );
    await page.locator("#label").selectOption("");
    await page.locator("#search").fill("5");
    assert.deepEqual((await rows()).map(({ id }) => id), ["0005"]);
    assert.equal(await text(page, "#count"), "1 of 5 exams");
    await page.locator("#exams li").click();
    await shown(page, "0005");
    assert.equal(await text(page, "#exam-title"), "Exam 0005");
  });
});

inChromium(
  "files: one to three are dropped on the page, or chosen; what is no exam is said so",
  async (browser) => {
    await withPage(browser, async ({ page, folder, faults }) => {
      await shown(page, "0002");
      await ready(page);
      const files = ["sagittal", "coronal", "axial"].map((plane) => ({
        name: `knee_${plane}.npy`,
        mimeType: "application/octet-stream",
        buffer: undefined as unknown as Buffer,
        plane,
      }));
      for (const file of files) {
        file.buffer = (await import("node:buffer")).Buffer.from(
          await Deno.readFile(folder.at(`data/train/${file.plane}/0000.npy`)),
        );
      }
      await page.locator("#files").setInputFiles(files.map(({ plane: _, ...file }) => file));
      const choices = page.locator("#planes-choices select");
      assert.deepEqual(
        await choices.evaluateAll((all) =>
          all.map((select) => (select as { value?: string }).value)
        ),
        ["sagittal", "coronal", "axial"],
      );
      assert.deepEqual(await inaccessible(page), [], "with the files' dialog open");
      await choices.first().selectOption("axial");
      await page.locator("#planes-read").click();
      assert.equal(await text(page, "#planes-fault"), "Two files have the same plane.");
      await choices.first().selectOption("sagittal");
      await page.locator("#planes-read").click();
      await page.waitForSelector('body[data-shown*="-"]');
      await ready(page);
      const exam = await readExam(folder.at("data/train/axial/0000.npy"), "0000");
      const { model } = await loadMRNet(folder.at("axial.safetensors"));
      const { probability } = await model.predict(exam);
      assert.match(
        await text(page, "#probabilities"),
        new RegExp(`Axial\\s+${probability.toFixed(3)}`),
      );
      assert.match(
        await page.locator("#exams li").first().innerText(),
        /^knee_sagittal\.npy and 2 more/,
      );
      assert.equal(await text(page, "#exam-title"), "knee_sagittal.npy and 2 more");

      // A name that says no plane is no guess: MRNet's own files are such.
      await page.locator("#files").setInputFiles({ ...files[2], name: "0012.npy" });
      assert.equal(await choices.inputValue(), "");
      await page.locator("#planes-read").click();
      assert.equal(await text(page, "#planes-fault"), "Choose the plane of each file.");
      await page.keyboard.press("Escape");

      // A real drop, of one file that is no exam, while the dialog of another is closing.
      await page.locator("#files").setInputFiles({ ...files[2], name: "0012.npy" });
      await page.waitForSelector("#planes-dialog[open]");
      await page.evaluate(`
        const transfer = new DataTransfer();
        transfer.items.add(new File(["not an exam"], "note_cor.npy"));
        document.querySelector("#planes-dialog").close();
        document.querySelector("main").dispatchEvent(
          new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }),
        );
      `);
      await page.locator("#planes-read").click();
      await until(
        "the fault is said",
        async () =>
          /^Cannot read 'coronal' as \.npy: it begins with/.test(await text(page, "#message")),
      );
      // The browser itself notes the request that was refused.
      assert.match(faults.pop() ?? "", /422 \(Unprocessable/);
    });
  },
);

inChromium("with the keyboard alone", async (browser) => {
  await withPage(browser, async ({ page }) => {
    await shown(page, "0002");
    await ready(page);
    await page.keyboard.press("Tab");
    assert.equal(await text(page, ":focus"), "Skip to the exam");
    await page.keyboard.press("Enter");
    await page.keyboard.press("n");
    await shown(page, "0003");
    await page.keyboard.press("p");
    await shown(page, "0002");
    await ready(page);
    const focused = () => page.locator(":focus").getAttribute("aria-label");
    await page.keyboard.press("2");
    assert.equal(await focused(), "coronal slice");
    await page.keyboard.press("1");
    assert.equal(await focused(), "sagittal slice");
    const first = (await text(page, `${SAGITTAL} .deciders button:nth-of-type(1)`)).split(":")[0];
    const second = (await text(page, `${SAGITTAL} .deciders button:nth-of-type(2)`)).split(":")[0];
    await page.keyboard.press("Home");
    await page.keyboard.press("d");
    const at = async () => /^Slice (\d+)/.exec(await text(page, `${SAGITTAL} .at`))![1];
    if (await at() !== first) await page.keyboard.press("d");
    assert.ok([first, second].includes(await at()));
    await page.keyboard.press("Space");
    assert.equal(await page.locator(`${SAGITTAL} .play`).getAttribute("aria-pressed"), "true");
    await page.keyboard.press("Space");
    const window = () => text(page, `${SAGITTAL} .window`);
    const before = await window();
    await page.keyboard.press("c");
    assert.notEqual(await window(), before);
    await page.keyboard.press("r");
    assert.equal(await window(), before);
    await page.keyboard.press("/");
    assert.equal(await page.locator(":focus").getAttribute("id"), "search");
    await page.keyboard.type("0004");
    assert.equal(await text(page, "#count").then((count) => count.split(" exams")[0]), "1 of 5");
    await page.locator("#search").fill("");
    await page.locator("#exams").focus();
    await page.keyboard.press("End");
    await shown(page, "0006");
    assert.equal(
      await page.locator("#exams").getAttribute("aria-activedescendant"),
      "exam-valid-0006",
    );
    await page.keyboard.press("?");
    assert.equal(await page.locator("#help-dialog").isVisible(), true);
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("#help-dialog").isVisible(), false);
  });
});

inChromium(
  "accessible in light and dark, wide and narrow, and never wider than the window",
  async (browser) => {
    for (const [colorScheme, width] of [["light", 1300], ["dark", 1300], ["light", 380]] as const) {
      await withPage(browser, async ({ page }) => {
        await shown(page, "0002");
        await ready(page);
        assert.match(await text(page, "#notice"), /^Not for diagnosis\./);
        assert.deepEqual(await inaccessible(page), [], `${colorScheme}, ${width} pixels`);
        const wide = await page.evaluate("document.documentElement.scrollWidth") as number;
        assert.ok(wide <= width, `${wide} pixels wide`);
        await page.locator("#help").click();
        assert.deepEqual(await inaccessible(page), [], "with the help open");
      }, { view: { colorScheme, viewport: { width, height: 900 } } });
    }
  },
);

inChromium(
  "without a model it is a browser of exams; without exams it waits for files",
  async (browser) => {
    await withPage(browser, async ({ page }) => {
      await shown(page, "0004");
      assert.equal(await page.locator("#answer").isVisible(), false);
      assert.equal(await page.locator("#outcome").isVisible(), false);
      assert.equal(await text(page, "#count"), "5 exams");
      assert.equal(await page.locator("#labels li").count(), 3);
    }, { options: { models: [] }, hash: "#valid/0004" });
    await withPage(browser, async ({ page }) => {
      await until("files are asked for", () => page.locator("#empty").isVisible());
      assert.deepEqual(await inaccessible(page), []);
    }, { options: { models: [], viewer: true } });
  },
);

inChromium(
  "a service with a token asks for it once, or finds it in the address",
  async (browser) => {
    const options = { models: [], token: "s3cret" };
    await withPage(browser, async ({ page }) => {
      await shown(page, "0002");
      assert.equal(new URL(page.url()).hash, "#valid/0002", "the token is not left in the address");
    }, { options, hash: "#token=s3cret" });
    await withPage(browser, async ({ page, faults }) => {
      await page.locator("#token").fill("s3cret");
      await page.keyboard.press("Enter");
      await shown(page, "0002");
      // The browser notes the request that was refused.
      assert.match(faults.shift() ?? "", /401/);
    }, { options });
  },
);

inChromium("the next exam shows within 200 ms", async (browser) => {
  await using folder = await TemporaryFolder.make();
  await writeNoise(folder, { exams: 5, slices: 24 });
  const handler = createHandler({ viewer: { data: folder.at("data") } });
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.addr.port}/`);
  await shown(page, "0000");
  let least = Infinity;
  for (const id of ["0001", "0002", "0003", "0004"]) {
    await page.keyboard.press("n");
    await shown(page, id);
    least = Math.min(least, Number(await page.evaluate("document.body.dataset.milliseconds")));
  }
  await server.shutdown();
  // The least of four: whatever else the machine does makes it longer, never shorter.
  assertWithin(least, 200, "the next exam");
});
