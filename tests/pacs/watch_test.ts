/**
 * A watch reads each new study of a knee once: whatever the PACS does, and however often it is killed.
 */
import assert from "node:assert/strict";
import type { Classifier } from "../../lib/classifier/classifier.ts";
import { DataError, EngineError } from "../../lib/errors.ts";
import { dayBefore, isDay } from "../../lib/pacs/day.ts";
import { openPacs } from "../../lib/pacs/open.ts";
import { watchStudies } from "../../lib/pacs/watch.ts";
import { WatchState, type WatchSubject } from "../../lib/pacs/watch_state.ts";
import { pacs } from "../../mod.ts";
import { dicomSlice, type DicomValue } from "../support/dicom.ts";
import { FakePacs } from "../support/fake_pacs.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { killWatches, watchFaults } from "../support/watch_kills.ts";

const DAY = "20260101";

/** A study of one image. */
function image(number: number, more: Record<string, DicomValue> = {}): Uint8Array {
  return dicomSlice({
    elements: {
      "0018,0015 CS": "KNEE",
      "0020,000D UI": `2.25.${number}`,
      "0020,000E UI": `2.25.${number}.1`,
      ...more,
    },
  });
}

const subject = (fake: FakePacs): WatchSubject => ({
  dicomweb: fake.url,
  models: ["0".repeat(64)],
  store: true,
});

/** Watches until enough was said or answered. */
async function watched(
  fake: FakePacs,
  folder: TemporaryFolder,
  until: (said: readonly string[]) => boolean,
  answer: (study: string) => Promise<void> = () => Promise.resolve(),
): Promise<string[]> {
  const controller = new AbortController();
  const said: string[] = [];
  const say = (line: string) => {
    said.push(line);
    if (until(said)) controller.abort();
  };
  await using state = await WatchState.open(folder.at("watch"), subject(fake), DAY);
  await watchStudies({
    ...{ web: openPacs({ url: fake.url }), state, every: 0.002, signal: controller.signal },
    async answer(study) {
      await answer(study);
      say(`answered ${study}`);
    },
    onRemark: say,
  });
  return said;
}

/** What the folder says came of each study. */
async function outcomes(folder: TemporaryFolder): Promise<Record<string, string>> {
  const { studies } = JSON.parse(await folder.text("watch/watch.json"));
  const entries = Object.entries(studies as Record<string, { outcome: string }>);
  return Object.fromEntries(entries.map(([study, { outcome }]) => [study, outcome]));
}

Deno.test("studies of knees are answered once, others named, and all that without an end", async () => {
  await using fake = new FakePacs();
  await using folder = await TemporaryFolder.make();
  await fake.take([
    image(1),
    image(2, { "0018,0015 CS": "HEAD" }),
    image(3, { "0018,0015 CS": "", "0008,103E LO": "pd_tse_sag_Kniegelenk" }),
    image(4),
    image(5),
    image(7, { "0008,0060 CS": "CT" }),
  ]);
  const answer = (study: string) => {
    if (study === "2.25.4") throw new DataError("it has no axial series");
    return Promise.resolve();
  };
  const said = await watched(fake, folder, (said) => said.length === 6, answer);
  assert.deepEqual(said, [
    "answered 2.25.1",
    "Study 2.25.2 is not read: the PACS names no MR series of a knee: to have it read, give it to " +
    "predict --study",
    "answered 2.25.3",
    "Study 2.25.4 is not read: it has no axial series",
    "answered 2.25.5",
    "Study 2.25.7 is not read: the PACS names no MR series of a knee: to have it read, give it to " +
    "predict --study",
  ]);
  await fake.take([image(6)]);
  assert.deepEqual(await watched(fake, folder, (said) => said.length === 1), ["answered 2.25.6"]);
  assert.deepEqual(await outcomes(folder), {
    "2.25.1": "answered",
    "2.25.2": "other",
    "2.25.3": "answered",
    "2.25.4": "refused",
    "2.25.5": "answered",
    "2.25.6": "answered",
    "2.25.7": "other",
  });
});

Deno.test("a study that still grows is not read before it has come in whole", async () => {
  await using fake = new FakePacs();
  await using folder = await TemporaryFolder.make();
  let images = 1;
  await fake.take([image(1)]);
  fake.trouble = async (_, { pathname }) => {
    // One more before each look.
    if (!pathname.endsWith("/series") || images >= 5) return undefined;
    images++;
    await fake.take([image(1)]);
    return undefined;
  };
  await watched(fake, folder, (said) => said.length === 1, () => {
    assert.equal(images, 5);
    return Promise.resolve();
  });
  const looks = fake.asked.filter((path) => path === "GET /studies/2.25.1/series");
  assert.equal(looks.length, 5);
});

Deno.test("a study that the PACS does not give is tried three times, and the next one goes on", async () => {
  await using fake = new FakePacs();
  await using folder = await TemporaryFolder.make();
  await fake.take([image(1), image(2)]);
  fake.trouble = (_, { pathname }) =>
    pathname.includes("2.25.1/") ? new Response(null, { status: 500 }) : undefined;
  const failed = (said: readonly string[]) => said.length === 4;
  const said = await watched(fake, folder, failed);
  const tries = said.filter((line) => line.startsWith("Study 2.25.1"));
  assert.equal(tries.length, 3);
  for (const [index, line] of tries.entries()) {
    assert.match(
      line,
      new RegExp(`^Study 2\\.25\\.1, try ${index + 1} of 3: Cannot find study '2`),
    );
  }
  assert.deepEqual(await outcomes(folder), { "2.25.1": "failed", "2.25.2": "answered" });
});

Deno.test("a PACS that is down is said once, and what it has is read when it is back", async () => {
  await using fake = new FakePacs();
  await using folder = await TemporaryFolder.make();
  await fake.take([image(1)]);
  let refused = 0;
  fake.trouble = () =>
    ++refused <= 10 ? new Response(null, { status: refused < 8 ? 503 : 401 }) : undefined;
  const said = await watched(fake, folder, (said) => said.at(-1) === "answered 2.25.1");
  assert.equal(said.length, 4, said.join("\n"));
  assert.match(said[0], /^Cannot list the studies at http:.*: it answered 503: try again later$/);
  assert.match(
    said[1],
    /^Cannot list the studies at http:.*: it answered 401: no credentials were sent/,
  );
  assert.equal(said[2], "The PACS answers again.");
});

Deno.test("what is no fault of a study or the PACS ends the watch, and the study is read again", async () => {
  await using fake = new FakePacs();
  await using folder = await TemporaryFolder.make();
  await fake.take([image(1)]);
  const broken = watched(fake, folder, () => false, () => {
    throw new EngineError("the engine is lost");
  });
  await assert.rejects(broken, { name: "EngineError" });
  assert.deepEqual(await watched(fake, folder, (said) => said.length === 1), ["answered 2.25.1"]);
});

Deno.test("studies of days before are not asked for, and the first day follows after a month", async () => {
  await using fake = new FakePacs();
  await using folder = await TemporaryFolder.make();
  await fake.take([image(1)]);
  const since: string[] = [];
  let looks = 0;
  const controller = new AbortController();
  fake.trouble = (_, { pathname, searchParams }) => {
    if (pathname.endsWith("/studies")) since.push(searchParams.get("StudyDate")!);
    if (++looks === 8) controller.abort();
    return undefined;
  };
  // Begun some time ago, and gone on with.
  const begun = await WatchState.open(folder.at("watch"), subject(fake), DAY);
  await begun[Symbol.asyncDispose]();
  await using state = await WatchState.open(folder.at("watch"), subject(fake));
  await watchStudies({
    ...{ web: openPacs({ url: fake.url }), state, every: 0.002, signal: controller.signal },
    answer: () => Promise.resolve(),
    onRemark: (line) => assert.fail(line),
  });
  assert.deepEqual(new Set(since), new Set([`${DAY}-`, `${dayBefore(30)}-`]));
  assert.equal(dayBefore(30, new Date(2026, 0, 31)), "20260101");
  assert.equal(dayBefore(1, new Date(2024, 2, 1)), "20240229");
});

Deno.test("a first day that is given holds, also for a watch that goes on", async () => {
  await using fake = new FakePacs();
  await using folder = await TemporaryFolder.make();
  fake.date = "20260115";
  await fake.take([image(1)]);
  const first = await watched(fake, folder, (said) => said.length === 1);
  assert.deepEqual(first, ["answered 2.25.1"]);
  // Of an old day too, and long after all that was listed is done.
  let looks = 0;
  fake.trouble = async (_, { pathname }) => {
    if (pathname.endsWith("/studies") && ++looks === 5) await fake.take([image(2)]);
    return undefined;
  };
  assert.deepEqual(await watched(fake, folder, (said) => said.length === 1), ["answered 2.25.2"]);
  const open = async (since?: string) => {
    await using state = await WatchState.open(folder.at("watch"), subject(fake), since);
    return state.since;
  };
  assert.equal(await open("20250101"), "20250101");
  assert.equal(await open(), "20250101", "of a watch that goes on");
  assert.equal(await open("20260201"), "20260201");
  await Deno.remove(folder.at("watch/watch.json"));
  assert.equal(await open(), dayBefore(0));
});

Deno.test("the folder is of one watch and one process, and its file is read only if it is one", async () => {
  await using fake = new FakePacs();
  await using folder = await TemporaryFolder.make();
  const path = folder.at("watch");
  const open = (change: Partial<WatchSubject> = {}) =>
    WatchState.open(path, { ...subject(fake), ...change }, DAY);
  {
    await using state = await open();
    await state.mark("2.25.1", "answered");
    await assert.rejects(open(), { name: "OptionError", message: /: another process does/ });
  }
  {
    await using state = await open();
    assert.ok(state.isDone("2.25.1") && !state.isDone("2.25.2"));
  }
  const cases: [change: Partial<WatchSubject>, message: RegExp][] = [
    [
      { dicomweb: "http://other" },
      /watch\.json': it is of the PACS at http:\/\/127.*: give the same/,
    ],
    [
      { models: ["1".repeat(64)] },
      /watch\.json': it is of other models: give the same options, or/,
    ],
    [{ store: false }, /watch\.json': its answers were stored: give the same options, or another/],
  ];
  for (const [change, message] of cases) {
    await assert.rejects(open(change), { name: "OptionError", message });
  }
  const { since: _, ...about } = JSON.parse(await folder.text("watch/watch.json"));
  const noDay = JSON.stringify({ ...about, since: "20269999" });
  for (const text of ["", "{", "[]", '{"format":2}', '{"format":1,"studies":{"1":{}}}', noDay]) {
    await folder.write("watch/watch.json", text);
    await assert.rejects(open(), {
      name: "DataError",
      message: /watch\.json': it is not what a watch has written: move it away, and all/,
    });
  }
});

Deno.test("a day is one of the calendar, for a watch in a script too", async () => {
  for (const day of ["20260131", "20240229", "10000101"]) assert.ok(isDay(day), day);
  for (const day of ["20269999", "20260229", "20261301", "20260100", "00000000", "2026013", ""]) {
    assert.ok(!isDay(day), day);
  }
  const [url, signal] = ["http://127.0.0.1:9", AbortSignal.abort()];
  const classifiers = [{ sha256: "0".repeat(64) } as Classifier];
  await assert.rejects(
    pacs.watch({ url, classifiers, folder: "nowhere", signal, since: "20269999" }),
    {
      name: "OptionError",
      message: "Cannot watch a PACS since '20269999': give a day like 20260131",
    },
  );
});

// `deno task watch_kills` is the long form.
Deno.test("killed at any moment, it leaves no study unread and answers none twice", async () => {
  const killed = await killWatches(20, 1);
  assert.deepEqual(watchFaults(killed), []);
  assert.ok(killed.twice <= 20, `${killed.twice} answers came twice`);
});
