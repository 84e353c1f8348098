import assert from "node:assert/strict";
import {
  flushHistory,
  makeLockedRunFolder,
  makeRunFolder,
  runName,
} from "../../lib/logs/run_folder.ts";
import { lockRun, type RunLock } from "../../lib/logs/run_lock.ts";
import { TemporaryFolder } from "../support/folders.ts";

Deno.test("a run is named for the local time it began at", () => {
  assert.equal(runName(new Date(2026, 0, 2, 3, 4, 5)), "20260102-030405");
  assert.equal(runName(new Date(2026, 10, 23, 23, 59, 59)), "20261123-235959");
});

Deno.test("each of many runs that begin in the same second has a folder of its own", async () => {
  await using folder = await TemporaryFolder.make();
  const logs = folder.at("logs");
  const made = await Promise.all(
    Array.from({ length: 6 }, () => makeRunFolder(logs, "acl", "axial")),
  );
  assert.equal(new Set(made).size, 6);
  for (const path of made) {
    assert.match(path.slice(logs.length), /^\/acl\/axial\/\d{8}-\d{6}(-[2-6])?$/);
    assert.ok((await Deno.stat(path)).isDirectory);
  }
});

Deno.test("a folder of logs that cannot be made is an error that names it", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("logs", "a file");
  await assert.rejects(makeRunFolder(folder.at("logs"), "acl", "axial"), {
    name: "OutputError",
    message: `Cannot make the folder '${folder.at("logs/acl/axial")}': ` +
      "part of its path is not a folder: " +
      "check that the folder can be written and the disk has room",
  });
});

/** The files of a run that was killed while it wrote its history. */
const RUN_FILES = [
  "config.json",
  "events.out.tfevents.1795416596.mrnet",
  "events.out.tfevents.1795416596.mrnet.1",
  "history.csv",
  "history.csv.0a1b2c3d.part",
];

Deno.test("flushing removes the runs of one task and plane", async () => {
  await using folder = await TemporaryFolder.make();
  const logs = folder.at("logs");
  for (const run of ["acl/axial/20260101-000000", "acl/axial/20260101-000000-2"]) {
    for (const file of RUN_FILES) await folder.write(`logs/${run}/${file}`, "x");
  }
  await Deno.mkdir(folder.at("logs/acl/axial/20260102-000000"));
  await folder.write("logs/acl/coronal/20260101-000000/config.json", "x");
  await folder.write("logs/abnormal/axial/20260101-000000/config.json", "x");
  assert.equal(await flushHistory(logs, "acl", "axial"), 3);
  assert.deepEqual(await folder.files("logs"), [
    "abnormal/axial/20260101-000000/config.json",
    "acl/coronal/20260101-000000/config.json",
  ]);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder.at("logs/acl/axial"))), []);
  assert.equal(await flushHistory(logs, "acl", "axial"), 0);
});

Deno.test("flushing where there are no logs yet does nothing", async () => {
  await using folder = await TemporaryFolder.make();
  assert.equal(await flushHistory(folder.at("logs"), "acl", "axial"), 0);
  assert.deepEqual(await folder.files(), []);
});

Deno.test("flushing leaves everything that no run of this toolkit wrote", async () => {
  await using folder = await TemporaryFolder.make();
  const foreign = [
    "logs/acl/axial/2026-01-01/config.json",
    "logs/acl/axial/20260101-000000/events.out.tfevents.1.somebody-else",
    "logs/acl/axial/20260101-000000/models/config.json",
    "logs/acl/axial/20260101-000000/my history.csv",
    "logs/acl/axial/20260101-000000/notes.txt",
    "logs/acl/axial/README.md",
    "logs/acl/axial/my-best-run/config.json",
    "logs/acl/config.json",
  ];
  for (const name of foreign) await folder.write(name, "x");
  await folder.write("logs/acl/axial/20260101-000000/history.csv", "x");
  assert.equal(await flushHistory(folder.at("logs"), "acl", "axial"), 0);
  assert.deepEqual(await folder.files(), foreign);
});

Deno.test("flushing follows no link, neither of a run nor in one", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("elsewhere/history.csv", "precious");
  await folder.write("logs/acl/axial/20260102-000000/config.json", "x");
  await Deno.symlink(folder.at("elsewhere"), folder.at("logs/acl/axial/20260101-000000"));
  await Deno.symlink(
    folder.at("elsewhere/history.csv"),
    folder.at("logs/acl/axial/20260102-000000/history.csv"),
  );
  assert.equal(await flushHistory(folder.at("logs"), "acl", "axial"), 0);
  assert.equal(await folder.text("elsewhere/history.csv"), "precious");
  assert.deepEqual(await folder.files("logs"), [
    "acl/axial/20260101-000000",
    "acl/axial/20260102-000000/history.csv",
  ]);
});

for (const [link, at] of [["plane", "logs/acl/axial"], ["task", "logs/acl"]]) {
  Deno.test(`flushing refuses a ${link}'s folder that is a link to another place`, async () => {
    await using folder = await TemporaryFolder.make();
    const below = link === "task" ? "axial/" : "";
    await folder.write(`elsewhere/${below}20260101-000000/history.csv`, "precious");
    await Deno.mkdir(folder.at(at.replace(/\/[^/]*$/, "")), { recursive: true });
    await Deno.symlink(folder.at("elsewhere"), folder.at(at));
    await assert.rejects(flushHistory(folder.at("logs"), "acl", "axial"), {
      name: "OutputError",
      message: `Cannot remove the earlier logs in '${folder.at(at)}': ` +
        "it is a link to another folder: remove the link, or the logs by hand",
    });
    assert.equal(await folder.text(`elsewhere/${below}20260101-000000/history.csv`), "precious");
  });
}

Deno.test("flushing works below a folder of logs that is itself a link", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("disk/acl/axial/20260101-000000/history.csv", "x");
  await Deno.symlink(folder.at("disk"), folder.at("logs"));
  assert.equal(await flushHistory(folder.at("logs"), "acl", "axial"), 1);
});

Deno.test("a history that cannot be read is an error that names its folder", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("logs/acl/axial", "a file");
  await assert.rejects(flushHistory(folder.at("logs"), "acl", "axial"), {
    name: "OutputError",
    message: /^Cannot remove the earlier logs in '.*logs\/acl\/axial': /,
  });
});

Deno.test("a run that is taken up while it is looked at for flushing keeps its files", async () => {
  await using folder = await TemporaryFolder.make();
  const run = folder.at("logs/acl/axial/20260101-000000");
  for (const name of ["config.json", "state.safetensors"]) {
    await folder.write(`logs/acl/axial/20260101-000000/${name}`, "x");
  }
  const { readDir } = Deno;
  let lock: RunLock | undefined;
  let looks = 0;
  // Another process comes between the first look into the folder and whatever follows.
  Deno.readDir = (path) => {
    if (String(path) !== run || looks++ > 0) return readDir(path);
    return (async function* () {
      lock = await lockRun(run);
      yield* readDir(path);
    })();
  };
  try {
    await flushHistory(folder.at("logs"), "acl", "axial");
  } finally {
    Deno.readDir = readDir;
    await lock?.release();
  }
  const left = (await folder.files("logs")).length;
  assert.ok(lock === undefined ? left === 0 : left === 2, `${left} files`);
});

Deno.test("a run that begins while earlier ones are flushed begins all the same", async () => {
  await using folder = await TemporaryFolder.make();
  const logs = folder.at("logs");
  const { mkdir } = Deno;
  let flushed = 0;
  Deno.mkdir = async (path, options) => {
    await mkdir(path, options);
    if (flushed === 0 && /\d{8}-\d{6}$/.test(String(path))) {
      flushed = await flushHistory(logs, "acl", "axial");
    }
  };
  try {
    const { folder: run, lock } = await makeLockedRunFolder(logs, "acl", "axial");
    assert.equal(flushed, 1);
    assert.ok((await Deno.stat(run)).isDirectory);
    assert.equal(await flushHistory(logs, "acl", "axial"), 0);
    await lock.release();
  } finally {
    Deno.mkdir = mkdir;
  }
});

Deno.test("a folder that somebody holds is left to them, and the run gets another one", async () => {
  await using folder = await TemporaryFolder.make();
  const { mkdir } = Deno;
  let held: RunLock | undefined;
  Deno.mkdir = async (path, options) => {
    await mkdir(path, options);
    if (held === undefined && /\d{8}-\d{6}$/.test(String(path))) held = await lockRun(String(path));
  };
  try {
    const { lock } = await makeLockedRunFolder(folder.path, "acl", "axial");
    await lock.release();
    await held?.release();
    assert.equal((await Array.fromAsync(Deno.readDir(folder.at("acl/axial")))).length, 2);
  } finally {
    Deno.mkdir = mkdir;
  }
});
