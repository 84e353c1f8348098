/**
 * How fast the viewer's list of 1,250 exams opens, and how smoothly it scrolls: a service of its own on a
 * dataset of small phantoms, in a Chromium of its own. `deno task bench:viewer`; needs /usr/bin/chromium.
 *
 * - Opening is measured in the page, from the start of the navigation to the first frame with rows in it:
 *   `cold` on a service and a browser that were started just now, `again` in the same two, median of five.
 * - The longest frame is that between two calls of `requestAnimationFrame` while the list is scrolled by 700
 *   pixels a frame, from its top to its end, once the first exam is on show.
 *
 * Both are measured without models, with a model that has still to read every exam, so that the service
 * computes meanwhile, and with the same model on a later start, when it has read them all.
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

/** Runs in the page: scrolls to the end, and gives the longest frame, in milliseconds, and how many there were. */
const SCROLL = `new Promise((resolve) => {
  const list = document.querySelector("#exams");
  let [longest, frames, before] = [0, 0, performance.now()];
  const step = (now) => {
    longest = Math.max(longest, now - before);
    [before, frames] = [now, frames + 1];
    if (list.scrollTop + list.clientHeight >= list.scrollHeight - 1) return resolve([longest, frames]);
    list.scrollTop += 700;
    requestAnimationFrame(step);
  };
  requestAnimationFrame((now) => {
    before = now;
    requestAnimationFrame(step);
  });
})`;

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

/** Measures one way of serving, and prints what was reached. */
async function measure(title: string, args: readonly string[]): Promise<void> {
  await using service = await Service.start(args);
  await using browser = await launchChromium();
  const cold = await inPage(browser, (page) => opened(page, service.address));
  const again: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    again.push(await inPage(browser, (page) => opened(page, service.address)));
  }
  const [longest, frames] = await inPage(browser, async (page) => {
    await opened(page, service.address);
    await page.waitForSelector("body[data-shown]");
    return await page.evaluate(SCROLL) as [number, number];
  });
  const shown = (time: number, target: number) =>
    `${time.toFixed(0)} ms${time < target ? "" : ` (target ${target})`}`;
  const row = [
    title.padEnd(34),
    `cold ${shown(cold, TARGETS.opened)}`,
    `again ${shown(median(again), TARGETS.opened)}`,
    `longest of ${frames} frames ${shown(longest, TARGETS.frame)}`,
  ];
  print(row.join("  "));
}

/** A few phantoms, and the others as links to these under names of their own, with labels. */
async function writeExams(): Promise<void> {
  const made = { train: 2, valid: MADE, size: SIDE, slices: [SLICES, SLICES] as const, seed: 1 };
  await writePhantomDataset({ folder: folder.at("data"), ...made });
  const named = (index: number) => String(index + 2).padStart(4, "0");
  for (const plane of PLANES) {
    const file = (index: number) => folder.at(`data/valid/${plane}/${named(index)}.npy`);
    for (let index = MADE; index < EXAMS; index++) await Deno.link(file(index % MADE), file(index));
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
