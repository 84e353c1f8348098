/**
 * The viewer's page in a browser, on a service with a small dataset and small models.
 */
import assert from "node:assert/strict";
import { encodeNpy } from "../../lib/data/npy.ts";
import { writePhantomDataset } from "../../lib/phantom/mod.ts";
import { createHandler } from "../../lib/serve/handler.ts";
import type { ServeOptions } from "../../lib/serve/options.ts";
import { createRandom } from "../../lib/random.ts";
import { PLANES, TASKS } from "../../lib/terms.ts";
import type { Browser, Page } from "./chromium.ts";
import { madeOnce, TemporaryFolder } from "./folders.ts";
import { writeCombinedModels } from "./served_models.ts";

/** Exams 0002 to 0006 to validate on, of few small slices. */
const writeExams = madeOnce((folder) =>
  writePhantomDataset({
    folder: folder.at("data"),
    train: 2,
    valid: 5,
    size: 96,
    slices: [5, 7],
    seed: 4,
  })
);

/**
 * Writes exams 0000 and on of 256×256 pixels to validate on, for tests of speed: noise is made at once,
 * and nothing makes it smaller on its way.
 */
export async function writeNoise(
  folder: TemporaryFolder,
  { exams, slices }: { exams: number; slices: number },
): Promise<void> {
  const ids = Array.from({ length: exams }, (_, index) => String(index).padStart(4, "0"));
  const labels = ids.map((id, index) => `${id},${index % 2}\n`).join("");
  for (const task of TASKS) await folder.write(`data/valid-${task}.csv`, labels);
  for (const plane of PLANES) {
    for (const id of ids) {
      const random = createRandom(4, plane, id);
      const words = Uint32Array.from({ length: slices * 256 * 256 / 4 }, random.bits);
      const voxels = new Uint8Array(words.buffer);
      await folder.write(`data/valid/${plane}/${id}.npy`, encodeNpy(voxels, [slices, 256, 256]));
    }
  }
}

const writeModels = madeOnce(writeCombinedModels);

const MODELS = [...PLANES.map((plane) => `${plane}.safetensors`), "combined.json"];

/** What a test has in hand. */
export interface Window {
  folder: TemporaryFolder;
  page: Page;
  /** What the page asked of other hosts, and what the browser complained about. */
  faults: string[];
}

/** How the page is opened. */
export interface WindowOptions {
  options?: Partial<ServeOptions>;
  /**
   * The files of the models.
   * @default a model for each plane, and the three together
   */
  models?: string[];
  /** Whether a reader is asked, whose answers are in `answers.csv`. */
  reader?: boolean;
  view?: NonNullable<Parameters<Browser["newPage"]>[0]>;
  hash?: string;
  /** Changes the dataset before the service starts. */
  prepare?(folder: TemporaryFolder): Promise<void>;
  /** Sees each request before the service does, and may answer instead. */
  before?(request: Request): Response | undefined | Promise<Response | undefined>;
}

/** Opens the page of a service with a dataset and, unless the options differ, four models. */
export async function withPage(
  browser: Browser,
  body: (window: Window) => Promise<void>,
  { options = {}, models = MODELS, reader, view = {}, hash = "", prepare, before }: WindowOptions =
    {},
): Promise<void> {
  await using folder = await TemporaryFolder.make();
  await writeExams(folder);
  if (options.models === undefined) await writeModels(folder);
  await prepare?.(folder);
  const handler = createHandler({
    engine: "wasm",
    models: models.map((name) => folder.at(name)),
    viewer: { data: folder.at("data"), reader: reader ? folder.at("answers.csv") : undefined },
    ...options,
  });
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      // Whoever is held up and goes holds up nothing else.
      const gone = new Promise<Response>((resolve) =>
        request.signal.addEventListener("abort", () => resolve(new Response()))
      );
      return await Promise.race([before?.(request), gone]) ?? await handler(request);
    },
  );
  const address = `http://127.0.0.1:${server.addr.port}/`;
  const page = await browser.newPage({ viewport: { width: 1300, height: 900 }, ...view });
  const faults: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(address)) faults.push(`asked for ${request.url()}`);
  });
  page.on("console", (message) => faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(`${error}`));
  try {
    await page.goto(address + hash);
    await body({ folder, page, faults });
    assert.deepEqual(faults.filter((fault) => !fault.startsWith("asked for data:")), []);
  } finally {
    await page.close();
    await server.shutdown();
  }
}

/** Waits until an exam is on show. */
export const shown = (page: Page, id: string) => page.waitForSelector(`body[data-shown="${id}"]`);
/** What is to be read in an element. */
export const text = (page: Page, selector: string) => page.locator(selector).innerText();
/** The panel of a plane. */
export const SAGITTAL = '[data-plane="sagittal"]';

/** Waits until something is as it should be; the page's policy forbids the browser's own way. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  // Long enough for a machine with much other work: what comes, comes sooner.
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  assert.fail(`waited in vain until ${what}`);
}

/** The colours of a plane's picture, four bytes a pixel. */
export async function picture(page: Page, plane: string): Promise<number[]> {
  return await page.locator(`[data-plane="${plane}"] .stage canvas`).evaluate(pixelsOf);
}

/** Runs in the page: reads a copy, for the page's own canvas is not made to be read. */
// deno-lint-ignore no-explicit-any -- Deno knows no canvas
export function pixelsOf(canvas: any): number[] {
  const { width, height } = canvas;
  // deno-lint-ignore no-explicit-any
  const copy = new (globalThis as any).OffscreenCanvas(width, height);
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  return [...context.getImageData(0, 0, width, height).data];
}

/** Waits until the combined model has read the exam on show. */
export async function ready(page: Page): Promise<void> {
  await until(
    "the exam is read",
    async () => /^Combined\s+\d/.test(await text(page, "#probabilities")),
  );
}
