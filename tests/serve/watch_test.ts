/**
 * A service shows the studies of a watch: each as it comes, its answer from the watch, its exams from the PACS
 * when somebody opens it; and nothing of the PACS, its credentials or other studies.
 */
import assert from "node:assert/strict";
import { OptionError } from "../../lib/errors.ts";
import { openPacs } from "../../lib/pacs/open.ts";
import { WatchList } from "../../lib/pacs/watch_list.ts";
import { watchWith } from "../../lib/pacs/watch_pacs.ts";
import { createHandler, type Handler } from "../../lib/serve/handler.ts";
import type { ServeOptions } from "../../lib/serve/options.ts";
import type { WatchedStudyRow } from "../../lib/serve/viewer/watched_studies.ts";
import { type Classifier, loadClassifier, startEngine } from "../../mod.ts";
import { FakePacs } from "../support/fake_pacs.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { writeCombinedModels } from "../support/served_models.ts";
import { study } from "../support/study.ts";

const SECRET = "never:shown@all";
/** The engine outlives the tests on purpose. */
const OUTLIVING = { sanitizeOps: false, sanitizeResources: false };
const KNEE = {
  ...{ "0008,0016 UI": "1.2.840.10008.5.1.4.1.1.4", "0018,0015 CS": "KNEE" },
  ...{ "0008,0020 DA": "20260131", "0008,1030 LO": "MR knee left" },
};

/** What a test has in hand. */
interface Watched {
  fake: FakePacs;
  list: WatchList;
  folder: TemporaryFolder;
  classifier: Classifier;
  handler: Handler;
  told: string[];
  /** Watches until so many studies are done with. */
  watch(done: number): Promise<void>;
}

/** A watch by a combination, and a service with its list. */
async function watched(
  body: (watched: Watched) => Promise<void>,
  options: Partial<ServeOptions> = {},
): Promise<void> {
  await using fake = new FakePacs();
  await using folder = await TemporaryFolder.make();
  await writeCombinedModels(folder);
  await startEngine("wasm");
  using classifier = await loadClassifier(folder.at("combined.json"));
  const pacs = { url: fake.url, credentials: SECRET };
  const [list, told] = [new WatchList(), [] as string[]];
  const handler = createHandler({
    ...{ models: [classifier], pacs, viewer: { watch: list } },
    onError: (error) => told.push(`${error}`),
    ...options,
  });
  await handler.ready();
  await body({
    ...{ fake, list, folder, classifier, handler, told },
    async watch(done) {
      const ends = new AbortController();
      const isDone = () => {
        const outcomes = list.changes().map(({ outcome }) => outcome);
        if (outcomes.filter((each) => !/reading|again/.test(each)).length >= done) ends.abort();
      };
      const timer = setInterval(isDone, 5);
      await watchWith(openPacs(pacs), {
        ...{ classifiers: [classifier], folder: folder.at("watch"), list, every: 0.01 },
        signal: ends.signal,
      });
      clearInterval(timer);
    },
  });
  await handler.stop();
}

/** What the service answers. */
async function ask(handler: Handler, path: string, status = 200): Promise<Response> {
  const response = await handler(new Request(`http://localhost${path}`));
  assert.equal(response.status, status, await response.clone().text());
  return response;
}

const rowsOf = async (handler: Handler, after = 0) => {
  const { studies, revision } = await (await ask(handler, `/viewer/watch?after=${after}`)).json();
  return { rows: studies as WatchedStudyRow[], revision: revision as number };
};

Deno.test(
  "studies are told of as they come, newest first, with what came of each",
  OUTLIVING,
  async () => {
    await watched(async ({ fake, handler, watch, list, classifier, folder }) => {
      assert.deepEqual((await rowsOf(handler)).rows, []);
      await fake.take(study(1, KNEE).values());
      await fake.take([...study(2, KNEE).values()].slice(18));
      await fake.take(study(3, { ...KNEE, "0018,0015 CS": "HEAD", "0008,1030 LO": "" }).values());
      await watch(2);
      const { rows, revision } = await rowsOf(handler);
      assert.deepEqual(rows.map(({ id, none, fault }) => [id, none, fault]), [
        ["2.25.72", "cannot be read", "it has no sagittal series"],
        ["2.25.71", undefined, undefined],
      ]);
      assert.deepEqual(
        rows.map(({ date, description, isReading }) => [date, description, isReading]),
        Array(2).fill(["20260131", "MR knee left", false]),
      );
      const [verdict] = rows[1].verdicts!;
      assert.deepEqual([verdict.model, verdict.decision], ["combined", verdict.probability >= 0.4]);
      // The next ones alone, as long as nothing else has changed.
      assert.deepEqual((await rowsOf(handler, revision)).rows, []);
      await fake.take(study(4, KNEE).values());
      fake.trouble = (_, { pathname }) =>
        /2\.25\.74\/series\/[\d.]+$/.test(pathname)
          ? new Response(null, { status: 500 })
          : undefined;
      await watch(3);
      const later = await rowsOf(handler, revision);
      assert.deepEqual(later.rows.map(({ id, none }) => [id, none]), [["2.25.74", "not given"]]);
      assert.match(
        later.rows[0].fault!,
        /^the PACS did not give it: see the watch's own messages$/,
      );

      // A new list, as after a restart, has the answers again, and reads none of the studies.
      const again = new WatchList();
      const asked = fake.asked.length;
      const second = createHandler({
        ...{ models: [classifier], pacs: { url: fake.url }, viewer: { watch: again } },
      });
      const ends = new AbortController();
      const timer = setInterval(() => again.get("2.25.71")?.date && ends.abort(), 5);
      await watchWith(openPacs({ url: fake.url }), {
        ...{ classifiers: [classifier], folder: folder.at("watch"), list: again, every: 0.01 },
        signal: ends.signal,
      });
      clearInterval(timer);
      const found = (await rowsOf(second)).rows;
      assert.deepEqual(found.map(({ id }) => id), ["2.25.74", "2.25.72", "2.25.71"]);
      assert.deepEqual(found.at(-1), rows[1]);
      assert.equal(found[1].fault, "no exam could be made of it: open the study to see why");
      assert.deepEqual(fake.asked.slice(asked).filter((path) => path !== "GET /studies"), []);
      assert.equal(list.get("2.25.73"), undefined, "of a head nothing is listed");
      await second.stop();
    });
  },
);

Deno.test(
  "a study that is opened is fetched once, shown and read, and in memory alone",
  OUTLIVING,
  async () => {
    await watched(async ({ fake, handler, folder, watch }) => {
      for (const number of [1, 2]) await fake.take(study(number, KNEE).values());
      await watch(2);
      const series = () => fake.asked.filter((path) => /series\/[\d.]+$/.test(path)).length;
      const before = series();
      const facts = await (await ask(handler, "/viewer/study/pacs/2.25.71?")).json();
      assert.deepEqual(facts.planes.toSorted(), ["axial", "coronal", "sagittal"]);
      assert.equal(facts.series.axial.slices, 18);
      const slices = async (id: string) =>
        (await (await ask(handler, `/viewer/slices/pacs/${id}/axial`)).bytes()).length;
      assert.ok(await slices("2.25.71") > 1000);
      const reading = await (await ask(handler, "/viewer/reading/pacs/2.25.71")).json();
      const { rows } = await rowsOf(handler);
      const [verdict] = rows.find(({ id }) => id === "2.25.71")!.verdicts!;
      assert.ok(Math.abs(reading.predictions[0].probability - verdict.probability) < 1e-6);
      assert.equal(Object.keys(reading.planes).length, 3);
      assert.equal(series() - before, 3);
      // What was let go is fetched again, as by a page that was left open.
      assert.ok(await slices("2.25.72") > 1000);
      assert.equal(series() - before, 6);
      // No image, and of the patient nothing, lies in the folder.
      assert.deepEqual((await folder.files("watch")).filter((name) => !/lock/.test(name)), [
        "watch.json",
      ]);
      const state = await folder.text("watch/watch.json");
      assert.ok(!/Doe|MRN|never|MR knee/.test(state), state);
      assert.match(state, /"answers"/);
    });
  },
);

Deno.test(
  "what cannot be opened is one line, and tells nothing of the PACS",
  OUTLIVING,
  async () => {
    await watched(async ({ fake, handler, told, watch }) => {
      await fake.take(study(1, KNEE).values());
      await watch(1);
      // Of another series of the same plane nobody knows which is meant.
      await fake.take(
        [...study(1, { ...KNEE, "0008,103E LO": "other" }).values()].slice(36).map((_, at) =>
          [
            ...study(1, {
              ...KNEE,
              "0008,103E LO": "other",
              "0020,000E UI": "2.25.719",
              "0008,0018 UI": `2.25.719.${at + 1}`,
            }).values(),
          ][36 + at]
        ),
      );
      const open = async (query: string, status: number) =>
        await (await ask(handler, `/viewer/study/pacs/${query}`, status)).json();
      const several = await open("2.25.71", 422);
      assert.match(several.detail, /^Several series could be meant, of the axial plane/);
      const { choice } = several.candidates.find(({ series }: { series: string }) =>
        series === "2.25.719"
      );
      const query = new URLSearchParams({ series: choice });
      assert.equal((await open(`2.25.71?${query}`, 200)).series.axial.series, "2.25.719");
      // It is the chosen one from then on.
      assert.equal((await open("2.25.71", 200)).series.axial.series, "2.25.719");

      for (const path of ["study", "reading"]) {
        await ask(handler, `/viewer/${path}/pacs/2.25.79`, 404);
      }
      await ask(handler, "/viewer/slices/pacs/2.25.79/axial", 404);
      await ask(handler, "/viewer/study/valid/2.25.71", 404);
      for (const after of ["", "?after=1e99", "?after=x"]) {
        await ask(handler, `/viewer/watch${after}`, 404);
      }
      assert.deepEqual(told, []);
      fake.trouble = () => new Response(SECRET, { status: 401 });
      const refused = await open(`2.25.71?${query}`, 502);
      const setup = await (await ask(handler, "/viewer/setup")).text();
      const texts = JSON.stringify(refused) + setup;
      assert.ok(!/never|127\.0\.0\.1|dicom-web/.test(texts), texts);
      assert.match(told.join(), /it answered 401/);
      assert.ok(!told.join().includes("never"));
    });
  },
);

Deno.test(
  "the studies of a watch are behind the token, and need a PACS and no reader",
  OUTLIVING,
  async () => {
    await watched(async ({ handler }) => {
      for (const path of ["watch?after=0", "study/pacs/2.25.71", "setup"]) {
        await ask(handler, `/viewer/${path}`, 401);
      }
    }, { token: "abc" });
    const watch = new WatchList();
    const refused = (options: ServeOptions, message: RegExp) =>
      assert.throws(
        () => createHandler(options),
        (error) => error instanceof OptionError && message.test(error.message),
      );
    refused(
      { viewer: { watch } },
      /watch: there is no PACS to open its studies from: give pacs too$/,
    );
    refused(
      { viewer: { watch, data: "data", reader: "r.csv" }, pacs: { url: "http://127.0.0.1" } },
      /watch: a reader is asked about the exams of the dataset alone: leave reader out$/,
    );
  },
);

Deno.test("of very many studies the newest are listed", () => {
  const list = new WatchList();
  const at = (number: number) => new Date(Date.UTC(2026, 0, 1) + 1000 * number).toISOString();
  const entry = (number: number) =>
    [`2.25.${number}`, { outcome: "answered", at: at(number) }] as const;
  list.begin(Array.from({ length: 3000 }, (_, index) => entry(2999 - index)));
  assert.equal(list.changes().length, 2000);
  assert.equal(list.get("2.25.999"), undefined);
  const { revision } = list;
  list.set({ study: "2.25.3000", date: "", description: "" }, { outcome: "reading" });
  assert.deepEqual(list.changes(revision).map(({ study }) => study), ["2.25.3000"]);
  assert.equal(list.changes().length, 2000);
  assert.equal(list.get("2.25.1000"), undefined);
});
