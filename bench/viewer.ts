/**
 * How fast the viewer's list of 1,250 exams opens, and how smoothly it scrolls: a service of its own on a
 * dataset of small phantoms, in a Chromium of its own. `deno task bench:viewer`; needs /usr/bin/chromium.
 *
 * - Opening is measured in the page, from the start of the navigation to the first frame with rows in it:
 *   `cold` on a service and a browser that were started just now, `again` in the same two, median of five.
 * - The longest frame is that between two calls of `requestAnimationFrame` while the list is scrolled by 700
 *   pixels a frame, from its top to its end, twice in each of the five pages: once the first exam is on show,
 *   when the answer about it arrives, and a second later, when the service reads the list again.
 * - `bare page` is the longest frame of a page with nothing but such a list, scrolled likewise just before each of
 *   the five, while the service has nothing to do: the machine, its other work and Chromium by themselves.
 *
 * All are measured without models, with a model that has still to read every exam, and with the same model on
 * a later start, when it has read them all.
 */
import { writePhantomDataset } from "../lib/phantom/mod.ts";
import { PLANES, TASKS } from "../lib/terms.ts";
import { type Browser, launchChromium, type Page } from "../tests/support/chromium.ts";
import { TemporaryFolder } from "../tests/support/folders.ts";
import { writeModel } from "../tests/support/served_models.ts";

const [EXAMS, MADE, SIDE, SLICES, RUNS] = [1250, 10, 64, 3, 5];

/** What is to be reached, in milliseconds. */
const TARGETS = { opened: 1000, frame: 100 };

/** Runs in the page before anything else: notes when rows were on the screen. */
const NOTE_ROWS = `
  const look = () => {
    if (document.querySelectorAll("#exams li").length < 5) return requestAnimationFrame(look);
    // The next frame begins when this one is on the screen.
    requestAnimationFrame(() => globalThis.opened = performance.now());
  };
  requestAnimationFrame(look);`;

/** A page with nothing but a list as high as the viewer's, whose rows in sight are made anew at each scroll. */
const BARE = `<style>
    #exams { position: relative; height: 600px; overflow-y: auto }
    #exams::after { content: ""; display: block; height: ${33 * EXAMS}px }
    #exams li { position: absolute; height: 33px; width: 300px; display: grid; grid-auto-flow: column }
  </style><ul id="exams"></ul>`;
const DRAW_BARE = `{
  const list = document.querySelector("#exams");
  list.addEventListener("scroll", () => {
    const first = Math.min(Math.floor(list.scrollTop / 33), ${EXAMS} - 35);
    list.replaceChildren(...Array.from({ length: 35 }, (_, row) => {
      const item = document.createElement("li");
      item.style.top = 33 * (first + row) + "px";
      for (const text of [first + row, "0.123", "TP"]) {
        item.append(Object.assign(document.createElement("span"), { textContent: text }));
      }
      return item;
    }));
  });
}`;

/** Runs in the page: scrolls from the top to the end, and gives the longest frame, in milliseconds. */
const SCROLL = `new Promise((resolve) => {
  const list = document.querySelector("#exams");
  list.scrollTop = 0;
  let [longest, before] = [0, 0];
  const step = (now) => {
    longest = Math.max(longest, now - before);
    before = now;
    if (list.scrollTop + list.clientHeight >= list.scrollHeight - 1) return resolve(longest);
    list.scrollTop += 700;
    requestAnimationFrame(step);
  };
  requestAnimationFrame((now) => {
    before = now;
    requestAnimationFrame(step);
  });
})`;

/** How long a page rests between its two scrolls, in milliseconds: long enough for the service to read on. */
const REST_MS = 1000;

const print = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
const median = (times: readonly number[]) => times.toSorted((a, b) => a - b)[times.length >> 1];

/** A service as the command starts it. */
class Service implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  address = "";

  private constructor(args: readonly string[]) {
    const cli = new URL("../cli.ts", import.meta.url).pathname;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", cli, "serve", "--port", "0", ...args],
      ...{ stdin: "null", stdout: "piped", stderr: "null" },
    }).spawn();
  }

  static async start(args: readonly string[]): Promise<Service> {
    const service = new Service(args);
    let said = "";
    for await (const text of service.#child.stdout.pipeThrough(new TextDecoderStream())) {
      said += text;
      const found = /^Serving at (\S+)$/m.exec(said);
      if (found === null) continue;
      service.address = found[1];
      return service;
    }
    throw new Error(`the service has ended: ${said}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#child.status;
  }
}

/** Opens the page, and gives the milliseconds until its rows were on the screen. */
async function opened(page: Page, address: string): Promise<number> {
  await page.addInitScript(NOTE_ROWS);
  await page.goto(address, { waitUntil: "commit" });
  while (true) {
    const time = await page.evaluate("globalThis.opened") as number | undefined;
    if (time !== undefined) return time;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function inPage<T>(browser: Browser, use: (page: Page) => Promise<T>): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    return await use(await context.newPage());
  } finally {
    await context.close();
  }
}

/** The longest frame while something is scrolled, in milliseconds. */
async function longestFrame(page: Page): Promise<number> {
  return await page.evaluate(SCROLL) as number;
}

/** Measures one way of serving, and prints what was reached. */
async function measure(title: string, args: readonly string[]): Promise<void> {
  await using service = await Service.start(args);
  await using browser = await launchChromium();
  const cold = await inPage(browser, (page) => opened(page, service.address));
  const again: number[] = [];
  const frames: number[] = [];
  const bare: number[] = [];
  let count = "";
  for (let run = 0; run < RUNS; run++) {
    await inPage(browser, async (page) => {
      await page.setContent(BARE);
      await page.evaluate(DRAW_BARE);
      bare.push(await longestFrame(page));
    });
    await inPage(browser, async (page) => {
      again.push(await opened(page, service.address));
      await page.waitForSelector("body[data-shown]");
      const first = await longestFrame(page);
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
      frames.push(Math.max(first, await longestFrame(page)));
      count = await page.locator("#count").innerText();
    });
  }
  const shown = (time: number, target: number) =>
    `${time.toFixed(0)} ms${time <= target ? "" : ` (target ${target})`}`;
  const row = [
    title.padEnd(30),
    `cold ${shown(cold, TARGETS.opened)}`,
    `again ${shown(median(again), TARGETS.opened)}`,
    `longest frame ${shown(median(frames), TARGETS.frame)}, in the five pages ${listed(frames)}`,
    `bare page ${listed(bare)}`,
    `at the end ${count}`,
  ];
  print(row.join("; "));
}

/** Times from the shortest to the longest. */
function listed(times: readonly number[]): string {
  return times.toSorted((a, b) => a - b).map((time) => time.toFixed(0)).join(" ");
}

/** A few phantoms, and the others as copies of these that differ in a voxel, so that each has to be read, with labels. */
async function writeExams(): Promise<void> {
  const made = { train: 2, valid: MADE, size: SIDE, slices: [SLICES, SLICES] as const, seed: 1 };
  await writePhantomDataset({ folder: folder.at("data"), ...made });
  const named = (index: number) => String(index + 2).padStart(4, "0");
  for (const plane of PLANES) {
    const file = (index: number) => folder.at(`data/valid/${plane}/${named(index)}.npy`);
    for (let index = MADE; index < EXAMS; index++) {
      const bytes = await Deno.readFile(file(index % MADE));
      bytes.set([index & 255, index >> 8], bytes.length - 2);
      await Deno.writeFile(file(index), bytes);
    }
  }
  for (const task of TASKS) {
    const lines = Array.from({ length: EXAMS }, (_, index) => `${named(index)},${index % 3 % 2}\n`);
    await folder.write(`data/valid-${task}.csv`, lines.join(""));
  }
}

/** Waits until the service has read all exams. */
async function readAll(args: readonly string[]): Promise<void> {
  await using service = await Service.start(args);
  const response = await fetch(`${service.address}viewer/verdicts?split=valid`);
  await response.text();
}

await using folder = await TemporaryFolder.make();
await writeExams();
await writeModel(folder.at("acl.safetensors"), 1);
const data = ["--data", folder.at("data")];
const models = ["--models", folder.at("acl.safetensors"), "--backend", "wasm"];
print(
  `${EXAMS} exams of three planes, to open in ${TARGETS.opened} ms and scroll with frames under ` +
    `${TARGETS.frame} ms; load before: ${Deno.loadavg().map((each) => each.toFixed(1)).join(" ")}`,
);
await measure("without models", data);
await measure("with a model that reads them", [...data, ...models]);
await readAll([...data, ...models]);
await measure("with a model that has read them", [...data, ...models]);
print(`load after: ${Deno.loadavg().map((each) => each.toFixed(1)).join(" ")}`);
