import assert from "node:assert/strict";
import { decode } from "npm:fast-png@8.0.0";
import { encodeNpy } from "../../lib/data/npy.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { writeWhole } from "../../lib/files.ts";
import type { ModelCard } from "../../lib/model/card.ts";
import { cardMetadata } from "../../lib/model/card_metadata.ts";
import { loadMRNet } from "../../lib/model/create.ts";
import { encodePytorch } from "../../lib/model/weights/torch/write.ts";
import { encodeSafetensors } from "../../lib/model/weights/safetensors.ts";
import { readExam } from "../../lib/data/exam.ts";
import { runCli } from "../support/cli.ts";
import { runMain } from "../support/console.ts";
import { examBytes, TemporaryFolder, voxels } from "../support/folders.ts";
import { seededExam, seededState } from "../support/seeded.ts";

const CARD: ModelCard = { task: "acl", plane: "axial", intensity: "raw" };

/** A folder with a model and two exams of different sizes. */
async function setUp(card = CARD): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.make();
  await Deno.mkdir(folder.at("models"));
  const state = seededState(11);
  await writeWhole(
    folder.at("models/a.safetensors"),
    encodeSafetensors(state, cardMetadata(card)),
  );
  const { voxels: data } = seededExam(5, { slices: 4, height: 96, width: 72 });
  await folder.write("exams/0007.npy", encodeNpy(data, [4, 96, 72]));
  await folder.write("exams/knee b.npy", examBytes());
  return folder;
}

const MODEL = ["predict", "--model", "models/a.safetensors", "--backend", "wasm"];
const READ = "--allow-read=models,exams";

Deno.test("predict prints a line an exam with what the model says, in order", async () => {
  await using folder = await setUp();
  const args = [...MODEL, "exams/knee b.npy", "exams/0007.npy"];
  const { code, out, err } = await runCli(folder, args, { permissions: [READ] });
  assert.equal(code, 0, err);
  const number = "-?\\d+\\.\\d{4}";
  const line = `acl axial  probability ${number}  logits ${number} ${number}  ` +
    "(positive|negative) \\(from 0\\.5\\)\n";
  assert.match(out, new RegExp(`^exams/knee b\\.npy  ${line}exams/0007\\.npy  ${line}$`));
  assert.match(err, /^Engine: .+\nPositive from 0\.5 on: the model's file names no operating/);
});

Deno.test("predict --json prints the keys it promises, and what the model itself says", async () => {
  for (
    const [point, threshold] of [[undefined, 0.5], [
      { threshold: 0.125, rule: "youden", exams: "tune" },
      0.125,
    ]] as const
  ) {
    await using folder = await setUp({ ...CARD, intensity: "standardized", operatingPoint: point });
    const args = [...MODEL, "--json", "exams/0007.npy"];
    const { code, out, err } = await runCli(folder, args, { permissions: [READ] });
    assert.equal(code, 0, err);
    await startEngine("wasm");
    const { model } = await loadMRNet(folder.at("models/a.safetensors"));
    const exam = await readExam(folder.at("exams/0007.npy"), "0007");
    const { probability, logits } = await model.predict(exam);
    model.dispose();
    assert.deepEqual(JSON.parse(out), {
      exam: "0007",
      file: "exams/0007.npy",
      task: "acl",
      plane: "axial",
      probability,
      logits,
      decision: probability >= threshold ? "positive" : "negative",
      threshold,
      threshold_from: point === undefined ? "default" : "model",
    });
    assert.equal(out.trim().split("\n").length, 1);
    assert.match(err, point === undefined ? /no operating point/ : /chosen on its tune exams/);
  }
});

Deno.test("predict says of exams far from 0–255, and of slices that may be last, not to rely on them", async () => {
  await using folder = await setUp();
  const scaled = Float32Array.from(seededExam(5, { slices: 2, height: 64, width: 64 }).voxels);
  await folder.write("exams/z.npy", encodeNpy(scaled.map((v) => v / 60 - 1), [2, 64, 64]));
  await folder.write("exams/last.npy", encodeNpy(new Uint8Array(64 * 64 * 70), [64, 64, 70]));
  const exams = ["exams/0007.npy", "exams/z.npy", "exams/last.npy"];
  const { code, out, err } = await runCli(folder, [...MODEL, "--json", ...exams], {
    permissions: [READ],
  });
  assert.equal(code, 0, err);
  const odd = out.trim().split("\n").map((line) => JSON.parse(line).odd);
  assert.equal(odd[0], undefined);
  assert.match(odd[1], /as z-scores do/);
  assert.match(odd[2], /slices may be its last axis/);
  assert.match(err, /^Do not rely on the answer for 'exams\/z\.npy': its values go from -1 to /m);
  assert.match(
    err,
    /^Do not rely on the answer for 'exams\/last\.npy': its shape is \(64, 64, 70\)/m,
  );
  assert.equal(err.split("Do not rely").length, 3);
});

Deno.test("predict --cam writes the pictures and numbers of an exam, and says nothing else", async () => {
  await using folder = await setUp();
  await folder.write("cam/0007_slice_09.png", "of an earlier model");
  await folder.write("cam/0007_slice_x.png", "somebody's own");
  const args = [...MODEL, "--json", "--cam", "cam", "exams/0007.npy"];
  const permissions = ["--allow-read=models,exams,cam", "--allow-write=cam"];
  const { code, out, err } = await runCli(folder, args, { permissions });
  assert.equal(code, 0, err);
  const plain = await runCli(folder, [...MODEL, "--json", "exams/0007.npy"], {
    permissions: [READ],
  });
  assert.equal(out, plain.out, "the same answer with and without pictures");

  const said = JSON.parse(out);
  const written = JSON.parse(await folder.text("cam/0007_contributions.json"));
  const sum = (values: number[]) => values.reduce((all, value) => all + value, written.bias);
  for (const total of [sum(written.shares), sum(written.contributions)]) {
    assert.ok(Math.abs(total - said.logits[1]) <= 1e-5 * Math.abs(said.logits[1]));
  }
  assert.deepEqual(
    [written.exam, written.task, written.plane, written.map, written.logits],
    ["0007", "acl", "axial", "share", said.logits],
  );
  const bytes = await Deno.readFile(folder.at("models/a.safetensors"));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  assert.deepEqual(written.model, { file: "models/a.safetensors", sha256: hash, intensity: "raw" });
  assert.deepEqual([written.shares.length, written.winners.length], [4, 256]);

  const shown = [0, 1, 2, 3].filter((slice) => written.channels_won[slice] > 0);
  assert.deepEqual(await folder.files("cam"), [
    "0007.gif",
    "0007_contributions.json",
    "0007_sheet.png",
    ...shown.map((slice) => `0007_slice_0${slice}.png`),
    "0007_slice_x.png",
  ]);
  const slice = decode(await Deno.readFile(folder.at(`cam/0007_slice_0${shown[0]}.png`)));
  assert.deepEqual([slice.height, slice.width], [288, 216], "three times the exam's size");
});

Deno.test("predict --map classic draws every slice", async () => {
  await using folder = await setUp();
  const dark = new Uint8Array(3 * 64 * 64);
  dark.set(voxels(1, 64 * 64));
  await folder.write("exams/dark.npy", encodeNpy(dark, [3, 64, 64]));
  const run = async (map: string) => {
    const args = [...MODEL, "--cam", map, "--map", map, "exams/dark.npy"];
    const permissions = [`--allow-read=models,exams,${map}`, `--allow-write=${map}`];
    const { code, err } = await runCli(folder, args, { permissions });
    assert.equal(code, 0, err);
    return (await folder.files(map)).filter((name) => name.includes("_slice_"));
  };
  // The third slice is the second again.
  assert.ok(!(await run("share")).includes("dark_slice_02.png"));
  assert.equal((await run("classic")).length, 3);
});

Deno.test("a PyTorch model is told what it is for", async () => {
  await using folder = await setUp();
  await writeWhole(folder.at("models/a.pth"), encodePytorch(seededState(11)));
  const args = ["predict", "--model", folder.at("models/a.pth"), "--backend", "wasm"];
  const exam = folder.at("exams/0007.npy");
  const open = await runMain([...args, exam]);
  assert.equal(open.code, 1);
  assert.match(open.err, /^Cannot use the model '.+a\.pth': its file does not say its task and /);
  const { code, out } = await runMain([...args, "-t", "meniscus", "-p", "coronal", "--json", exam]);
  assert.equal(code, 0);
  const { task, plane } = JSON.parse(out);
  assert.deepEqual([task, plane], ["meniscus", "coronal"]);

  await writeWhole(
    folder.at("models/s.safetensors"),
    encodeSafetensors(seededState(11), cardMetadata({ ...CARD, intensity: "standardized" })),
  );
  const own = ["predict", "--model", folder.at("models/s.safetensors"), "--backend", "wasm"];
  const { logits } = JSON.parse((await runMain([...own, "--json", exam])).out);
  const told = [...args, "-t", "acl", "-p", "axial", "--json", exam];
  const standardized = await runMain([...told, "--intensity", "standardized"]);
  assert.deepEqual(JSON.parse(standardized.out).logits, logits);
  assert.ok(!standardized.err.includes("taken as raw"));
  const raw = await runMain(told);
  assert.notDeepEqual(JSON.parse(raw.out).logits, logits);
  const words = "a.pth' does not say how its model's input is prepared: taken as raw\n";
  assert.equal(raw.err.split(words).length - 1, 1, raw.err);
  const refused = await runMain([...own, "--intensity", "raw", exam]);
  assert.deepEqual([refused.code, refused.out], [1, ""]);
  assert.match(
    refused.err,
    /^Cannot use the model '.+' with intensity raw: by its file it is stand/,
  );
});

Deno.test("thresholds have four digits for people, and all of them for programs", async () => {
  const threshold = 0.5670403093336751;
  const operatingPoint = { threshold, rule: "youden", exams: "tune" } as const;
  await using folder = await setUp({ ...CARD, operatingPoint });
  const model = ["--model", folder.at("models/a.safetensors"), "--backend", "wasm"];
  const args = ["predict", ...model, folder.at("exams/0007.npy")];
  const { out, err } = await runMain(args);
  assert.match(out, / \(from 0\.567\)\n$/);
  assert.match(
    err,
    /\nPositive from 0\.567 on: the model's operating point, chosen on its tune exa/,
  );
  assert.equal(JSON.parse((await runMain([...args, "--json"])).out).threshold, threshold);
});

Deno.test("what cannot be predicted is one clear line each, and the others go on", async () => {
  await using folder = await setUp();
  await folder.write("exams/text.npy", "not an array");
  await folder.write("exams/flat.npy", encodeNpy(new Uint8Array(64 * 64), [64, 64]));
  await folder.write("exams/small.npy", encodeNpy(new Uint8Array(2 * 40 * 64), [2, 40, 64]));
  const names = ["text.npy", "flat.npy", "0007.npy", "small.npy", "none.npy", "knee b.npy"];
  for (const cam of [[], ["--cam", folder.at("cam")]]) {
    const paths = names.map((name) => folder.at("exams", name));
    const model = ["--model", folder.at("models/a.safetensors"), "--backend", "wasm"];
    const { code, out, err } = await runMain(["predict", ...model, "--json", ...cam, ...paths]);
    assert.equal(code, 1);
    const exams = out.trim().split("\n").map((line) => JSON.parse(line).exam);
    assert.deepEqual(exams, ["0007", "knee b"]);
    const faults = err.split("\n").filter((line) => line.startsWith("Cannot "));
    assert.deepEqual(
      faults.map((line) => /'.*?([^/']+)'/.exec(line)?.[1]),
      ["text.npy", "flat.npy", "small.npy", "none.npy"],
    );
  }
});

Deno.test("a value that leaves no finite logit is an error of its exam", async () => {
  await using folder = await setUp();
  const huge = new Float32Array(2 * 64 * 64).fill(3e38);
  await folder.write("exams/huge.npy", encodeNpy(huge, [2, 64, 64]));
  const model = ["--model", folder.at("models/a.safetensors"), "--backend", "wasm"];
  const { code, out, err } = await runMain(["predict", ...model, folder.at("exams/huge.npy")]);
  assert.deepEqual([code, out], [1, ""]);
  assert.match(
    err,
    /\nCannot predict '.+huge\.npy': the logits are .+: the exam's values are far /,
  );
});

Deno.test("a model of another task or plane is refused", async () => {
  await using folder = await setUp();
  const model = ["--model", folder.at("models/a.safetensors"), "--backend", "wasm"];
  for (const other of [["-t", "meniscus"], ["-p", "sagittal"]]) {
    const args = ["predict", ...model, ...other, folder.at("exams/0007.npy")];
    const { code, out, err } = await runMain(args);
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /^Cannot use the model '.+' for .+: by its file it is for acl in the axial/);
    assert.equal(err.trim().split("\n").length, 1);
  }
});

Deno.test("a folder that cannot be written is refused before anything is computed", async () => {
  await using folder = await setUp();
  await folder.write("taken", "a file");
  const model = ["--model", folder.at("models/a.safetensors"), "--backend", "wasm"];
  const args = ["predict", ...model, "--cam", folder.at("taken"), folder.at("exams/0007.npy")];
  const { code, out, err } = await runMain(args);
  assert.deepEqual([code, out], [1, ""]);
  assert.match(err, /^Cannot make the folder '.+taken': .+\n$/);
});

Deno.test("two exams of one name do not overwrite each other's pictures", async () => {
  await using folder = await setUp();
  await folder.write("other/0007.NPY", examBytes());
  const model = ["--model", folder.at("models/a.safetensors"), "--backend", "wasm"];
  const paths = [folder.at("exams/0007.npy"), folder.at("other/0007.NPY")];
  const cam = ["--cam", folder.at("cam")];
  const refused = await runMain(["predict", ...model, ...cam, ...paths]);
  assert.deepEqual([refused.code, refused.out], [1, ""]);
  assert.match(
    refused.err,
    /^Cannot write pictures of both '.+' and '.+' to '.+': they would have/,
  );
  assert.deepEqual(await folder.files("cam"), []);
  const { code, out } = await runMain(["predict", ...model, ...paths]);
  assert.equal(code, 0);
  assert.equal(out.trim().split("\n").length, 2, "without pictures they are two exams");
});

Deno.test("wrong arguments are answered in argparse's words", async () => {
  for (
    const [args, words] of [
      [["predict"], "the following arguments are required: --model"],
      [["predict", "--model", "a"], "the following arguments are required: EXAM"],
      [
        ["predict", "--model", "a", "b.npy", "--map", "classic"],
        "argument --map: not allowed without argument --cam, --sc or --store",
      ],
      [
        ["predict", "--model", "a", "--manifest", "b.csv", "--out", "c.csv", "--sr", "d"],
        "argument --sr: not allowed with argument --manifest",
      ],
      [
        ["predict", "--model", "a", "b.npy", "--cam", "c", "--map", "heat"],
        "argument --map: invalid choice: 'heat' (choose from 'share', 'classic')",
      ],
    ] as const
  ) {
    const { code, err } = await runMain(args);
    assert.equal(code, 2);
    assert.ok(err.startsWith("usage: cli.ts predict [-h] --model FILE"), err);
    assert.ok(err.endsWith(`cli.ts: error: ${words}\n`), err);
  }
});

Deno.test("an exam that is called by another plane than the model reads is named", async () => {
  await using folder = await setUp();
  await folder.write("exams/coronal/0008.npy", examBytes());
  await folder.write("exams/0009_sag.npy", examBytes());
  await folder.write("exams/0010-axial.npy", examBytes());
  const exams = ["exams/0007.npy", "exams/0010-axial.npy"];
  const right = await runCli(folder, [...MODEL, ...exams], { permissions: [READ] });
  assert.ok(!right.err.includes("by its name"), right.err);
  const others = ["exams/coronal/0008.npy", "exams/0009_sag.npy"];
  const { code, out, err } = await runCli(folder, [...MODEL, ...exams, ...others], {
    permissions: [READ],
  });
  assert.equal(code, 0);
  assert.equal(out.trimEnd().split("\n").length, 4);
  const said =
    "The model reads axial exams, and 'exams/coronal/0008.npy' and 1 more is coronal by its " +
    "name: look whether that is the right file\n";
  assert.ok(err.endsWith(said), err);
});

Deno.test("a model that is not there is answered with those that are, the newest first", async () => {
  await using folder = await setUp();
  await folder.write("models/combined_nine_acl.json", "{}");
  await Deno.utime(folder.at("models/combined_nine_acl.json"), 10, 10);
  await folder.write("models/notes.txt", "no model");
  const there = "there are 'models/a.safetensors', 'models/combined_nine_acl.json'";
  const cases = [
    ["predict", "--model", "models/MODEL.safetensors", "exams/0007.npy"],
    ["predict", "--model", "models/missing.json", "exams/0007.npy"],
    ["evaluate", "--model", "models/MODEL.safetensors"],
    ["combine", "--models", "AXIAL,CORONAL,SAGITTAL"],
    ["convert", "models/model_from_here.safetensors", "models/model.pth"],
    ["serve", "--models", "models/MODEL.safetensors", "--port", "0"],
  ];
  for (const args of cases) {
    const { code, out, err } = await runCli(folder, args, { permissions: ["-A"] });
    assert.equal(code, 1, err);
    assert.equal(out, "");
    assert.match(err, /^Cannot read the model '[^']+': there is no such file: /, args.join(" "));
    assert.ok(err.endsWith(`${there}\n`), err);
  }
  await Deno.remove(folder.at("models"), { recursive: true });
  const { err } = await runCli(folder, cases[0], { permissions: ["-A"] });
  assert.match(err, /: train a model first: .*run -A cli\.ts -t acl -p sagittal\n$/);
});
