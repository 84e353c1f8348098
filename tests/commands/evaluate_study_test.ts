/** Studies from a scanner, evaluated without being imported first. */
import assert from "node:assert/strict";
import { concat } from "../../lib/bytes.ts";
import { importExams } from "../../lib/imaging/import.ts";
import { encodeZip } from "../../lib/zip.ts";
import { runCli } from "../support/cli.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { writeCombinedModels } from "../support/served_models.ts";
import { study } from "../support/study.ts";

const PERMISSIONS = ["--allow-read=.", "--allow-write=reports", "--allow-env=XDG_RUNTIME_DIR"];

const LABELS = "id,acl,meniscus\nfirst,0,\nsecond,1,\n2.25.73,1,\nfourth,0,1\nnobody,1,\n";

/** Five studies, one without a label; a table calls them by folder, archive and identifier. */
async function hospital(): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.make();
  await writeCombinedModels(folder);
  const put = async (number: number, name: string) => {
    for (const [file, bytes] of study(number)) await folder.write(`pacs/${name}/${file}`, bytes);
  };
  await put(1, "first");
  await folder.write("pacs/second.zip", concat(encodeZip(study(2))));
  await put(3, "third");
  await put(4, "fourth");
  await put(5, "zero");
  await folder.write("labels.csv", LABELS);
  return folder;
}

Deno.test("studies with labels give the figures of import and then evaluate", async () => {
  await using folder = await hospital();
  const evaluate = async (...args: string[]) => {
    const { code, out, err } = await runCli(
      folder,
      ["evaluate", "--json", "--seed", "1", "--backend", "wasm", ...args],
      { permissions: PERMISSIONS },
    );
    assert.equal(code, 0, err);
    return { ...JSON.parse(out), err };
  };
  await importExams({
    ...{ paths: [folder.at("pacs")], out: folder.at("data") },
    labels: folder.at("labels.csv"),
  });
  const model = ["--model", "combined.json"];
  const expected = await evaluate(...model, "--data", "data");
  const { err, data, split, ...found } = await evaluate(
    ...model,
    ...["--data", "pacs", "--labels", "labels.csv", "--out", "reports"],
  );
  assert.deepEqual([data, split, found.exams, found.positives], ["pacs", "studies", 4, 2]);
  // Of studies nobody asks whether the name of a split is that of the exams that chose the model.
  assert.deepEqual(found.cautions, []);
  const figures = (each: typeof found) => [each.auc, each.auc_ci_bootstrap, each.brier, each.loss];
  assert.deepEqual(figures(found), figures(expected));
  assert.match(err, /Labels of studies that are not there: 'nobody'\n/);
  assert.match(err, /Studies without a label: 'zero'\n/);
  const csv = await Deno.readTextFile(folder.at("reports/predictions.csv"));
  assert.deepEqual(csv.trim().split("\n").slice(1).map((line) => line.split(",").slice(0, 2)), [
    ["first", "0"],
    ["fourth", "0"],
    ["second", "1"],
    ["2.25.73", "1"],
  ]);
  const page = await Deno.readTextFile(folder.at("reports/report.html"));
  assert.match(page, /4 exams of the studies in <code>pacs<\/code>, 2 with the finding/);
});

Deno.test("studies that cannot be evaluated are named, with what to do", async () => {
  await using folder = await hospital();
  const refused = async (message: RegExp, code: number, ...args: string[]) => {
    const outcome = await runCli(
      folder,
      ["evaluate", "--backend", "wasm", "--model", "combined.json", ...args],
      { permissions: PERMISSIONS },
    );
    assert.match(outcome.err, message);
    assert.equal(outcome.code, code);
  };
  const studies = ["--data", "pacs", "--labels", "labels.csv"];
  for (const [name, bytes] of study(1, { "0020,000E UI": "2.25.99", "0008,103E LO": "again" })) {
    if (name.startsWith("axial")) await folder.write(`pacs/first/more/${name}`, bytes);
  }
  await Deno.remove(folder.at("pacs/fourth/coronal"), { recursive: true });
  await refused(
    /Cannot evaluate 2 of the 4 labelled studies in 'pacs': 'first' has several axial series that could be meant \('axial=axial Doe scan', 'axial=again'\), 'fourth' has no coronal series: choose series with --series, or leave these studies out of the table\n$/,
    1,
    ...studies,
  );
  await folder.write("labels.csv", LABELS.replace("fourth,0,1\n", ""));
  const { code, out, err } = await runCli(
    folder,
    [
      ...["evaluate", "--backend", "wasm", "--model", "combined.json", "--json", ...studies],
      ...["--series", "axial=again"],
    ],
    { permissions: PERMISSIONS },
  );
  // Of the other studies no axial series is called so.
  assert.equal(code, 1, out);
  assert.match(err, /Cannot evaluate 2 of the 3 labelled studies in 'pacs': 'second' has several/);
  await folder.write("labels.csv", "id,acl\nfirst,1\nsecond,1\n");
  await refused(/Cannot use the labels 'labels\.csv': all 2 of them are 1: /, 1, ...[
    ...studies,
    ...["--series", "axial=*Doe*"],
  ]);
  await folder.write("labels.csv", "id,acl\n12,1\n");
  await refused(
    /Cannot evaluate the studies in 'pacs': 'labels\.csv' has no label of acl for any of them \('first', 'fourth', 'second', 'third' and 1 more\): an id is/,
    1,
    ...studies,
  );
  await refused(
    /argument --split: not allowed with argument --labels/,
    2,
    ...studies,
    ...["--split", "valid"],
  );
  await refused(
    /argument --series: not allowed without argument --labels/,
    2,
    ...["--series", "x"],
  );
});
