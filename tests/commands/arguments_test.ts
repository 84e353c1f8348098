import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  choice,
  Command,
  numberAbove,
  numberWithin,
  option,
  type Reader,
  text,
  UsageError,
  usageOf,
  wholeNumber,
  zeroOrOne,
} from "../../lib/commands/arguments.ts";
import { runMain } from "../support/console.ts";

/** What a reader makes of a text: its value, or the message it refuses it with. */
function read<T>(reader: Reader<T>, text: string): T | string {
  try {
    return reader(text);
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message;
  }
}

Deno.test("a choice is one of the words, exactly", () => {
  const reader = choice(["acl", "meniscus"]);
  assert.equal(read(reader, "acl"), "acl");
  for (const text of ["ACL", "ac", "", " acl", "toString", "0"]) {
    assert.equal(
      read(reader, text),
      `invalid choice: '${text}' (choose from 'acl', 'meniscus')`,
    );
  }
});

Deno.test("a switch is 0 or 1", () => {
  assert.deepEqual(["0", "1", "+1", "01"].map(zeroOrOne), [false, true, true, true]);
  assert.equal(read(zeroOrOne, "2"), "invalid choice: 2 (choose from 0, 1)");
  assert.equal(read(zeroOrOne, "-1"), "invalid choice: -1 (choose from 0, 1)");
  for (const text of ["yes", "true", "", "1.0", "1e0"]) {
    assert.equal(read(zeroOrOne, text), `invalid int value: '${text}'`);
  }
});

Deno.test("a whole number is written with digits and within its bounds", () => {
  assert.equal(read(wholeNumber(), "-12"), -12);
  assert.equal(read(wholeNumber(1), " 7 "), 7);
  assert.equal(read(wholeNumber(0, 9), "9"), 9);
  for (const text of ["", "x", "1.5", "1e3", "0x10", "1_000", "½", "99999999999999999999", "1 2"]) {
    assert.equal(read(wholeNumber(), text), `invalid int value: '${text}'`);
  }
  assert.equal(read(wholeNumber(1), "0"), "invalid value: 0 (must be at least 1)");
  assert.equal(read(wholeNumber(0, 9), "10"), "invalid value: 10 (must be 0 to 9)");
  fc.assert(fc.property(fc.maxSafeInteger(), (value) => {
    return read(wholeNumber(), `${value}`) === value;
  }));
});

Deno.test("a number is written as Python writes one", () => {
  const above = numberAbove(0);
  for (
    const [text, value] of [["1e-4", 1e-4], ["0.5", 0.5], [".5", 0.5], ["5.", 5], ["+1E2", 100]]
  ) {
    assert.equal(read(above, `${text}`), value);
  }
  for (
    const text of ["", " ", "x", "1,5", "0x10", "0b1", "1e", "--1", "Infinity", "nan", "1e999"]
  ) {
    assert.equal(read(above, text), `invalid float value: '${text}'`);
  }
  assert.equal(read(above, "0"), "invalid value: 0 (must be above 0)");
  assert.equal(read(above, "-2"), "invalid value: -2 (must be above 0)");
  const numbers = fc.double({ min: 1e-300, noNaN: true, noDefaultInfinity: true });
  fc.assert(fc.property(numbers, (value) => read(above, `${value}`) === value));
});

Deno.test("a number keeps to its bounds", () => {
  const between = numberAbove(0, 1);
  assert.equal(read(between, "0.3"), 0.3);
  for (const text of ["0", "1", "-2", "7"]) {
    assert.equal(read(between, text), `invalid value: ${text} (must be above 0 and below 1)`);
  }
  const within = numberWithin(0, 180);
  assert.deepEqual(["0", "180", "12.5"].map((text) => read(within, text)), [0, 180, 12.5]);
  assert.equal(read(within, "181"), "invalid value: 181 (must be 0 to 180)");
  assert.equal(read(within, "x"), "invalid float value: 'x'");
  assert.equal(read(numberWithin(0), "-1"), "invalid value: -1 (must be at least 0)");
});

Deno.test("a text is anything but nothing", () => {
  assert.equal(read(text, "my data"), "my data");
  assert.equal(read(text, ""), "invalid value: '' (must not be empty)");
});

Deno.test("the usage shows what must and what may be given, in lines of bearable length", () => {
  const command = new Command("make")
    .addOption(option("-o, --out <DIR>", "where to", text).makeOptionMandatory())
    .addOption(option("--count <N>", "how many", wholeNumber()))
    .argument("IN", "what to read")
    .argument("[MORE...]", "what else to read");
  const parent = new Command("cli.ts").addCommand(command);
  assert.equal(usageOf(parent), "usage: cli.ts [-h]");
  assert.equal(
    usageOf(command),
    "usage: cli.ts make [-h] -o DIR [--count N] IN [MORE ...]",
  );
  assert.equal(
    usageOf(new Command("cli.ts").addCommand(new Command("read")).commands[0].argument("<IN...>")),
    "usage: cli.ts read [-h] IN [IN ...]",
  );
  const many = new Command("many");
  for (let i = 0; i < 12; i++) many.addOption(option(`--option_${i} <N>`, "x", wholeNumber()));
  const lines = usageOf(new Command("cli.ts").addCommand(many) && many).split("\n");
  assert.ok(lines.length > 2 && lines.every((line) => line.length <= 88));
  assert.ok(
    lines.slice(1).every((line) => line.startsWith(" ".repeat("usage: cli.ts many ".length))),
  );
});

const REQUIRED = ["-t", "acl", "-p", "coronal"];
/** A folder that is not there, so that arguments that are right end there. */
const NOWHERE = ["--data", "no-such-folder-of-exams"];

Deno.test("what is wrong with the arguments is said in argparse's words, after the usage", async () => {
  const tasks = "'abnormal', 'acl', 'meniscus'";
  const cases: [args: string[], words: string][] = [
    [[], "the following arguments are required: -t/--task, -p/--plane"],
    [["train"], "the following arguments are required: -t/--task, -p/--plane"],
    [["-t", "acl"], "the following arguments are required: -p/--plane"],
    [["--plane", "axial"], "the following arguments are required: -t/--task"],
    [["-t", "knee"], `argument -t/--task: invalid choice: 'knee' (choose from ${tasks})`],
    [["-tknee"], `argument -t/--task: invalid choice: 'knee' (choose from ${tasks})`],
    [["--task=knee"], `argument -t/--task: invalid choice: 'knee' (choose from ${tasks})`],
    [
      ["-t", "acl", "-p", "oblique"],
      "argument -p/--plane: invalid choice: 'oblique' " +
      "(choose from 'sagittal', 'coronal', 'axial')",
    ],
    [
      ["--lr_scheduler", "2"],
      "argument --lr_scheduler: invalid choice: '2' (choose from '0', '1', 'plateau', 'step')",
    ],
    [
      ["--backend", "cuda"],
      "argument --backend: invalid choice: 'cuda' (choose from 'auto', 'webgpu', 'wasm', 'cpu')",
    ],
    [["--augment", "2"], "argument --augment: invalid choice: 2 (choose from 0, 1)"],
    [["--shuffle", "no"], "argument --shuffle: invalid int value: 'no'"],
    [["--epochs", "1.5"], "argument --epochs: invalid int value: '1.5'"],
    [["--epochs", "0"], "argument --epochs: invalid value: 0 (must be at least 1)"],
    [["--epochs", "-3"], "argument --epochs: invalid value: -3 (must be at least 1)"],
    [["--patience", "-1"], "argument --patience: invalid value: -1 (must be at least 0)"],
    [["--log_every", "0"], "argument --log_every: invalid value: 0 (must be at least 1)"],
    [["--threads", "0"], "argument --threads: invalid value: 0 (must be 1 to 64)"],
    [["--threads", "65"], "argument --threads: invalid value: 65 (must be 1 to 64)"],
    [["--threads", "two"], "argument --threads: invalid int value: 'two'"],
    [["--lr", "fast"], "argument --lr: invalid float value: 'fast'"],
    [
      ["--recipe", "harvard"],
      "argument --recipe: invalid choice: 'harvard' (choose from 'reference', 'stanford')",
    ],
    [
      ["--intensity", "bright"],
      "argument --intensity: invalid choice: 'bright' (choose from 'raw', 'standardized', 'landmarks')",
    ],
    [
      ["--loss_weights", "exam"],
      "argument --loss_weights: invalid choice: 'exam' (choose from 'output', 'class')",
    ],
    [["--weight_decay", "-1"], "argument --weight_decay: invalid value: -1 (must be at least 0)"],
    [["--weight_decay", "x"], "argument --weight_decay: invalid float value: 'x'"],
    [
      ["--plateau_patience", "-1"],
      "argument --plateau_patience: invalid value: -1 (must be at least 0)",
    ],
    [
      ["--plateau_factor", "1"],
      "argument --plateau_factor: invalid value: 1 (must be above 0 and below 1)",
    ],
    [["--rotation", "200"], "argument --rotation: invalid value: 200 (must be 0 to 180)"],
    [
      ["--shift", "25"],
      "argument --shift: invalid value: '25' " +
      "(must be a share of the side of 0 to 1, such as 0.11, or pixels, such as 25px)",
    ],
    [["--tune", "1"], "argument --tune: invalid value: 1 (must be above 0 and below 1)"],
    [["--tune", "ten"], "argument --tune: invalid float value: 'ten'"],
    [
      ["--tune", "0.1", "--tune_seed", "-1"],
      "argument --tune_seed: invalid value: -1 " +
      "(must be 0 to 4294967295)",
    ],
    [
      [...REQUIRED, "--tune_seed", "3"],
      "argument --tune_seed: only allowed with argument --tune",
    ],
    [["--flip", "2"], "argument --flip: invalid value: 2 (must be 0 to 1)"],
    [["--brightness", "1.5"], "argument --brightness: invalid value: 1.5 (must be 0 to 1)"],
    [["--contrast", "-0.1"], "argument --contrast: invalid value: -0.1 (must be 0 to 1)"],
    [["--log_gamma", "3"], "argument --log_gamma: invalid value: 3 (must be 0 to 2)"],
    [["--noise_std", "much"], "argument --noise_std: invalid float value: 'much'"],
    [["--bias_field", "2"], "argument --bias_field: invalid value: 2 (must be 0 to 1)"],
    [["--lr", "-1"], "argument --lr: invalid value: -1 (must be above 0)"],
    [["--lr", "-1e-4"], "argument --lr: invalid value: -0.0001 (must be above 0)"],
    [["--gamma", "0"], "argument --gamma: invalid value: 0 (must be above 0)"],
    [["--seed", "-1"], "argument --seed: invalid value: -1 (must be 0 to 4294967295)"],
    [
      ["--seed", "4294967296"],
      "argument --seed: invalid value: 4294967296 (must be 0 to 4294967295)",
    ],
    [["--data", ""], "argument --data: invalid value: '' (must not be empty)"],
    [["--epochs"], "argument --epochs: expected one argument"],
    [["-t"], "argument -t/--task: expected one argument"],
    [["-t", "-p", "acl"], "argument -t/--task: expected one argument"],
    [["--epochs", "--lr", "3"], "argument --epochs: expected one argument"],
    [["--models", "--logs", "x"], "argument --models: expected one argument"],
    [[...REQUIRED, "--foo"], "unrecognized arguments: --foo"],
    [[...REQUIRED, "--foo", "3", "--bar=4"], "unrecognized arguments: --foo 3 --bar=4"],
    [[...REQUIRED, "--epohcs", "3"], "unrecognized arguments: --epohcs 3 (did you mean --epochs?)"],
    [[...REQUIRED, "--wieghts=x"], "unrecognized arguments: --wieghts=x (did you mean --weights?)"],
    [
      ["--pla", "axial"],
      "ambiguous option: --pla could match --plane, --plateau_patience, --plateau_factor",
    ],
    [["--epoch", "many"], "argument --epochs: invalid int value: 'many'"],
    [["-t=knee"], `argument -t/--task: invalid choice: 'knee' (choose from ${tasks})`],
    [["--task", "--epoch"], "argument -t/--task: expected one argument"],
    [[...REQUIRED, "extra", "more"], "unrecognized arguments: extra more"],
    [["convrt", ...REQUIRED], "unrecognized arguments: convrt (did you mean convert?)"],
    [
      ["teach", ...REQUIRED],
      "unrecognized arguments: teach (commands are train, evaluate, power, predict, combine, ensemble, " +
      "recalibrate, run_all, plan, unit, submit, work, status, gather, serve, view, watch, demo, synth, convert, card, inspect, import, doctor, " +
      "completion)",
    ],
    [[...REQUIRED, "-x"], "unrecognized arguments: -x"],
    [["convert", "only-one.pth"], "the following arguments are required: OUT"],
    [["convert"], "the following arguments are required: IN, OUT"],
    [["convert", "a", "b", "c", "d"], "unrecognized arguments: c d"],
    [["convert", "--bogus", "a", "b"], "unrecognized arguments: --bogus"],
    [["convert", "a", "--bogus=1", "b"], "unrecognized arguments: --bogus=1"],
    [["predict", "--model", "x", "--bogus", "a.npy"], "unrecognized arguments: --bogus"],
    [["synth", "-t", "acl"], "the following arguments are required: --out"],
  ];
  for (const [args, words] of cases) {
    const { code, out, err } = await runMain(args);
    const what = `cli.ts ${args.join(" ")}`;
    assert.equal(code, 2, what);
    assert.equal(out, "", what);
    const command = ["convert", "predict", "synth"].includes(args[0]) ? args[0] : "train";
    assert.ok(err.startsWith(`usage: cli.ts ${command} [-h] `), what);
    assert.ok(err.endsWith(`\ncli.ts: error: ${words}\n`), `${what}: ${err.split("\n").at(-2)}`);
    assert.equal(err.match(/error:/g)?.length, 1, what);
  }
});

Deno.test("a prefix that is none is a mistake in the arguments", async () => {
  for (const prefix of ["../x", "a/b", "a b", "x".repeat(65)]) {
    const { code, err } = await runMain([...REQUIRED, ...NOWHERE, "--prefix_name", prefix]);
    assert.equal(code, 2);
    assert.match(
      err,
      /\ncli\.ts: error: argument --prefix_name: .*use up to 64 letters, digits, dots, hyphens and underscores.*\n$/,
    );
  }
});

Deno.test("arguments that are right are taken in every form argparse takes", async () => {
  const forms = [
    REQUIRED,
    ["train", ...REQUIRED],
    ["-tacl", "-pcoronal"],
    ["--task=acl", "--plane=coronal"],
    ["--task", "acl", "--plane", "coronal", "--lr=1e-4", "--lr_scheduler", "0", "--gamma", ".5"],
    [...REQUIRED, "--lr_scheduler", "1", "--augment=0", "--seed", "0"],
    [...REQUIRED, "--lr_scheduler", "plateau", "--shuffle", "1", "--save_model", "0"],
    [...REQUIRED, "--lr_scheduler=step", "--flush_history", "0", "--in_memory", "1"],
    // The last one holds, as in argparse.
    ["-t", "abnormal", ...REQUIRED, "--epochs", "3", "--epochs", "4"],
  ];
  for (const form of forms) {
    const { code, out, err } = await runMain([...form, ...NOWHERE]);
    assert.equal(code, 1, err);
    assert.equal(out, "");
    assert.match(err, /^Cannot open the dataset in 'no-such-folder-of-exams': .*\n$/);
  }
});

Deno.test("the stack of an error is shown on request only", async () => {
  const plain = await runMain([...REQUIRED, ...NOWHERE]);
  assert.equal(plain.err.trim().split("\n").length, 1);
  const debug = await runMain([...REQUIRED, ...NOWHERE, "--debug"]);
  assert.equal(debug.code, 1);
  assert.ok(debug.err.startsWith(plain.err));
  assert.match(debug.err, /\n {4}at .*dataset\.ts/);
});
