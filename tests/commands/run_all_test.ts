/**
 * All nine from the command line, as a user does it: started, interrupted, gone on with.
 */
import assert from "node:assert/strict";
import { TASKS } from "../../lib/terms.ts";
import { cliCommand, runCli, withoutDriver } from "../support/cli.ts";
import { writePlanes } from "../support/combined.ts";
import { TemporaryFolder } from "../support/folders.ts";

const RUN = [
  ...["run_all", "--weights", "none", "--backend", "wasm", "--threads", "1", "--epochs", "2"],
  ...["--lr", "1e-4", "--seed", "1", "--tune", "0.4"],
];

/** Reads a stream until it holds a text. */
async function readUntil(stream: ReadableStream<Uint8Array>, text: string): Promise<void> {
  let seen = "";
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  while (!seen.includes(text)) {
    const { done, value } = await reader.read();
    if (done) assert.fail(`it ended before '${text}': ${seen}`);
    seen += value;
  }
  reader.releaseLock();
}

Deno.test("all nine: Ctrl-C exits 130, running again goes on from there, and side by side they are the same", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 12, valid: 6 }, TASKS);

  const process = cliCommand(folder, RUN).spawn();
  await readUntil(process.stdout, "[2/9]");
  process.kill("SIGINT");
  const err = withoutDriver(await new Response(process.stderr).text());
  assert.equal((await process.status).code, 130, err);
  assert.match(err, /\[1\/9\] done: models\/model_mrnet_abnormal_axial_/);
  assert.match(err, /\nInterrupted\. Run the same again to go on: .*\n$/);

  const { code, out, err: remarks } = await runCli(folder, RUN);
  assert.equal(code, 0, remarks);
  assert.match(remarks, /^State: {2}logs\/run_all\/mrnet; seed 1\nDone: {3}abnormal axial/);
  assert.match(remarks, /\nCombined: models\/combined_mrnet_acl\.json\n/);
  assert.match(remarks, /\nReport: logs\/run_all\/mrnet\/report\.html\n$/);
  const auc = "\\d\\.\\d{3} \\(\\d\\.\\d{3}–\\d\\.\\d{3}\\)";
  const row = (task: string) => `${task} *(?:  ${auc}){4}\n`;
  assert.match(
    out,
    new RegExp(
      "\nAUC on the 6 validation exams, with DeLong's 95 % interval\n\n" +
        ` +axial +coronal +sagittal +combined\n${TASKS.map(row).join("")}\n` +
        "abnormal {2}combined, positive from ",
    ),
  );

  const json = await runCli(folder, [...RUN, "--json"]);
  assert.equal(json.code, 0, json.err);
  const rows = json.out.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(rows.map(({ plane }) => plane).slice(0, 4), [
    ...["axial", "coronal", "sagittal", "combined"],
  ]);
  assert.equal(rows.length, 12);
  assert.match(json.err, /\nTo do: {2}nothing\n/);

  // Side by side, under another prefix.
  const jobs = await runCli(folder, [...RUN, "--json", "--prefix_name", "jobs", "--jobs", "2"], {
    permissions: ["-A"],
  });
  assert.equal(jobs.code, 0, jobs.err);
  assert.match(jobs.err, /\nJobs: {3}\d at a time/);
  const asSerial = (text: string) => text.replaceAll("_jobs_", "_mrnet_");
  assert.equal(asSerial(jobs.out), json.out);
  const files = await folder.files("logs/run_all/jobs");
  assert.deepEqual(files, await folder.files("logs/run_all/mrnet"));
  for (const name of files.filter((file) => file.endsWith(".csv"))) {
    assert.equal(
      await folder.text(`logs/run_all/jobs/${name}`),
      await folder.text(`logs/run_all/mrnet/${name}`),
    );
  }

  const other = await runCli(folder, [...RUN, "--shuffle", "0"]);
  assert.equal(other.code, 1);
  assert.equal(
    other.err,
    "Cannot go on with the runs of 'logs/run_all/mrnet/plan.json': this is shuffle false " +
      "instead of true: give the same options and data, or another --prefix_name\n",
  );
});
