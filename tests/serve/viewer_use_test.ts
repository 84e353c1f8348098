/** What the viewer's page does while its list is read: it tells of its use, and draws the list now and then. */
import assert from "node:assert/strict";
import { PLANES } from "../../lib/terms.ts";
import { inChromium } from "../support/chromium.ts";
import type { TemporaryFolder } from "../support/folders.ts";
import { shown, text, until, withPage } from "../support/viewer_page.ts";

const COUNT = 300;
const IDS = Array.from({ length: COUNT }, (_, index) => String(index + 2).padStart(4, "0"));

/** Five exams are there already; the others are the first one under other names. */
async function manyExams(folder: TemporaryFolder): Promise<void> {
  for (const id of IDS.slice(5)) {
    for (const plane of PLANES) {
      const file = (name: string) => folder.at(`data/valid/${plane}/${name}.npy`);
      await Deno.link(file("0002"), file(id));
    }
  }
}

/** Runs in the page: counts how often the list's count changes, from now on. */
const COUNT_CHANGES = `{
  globalThis.changes = 0;
  globalThis.since = performance.now();
  new MutationObserver(() => globalThis.changes++)
    .observe(document.querySelector("#count"), { childList: true, characterData: true, subtree: true });
}`;

/** Runs in the page: scrolls the list to its end, three rows a frame, and gives how long that took, in milliseconds. */
const SCROLL = `new Promise((resolve) => {
  const list = document.querySelector("#exams");
  const begun = performance.now();
  const step = () => {
    if (list.scrollTop + list.clientHeight >= list.scrollHeight - 1) {
      return resolve(performance.now() - begun);
    }
    list.scrollTop += 99;
    requestAnimationFrame(step);
  };
  step();
})`;

inChromium(
  "while the list is read, its use is told and it is drawn now and then",
  async (browser) => {
    let uses = 0;
    let lines: ReadableStreamDefaultController<Uint8Array> | undefined;
    const verdict = { model: "combined", probability: 0.5, logit: 0, decision: true };
    const answer = (id: string) =>
      lines!.enqueue(
        new TextEncoder().encode(`${JSON.stringify({ id, verdicts: [verdict] })}\n`),
      );
    const before = ({ url }: Request) => {
      if (url.endsWith("/viewer/use")) uses++;
      if (!url.includes("/viewer/verdicts")) return undefined;
      return new Response(new ReadableStream({ start: (controller) => void (lines = controller) }));
    };
    await withPage(browser, async ({ page }) => {
      await shown(page, "0002");
      await until("the list is being read", () => Promise.resolve(lines !== undefined));
      answer("0002");
      await until(
        "an answer has come",
        async () => await text(page, "#count") === "300 exams, 1 of 300 read",
      );
      await page.evaluate(COUNT_CHANGES);
      uses = 0;
      const milliseconds = await page.evaluate(SCROLL) as number;
      await until("the service is told", () => Promise.resolve(uses > 0));
      assert.ok(uses <= milliseconds / 200 + 2, `told ${uses} times in ${milliseconds} ms`);

      for (const id of IDS.slice(1)) {
        answer(id);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await until("all are told", async () => await text(page, "#count") === "300 exams");
      const [changes, took] = await page.evaluate(
        "[globalThis.changes, performance.now() - globalThis.since]",
      ) as [number, number];
      assert.ok(changes <= took / 250 + 2, `drawn ${changes} times in ${took} ms`);

      // Nothing is left that the service could be kept from.
      lines!.close();
      await until("nothing is told any more", async () => {
        const told = uses;
        await page.evaluate(`document.querySelector("#exams").scrollTop = 0`);
        await page.evaluate(SCROLL);
        return uses === told;
      });
    }, { before, prepare: manyExams });
  },
);
