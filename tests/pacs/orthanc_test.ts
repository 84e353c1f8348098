/**
 * A study goes into a real PACS as a scanner sends it, is found, fetched and read; what is stored comes
 * back.
 */
import assert from "node:assert/strict";
import { openPacs } from "../../lib/pacs/open.ts";
import { WatchList } from "../../lib/pacs/watch_list.ts";
import { watchWith } from "../../lib/pacs/watch_pacs.ts";
import { inspectPaths, loadClassifier, pacs, startEngine } from "../../mod.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { ORTHANC_CREDENTIALS, testsWithOrthanc } from "../support/orthanc.ts";
import { modelBytes } from "../support/served_models.ts";
import { study } from "../support/study.ts";

const credentials = ORTHANC_CREDENTIALS;

/** What makes a file one of MR to a PACS. */
const STORED = {
  "0008,0016 UI": "1.2.840.10008.5.1.4.1.1.4",
  "0008,0020 DA": "20991231",
  "0008,1030 LO": "MR Kniegelenk",
  "0018,0015 CS": "KNEE",
};

/** The hashes of the pixels of each series. */
async function pixels(files: Parameters<typeof inspectPaths>[0]): Promise<string[]> {
  const { series } = await inspectPaths(files);
  return series.map(({ series, slices, sha256 }) => `${series} ${slices} ${sha256}`).sort();
}

testsWithOrthanc(import.meta.url, {
  async "a study that storescu sent is fetched as it was sent"({ url, storescu }) {
    await using folder = await TemporaryFolder.make();
    for (const [name, bytes] of study(1, STORED)) await folder.write(name, bytes);
    await storescu(folder.path);
    const fetched = await pacs.fetchStudy("2.25.71", { url, credentials });
    assert.equal(fetched.length, 54);
    assert.deepEqual(await pixels(fetched), await pixels([folder.path]));
    const one = await pacs.fetchStudy("2.25.71", { url, credentials, series: ["2.25.711"] });
    assert.equal(one.length, 18);
  },

  async "what is stored by STOW-RS comes back, and once however often it is stored"({ url }) {
    const files = [...study(2, STORED).values()].slice(0, 18);
    await pacs.storeInstances("2.25.72", files, { url, credentials });
    await pacs.storeInstances("2.25.72", files, { url, credentials });
    const fetched = await pacs.fetchStudy("2.25.72", { url, credentials });
    assert.equal(fetched.length, 18);
    const given = files.map((bytes, index) => ({ name: `${index}`, bytes }));
    assert.deepEqual(await pixels(fetched), await pixels(given));
  },

  async "a new study is found, read and answered, and what comes back is what was sent"({ url }) {
    await using folder = await TemporaryFolder.make();
    await startEngine("wasm");
    using classifier = await loadClassifier(await modelBytes());
    const web = openPacs({ url, credentials });
    const sent: Uint8Array[] = [];
    const store = web.store.bind(web);
    web.store = async (study, files, options) => {
      await store(study, files, options);
      sent.push(...files);
    };
    const answered: string[] = [];
    const ends = new AbortController();
    const list = new WatchList();
    await watchWith(web, {
      ...{ classifiers: [classifier], folder: folder.at("watch"), store: true, every: 0.05 },
      list,
      signal: ends.signal,
      onAnswer(study) {
        answered.push(study);
        ends.abort();
      },
      onRemark: (line) => assert.fail(line),
    });
    const [study] = answered;
    const { outcome, date, description, answers } = list.get(study)!;
    assert.deepEqual([outcome, date, description], ["answered", "20991231", "MR Kniegelenk"]);
    assert.equal(answers!.length, 1);
    const stored = (await web.series(study)).filter(({ modality }) => modality !== "MR");
    assert.deepEqual(stored.map(({ modality }) => modality).sort(), ["OT", "SR"]);
    const back: Uint8Array[] = [];
    for (const { series } of stored) {
      const files = await web.fetchSeries(study, series, { room: { bytes: 1e8, files: 9 } });
      back.push(...files.map(({ bytes }) => bytes));
    }
    const hashes = (files: Uint8Array[]) =>
      files.map((bytes) => new Uint8Array(bytes).toHex()).sort();
    assert.equal(sent.length, 2);
    assert.deepEqual(hashes(back), hashes(sent));
  },

  async "what it refuses is one line"({ url }) {
    const refused = async (promise: Promise<unknown>, message: RegExp) => {
      await assert.rejects(promise, { name: "PacsError", message });
    };
    await refused(
      pacs.fetchStudy("2.25.71", { url, credentials: "knee:wrong" }),
      /it answered 401: check the credentials/,
    );
    await refused(pacs.fetchStudy("2.25.79", { url, credentials }), /it has no such study/);
    await refused(
      pacs.storeInstances("2.25.71", [new TextEncoder().encode("rubbish")], { url, credentials }),
      /it answered 400: its own log says why$/,
    );
    const [other] = study(3, STORED).values();
    await refused(
      pacs.storeInstances("2.25.71", [other], { url, credentials }),
      /it stored 0 of 1 and refused 1|it answered 409/,
    );
  },
});
