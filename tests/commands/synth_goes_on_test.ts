/**
 * `synth` that was stopped or killed goes on where it was, to the same files.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { MRNET_PREVALENCE } from "../../lib/phantom/mod.ts";
import { runMain } from "../support/console.ts";
import { TemporaryFolder } from "../support/folders.ts";

const CLI = new URL("../../cli.ts", import.meta.url).pathname;
const SET = ["--train", "14", "--valid", "4", "--size", "64", "--slices", "3-5", "--seed", "7"];

const synth = (folder: TemporaryFolder, name: string, set = SET) =>
  runMain(["synth", "--out", folder.at(name), ...set]);

/** Every file of a folder with its hash. */
async function hashes(folder: TemporaryFolder, name: string): Promise<Record<string, string>> {
  const files = await folder.files(name);
  const entries = files.map(async (file) =>
    [
      file,
      createHash("sha256").update(await Deno.readFile(folder.at(name, file))).digest("hex"),
    ] as const
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** Starts `synth` in a process and ends it by a signal once some exams are there. */
async function stopped(folder: TemporaryFolder, name: string, signal: Deno.Signal) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", CLI, "synth", "--out", folder.at(name), ...SET.with(1, "60")],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const third = folder.at(name, "train/sagittal/0002.npy");
  while (!await Deno.stat(third).then(() => true, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  child.kill(signal);
  const { code, stderr } = await child.output();
  return { code, err: new TextDecoder().decode(stderr) };
}

Deno.test({
  name: "synth that Ctrl-C stopped, or a kill, goes on to the files of a run without a stop",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TemporaryFolder.make();
    const set = SET.with(1, "60");
    assert.equal((await synth(folder, "whole", set)).code, 0);
    const whole = await hashes(folder, "whole");
    assert.ok(!("unfinished.json" in whole));

    const { code, err } = await stopped(folder, "stopped", "SIGINT");
    assert.equal(code, 130, err);
    assert.match(
      err,
      /\nInterrupted: \d+ of 64 knees are made; the same command goes on with the others\.\n$/,
    );
    await stopped(folder, "killed", "SIGKILL");
    for (const name of ["stopped", "killed"]) {
      const before = await folder.files(name);
      assert.ok(before.includes("unfinished.json") && !before.includes("train-acl.csv"));
      const first = folder.at(name, "train/axial/0000.npy");
      const made = (await Deno.stat(first)).mtime;
      const again = await synth(folder, name, set);
      assert.equal(again.code, 0, again.err);
      assert.match(again.err, /^Seed 7; goes on with what is in /);
      assert.deepEqual(await hashes(folder, name), whole, name);
      assert.deepEqual((await Deno.stat(first)).mtime, made, "what is there is not made again");
    }
  },
});

/** A set that was begun: what a kill after the first exam leaves. */
async function begin(folder: TemporaryFolder): Promise<void> {
  await synth(folder, "whole");
  const settings = {
    ...{ seed: 7, size: 64, slices: [3, 5] },
    train: { exams: 14, ...MRNET_PREVALENCE.train },
    valid: { exams: 4, ...MRNET_PREVALENCE.valid },
  };
  await folder.write("begun/unfinished.json", JSON.stringify(settings));
  await folder.write("begun/train/axial/0000.npy", "");
}

Deno.test("other options in a folder that was begun are refused, naming what differs", async () => {
  await using folder = await TemporaryFolder.make();
  await begin(folder);
  const files = await folder.files("begun");
  const other = SET.with(5, "96").with(-1, "8");
  const { code, err } = await synth(folder, "begun", other);
  assert.equal(code, 1);
  assert.match(
    err,
    /another set was begun there \(seed 7 there and 8 here, size 64 there and 96 here/,
  );
  assert.deepEqual(await folder.files("begun"), files);
});

Deno.test("without a seed the one that was begun with is used, and a broken file is made anew", async () => {
  await using folder = await TemporaryFolder.make();
  await begin(folder);
  const { code, err } = await synth(folder, "begun", SET.slice(0, -2));
  assert.equal(code, 0, err);
  assert.deepEqual(await hashes(folder, "begun"), await hashes(folder, "whole"));
});

Deno.test("what a kill left half-written is removed, and nothing else that lies there", async () => {
  await using folder = await TemporaryFolder.make();
  await begin(folder);
  const left = ["unfinished.json", "train-acl.csv", "README.md"].map((name) =>
    `${name}.0123abcd.part`
  );
  for (const name of [...left, "valid/coronal/0017.npy.89abcdef.part"]) {
    await folder.write(`begun/${name}`, "half");
  }
  await folder.write("begun/notes.0123abcd.part", "somebody's");
  const { code, err } = await synth(folder, "begun");
  assert.equal(code, 0, err);
  const { "notes.0123abcd.part": notes, ...made } = await hashes(folder, "begun");
  assert.ok(notes !== undefined);
  assert.deepEqual(made, await hashes(folder, "whole"));
});

Deno.test("a dataset that is finished, or of somebody else, is not touched", async () => {
  await using folder = await TemporaryFolder.make();
  await begin(folder);
  assert.match((await synth(folder, "whole")).err, /it already holds 'train'/);
  await folder.write("mine/train/axial/0000.npy", "mine");
  assert.match((await synth(folder, "mine")).err, /it already holds 'train'/);
  await folder.write("begun/unfinished.json", "{");
  assert.match(
    (await synth(folder, "begun")).err,
    /'unfinished\.json' there is damaged: remove the folder/,
  );
});
