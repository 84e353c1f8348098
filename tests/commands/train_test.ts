/**
 * Training from the command line, as a user does it: another process, with the documented
 * permissions, on files.
 */
import assert from "node:assert/strict";
import { encodeNpy } from "../../lib/data/npy.ts";
import { commandLine } from "../../lib/invocation.ts";
import { readMRNet } from "../../lib/model/weights/read.ts";
import {
  cliCommand,
  type Outcome,
  runCli,
  type RunOptions,
  withoutDriver,
} from "../support/cli.ts";
import {
  copyFolder,
  examBytes,
  npyHead,
  NUMPY_DATASET,
  TemporaryFolder,
  voxels,
  writeTinyDataset,
} from "../support/folders.ts";
import { readEvents } from "../support/events.ts";

const ACL = ["-t", "acl", "-p", "coronal"];
const QUICK = ["--weights", "none", "--seed", "1", "--lr", "1e-4", "--backend", "wasm"];

const METRIC = "\\d+\\.\\d{4}";

/** A folder with a dataset in it, and what a user finds there after training. */
async function withTinyDataset(body: (folder: TemporaryFolder) => Promise<void>): Promise<void> {
  await using folder = await TemporaryFolder.make();
  await writeTinyDataset(folder);
  await body(folder);
}

/** The lines of a text, the last one's end left out. */
function lines(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

Deno.test("a set that NumPy wrote trains in one command, and leaves model and logs", async () => {
  await using folder = await TemporaryFolder.make();
  await copyFolder(NUMPY_DATASET, folder.at("data"));
  const { code, out, err } = await runCli(folder, [
    ...["-t", "meniscus", "-p", "coronal", "--weights", "none", "--epochs", "2", "--seed", "1"],
    ...["--lr", "1e-4", "--log_every", "3", "--backend", "wasm"],
  ]);
  assert.equal(code, 0, err);

  const results = lines(out);
  assert.equal(results.length, 6);
  for (const epoch of [1, 2]) {
    assert.match(
      results[epoch - 1],
      new RegExp(
        `^epoch ${epoch} / 2 \\| train loss : ${METRIC} \\| train auc ${METRIC} \\| ` +
          `val loss ${METRIC} \\| val auc ${METRIC} \\| elapsed time \\d:\\d\\d$`,
      ),
    );
  }
  const [, valAuc, best] = /^Best validation AUC (\d\.\d{4}) in epoch ([12])$/.exec(results[2])!;
  const checkpoint = /^Checkpoint: (models\/.*)$/.exec(results[3])![1];
  const logs = /^Logs: {7}(logs\/meniscus\/coronal\/\d{8}-\d{6})$/.exec(results[4])![1];
  assert.equal(results[5], `Curves:     ${logs}/curves.html, to open in a browser`);

  const remarks = lines(err);
  assert.match(
    remarks[0],
    /^Engine: WebAssembly on the processor, (one thread|\d+ threads) \(asked for by name\)$/,
  );
  assert.equal(
    remarks[1],
    "Recipe: reference, changed: input raw, loss weighted by output, weight decay 0.1, 2 epochs at " +
      "most, early stop after 5, lr × 0.3 after 3 epochs on a plateau, rotation ±25°, shift ±0.11 of " +
      "the side, flip 0.5",
  );
  assert.equal(remarks[2], "Exams:  8 to train on, 4 to validate on; seed 1");
  assert.match(
    remarks[3],
    /^Checks: 8 training exams, 50 % with the finding; 2–3 slices of 64×64; grey values 45\.2 ± 40\.2; odd: all 8 exams: MRNet's exams have 17 to 61 slices, .*\(doctor tells more\)$/,
  );
  assert.equal(remarks[4], `Logs:   ${logs}`);
  // A line every third exam: at 3 and at 6, in both epochs.
  const every = remarks.filter((line) => line.startsWith("["));
  assert.deepEqual(
    every.map((line) => /^\[Epoch: (\d) \/ 2 \| Single batch number : (\d) \/ 8\]/.exec(line)!)
      .map(([, epoch, exam]) => `${epoch}:${exam}`),
    ["1:3", "1:6", "2:3", "2:6"],
  );
  for (const line of every) {
    assert.match(
      line,
      new RegExp(
        `\\] \\| avg train loss ${METRIC} \\| train auc : (${METRIC}|undefined) \\| lr : 0\\.0001$`,
      ),
    );
  }
  assert.ok(remarks.includes(`Kept ${checkpoint}`));

  assert.match(
    checkpoint,
    new RegExp(
      `^models/model_mrnet_meniscus_coronal_val_auc_${valAuc}_train_auc_${METRIC}` +
        `_epoch_${best}\\.safetensors$`,
    ),
  );
  assert.deepEqual(await folder.files("models"), [checkpoint.slice("models/".length)]);
  const { tensors, metadata } = await readMRNet(folder.at(checkpoint));
  assert.equal(tensors.size, 12);
  assert.equal(metadata.task, "meniscus");

  const files = await folder.files(logs);
  assert.equal(files.length, 5);
  const [config, curves, events, history, state] = files;
  assert.deepEqual(
    [config, curves, history, state],
    ["config.json", "curves.html", "history.csv", "state.safetensors"],
  );
  assert.equal(JSON.parse(await folder.text(`${logs}/config.json`)).lr, 1e-4);
  const rows = lines(await folder.text(`${logs}/history.csv`));
  assert.equal(rows[0], "epoch,train_loss,train_auc,val_loss,val_auc,lr,seconds");
  assert.deepEqual(rows.slice(1).map((row) => row.split(",")[0]), ["1", "2"]);
  assert.ok(rows.slice(1).every((row) => /^\d(,[\d.]+){6}$/.test(row)));

  const counts = new Map<string, number>();
  for (const { scalars } of readEvents(await Deno.readFile(folder.at(logs, events)), events)) {
    for (const { tag } of scalars) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  }
  assert.deepEqual(
    [...counts].sort(),
    [
      ["Train/AUC", 16],
      ["Train/AUC_epoch", 2],
      ["Train/Loss", 16],
      ["Val/AUC", 8],
      ["Val/AUC_epoch", 2],
      ["Val/Loss", 8],
    ],
  );
});

Deno.test("options do what they say", () =>
  withTinyDataset(async (folder) => {
    const train = async (...more: string[]) => {
      const { code, out, err } = await runCli(folder, [...ACL, ...QUICK, ...more]);
      assert.equal(code, 0, err);
      return { out: lines(out), err: lines(err) };
    };
    // So small a rate that nothing changes: the second epoch brings no improvement.
    const still = ["--lr", "1e-30", "--shuffle", "0", "--augment", "0", "--log_every", "1"];
    const early = await train(...still, "--epochs", "9", "--patience", "1", "--save_model", "0");
    const metrics = early.out.slice(0, 2).map((line) => line.replace(/^epoch \d|elapsed.*/g, ""));
    assert.equal(metrics[0], metrics[1]);
    assert.deepEqual(early.out.slice(2, 4), [
      "Best validation AUC 0.5000 in epoch 1",
      "Checkpoint: none was kept",
    ]);
    assert.equal(early.err.at(-1), "Stopped early: the validation loss no longer improves.");
    assert.equal(early.err.filter((line) => line.startsWith("[Epoch")).length, 4);
    assert.ok(early.err.every((line) => !line.startsWith("Kept")));
    await assert.rejects(Deno.stat(folder.at("models")), Deno.errors.NotFound);

    // Other names for the folders; what an earlier run kept stays, its logs go.
    await folder.write("models/model_mrnet_acl_coronal_val_auc_0.4000_other.safetensors", "mine");
    await folder.write("logs/acl/coronal/notes/config.json", "mine");
    const flushed = await train(
      ...["--epochs", "1", "--flush_history", "1", "--prefix_name", "second"],
      ...["--models", "models/kept", "--logs", "logs", "--in_memory", "1"],
    );
    assert.ok(flushed.err.includes("Removed the logs of 1 earlier runs"), flushed.err.join("\n"));
    const logs = await folder.files("logs/acl/coronal");
    assert.equal(logs.length, 6);
    assert.equal(logs.at(-1), "notes/config.json");
    assert.deepEqual(
      (await folder.files("models")).map((name) => name.replace(/_val.*/, "")),
      ["kept/model_second_acl_coronal", "model_mrnet_acl_coronal"],
    );
  }));

Deno.test("the help names every option with its default, and needs no permission", async () => {
  await using folder = await TemporaryFolder.make();
  const help = await runCli(folder, ["--help"], { permissions: [] });
  assert.equal(help.code, 0, help.err);
  assert.equal(help.err, "");
  // What stands ahead of training's own options are the other commands, which name some of them.
  const [, own] = help.out.split("Usage: cli.ts train");
  const text = own.replace(/\s+/g, " ");
  for (
    const [flag, byDefault] of [
      ["-t, --task <{abnormal,acl,meniscus}>"],
      ["-p, --plane <{sagittal,coronal,axial}>"],
      ["--prefix_name", '"mrnet"'],
      ["--augment", "1"],
      ["--lr_scheduler", '"plateau"'],
      ["--gamma", "0.5"],
      ["--epochs", "50"],
      ["--lr", "1e-5"],
      ["--flush_history", "0"],
      ["--save_model", "1"],
      ["--patience", "5"],
      ["--log_every", "100"],
      ["--data", '"data"'],
      ["--models", '"models"'],
      ["--logs", '"logs"'],
      ["--weights", '"imagenet"'],
      ["--backend", '"auto"'],
      ["--shuffle", "1"],
      ["--seed", "drawn, and printed"],
      ["--in_memory", "0"],
      ["--recipe <{reference,stanford}>", "reference"],
      ["--intensity <{raw,standardized,landmarks}>"],
      ["--loss_weights <{output,class}>"],
      ["--weight_decay <NUMBER>"],
      ["--plateau_patience <N>"],
      ["--plateau_factor <NUMBER>"],
      ["--rotation <DEGREES>"],
      ["--shift <{SHARE,PIXELSpx}>"],
      ["--flip <P>"],
      ["--tune <FRACTION>", "none"],
      ["--tune_seed <N>", "0"],
      ["--resume [FILE]"],
      ["--save_every <MINUTES>", "10"],
      ["--skip_bad_exams", "0"],
    ]
  ) {
    const at = text.indexOf(` ${flag} `);
    assert.notEqual(at, -1, `${flag} is not in the help`);
    if (byDefault === undefined) continue;
    const entry = text.slice(at + 1).split(/ -{1,2}\w/)[0] +
      text.slice(at + 1).slice(flag.length).split(" --")[0];
    assert.ok(entry.includes(`(default: ${byDefault})`), `${flag}: ${entry}`);
  }
  const short = await runCli(folder, ["train", "-h"], { permissions: [] });
  assert.equal(short.code, 0);
  assert.ok(short.out.includes("--allow-read=data,models,logs --allow-write=models,logs"));
});

/** Fails unless the command ends with this one line, exit 1 and nothing written. */
async function assertRefused(
  folder: TemporaryFolder,
  outcome: Promise<Outcome>,
  line: RegExp | string,
): Promise<void> {
  const { code, out, err } = await outcome;
  assert.equal(code, 1, err);
  assert.equal(out, "");
  assert.equal(lines(err).length, 1, err);
  if (typeof line === "string") assert.equal(err, `${line}\n`);
  else assert.match(err, line);
  assert.deepEqual(await folder.files("models"), []);
  assert.deepEqual(await folder.files("logs"), []);
}

Deno.test("bad input is refused in one line, before anything is written", async () => {
  const files: [name: string, content: string | Uint8Array, line: RegExp | string][] = [
    [
      "train-acl.csv",
      "0000,0\n0001,1,1\n",
      "Cannot read the labels 'data/train-acl.csv': line 2: 3 values instead of 2: " +
      "each line must be 'id,label' with the label 0 or 1",
    ],
    [
      "valid-acl.csv",
      "0002,0\n0003,yes\n",
      /'data\/valid-acl\.csv': line 2: .*'yes' is not 0 or 1/,
    ],
    ["train-acl.csv", "0,0\n1,1\n0000,0\n", /line 3: the id '0000' was already in line 1/],
    [
      "train-acl.csv",
      "0,0\n1,1\n7,1\n8,0\n9,1\n12,1\n",
      "Cannot use 4 of the 6 exams that 'data/train-acl.csv' names: 4 not in " +
      "'data/train/coronal' (0007–0009, 0012): copy the files there",
    ],
    ["valid-acl.csv", "2,1\n3,1\n", /'data\/valid-acl\.csv': all 2 of them are 1: a classifier/],
    ["train/coronal/0001.npy", examBytes().subarray(0, 900), /0001\.npy' .* it is truncated/],
    ["train/coronal/0001.npy", new Uint8Array([...examBytes(), 0]), /0001\.npy' .*holds 8 193/],
    ["train/coronal/0001.npy", npyHead("'|O'", "(2, 64, 64)"), /0001\.npy' .*object/],
    ["train/coronal/0001.npy", npyHead("[('a', '<f4')]", "(2, 64, 64)"), /0001\.npy' .*struct/],
    ["train/coronal/0001.npy", npyHead("'<c16'", "(2, 64, 64)"), /0001\.npy' .*complex/],
    [
      "train/coronal/0001.npy",
      npyHead("'<f8'", "(4000, 32768, 32768)"),
      /0001\.npy' .*claims 34 359 738 368 000 bytes of data but the file holds 0/,
    ],
    ["valid/coronal/0003.npy", npyHead("'|u1'", "(0, 64, 64)"), /0003\.npy' .*without a slice/],
    [
      "train/coronal/0001.npy",
      examBytes(voxels(1, 2 * 64 * 64), [2 * 64, 64]),
      /0001\.npy' .*2 dimensions instead of 3/,
    ],
  ];
  const refuse = ([name, content, line]: (typeof files)[number]) =>
    withTinyDataset(async (folder) => {
      await folder.write(`data/${name}`, content);
      await assertRefused(folder, runCli(folder, [...ACL, ...QUICK]), line);
    });
  // Two at a time, for each is a process of its own.
  for (let i = 0; i < files.length; i += 2) await Promise.all(files.slice(i, i + 2).map(refuse));
});

Deno.test("a data folder that is absent is answered with where to get one", async () => {
  await using folder = await TemporaryFolder.make();
  await assertRefused(
    folder,
    runCli(folder, ACL),
    "Cannot open the dataset in 'data': there is no 'data': ask for MRNet at " +
      "https://stanfordmlgroup.github.io/competitions/mrnet/ and unpack it there, " +
      `or make a practice set: ${commandLine("synth", "--out", "data")}`,
  );
});

Deno.test("a refused permission is answered with the flag to add", () =>
  withTinyDataset(async (folder) => {
    for (const name of ["models", "logs"]) await Deno.mkdir(folder.at(name));
    const refuse = (given: string, line: RegExp, more: string[] = []) => {
      const options: RunOptions = { permissions: given.split(" ") };
      return assertRefused(folder, runCli(folder, [...ACL, ...QUICK, ...more], options), line);
    };
    const ending = (flag: string) =>
      new RegExp(`: Deno has no permission for it: run again with ${flag}\n$`);
    await refuse("--allow-write=models,logs", ending("--allow-read=data"));
    await refuse(
      "--allow-read=data,models,logs --allow-write=models",
      ending("--allow-write=logs"),
    );
    await refuse(
      "--allow-read=data,models,logs --allow-write=logs",
      ending("--allow-write=models"),
    );
    await refuse("--allow-read=data,models --allow-write=models,logs", ending("--allow-read=logs"));
    await refuse("--allow-read=data,logs --allow-write=models,logs", ending("--allow-read=models"));
    await refuse(
      "--allow-read=data,models,logs --allow-write=models,logs",
      ending("--allow-read=weights\\.pth"),
      ["--weights", "weights.pth"],
    );
    await refuse(
      "--allow-read=data,models,logs --allow-write=models,logs",
      /Deno has no permission for the network: run again with --allow-net=download\.pytorch\.org\n$/,
      ["--weights", "imagenet"],
    );
  }));

Deno.test("weights that are none are refused", () =>
  withTinyDataset(async (folder) => {
    await folder.write("data/broken.safetensors", "nothing of the kind");
    for (const [file, found] of [["broken", ".+"], ["none", "there is no such file or folder"]]) {
      const args = [...ACL, ...QUICK, "--weights", `data/${file}.safetensors`];
      const line = new RegExp(`^Cannot read weights 'data/${file}\\.safetensors': ${found}: `);
      await assertRefused(folder, runCli(folder, args), line);
    }
  }));

Deno.test("weights or a loss that are not finite end training, and nothing of them is kept", () =>
  withTinyDataset(async (folder) => {
    const huge = new Float32Array(2 * 64 * 64).fill(3.4e38);
    await folder.write("data/train/coronal/0001.npy", encodeNpy(huge, [2, 64, 64]));
    const first = await runCli(folder, [...ACL, ...QUICK, "--shuffle", "0", "--augment", "0"]);
    assert.equal(first.code, 1);
    assert.equal(first.out, "");
    assert.match(
      lines(first.err).at(-1)!,
      /^Cannot go on training: .* epoch 1.*: lower --lr, now 0\.0001, or look at the exams/,
    );
    assert.deepEqual(await folder.files("models"), []);
    // What was logged before is there, whole.
    assert.ok((await folder.files("logs")).every((name) => !name.endsWith(".part")));

    const wild = await runCli(folder, [...ACL, ...QUICK, "--lr", "1e30", "--shuffle", "0"]);
    assert.equal(wild.code, 1);
    assert.match(lines(wild.err).at(-1)!, /^Cannot go on training: .*: lower --lr, now 1e\+30,/);
  }));

/** Starts a long training, and sends a signal as soon as a line of standard error asks for it. */
async function interrupt(
  folder: TemporaryFolder,
  signals: readonly [after: string, signal: Deno.Signal][],
) {
  const args = [...ACL, ...QUICK, "--epochs", "50", "--patience", "50", "--log_every", "1"];
  const child = cliCommand(folder, args).spawn();
  const out = new Response(child.stdout).text();
  const waiting = [...signals];
  let err = "";
  for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
    err += chunk;
    if (waiting.length > 0 && err.includes(waiting[0][0])) child.kill(waiting.shift()![1]);
  }
  const { code, signal } = await child.status;
  return { code, signal, out: await out, err: withoutDriver(err) };
}

/** Everything that a run has left is whole. */
async function assertWhole(folder: TemporaryFolder): Promise<void> {
  const [models, logs] = [await folder.files("models"), await folder.files("logs")];
  assert.ok(
    [...models, ...logs].every((name) => !name.endsWith(".part")),
    [...models, ...logs].join(),
  );
  for (const name of models) {
    assert.equal((await readMRNet(folder.at("models", name))).tensors.size, 12);
  }
  for (const name of logs) {
    const text = await folder.text(`logs/${name}`);
    if (name.endsWith("config.json")) JSON.parse(text);
    if (name.endsWith("history.csv")) assert.match(text, /^epoch,(.*\n)+$/);
    if (name.includes("events.")) readEvents(await Deno.readFile(folder.at("logs", name)), name);
  }
}

const noSignals = Deno.build.os === "windows";

Deno.test({
  name: "Ctrl-C ends training after the exam at hand and says what was kept",
  ignore: noSignals,
  fn: () =>
    withTinyDataset(async (folder) => {
      const { code, signal, out, err } = await interrupt(folder, [["[Epoch: 2", "SIGINT"]]);
      assert.deepEqual([code, signal], [130, null]);
      assert.match(
        err,
        /\nStopping after the exam at hand; press Ctrl-C again to stop at once\.\n/,
      );
      assert.match(err, /\nInterrupted in epoch \d+\.\n$/);
      const [model] = await folder.files("models");
      assert.match(
        out,
        new RegExp(
          `\nBest validation AUC 0\\.5000 in epoch 1\nCheckpoint: models/${model}\nLogs: `,
        ),
      );
      await assertWhole(folder);
      const history = (await folder.files("logs")).find((name) => name.endsWith("history.csv"));
      assert.match(await folder.text(`logs/${history}`), /\n1,/);
    }),
});

Deno.test({
  name: "a request to terminate before the first epoch is over leaves no model, and says so",
  ignore: noSignals,
  fn: () =>
    withTinyDataset(async (folder) => {
      const { code, out, err } = await interrupt(folder, [["Logs:", "SIGTERM"]]);
      assert.equal(code, 130);
      assert.match(err, /Interrupted in epoch 1\.\n$/);
      assert.match(out, /^No epoch was completed\.\nCheckpoint: none was kept\nLogs: {7}logs\//);
      assert.deepEqual(await folder.files("models"), []);
      await assertWhole(folder);
    }),
});

Deno.test({
  name: "a second Ctrl-C ends the process at once, and every file is whole",
  ignore: noSignals,
  fn: () =>
    withTinyDataset(async (folder) => {
      // Exams that take long enough for the second signal to come in time.
      const slow = encodeNpy(voxels(0, 40 * 160 * 160), [40, 160, 160]);
      await folder.write("data/train/coronal/0000.npy", slow);
      await folder.write("data/train/coronal/0001.npy", slow);
      const { code, signal, out } = await interrupt(folder, [
        ["[Epoch: 1 / 50 | Single batch number : 1 / 2]", "SIGINT"],
        ["Stopping after", "SIGINT"],
      ]);
      assert.ok(signal === "SIGINT" || code === 130);
      assert.ok(!out.includes("Best validation AUC"));
      await assertWhole(folder);
    }),
});

Deno.test({
  name: "what Ctrl-C has stopped goes on with --resume to the end of a run without a stop",
  ignore: noSignals,
  fn: () =>
    withTinyDataset(async (folder) => {
      const stopped = await interrupt(folder, [["[Epoch: 2", "SIGTERM"]]);
      assert.equal(stopped.code, 130);
      assert.match(
        stopped.err,
        /\nThe state is saved: go on with --resume\.\nInterrupted in epoch /,
      );
      const logs = /Logs: {7}(\S+)\n/.exec(stopped.out)![1];
      const resume = [...ACL, "--resume", "--epochs", "3"];
      const { code, out, err } = await runCli(folder, resume);
      assert.equal(code, 0, err);
      assert.match(err, /\nGoes on after \d epochs?(, and \d training and \d validation exams)?\n/);
      assert.ok(err.includes("Exams:  2 to train on, 2 to validate on; seed 1\n"), err);
      assert.ok(err.includes(`Logs:   ${logs}\n`));
      const history = lines(await folder.text(`${logs}/history.csv`));
      assert.deepEqual(history.slice(1).map((row) => row.split(",")[0]), ["1", "2", "3"]);
      const whole = await runCli(folder, [
        ...ACL,
        ...QUICK,
        "--epochs",
        "3",
        "--logs",
        "logs/whole",
      ]);
      const [other] = (await folder.files("logs/whole")).filter((name) => name.endsWith(".csv"));
      const metrics = (rows: string[]) => rows.map((row) => row.replace(/,[^,]*$/, ""));
      assert.deepEqual(
        metrics(history),
        metrics(lines(await folder.text(`logs/whole/${other}`))),
        whole.err,
      );
      // At its end there is nothing left to do; what it printed last is printed again.
      const again = await runCli(folder, [...ACL, "--resume", logs]);
      assert.equal(again.code, 0, again.err);
      assert.match(
        again.err,
        /\nThat run is at its end; with more --epochs or --patience it goes /,
      );
      assert.equal(again.out, out.slice(out.indexOf("Best validation")));
    }),
});

Deno.test("what cannot be gone on with is refused in one line", () =>
  withTinyDataset(async (folder) => {
    const none = await runCli(folder, [...ACL, "--resume"]);
    assert.deepEqual([none.code, none.out], [1, ""]);
    assert.equal(
      none.err,
      "Cannot go on with a run of acl, coronal, prefix 'mrnet': there is none in 'logs': " +
        "start one without --resume\n",
    );
    const first = await runCli(folder, [...ACL, ...QUICK, "--epochs", "1"]);
    assert.equal(first.code, 0, first.err);
    const other = await runCli(folder, [...ACL, "--resume", "--lr", "0.1", "--flip", "1"]);
    assert.equal(other.code, 1);
    assert.match(
      other.err,
      /^Cannot go on with 'logs\/.*': this is lr 0\.1 instead of 0\.0001, flip 1 instead of 0\.5: /,
    );
    assert.equal(lines(other.err).length, 1);
    const flush = await runCli(folder, [...ACL, "--resume", "--flush_history", "1"]);
    assert.match(flush.err, /^Cannot go on with a run and remove the earlier logs, its own among/);
    assert.equal(flush.code, 1);
    const wrong = await runCli(folder, [...ACL, "--save_every", "-1"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /argument --save_every: invalid value: -1 \(must be at least 0\)/);
    assert.match(wrong.err, /\[--resume \[FILE\]\]/);
  }));

Deno.test("exams that are left out are listed at the end", () =>
  withTinyDataset(async (folder) => {
    await folder.write("data/train-acl.csv", "0,0\n1,1\n7,1\n");
    const refused = await runCli(folder, [...ACL, ...QUICK, "--epochs", "1"]);
    assert.match(refused.err, /^Cannot use 1 of the 3 exams/);
    const { code, out, err } = await runCli(folder, [
      ...[...ACL, ...QUICK, "--epochs", "1", "--skip_bad_exams", "1"],
    ]);
    assert.equal(code, 0, err);
    assert.deepEqual(lines(out).slice(-2), [
      "Left out:   1 exam that could not be read",
      "  to train on, 0007: there is no 'data/train/coronal/0007.npy'",
    ]);
  }));

const adapter = await navigator.gpu?.requestAdapter().catch(() => null) ?? null;
const noAdapter = adapter === null && Deno.env.get("MRNET_REQUIRE_WEBGPU") !== "1";

Deno.test({
  name: "the same permissions are enough on WebGPU" +
    (noAdapter ? " (skipped: this machine has no WebGPU adapter)" : ""),
  ignore: noAdapter,
  fn: () =>
    withTinyDataset(async (folder) => {
      const args = [...ACL, ...QUICK, "--backend", "webgpu", "--epochs", "1"];
      const { code, out, err } = await runCli(folder, args);
      assert.equal(code, 0, err);
      assert.match(err, /^Engine: WebGPU on .* \(asked for by name\)\n/);
      assert.match(out, /^epoch 1 \/ 1 \|/);
      assert.equal((await folder.files("models")).length, 1);
    }),
});
