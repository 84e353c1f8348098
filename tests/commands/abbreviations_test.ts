/**
 * Options as argparse takes them, the nearest names, help that fits the terminal, and completion.
 */
import assert from "node:assert/strict";
import { writtenOut } from "../../lib/commands/abbreviations.ts";
import { columns, wrapped } from "../../lib/commands/console.ts";
import { runOptions } from "../../lib/commands/setting_options.ts";
import { trainCommand } from "../../lib/commands/train.ts";
import { nearest } from "../../lib/nearest.ts";
import { VERSION } from "../../lib/version.ts";
import { runMain } from "../support/console.ts";

const train = trainCommand(() => {});

Deno.test("options are written out as argparse understands them", () => {
  const cases: [typed: string, written: string[]][] = [
    ["-t=acl -p=axial", ["-t", "acl", "-p", "axial"]],
    ["-tacl", ["-tacl"]],
    ["--epoch 3", ["--epochs", "3"]],
    ["--epo=3", ["--epochs=3"]],
    ["--back a=b", ["--backend", "a=b"]],
    ["--back=a=b", ["--backend=a=b"]],
    ["--plane axial", ["--plane", "axial"]],
    ["--data --epo", ["--data", "--epo"]],
    ["--resume --epo 3", ["--resume", "--epochs", "3"]],
    ["--he", ["--help"]],
    ["--nothing 1", ["--nothing", "1"]],
    ["a -- --epo", ["a", "--", "--epo"]],
  ];
  for (const [typed, written] of cases) {
    assert.deepEqual(writtenOut(typed.split(" "), train), written, typed);
  }
  assert.throws(() => writtenOut(["--l", "1"], train), {
    name: "UsageError",
    message: "ambiguous option: --l could match --lr_scheduler, --lr, --log_every, --logs, " +
      "--loss_weights, --log_gamma",
  });
  // A name that is whole is meant, though others begin with it.
  assert.deepEqual(writtenOut(["--lr", "1"], train), ["--lr", "1"]);
});

Deno.test("the original script's way of typing reaches training", async () => {
  const parsed = trainCommand(() => {}).exitOverride();
  const seen: unknown[] = [];
  parsed.action((given) => void seen.push(runOptions(given)));
  await parsed.parseAsync(writtenOut(["-t=acl", "--plane=axial", "--epoch", "7"], parsed), {
    from: "user",
  });
  const [{ task, plane, epochs }] = seen as [Record<string, unknown>];
  assert.deepEqual([task, plane, epochs], ["acl", "axial", 7]);
});

Deno.test("a name is near with one mistake, or two where it is long", () => {
  const names = ["train", "evaluate", "predict", "convert", "view"];
  assert.equal(nearest("tain", names), "train");
  assert.equal(nearest("evalaute", names), "evaluate");
  assert.equal(nearest("veiw", names), "view");
  assert.equal(nearest("vie2x", names), "view");
  assert.equal(nearest("vx", names), undefined);
  assert.equal(nearest("teach", names), undefined);
});

Deno.test("the version is shown by either of its names", async () => {
  for (const flag of ["--version", "-V"]) {
    assert.deepEqual(await runMain([flag]), {
      code: 0,
      out: `MRNet for Deno ${VERSION}\n`,
      err: "",
    });
  }
});

Deno.test("lines are broken between words, and indented as their beginning", () => {
  assert.equal(wrapped("  one two three\nfour", 9), "  one two\n  three\nfour");
  assert.equal(
    wrapped("one\ntwo three\nTitle: four\n\nfive", 12),
    "one two\nthree\nTitle: four\n\nfive",
  );
  assert.equal(
    wrapped("a-word-too-long for it", 6),
    "a-word-too-long\nfor it",
  );
  assert.equal(wrapped("", 5), "");
});

Deno.test("help fits the terminal: no line is wider, no word is broken", async () => {
  const commands = "train evaluate predict combine run_all serve view demo synth convert".split(
    " ",
  );
  for (const args of [["--help"], ...commands.map((name) => [name, "--help"])]) {
    const { code, out } = await runMain(args);
    assert.equal(code, 0);
    const wide = out.split("\n").filter((line) =>
      line.length > columns() && / \S+ /.test(line.trim())
    );
    assert.deepEqual(wide, [], args.join(" "));
  }
});

const COMPLETE = `
source /dev/stdin <<< "$SCRIPT"
complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _mrnet; echo "\${COMPREPLY[*]}"; }
complete_line mrnet ev
complete_line mrnet -t ""
complete_line mrnet -t acl --weights n
complete_line mrnet evaluate --mo
complete_line mrnet predict --model x --map ""
complete_line mrnet completion z
`;

Deno.test({
  name: "bash completes commands, options and choices",
  ignore: !await Deno.stat("/bin/bash").then(() => true, () => false),
  async fn() {
    const { code, out, err } = await runMain(["completion", "bash"]);
    assert.equal(code, 0, err);
    const { stdout, stderr } = await new Deno.Command("/bin/bash", {
      args: ["--norc", "-c", COMPLETE],
      env: { SCRIPT: out },
    }).output();
    assert.equal(new TextDecoder().decode(stderr), "");
    assert.deepEqual(new TextDecoder().decode(stdout).trimEnd().split("\n"), [
      "evaluate",
      "abnormal acl meniscus",
      "none",
      "--model",
      "share classic",
      "zsh",
    ]);
  },
});

Deno.test("the scripts of the other shells name every command and option", async () => {
  for (const shell of ["zsh", "fish"]) {
    const { code, out } = await runMain(["completion", shell]);
    assert.equal(code, 0);
    for (const word of ["run_all", "plateau_patience", "meniscus"]) assert.ok(out.includes(word));
  }
});
