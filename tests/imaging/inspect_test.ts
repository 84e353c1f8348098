/**
 * What is in a folder from a scanner, as the command line tells it.
 */
import assert from "node:assert/strict";
import { type InspectedSeries, inspectPaths } from "../../lib/imaging/inspect.ts";
import { runCli } from "../support/cli.ts";
import { dicomSlice } from "../support/dicom.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { REAL_DATA, testWithRealData } from "../support/realdata.ts";
import { assertWithin } from "../support/time.ts";

/** A study: two echoes in one series, a localizer, a broken file, and what is no DICOM. */
async function study(): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.make();
  for (let slice = 0; slice < 20; slice++) {
    // The twelfth slice of the second echo is missing.
    for (const echo of slice === 12 ? ["10"] : ["10", "80"]) {
      await folder.write(
        `study/deep/er/IM${slice}_${echo}`,
        dicomSlice({
          elements: {
            "0008,103E LO": "t2_sag \x1b[2J",
            "0018,0081 DS": echo,
            "0018,0080 DS": "3000",
            "0020,0032 DS": `${4 * slice}\\0\\0`,
            "0020,0060 CS": "R",
          },
        }),
      );
    }
  }
  const localizer = {
    ...{ "0008,0008 CS": "ORIGINAL\\PRIMARY\\LOCALIZER", "0020,000E UI": "2.25.9" },
    "0020,0037 DS": "1\\0\\0\\0\\1\\0",
  };
  await folder.write("study/loc.dcm", dicomSlice({ elements: localizer }));
  await folder.write("study/DICOMDIR", dicomSlice());
  await folder.write("study/notes.txt", "no DICOM");
  await folder.write("study/broken.dcm", dicomSlice().slice(0, 200));
  return folder;
}

Deno.test("series are listed whatever the files are called, and the others are still read", async () => {
  await using folder = await study();
  const { series, skipped, others } = await inspectPaths([folder.at("study")]);
  const found = series.map((
    { part, plane, slices, echoTime, repetitionTime, side, sliceDistance },
  ) => ({
    ...{ part, plane, slices, echoTime, repetitionTime, side, sliceDistance },
  }));
  const t2 = { plane: "sagittal", repetitionTime: 3000, side: "R", sliceDistance: 4 };
  assert.deepEqual(found, [
    { part: "echo time 10 ms", slices: 20, echoTime: 10, ...t2 },
    { part: "echo time 80 ms", slices: 19, echoTime: 80, ...t2 },
    {
      ...{ part: "", plane: "axial", slices: 1, echoTime: undefined, repetitionTime: undefined },
      ...{ side: "", sliceDistance: undefined },
    },
  ]);
  assert.deepEqual(series.map(({ remarks }) => remarks), [
    [],
    ["slices are missing at 1 position"],
    [
      "it has 1 slice, MRNet's series have 17 to 61",
      "it is a localizer",
      "its files do not say which knee it is",
    ],
  ]);
  assert.equal(skipped.length, 1);
  assert.match(
    skipped[0].reason,
    /^Cannot read the DICOM file '.*broken\.dcm': it holds no pixels/,
  );
  assert.equal(others, 2);
});

Deno.test("inspect reads the folder and needs nothing else", async () => {
  await using folder = await study();
  const read = { permissions: ["--allow-read=study"] };
  const { code, out, err } = await runCli(folder, ["inspect", "study"], read);
  assert.equal(code, 0, err);
  assert.ok(
    out.startsWith(
      "t2_sag \\u001b[2J, echo time 10 ms\n  sagittal, tilted 0.0°; 20 slices of 4×4; ",
    ),
  );
  assert.match(out, /\n {2}! slices are missing at 1 position\n/);
  assert.match(err, /broken\.dcm': it holds no pixels.*\n2 files hold no images\n$/);

  const json = await runCli(folder, ["inspect", "--json", "study"], read);
  const rows = json.out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(rows.map(({ slices }) => slices), [20, 19, 1]);

  const none = await runCli(folder, ["inspect", "study/notes.txt"], read);
  assert.equal(none.code, 1);
  assert.equal(none.err, "1 file holds no images\nThere is no MR series that can be read.\n");
  const missing = await runCli(folder, ["inspect", "study/nowhere"], read);
  assert.equal(missing.code, 1);
  assert.match(missing.err, /^Cannot look at 'study\/nowhere': there is no such file or folder\n$/);
});

Deno.test("inspect needs nothing else for compressed pixels either", async () => {
  await using folder = await TemporaryFolder.make();
  const fixtures = new URL("../fixtures/dicom/", import.meta.url);
  const names = [...Deno.readDirSync(fixtures)].map(({ name }) => name).filter((name) =>
    name.endsWith(".dcm")
  );
  for (const name of names) {
    await folder.write(`study/${name}`, await Deno.readFile(new URL(name, fixtures)));
  }
  const args = ["inspect", "--json", "study"];
  const { code, out, err } = await runCli(folder, args, { permissions: ["--allow-read=study"] });
  assert.equal(code, 0, err);
  const rows: InspectedSeries[] = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(rows.length, names.length);
  const unread = rows.filter(({ sha256 }) => sha256 === undefined);
  assert.deepEqual(unread.map(({ syntax }) => syntax), ["JPEG extended"]);
  assert.match(
    unread[0].remarks.join(),
    /12bit\.dcm': JPEG with loss and 12 bits a pixel is not read/,
  );
  // All that lose nothing have the same pixels.
  const lossless = new Set(rows.filter(({ remarks }) => !remarks.join().includes("with loss")));
  assert.equal(new Set([...lossless].map(({ sha256 }) => sha256)).size, 1);
  assert.equal(lossless.size, 11);
});

Deno.test({
  name: "a pipe is refused, not waited for",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TemporaryFolder.make();
    await new Deno.Command("mkfifo", { args: [folder.at("pipe")] }).output();
    const { series, skipped } = await inspectPaths([folder.at("pipe")]);
    assert.deepEqual(series, []);
    assert.match(skipped[0].reason, /^Cannot read '.*pipe': it is not a plain file$/);
  },
});

testWithRealData("a study of 500 slices is inspected in seconds", async () => {
  await using folder = await TemporaryFolder.make();
  const source = `${REAL_DATA}pymskt-mese/dicom/`;
  const names = [...Deno.readDirSync(source)].map(({ name }) => name).filter((name) =>
    name.endsWith(".dcm")
  );
  for (let i = 0; i < 500; i++) {
    const bytes = await Deno.readFile(source + names[i % names.length]);
    await folder.write(`study/${i}.dcm`, bytes);
  }
  const begin = performance.now();
  const { series } = await inspectPaths([folder.at("study")]);
  assert.deepEqual(series.map(({ slices }) => slices), [24, 24]);
  assert.ok(
    series.every(({ remarks }) => remarks.some((each) => each.includes("were there twice"))),
  );
  assertWithin(performance.now() - begin, 6000);
});
