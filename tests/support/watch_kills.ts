/** Kills of a watch at random moments, and what the PACS and the watch's file hold afterwards. */
import { createRandom } from "../../lib/random.ts";
import { dicomSlice } from "./dicom.ts";
import { FakePacs } from "./fake_pacs.ts";
import { TemporaryFolder } from "./folders.ts";

/** The day of the studies, as DICOM writes it. */
const DAY = "20260101";

/** A watch as a process of its own, whose answer is one instance with an identifier that follows. */
const SCRIPT = `
import { concat } from "ROOT/lib/bytes.ts";
import { derivedUid } from "ROOT/lib/pacs/derived_uid.ts";
import { fetchStudyFiles } from "ROOT/lib/pacs/fetch_study.ts";
import { openPacs } from "ROOT/lib/pacs/open.ts";
import { watchStudies } from "ROOT/lib/pacs/watch.ts";
import { WatchState } from "ROOT/lib/pacs/watch_state.ts";
import { dicomSlice } from "ROOT/tests/support/dicom.ts";
const [url, folder] = Deno.args;
const web = openPacs({ url });
const subject = { dicomweb: url, models: [], store: true };
const state = await WatchState.open(folder, subject, "${DAY}");
await watchStudies({
  web, state, every: 0.001, signal: new AbortController().signal,
  async answer(study) {
    const [{ bytes }] = await fetchStudyFiles(web, study);
    if (bytes.length === 0) throw new Error("nothing came");
    const elements = {
      "0008,0018 UI": derivedUid("answer", study), "0008,0060 CS": "SR",
      "0020,000D UI": study, "0020,000E UI": derivedUid("series", study),
    };
    await web.store(study, [dicomSlice({ elements })]);
  },
  onRemark(line) { console.log(line); Deno.exit(1); },
});
`;

/** What killed watches have left. */
export interface KilledWatches {
  /** How many studies there were. */
  studies: number;
  /** How many of them have an answer in the PACS. */
  answered: number;
  /** How many answers the PACS holds. */
  answers: number;
  /** How many answers were sent a second time, and taken for what they are. */
  twice: number;
  /** How many studies the watch's file says were answered. */
  marked: number;
}

/**
 * Kills a watch at random moments, each time with three new studies to answer, then has it go on to the end.
 *
 * @param kills how many times
 * @param seed which moments
 * @param onKill called after each
 * @throws {Error} if a watch ends by itself
 */
export async function killWatches(
  kills: number,
  seed: number,
  onKill: (done: number) => void = () => {},
): Promise<KilledWatches> {
  await using fake = new FakePacs();
  await using folder = await TemporaryFolder.make();
  const root = new URL("../..", import.meta.url).href.replace(/\/$/, "");
  const script = folder.at("script.ts");
  await folder.write("script.ts", SCRIPT.replaceAll("ROOT", root));
  const start = () =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", script, fake.url, folder.at("w")],
      ...{ stdin: "null", stdout: "piped", stderr: "piped" },
    }).spawn();
  for (let kill = 0; kill < kills; kill++) {
    // There is always something to do, and more than one round of it.
    await fake.take([1, 2, 3].map((number) => _image(3 * kill + number)));
    const random = createRandom(seed, "kill", kill);
    // A look asks for the series of each open study; an answer comes after two looks.
    const open = 3 * (kill + 1) - _answersOf(fake).length;
    const request = random.integer(20 + 4 * open);
    const [before, pause] = [random.uniform() < 0.3, random.uniform()];
    const child = start();
    let asked = 0;
    fake.trouble = () => {
      if (asked++ !== request) return undefined;
      const end = () => {
        try {
          child.kill("SIGKILL");
        } catch {
          // It has ended.
        }
      };
      if (before) end();
      else setTimeout(end, 5 * pause);
      return undefined;
    };
    const { signal, stdout, stderr } = await child.output();
    const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
    if (signal !== "SIGKILL") throw new Error(`A watch ended before kill ${kill + 1}: ${text}`);
    onKill(kill + 1);
  }
  // Left alone, it answers what is left.
  const { promise: done, resolve: ends } = Promise.withResolvers<void>();
  let looks = 0;
  fake.trouble = (_, { pathname, searchParams }) => {
    // Two looks without anything to do in between; a look may have several pages.
    if (!pathname.endsWith("/studies")) looks = 0;
    else if (Number(searchParams.get("offset")) === 0 && ++looks > 2) ends();
    return undefined;
  };
  const child = start();
  await done;
  child.kill("SIGKILL");
  await child.output();
  const answers = _answersOf(fake);
  const { studies } = JSON.parse(await folder.text("w/watch.json"));
  const outcomes = Object.values<{ outcome: string }>(studies);
  return {
    studies: 3 * kills,
    answered: new Set(answers.map(({ study }) => study)).size,
    answers: answers.length,
    twice: fake.stowed.length - answers.length,
    marked: outcomes.filter(({ outcome }) => outcome === "answered").length,
  };
}

/**
 * What is not as it must be; nothing if all is. An answer whose watch was killed before it was marked may be
 * sent a second time: the PACS has it once.
 */
export function watchFaults({ studies, answered, answers, marked }: KilledWatches): string[] {
  const found: string[] = [];
  if (answered !== studies) found.push(`${answered} of ${studies} studies have an answer`);
  if (answers !== studies) found.push(`the PACS holds ${answers} answers of ${studies} studies`);
  if (marked !== studies) found.push(`${marked} of ${studies} studies are marked as answered`);
  return found;
}

/** The answers in the PACS. */
function _answersOf(fake: FakePacs) {
  return [...fake.instances.values()].filter(({ modality }) => modality === "SR");
}

/** A study of one image. */
function _image(number: number): Uint8Array {
  return dicomSlice({
    elements: {
      ...{ "0018,0015 CS": "KNEE", "0020,000D UI": `2.25.${number}` },
      "0020,000E UI": `2.25.${number}.1`,
    },
  });
}
