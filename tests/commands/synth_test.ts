import assert from "node:assert/strict";
import { runCli } from "../support/cli.ts";
import { TemporaryFolder } from "../support/folders.ts";

const SMALL = ["--train", "3", "--valid", "2", "--size", "64", "--slices", "2-3"];
const permissions = ["--allow-read=practice", "--allow-write=practice"];

Deno.test("synth writes a dataset in MRNet's layout with no permission beyond its folder", async () => {
  await using folder = await TemporaryFolder.make();
  const args = ["synth", "--out", "practice", ...SMALL, "--seed", "5"];
  const { code, out, err } = await runCli(folder, args, { permissions });
  assert.equal(code, 0, err);
  assert.match(out, /^train: 3 exams in three planes: \d abnormal, \d acl, \d meniscus\n/);
  assert.match(out, /never for diagnosis\n$/);
  assert.equal(err, "Seed 5\n");
  const files = await folder.files("practice");
  for (const plane of ["axial", "coronal", "sagittal"]) {
    for (const id of ["train/0000", "train/0001", "train/0002", "valid/0003", "valid/0004"]) {
      const [split, name] = id.split("/");
      assert.ok(files.includes(`${split}/${plane}/${name}.npy`));
    }
  }
  assert.match(await folder.text("practice/valid-acl.csv"), /^0003,[01]\n0004,[01]\n$/);

  const again = await runCli(folder, args, { permissions });
  assert.equal(again.code, 1);
  assert.match(again.err, /\nCannot write phantoms to 'practice': .*: choose another folder/);
  assert.deepEqual(await folder.files("practice"), files);
});

Deno.test("synth deals out findings in the shares that were asked for", async () => {
  await using folder = await TemporaryFolder.make();
  const args = ["synth", "--out", "practice", "--train", "8", "--valid", "4", "--size", "64"];
  const shares = ["--slices", "1", "--seed", "5", "--prevalence", "0.75,0.5,0.25"];
  const { code, out, err } = await runCli(folder, [...args, ...shares], { permissions });
  assert.equal(code, 0, err);
  assert.match(out, /^train: 8 exams in three planes: 6 abnormal, 4 acl, 2 meniscus\n/);
  assert.match(out, /\nvalid: 4 exams in three planes: 3 abnormal, 2 acl, 1 meniscus\n/);
});

Deno.test("synth explains wrong arguments in argparse's words", async () => {
  await using folder = await TemporaryFolder.make();
  for (
    const [args, words] of [
      [["synth"], "the following arguments are required: --out"],
      [["synth", "--out", "x", "--slices", "9-3"], "argument --slices: invalid value: '9-3' "],
      [
        ["synth", "--out", "x", "--prevalence", "0.5"],
        "argument --prevalence: invalid value: '0.5' ",
      ],
      [
        ["synth", "--out", "x", "--prevalence", "1,2,0"],
        "argument --prevalence: invalid value: 2 ",
      ],
      [["synth", "--out", "x", "--size", "32"], "argument --size: invalid value: 32 "],
    ] as const
  ) {
    const { code, out, err } = await runCli(folder, args);
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.match(err, /^usage: cli\.ts synth \[-h\] --out DIR /);
    assert.ok(err.includes(`cli.ts: error: ${words}`), err);
  }
  assert.deepEqual(await folder.files(), []);
});
