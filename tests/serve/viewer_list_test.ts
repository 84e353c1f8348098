/** The viewer's list with as many exams as MRNet has. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { PLANES, TASKS } from "../../lib/terms.ts";
import { inaccessible, inChromium } from "../support/chromium.ts";
import { examBytes, type TemporaryFolder } from "../support/folders.ts";
import { shown, text, until, withPage } from "../support/viewer_page.ts";

const COUNT = 1250;
const IDS = Array.from({ length: COUNT }, (_, index) => String(index + 2).padStart(4, "0"));

/** What the model is said to say: every exam something else. */
const probabilityOf = (id: string) => (Number(id) * 617 % 1249) / 1249;

/** Five exams are there already; the others are the first one under other names. */
async function manyExams(folder: TemporaryFolder): Promise<void> {
  for (const id of IDS.slice(5)) {
    for (const plane of PLANES) {
      const file = (name: string) => folder.at(`data/valid/${plane}/${name}.npy`);
      await Deno.link(file("0002"), file(id));
    }
  }
}

const verdicts = () =>
  IDS.map((id) => {
    const probability = probabilityOf(id);
    const verdict = {
      model: "combined",
      probability,
      logit: 10 * probability,
      decision: probability >= 0.4,
    };
    return `${JSON.stringify({ id, verdicts: [verdict] })}\n`;
  }).join("");

/** Runs in the page: scrolls the list to its end, frame by frame, and notes what of it is there. */
const SCROLL = `new Promise((resolve) => {
  const list = document.querySelector("#exams");
  let [most, gaps, frames] = [0, 0, 0];
  const look = () => {
    const frame = list.getBoundingClientRect();
    for (const at of [4, frame.height / 2, frame.height - 4]) {
      if (document.elementFromPoint(frame.left + 40, frame.top + at).closest("li") === null) gaps++;
    }
    most = Math.max(most, list.children.length);
    frames++;
    if (list.scrollTop + list.clientHeight >= list.scrollHeight - 1) {
      return resolve({ most, gaps, frames });
    }
    list.scrollTop += 700;
    // Drawn by the scroll event, which comes before the next frame's callbacks.
    requestAnimationFrame(() => requestAnimationFrame(look));
  };
  look();
})`;

inChromium("the list of 1,250 exams has the rows in sight, and is all of them", async (browser) => {
  const before = ({ url }: Request) =>
    url.includes("/viewer/verdicts")
      ? new Response(verdicts())
      : url.includes("/viewer/reading/")
      ? new Response(null, { status: 503 })
      : undefined;
  await withPage(browser, async ({ page, folder, faults }) => {
    await until("all are told of", async () => await text(page, "#count") === "1250 exams");
    const list = page.locator("#exams");
    const rows = page.locator("#exams li");
    const chosen = async () => {
      const id = await list.getAttribute("aria-activedescendant");
      const row = page.locator(`#${id}`);
      assert.equal(await row.count(), 1, "what is named is there");
      const attributes = ["aria-selected", "aria-posinset", "aria-setsize"];
      return [
        id,
        ...await Promise.all(attributes.map((name) => row.getAttribute(name))),
      ];
    };
    assert.ok(await rows.count() < 40, `${await rows.count()} rows`);
    assert.deepEqual(await chosen(), ["exam-valid-0002", "true", "1", "1250"]);
    const { most, gaps, frames } = await page.evaluate(SCROLL) as Record<string, number>;
    assert.ok(frames > 50, `${frames} frames`);
    assert.ok(most < 60, `at most ${most} rows`);
    assert.equal(gaps, 0, "and no gap among those in sight");
    assert.match(await rows.last().innerText(), /^1251\s/);
    assert.deepEqual(await chosen(), ["exam-valid-0002", "true", "1", "1250"], "scrolled away");
    assert.deepEqual(await inaccessible(page), []);

    // Keys go on from the exam on show, wherever the list was scrolled to.
    await list.focus();
    await page.keyboard.press("ArrowDown");
    await shown(page, "0003");
    assert.equal(await page.evaluate(`document.querySelector("#exams").scrollTop`), 33);
    await page.keyboard.press("End");
    await shown(page, "1251");
    assert.deepEqual(await chosen(), ["exam-valid-1251", "true", "1250", "1250"]);
    assert.ok(await page.locator("#exam-valid-1251").isVisible());

    // Order and search are those of all exams, not of those that are there.
    await page.locator("#order").selectOption("probability");
    const falling = IDS.toSorted((a, b) => probabilityOf(b) - probabilityOf(a));
    assert.equal((await chosen())[2], `${falling.indexOf("1251") + 1}`);
    await list.focus();
    await page.keyboard.press("Home");
    await shown(page, falling[0]);
    const named = await page.locator("#exams li .name").allTextContents();
    assert.deepEqual(named, falling.slice(0, named.length));
    await page.locator("#search").fill("113");
    const found = falling.filter((id) => id.includes("113"));
    assert.deepEqual(await page.locator("#exams li .name").allTextContents(), found);
    await shown(page, found[0]);
    assert.deepEqual((await chosen()).slice(2), ["1", `${found.length}`]);
    // What is shown is saved, with every digit and nothing that a spreadsheet would compute.
    const name = '=1+1, "so".npy';
    const [mimeType, buffer] = ["application/octet-stream", Buffer.from(examBytes())];
    await page.locator("#files").setInputFiles({ name, mimeType, buffer });
    await page.locator("#planes-choices select").selectOption("axial");
    await page.locator("#planes-read").click();
    await page.waitForSelector('body[data-shown*="-"]');
    await page.locator("#search").fill("1+1");
    const save = async () => {
      const saving = page.waitForEvent("download");
      await page.locator("#save-list").click();
      const download = await saving;
      assert.equal(download.suggestedFilename(), "exams_valid_combined.csv");
      return await Deno.readTextFile(await download.path());
    };
    const head = "split,id,label_abnormal,label_acl,label_meniscus,model,task,probability," +
      "logit,threshold,decision,outcome,note,second_model,second_probability,second_logit," +
      "second_threshold,second_decision,second_outcome,second_note\n";
    assert.equal(
      await save(),
      `${head}dropped,"'=1+1, ""so"".npy",,,,combined,acl,,,0.4,,,` +
        `"plane missing: no coronal, sagittal plane",,,,,,,\n`,
    );
    await page.locator("#search").fill("0002");
    const labels = await Promise.all(TASKS.map(async (task) => {
      const text = await Deno.readTextFile(folder.at(`data/valid-${task}.csv`));
      return /^0002,(.)$/m.exec(text)![1];
    }));
    const probability = probabilityOf("0002");
    const outcome = labels[1] === "1" ? "TP" : "FP";
    assert.equal(
      await save(),
      `${head}valid,0002,${labels},combined,acl,${probability},${
        10 * probability
      },0.4,positive,${outcome},,,,,,,,\n`,
    );
    assert.equal(
      await text(page, "#list-said"),
      "1 exam saved as exams_valid_combined.csv",
    );
    // A narrow window shows the list above the exam.
    await page.setViewportSize({ width: 360, height: 700 });
    await page.locator("#search").fill("");
    await until("there are rows", async () => await rows.count() > 8);
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 360);
    faults.splice(0, Infinity, ...faults.filter((fault) => !/503/.test(fault)));
  }, { before, prepare: manyExams });
});
