/**
 * Takes the pictures of the viewer: wide and light, narrow and dark; with a NAME that one alone, wide and
 * light.
 *
 * ```sh
 * deno run -A cli.ts serve --data data/practice --models models/combined_practice_acl.json
 * deno run -A --lock=deno.dev.lock tools/viewer_pictures.ts http://127.0.0.1:8080/#valid/0131
 * ```
 *
 * The picture of an imported exam, `imported.png`:
 *
 * ```sh
 * deno run -A --lock=deno.dev.lock tools/phantom_dicom.ts 7 export
 * printf 'id,abnormal,acl,meniscus\nexport,1,1,1\n' > labels.csv
 * deno run -A cli.ts import export --out data/mine --labels labels.csv
 * deno run -A cli.ts view --data data/mine
 * deno run -A --lock=deno.dev.lock tools/viewer_pictures.ts http://127.0.0.1:8080/#valid/0001 imported
 * ```
 *
 * Reader mode with the questions open, `reader.png`, the page that compares reader and model, `compare.png`,
 * and a second model beside the first, `second.png`, on a small practice set with models that learned for
 * two epochs. The reader's answers are the labels, each sixth turned round; six exams wait for theirs:
 *
 * ```sh
 * deno run -A cli.ts synth --out data/pictures --train 40 --valid 20 --size 192 --slices 7-9 \
 *   --prevalence .7,.5,.4 --seed 7
 * for plane in sagittal coronal axial; do
 *   deno run -A cli.ts train -t acl -p $plane --data data/pictures --models models/pictures \
 *     --weights none --epochs 2 --lr 1e-4 --tune 0.25 --augment 0 --seed 1
 *   mv models/pictures/model_*_acl_${plane}_* models/pictures/$plane.safetensors
 * done
 * models=models/pictures/sagittal.safetensors,models/pictures/coronal.safetensors
 * models=$models,models/pictures/axial.safetensors
 *
 * (echo split,id,task,answer,answered_at
 *  head -14 data/pictures/valid-acl.csv |
 *    awk -F, '{ print "valid," $1 ",acl," (NR % 6 ? $2 : 1 - $2) ",2026-01-31T09:00:00.000Z" }') > data/reader.csv
 * deno run -A cli.ts serve --data data/pictures --reader data/reader.csv --models $models
 * deno run -A --lock=deno.dev.lock tools/viewer_pictures.ts http://127.0.0.1:8080/#valid/0056 reader
 * deno run -A --lock=deno.dev.lock tools/viewer_pictures.ts http://127.0.0.1:8080/#valid/0048 compare
 *
 * deno run -A cli.ts serve --data data/pictures --models $models
 * deno run -A --lock=deno.dev.lock tools/viewer_pictures.ts http://127.0.0.1:8080/ second
 * ```
 *
 * The studies of a watch, `watch.png`, with the same models and a PACS in memory:
 *
 * ```sh
 * for seed in 11 12 13 14; do
 *   deno run -A --lock=deno.dev.lock tools/phantom_dicom.ts $seed data/scanner/$seed
 * done
 * deno run -A --lock=deno.dev.lock tools/practice_pacs.ts 8042 data/scanner/*
 * deno run -A cli.ts watch --dicomweb http://127.0.0.1:8042/dicom-web --every 5 --port 8080 \
 *   --state data/watch --models $models
 * deno run -A --lock=deno.dev.lock tools/viewer_pictures.ts http://127.0.0.1:8080/ watch
 * ```
 */
import { type Browser, launchChromium, type Page } from "../tests/support/chromium.ts";

/** What is done with a page before its picture is taken. */
type Prepare = (page: Page) => Promise<void>;

interface Picture {
  colorScheme: "light" | "dark";
  width: number;
  height: number;
  /** @default `showDeciders`, which waits for models */
  prepare?: Prepare;
}

const WIDE = { colorScheme: "light", width: 1280 } as const;

const ALL: Record<string, Picture> = {
  viewer_light: { colorScheme: "light", width: 1440, height: 850 },
  viewer_dark: { colorScheme: "dark", width: 1440, height: 850 },
  viewer_narrow: { colorScheme: "dark", width: 400, height: 850 },
};

const NAMED: Record<string, Picture> = {
  imported: {
    colorScheme: "light",
    width: 1440,
    height: 710,
    prepare: (page) => page.locator("main").focus(),
  },
  reader: {
    ...{ ...WIDE, height: 760 },
    async prepare(page) {
      await page.locator("#reader").waitFor();
      // To the exams that wait for an answer.
      await page.locator("#exams li").first().hover();
      await page.mouse.wheel(0, 10_000);
      await page.mouse.move(0, 0);
      await page.waitForTimeout(500);
    },
  },
  compare: {
    ...{ ...WIDE, height: 760 },
    async prepare(page) {
      await showDeciders(page);
      await page.locator("#compare").click();
      await page.locator("#compare-dialog[open]").waitFor();
    },
  },
  second: {
    ...{ ...WIDE, height: 760 },
    async prepare(page) {
      await page.locator("#second").selectOption({ index: 1 });
      await allRead(page);
      await page.locator("#order").selectOption("disagreement");
      await page.locator("#exams li").first().click();
      await showDeciders(page);
    },
  },
  watch: {
    ...{ ...WIDE, width: 1250, height: 700 },
    async prepare(page) {
      await page.locator("#exams li").nth(3).filter({ hasText: /0\.\d{3}/ }).waitFor();
      await page.locator("#exams li").nth(2).click();
      await showDeciders(page);
    },
  },
};

const [address, only] = Deno.args;
const pictures = only === undefined ? ALL : { [only]: NAMED[only] };
if (address === undefined || (only !== undefined && NAMED[only] === undefined)) {
  throw new Error(`usage: tools/viewer_pictures.ts ADDRESS [${Object.keys(NAMED).join("|")}]`);
}

const browser = await launchChromium();
for (const [name, picture] of Object.entries(pictures)) await take(browser, name, picture);
await browser.close();

async function take(
  browser: Browser,
  name: string,
  { colorScheme, width, height, prepare = showDeciders }: Picture,
): Promise<void> {
  const page = await browser.newPage({ colorScheme, viewport: { width, height } });
  // What the models read takes as long as it takes.
  page.setDefaultTimeout(600_000);
  await page.goto(address);
  // A watch has its studies in the list, and none on show before one is opened.
  if (name !== "watch") await page.waitForSelector("body[data-shown]", { state: "attached" });
  await allRead(page);
  await prepare(page);
  await page.evaluate("scrollTo(0, 0)");
  const path = new URL(`../docs/images/${name}.png`, import.meta.url).pathname;
  await page.screenshot({ path });
  await page.close();
}

/** Waits until the list has been read to its end. */
async function allRead(page: Page): Promise<void> {
  while (/ of \d+ read/.test(await page.locator("#count").textContent() ?? "")) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Each plane at a slice that speaks for the finding, where it has one. */
async function showDeciders(page: Page): Promise<void> {
  const deciders = page.locator(".deciders");
  for (let plane = 0; plane < await deciders.count(); plane++) {
    await deciders.nth(plane).locator("button").first().waitFor();
    const speaking = deciders.nth(plane).locator("button.for");
    if (await speaking.count() > 0) await speaking.first().click();
  }
  await page.locator("main").focus();
}
