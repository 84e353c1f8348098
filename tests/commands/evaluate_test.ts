/**
 * Evaluating a model from the command line, as a user does it: another process, with the documented
 * permissions, on files.
 */
import assert from "node:assert/strict";
import { isTuneExam } from "../../lib/data/tune.ts";
import { encodeNpy } from "../../lib/data/npy.ts";
import { writeWhole } from "../../lib/files.ts";
import { rocAuc } from "../../lib/metrics/roc.ts";
import type { ModelCard } from "../../lib/model/card.ts";
import { cardMetadata } from "../../lib/model/card_metadata.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { encodePytorch } from "../../lib/model/weights/torch/write.ts";
import { encodeSafetensors } from "../../lib/model/weights/safetensors.ts";
import { createRandom } from "../../lib/random.ts";
import { type Outcome, runCli } from "../support/cli.ts";
import { runMain } from "../support/console.ts";
import { examBytes, TemporaryFolder } from "../support/folders.ts";

const READING = ["--allow-read=data,models"];
const WRITING = ["--allow-read=data,models,reports", "--allow-write=reports"];
const ACL: ModelCard = { task: "acl", plane: "coronal", intensity: "raw" };
/** What is said of models whose files have no hashes. */
const NAME_ONLY =
  "that goes by the split’s name, for the model’s file does not tell which exams these were";
const TUNE = { fraction: 0.5, seed: 0 };

/** Twelve exams of noise to train on and eight to validate on, in two planes. */
async function writeNoise(folder: TemporaryFolder): Promise<void> {
  for (const [split, first, count] of [["train", 0, 12], ["valid", 12, 8]] as const) {
    let labels = "";
    for (let i = first; i < first + count; i++) {
      const id = String(i).padStart(4, "0");
      labels += `${id},${i % 3 === 0 ? 1 : 0}\n`;
      for (const plane of ["coronal", "axial"]) {
        const random = createRandom(i, plane);
        const voxels = Uint8Array.from({ length: 2 * 64 * 64 }, () => random.integer(256));
        await folder.write(`data/${split}/${plane}/${id}.npy`, examBytes(voxels));
      }
    }
    await folder.write(`data/${split}-acl.csv`, labels);
  }
}

async function writeModel(
  folder: TemporaryFolder,
  name: string,
  card: ModelCard,
  seed = 1,
): Promise<void> {
  await Deno.mkdir(folder.at("models"), { recursive: true });
  const state = initialWeights(seed);
  await writeWhole(folder.at("models", name), encodeSafetensors(state, cardMetadata(card)));
}

Deno.test("evaluate says which exams are far from 0–255", () =>
  withModel(async (run, folder) => {
    for (const id of ["0013", "0017"]) {
      const voxels = Float32Array.from({ length: 2 * 64 * 64 }, (_, i) => i % 256 / 255);
      await folder.write(`data/valid/coronal/${id}.npy`, encodeNpy(voxels, [2, 64, 64]));
    }
    const { code, out, err } = await run(["--json"]);
    assert.equal(code, 0, err);
    const said =
      /^Do not rely on what it says of '0013' and 1 more: its values go from 0 to 1, as after a division/;
    assert.match(JSON.parse(out).cautions.at(-1), said);
    assert.match(err, new RegExp(said.source, "m"));
  }));

/** A folder with data and a model that says everything of itself. */
async function withModel(
  body: (
    run: (args: string[], permissions?: string[]) => Promise<Outcome>,
    folder: TemporaryFolder,
  ) => Promise<void>,
  card = ACL,
): Promise<void> {
  await using folder = await TemporaryFolder.make();
  await writeNoise(folder);
  await writeModel(folder, "a.safetensors", card);
  const begin = ["evaluate", "--model", "models/a.safetensors", "--backend", "wasm", "--seed", "1"];
  await body(
    (args, permissions = READING) =>
      runCli(folder, [...begin, "--threads", "1", ...args], { permissions }),
    folder,
  );
}

/** The last remark of a run. */
function lastLine({ err }: Outcome): string {
  return err.trimEnd().split("\n").at(-1)!;
}

Deno.test("evaluate prints a table, and writes predictions and a report where asked", async () => {
  await withModel(async (run, folder) => {
    const table = await run(["--out", "reports/first", "--threshold", "0.4"], WRITING);
    assert.equal(table.code, 0, table.err);
    assert.match(table.out, /^Exams +8, 3 with the finding\nAUC +\d\.\d{3} \(95 % CI /);
    assert.match(
      table.out,
      /\n {28}at 0\.5 +at 0\.4\n {28}\(default\) +\(as asked\)\nSensitivity /,
    );
    assert.match(table.err, /^Engine: WebAssembly/);
    assert.match(table.err, /\nModel: {2}models\/a\.safetensors \(ACL tear, coronal plane\)\n/);
    assert.match(table.err, /\nExams: {2}8, 3 with the finding; seed 1\n/);
    assert.match(table.err, /\nNo metrics at an operating point: the model's file names none\n/);
    assert.equal(
      lastLine(table),
      "Wrote reports/first/predictions.csv and reports/first/report.html",
    );

    assert.deepEqual(await folder.files("reports"), ["first/predictions.csv", "first/report.html"]);
    const [head, ...rows] = (await folder.text("reports/first/predictions.csv")).trim().split("\n");
    assert.equal(head, "exam,label,probability,logit");
    const cells = rows.map((row) => row.split(","));
    assert.deepEqual(
      cells.map(([id]) => id),
      [12, 13, 14, 15, 16, 17, 18, 19].map((n) => `00${n}`),
    );
    const report = await folder.text("reports/first/report.html");
    assert(report.includes("<h1>ACL tear, coronal plane</h1>") && report.endsWith("</html>\n"));

    const json = await run(["--json"]);
    assert.equal(json.code, 0, json.err);
    const [object, ...more] = json.out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(more, []);
    const [labels, scores] = [cells.map(([, l]) => Number(l)), cells.map(([, , p]) => Number(p))];
    assert.equal(object.auc, rocAuc(labels, scores));
    assert.equal(object.exams, 8);
    assert.match(object.sha256, /^[0-9a-f]{64}$/);
    assert(report.includes(object.sha256));
    assert.deepEqual(object.bootstrap, { seed: 1, samples: 2000 });
  });
});

Deno.test("metrics at the operating point are given only where other exams chose it", async () => {
  const at = (exams: "tune" | "valid"): ModelCard => ({
    ...ACL,
    tune: TUNE,
    operatingPoint: { threshold: 0.25, rule: "youden", exams },
  });
  await withModel(async (run, folder) => {
    const kinds = async (args: string[]) => {
      const { out, code, err } = await run(["--json", ...args]);
      assert.equal(code, 0, err);
      const { thresholds, no_operating_point, exams } = JSON.parse(out);
      return [thresholds.map(({ kind }: { kind: string }) => kind), no_operating_point, exams];
    };
    assert.deepEqual(await kinds([]), [["half", "operating_point"], null, 8]);
    const kept = Array.from({ length: 12 }, (_, i) => String(i).padStart(4, "0"))
      .filter((id) => isTuneExam(id, TUNE));
    assert.deepEqual(await kinds(["--split", "tune"]), [
      ["half"],
      `it was chosen by these very exams (tune); ${NAME_ONLY}`,
      kept.length,
    ]);
    assert.deepEqual(await kinds(["--split", "train"]), [
      ["half", "operating_point"],
      null,
      12 - kept.length,
    ]);
    await writeModel(folder, "a.safetensors", at("valid"));
    assert.deepEqual(await kinds([]), [
      ["half"],
      `it was chosen by these very exams (valid); ${NAME_ONLY}`,
      8,
    ]);
    assert.match((await run(["--split", "train"])).err, /was trained on these exams/);
  }, at("tune"));
});

Deno.test("each of two models is evaluated at its own operating point, and told what it owes", async () => {
  const at = (threshold: number, exams: "tune" | "valid"): ModelCard => ({
    ...ACL,
    operatingPoint: { threshold, rule: "youden", exams },
  });
  const chosen = "These exams chose the model’s epoch: its AUC on them is the best of several; " +
    `${NAME_ONLY}.`;
  await withModel(async (run, folder) => {
    await writeModel(folder, "b.safetensors", at(0.75, "tune"), 2);
    await writeModel(folder, "c.safetensors", at(0.5, "valid"), 3);
    const told = async (other: string) => {
      const args = ["--json", "--threshold", "0.4", "--against", `models/${other}`];
      const { out, err, code } = await run(args);
      assert.equal(code, 0, err);
      const { thresholds, no_operating_point, cautions, against: [against] } = JSON.parse(out);
      const at = (all: { kind: string; threshold: number }[]) =>
        all.map(({ kind, threshold }) => `${kind} ${threshold}`);
      return {
        first: [at(thresholds), no_operating_point, cautions],
        second: [at(against.thresholds), against.no_operating_point, against.cautions],
        chosen: err.split("\n").filter((line) => line.includes("These exams chose")),
      };
    };
    const first = [["half 0.5", "operating_point 0.25", "given 0.4"], null, []];
    assert.deepEqual(await told("b.safetensors"), {
      first,
      second: [["half 0.5", "operating_point 0.75", "given 0.4"], null, []],
      chosen: [],
    });
    const why = `it was chosen by these very exams (valid); ${NAME_ONLY}`;
    assert.deepEqual(await told("c.safetensors"), {
      first,
      second: [["half 0.5", "given 0.4"], why, [chosen]],
      chosen: [`models/c.safetensors: ${chosen}`],
    });
    const { out, err } = await run(["--model", "models/c.safetensors", "--json"]);
    assert.deepEqual(JSON.parse(out).cautions, [chosen]);
    assert.ok(err.includes(`\n${chosen}\n`), err);
  }, at(0.25, "tune"));
});

Deno.test("two models are tested against each other by the same exams, in whatever planes", async () => {
  await withModel(async (run, folder) => {
    await writeModel(folder, "b.safetensors", { ...ACL, plane: "axial" }, 2);
    const { code, out, err } = await run(["--against", "models/b.safetensors"]);
    assert.equal(code, 0, err);
    assert.match(
      out,
      /\nAgainst models\/b\.safetensors \(axial plane\)\nAUC .*\nDifference .*\nDeLong's test +z = -?\d/,
    );
    const same = await run(["--against", "models/a.safetensors", "--json"]);
    const { against: [against] } = JSON.parse(same.out);
    assert.deepEqual([against.auc_difference, against.z, against.p], [0, 0, 1]);
  });
});

Deno.test("a threshold by a rule is chosen on the tune exams, or refused in one line", async () => {
  await withModel(async (run) => {
    const rule = (text: string) => ["--operating_point", text];
    const tune = await run(["--split", "tune", "--json"]);
    const { code, out, err } = await run([...rule("cost=1"), "--json"]);
    assert.equal(code, 0, err);
    const chosen = JSON.parse(out).thresholds.at(-1);
    assert.deepEqual([chosen.kind, chosen.rule], ["rule", "cost=1"]);
    const at = await run(["--split", "tune", "--threshold", `${chosen.threshold}`, "--json"]);
    const mistakes = (text: string) =>
      JSON.parse(text).thresholds.map((each: Record<string, number>) =>
        each.false_positives + each.false_negatives
      );
    // On the exams that chose it there is no threshold with fewer mistakes.
    assert.ok(mistakes(at.out).at(-1) <= Math.min(...mistakes(tune.out)));
    const table = await run(rule("cost=1"));
    assert.match(table.out, /\(cost=1\)/);
    const refused = await run([...rule("cost=1"), "--split", "tune"]);
    assert.equal(
      lastLine(refused),
      "Cannot choose the operating point cost=1 of 'models/a.safetensors': its tune exams are " +
        "evaluated themselves: evaluate another split, or give a threshold",
    );
    const none = await run(rule("sensitivity=2"));
    assert.equal(none.code, 2);
    assert.match(
      lastLine(none),
      /argument --operating_point: invalid value: 'sensitivity=2' \(must be/,
    );
  }, { ...ACL, tune: TUNE });
  await withModel(async (run) => {
    assert.equal(
      lastLine(await run(["--operating_point", "youden"])),
      "Cannot choose the operating point youden of 'models/a.safetensors': it was trained without a " +
        "tune split, and no other exams may choose it: train with a tune split, or give a threshold",
    );
  });
});

Deno.test("evaluate takes patients, groups and several other models", async () => {
  await withModel(async (run, folder) => {
    await writeModel(folder, "b.safetensors", ACL, 2);
    await writeModel(folder, "c.safetensors", { ...ACL, plane: "axial" }, 3);
    const ids = Array.from({ length: 8 }, (_, i) => 12 + i);
    const patients = ids.map((id) => `${id},p${id >> 1}`);
    await folder.write("data/patients.csv", `id,patient\n${patients.join("\n")}\n`);
    await folder.write("data/groups.csv", "id,side\n12,left\n13,left\n14,left\n15,left\n");
    const args = ["--patients", "data/patients.csv", "--groups", "data/groups.csv"];
    const others = ["--against", "models/b.safetensors", "--against", "models/c.safetensors"];
    const { code, out, err } = await run([...args, ...others, "--json"]);
    assert.equal(code, 0, err);
    const { patients: count, exams_found, groups: [{ column, unknown, groups }], against } = JSON
      .parse(out);
    assert.deepEqual([count, exams_found, column, unknown], [4, 8, "side", 4]);
    assert.deepEqual(
      groups.map((
        { value, exams, positives, small }: Record<string, unknown>,
      ) => [value, exams, positives, small]),
      [["left", 4, 2, true]],
    );
    assert.deepEqual(against.map(({ plane }: { plane: string }) => plane), ["coronal", "axial"]);
    for (const { p, p_adjusted } of against) assert(p === null || p_adjusted >= p);
    const wrong = await run(["--patients", "data/groups.csv"]);
    assert.equal(wrong.code, 1);
    assert.equal(
      lastLine(wrong),
      "Cannot use the table of exams 'data/groups.csv': it has no column 'patient', but 'side': " +
        "begin it with the line 'id,patient'",
    );
  });
});

Deno.test("a file of PyTorch is evaluated once task and plane are given", async () => {
  await withModel(async (run, folder) => {
    await writeWhole(folder.at("models/a.pth"), encodePytorch(initialWeights(1)));
    const told = await run(["--model", "models/a.pth", "-t", "acl", "-p", "coronal", "--json"]);
    assert.equal(told.code, 0, told.err);
    const known = await run(["--json"]);
    const without = (text: string) => ({ ...JSON.parse(text), model: "", sha256: "" });
    assert.deepEqual(without(told.out), without(known.out));
    const raw = "'models/a.pth' does not say how its model's input is prepared: taken as raw";
    assert.equal(lastLine(told), raw);
    assert.ok(!known.err.includes("taken as raw"));
    const against = await run(["--against", "models/a.pth", "--json"]);
    assert.equal(JSON.parse(against.out).against[0].plane, "coronal");
    assert.equal(lastLine(against), raw);

    // What nobody says is not taken from the first model where the user knows better.
    await writeModel(folder, "s.safetensors", {
      ...ACL,
      plane: "axial",
      intensity: "standardized",
    });
    const standardized = await run(["--model", "models/s.safetensors", "--json"]);
    const tell = (...args: string[]) => run(["--against", "models/a.pth", "--json", ...args]);
    const other = await tell("--against_plane", "axial", "--against_intensity", "standardized");
    assert.equal(other.code, 0, other.err);
    assert.ok(!other.err.includes("taken as raw"));
    const { against: [{ plane, intensity, auc }] } = JSON.parse(other.out);
    assert.deepEqual([plane, intensity], ["axial", "standardized"]);
    assert.equal(auc, JSON.parse(standardized.out).auc);
    const refused = await run(["--model", "models/s.safetensors", "--intensity", "raw"]);
    assert.deepEqual([refused.code, refused.out], [1, ""]);
    assert.match(
      refused.err,
      /^Cannot use the model '.*s\.safetensors' with intensity raw: by its /,
    );
  });
});

Deno.test("mistakes in the arguments are told in argparse's words", async () => {
  const model = ["--model", "a.safetensors"];
  const cases: [string[], string][] = [
    [[], "the following arguments are required: --model"],
    [
      [...model, "--split", "test"],
      "argument --split: invalid choice: 'test' (choose from 'valid', 'train', 'tune')",
    ],
    [
      [...model, "--threshold", "1.5"],
      "argument --threshold: invalid value: 1.5 (must be 0 to 1)",
    ],
    [[...model, "--threshold", "high"], "argument --threshold: invalid float value: 'high'"],
    [[...model, "--seed", "-1"], "argument --seed: invalid value: -1 (must be 0 to 4294967295)"],
    [
      [...model, "-t", "knee"],
      "argument -t/--task: invalid choice: 'knee' (choose from 'abnormal', 'acl', 'meniscus')",
    ],
    [[...model, "extra"], "unrecognized arguments: extra"],
    [
      [...model, "--against_plane", "axial"],
      "argument --against_plane: not allowed without argument --against",
    ],
    [
      [...model, "--against_intensity", "raw"],
      "argument --against_intensity: not allowed without argument --against",
    ],
  ];
  for (const [args, words] of cases) {
    const { code, out, err } = await runMain(["evaluate", ...args]);
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.match(err, /^usage: cli\.ts evaluate \[-h\] --model FILE /);
    assert.ok(err.endsWith(`\ncli.ts: error: ${words}\n`), err);
  }
});

Deno.test("what cannot be evaluated is refused in one line, and nothing is written", async () => {
  await withModel(async (run, folder) => {
    await writeModel(folder, "meniscus.safetensors", { ...ACL, task: "meniscus" });
    await writeModel(folder, "cut.safetensors", { ...ACL, tune: TUNE });
    await writeWhole(folder.at("models/a.pth"), encodePytorch(initialWeights(1)));
    await folder.write("models/not.pth", "not a model");
    await folder.write("data/valid-meniscus.csv", "0012,1\n0013,1\n");
    await folder.write("reports/taken", "a file");
    const a = "models/a.safetensors";
    const cases: [string[], string | RegExp, string[]?][] = [
      [
        ["-t", "meniscus"],
        `Cannot use the model '${a}' for meniscus in the coronal plane: by its file it is for acl ` +
        "in the coronal plane: leave --task out, or give another model",
      ],
      [
        ["-p", "axial"],
        `Cannot use the model '${a}' for acl in the axial plane: by its file it is for acl in the ` +
        "coronal plane: leave --plane out, or give another model",
      ],
      [
        ["--model", "models/a.pth"],
        "Cannot use the model 'models/a.pth': its file does not say its task and plane: " +
        "give --task and --plane",
      ],
      [["--model", "models/not.pth"], /^Cannot read weights 'models\/not\.pth': /],
      [["--model", "models/none.pth"], /^Cannot .*'models\/none\.pth': there is no such file/],
      [
        ["--split", "tune"],
        `Cannot evaluate the model '${a}' on its tune split: it was trained without one: ` +
        "use the validation set, or train with a tune split",
      ],
      [
        ["--model", "models/cut.safetensors", "--split", "tune", "--against", a],
        `Cannot evaluate the model '${a}' on the tune split of 'models/cut.safetensors': it was ` +
        "trained with none: use the validation set",
      ],
      [
        ["--against", "models/meniscus.safetensors"],
        /^Cannot use the model 'models\/meniscus\.safetensors' for acl in the coronal plane: by /,
      ],
      [
        ["--model", "models/meniscus.safetensors"],
        /^Cannot use the labels 'data\/valid-meniscus\.csv': all 2 of them are 1: /,
      ],
      [["--data", "data/none"], /^Cannot open the dataset in 'data\/none': /],
      [
        ["--out", "reports/new"],
        /^Cannot make the folder 'reports\/new': Deno has no permission for it: run again with --allow-(read|write)=reports$/,
        READING,
      ],
      [["--out", "reports/taken"], /^Cannot make the folder 'reports\/taken': .*: /],
    ];
    for (const [args, line, permissions = WRITING] of cases) {
      const { code, out, err } = await run(args, permissions);
      const what = `evaluate ${args.join(" ")}`;
      assert.equal(code, 1, `${what}: ${err}`);
      assert.equal(out, "", what);
      const [first, ...more] = err.trimEnd().split("\n");
      assert.deepEqual(more, [], what);
      if (typeof line === "string") assert.equal(first, line, what);
      else assert.match(first, line, what);
    }
    assert.deepEqual(await folder.files("reports"), ["taken"]);
  });
});
