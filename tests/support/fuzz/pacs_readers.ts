/** The readers of what a PACS answers, and of what a watch and a person who reads exams keep. */
import { DataError, PacsError } from "../../../lib/errors.ts";
import { isUid } from "../../../lib/imaging/dicom/uid.ts";
import { isDay } from "../../../lib/pacs/day.ts";
import type { DicomWeb } from "../../../lib/pacs/dicomweb.ts";
import { openPacs } from "../../../lib/pacs/open.ts";
import { decodeWatchState } from "../../../lib/pacs/watch_state.ts";
import { decodeAnswers, MAX_ANSWER_BYTES } from "../../../lib/serve/viewer/reader_answers.ts";
import { concat } from "../../../lib/bytes.ts";
import { dicomSlice } from "../dicom.ts";
import type { FuzzReader } from "./case.ts";
import { encoder, promise, written } from "./seeds.ts";

const [STUDY, SERIES] = ["2.25.71", "2.25.710"];
/** So many bytes of an answer come at once, where it comes in pieces. */
const PIECE = 61;

/** Asks a PACS that answers each request with these bytes, without a network. */
async function asked<T>(
  answer: { type: string; bytes: Uint8Array; piece?: number },
  ask: (pacs: DicomWeb) => Promise<T>,
): Promise<T> {
  const { type, bytes, piece = 65536 } = answer;
  const real = globalThis.fetch;
  globalThis.fetch = () => {
    const pieces = function* () {
      for (let at = 0; at < bytes.length; at += piece) yield bytes.slice(at, at + piece);
    };
    const body = ReadableStream.from(pieces());
    return Promise.resolve(new Response(body, { headers: { "content-type": type } }));
  };
  try {
    return await ask(openPacs({ url: "http://pacs.example/dicom-web" }));
  } catch (error) {
    // Any TypeError counts as the connection's, and here there is none.
    const isOurs = error instanceof PacsError && !/cannot be reached|broke off/.test(error.message);
    throw isOurs ? error : new Error(`is no refusal: ${error}`, { cause: error });
  } finally {
    globalThis.fetch = real;
  }
}

const JSON_TYPE = "application/dicom+json";

function lists(): FuzzReader {
  const value = (vr: string, ...Value: unknown[]) => ({ vr, Value });
  const dataset = (index: number) => ({
    ...{ "0020000D": value("UI", `2.25.${index}`), "0020000E": value("UI", `2.25.${index}1`) },
    ...{ "00080018": value("UI", `2.25.${index}2`), "00080020": value("DA", "20260131") },
    ...{ "00080060": value("CS", "MR"), "00081030": value("LO", "Knee"), "00180015": { vr: "CS" } },
    ...{ "00201209": value("IS", index % 2 ? "18" : 18), "00100010": value("PN", { A: "x" }) },
  });
  return {
    name: "pacs-list",
    seeds: written("list", [[1], [1, 2, 3]].map((all) => JSON.stringify(all.map(dataset)))),
    refuses: PacsError,
    async read(bytes) {
      await asked({ type: JSON_TYPE, bytes }, async (pacs) => {
        for await (const { study, date } of pacs.studies("20260101")) {
          promise(isUid(study) && (date === "" || isDay(date)), `${study} of '${date}'`);
        }
        for (const { series, instances = 0 } of await pacs.series(STUDY)) {
          promise(isUid(series) && Number.isFinite(instances), `${series}, ${instances}`);
        }
        promise((await pacs.instances(STUDY, SERIES)).every(isUid), "an instance without a name");
      });
    },
    limit: 2 * 1024 * 1024,
  };
}

function files(): FuzzReader {
  const file = (instance: string) => {
    const uids = { "0020,000D UI": STUDY, "0020,000E UI": SERIES, "0008,0018 UI": instance };
    return dicomSlice({ elements: { ...uids, "0028,0010 US": [2], "0028,0011 US": [2] } });
  };
  const head = "Content-Type: application/dicom\r\nContent-Transfer-Encoding: binary\r\n";
  const part = (bytes: Uint8Array) => [encoder.encode(`--b\r\n${head}\r\n`), bytes];
  const all = ["2.25.1", "2.25.2"].flatMap((name) => [...part(file(name)), "\r\n"]);
  const type = 'multipart/related; type="application/dicom"; boundary=b\n';
  const texts = [type, ...all, "--b--\r\n"];
  const bytes = concat(texts.map((each) => typeof each === "string" ? encoder.encode(each) : each));
  return {
    name: "pacs-files",
    // The first line stands for the header with the type.
    seeds: [{ name: "two files", bytes }],
    refuses: PacsError,
    async read(bytes) {
      const end = bytes.indexOf(10);
      const type = new TextDecoder().decode(bytes.subarray(0, end)).replace(/[^ -~]/g, "?");
      const body = bytes.subarray(end + 1);
      const room = { bytes: 1024 * 1024, files: 4 };
      const fetched = (piece: number) =>
        asked({ type, bytes: body, piece }, (pacs) => pacs.fetchSeries(STUDY, SERIES, { room }));
      const whole = await fetched(65536);
      promise(whole.every(({ instance }) => isUid(instance)), "an instance without a name");
      if (body.length > 65536) return;
      const names = (list: typeof whole) => list.map((each) => each.instance + each.bytes.length);
      promise(names(await fetched(PIECE)).join() === names(whole).join(), "other files in pieces");
    },
  };
}

function stored(): FuzzReader {
  const item = { "00081155": { vr: "UI", Value: ["2.25.1"] } };
  const answer = { "00081190": { vr: "UR", Value: ["http://pacs.example"] } };
  const both = { ...answer, "00081199": { vr: "SQ", Value: [item] }, "00081198": { vr: "SQ" } };
  return {
    name: "pacs-stored",
    seeds: written("answer", [JSON.stringify(both)]),
    refuses: PacsError,
    async read(bytes) {
      await asked({ type: JSON_TYPE, bytes }, (pacs) => pacs.store(STUDY, [new Uint8Array(1)]));
      const said = JSON.parse(new TextDecoder().decode(bytes));
      promise(said["00081199"].Value.length === 1, "it was not stored");
    },
    limit: 2 * 1024 * 1024,
  };
}

function watch(): FuzzReader {
  const at = "2026-01-31T12:00:00.000Z";
  const studies = {
    [STUDY]: { outcome: "answered", at, answers: [0.25, 1] },
    [SERIES]: { outcome: "again", at, tries: 2 },
  };
  const about = { dicomweb: "http://pacs.example", models: ["0123456789abcdef".repeat(4)] };
  const state = { format: 1, ...about, store: true, since: "20260101", studies };
  return {
    name: "watch",
    seeds: written("watch", [JSON.stringify(state, undefined, 1)]),
    refuses: DataError,
    read(bytes) {
      const { since, studies } = decodeWatchState(bytes, "watch.json");
      promise(isDay(since), `the day ${since}`);
      for (const { tries = 0, answers = [] } of studies.values()) {
        promise(Number.isSafeInteger(tries) && tries >= 0, `${tries} tries`);
        promise(answers.every((each) => each >= 0 && each <= 1), `${answers}`);
      }
    },
    limit: 4 * 1024 * 1024,
  };
}

function readerAnswers(): FuzzReader {
  const head = "split,id,task,answer,answered_at";
  const rows = "valid,0001,acl,1,2026-01-31T12:00:00.000Z\ntrain,knee-3_L,meniscus,0,\n";
  return {
    name: "reader-answers",
    seeds: written("answers", [
      `${head}\n${rows}`,
      `${head}\n`,
      `\ufeff${head}\r\n"valid",1,acl,0`,
    ]),
    refuses: DataError,
    read(bytes) {
      const rows = decodeAnswers(bytes, "reader.csv");
      for (const { id, answer } of rows) {
        promise(/^[\w-]{1,64}$/.test(id) && (answer === 0 || answer === 1), `'${id}', ${answer}`);
      }
      const keys = rows.map(({ split, id, task }) => `${split}/${id} ${task}`);
      promise(new Set(keys).size === keys.length, "a finding answered twice");
    },
    limit: MAX_ANSWER_BYTES,
  };
}

/** Lists that filled the heap when a schema made an error for each of their values. */
export function pacsBombs(): FuzzReader[] {
  const list = (item: string, count: number) => `[${Array(count).fill(item).join()}]`;
  const about = { format: 1, dicomweb: "", store: true, since: "20260101", studies: {} };
  const state = JSON.stringify({ ...about, models: [] });
  const zeros = list("0", 900_000);
  return [
    {
      ...{ ...lists(), name: "pacs bombs", asTheyAre: true },
      seeds: written("list", [zeros, list("0", 4_000_000), list("[]", 400_000), list("{}", 3e6)]),
    },
    {
      ...{ ...watch(), name: "watch bombs", asTheyAre: true },
      seeds: written("watch", [
        state.replace("[]", zeros),
        state.replace("{}", `{${Array.from({ length: 1e5 }, (_, i) => `"${i}":0`)}}`),
      ]),
    },
  ];
}

/** All of them. */
export function pacsReaders(): FuzzReader[] {
  return [lists(), files(), stored(), watch(), readerAnswers()];
}
