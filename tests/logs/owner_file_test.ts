/**
 * Keeping others out where the file system knows no locks, as if `flock` were not there.
 */
import assert from "node:assert/strict";
import { STALE_MS } from "../../lib/logs/owner_file.ts";
import { flushHistory } from "../../lib/logs/run_folder.ts";
import { describeHolder, lockRun } from "../../lib/logs/run_lock.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { type RunOptions, trainRun } from "../../lib/train/run.ts";
import { TemporaryFolder, writeTinyDataset } from "../support/folders.ts";

await startEngine("wasm");

/** A test where locks are not supported; it is given what makes them so for a while. */
function test(
  name: string,
  body: (
    folder: TemporaryFolder,
    withLocks: <T>(body: () => Promise<T>) => Promise<T>,
  ) => Promise<void>,
): void {
  Deno.test(name, async () => {
    await using folder = await TemporaryFolder.make();
    const { tryLock } = Deno.FsFile.prototype;
    const none = () => Promise.reject(new Deno.errors.NotSupported("os error 95"));
    Deno.FsFile.prototype.tryLock = none;
    const withLocks = async <T>(body: () => Promise<T>): Promise<T> => {
      Deno.FsFile.prototype.tryLock = tryLock;
      try {
        return await body();
      } finally {
        Deno.FsFile.prototype.tryLock = none;
      }
    };
    try {
      await body(folder, withLocks);
    } finally {
      Deno.FsFile.prototype.tryLock = tryLock;
    }
  });
}

/** Dates a file so that its owner has been silent for so long. */
async function silence(path: string, ms: number): Promise<void> {
  const then = new Date(Date.now() - ms);
  await Deno.utime(path, then, then);
}

test("one at a time holds a folder, says who it is, and leaves no file in it", async (folder) => {
  const first = await lockRun(folder.path);
  assert.equal(first?.kind, "file");
  assert.match(
    await folder.text("run.owner.1"),
    /^host \S+, process \d+, since \d{4}-\d\d-\d\dT.*Z\n$/,
  );
  assert.equal(await lockRun(folder.path), undefined);
  assert.match(
    await describeHolder(folder.path),
    /^ \(host \S+, process \d+, since .*Z; if it was killed, wait 10 minutes .* or remove '.*run\.owner\.1'\)$/,
  );
  await first.check();
  await first.release();
  assert.deepEqual(await folder.files(), []);
  const second = await lockRun(folder.path);
  await second?.release();
  assert.deepEqual(await folder.files(), []);
});

test("of many that begin at once one holds the folder, again and again", async (folder) => {
  for (let round = 0; round < 20; round++) {
    const locks = await Promise.all(Array.from({ length: 6 }, () => lockRun(folder.path)));
    const held = locks.filter((lock) => lock !== undefined);
    assert.equal(held.length, 1);
    // Every other round the owner is killed, and stays away too long.
    if (round % 2 === 0) await held[0].release();
    else {
      for (const name of await folder.files()) {
        if (name.startsWith("run.owner")) await silence(folder.at(name), STALE_MS + 60_000);
      }
      const next = await Promise.all(Array.from({ length: 6 }, () => lockRun(folder.path)));
      const taken = next.filter((lock) => lock !== undefined);
      assert.equal(taken.length, 1);
      // The one that was taken for killed finds out before it writes.
      await assert.rejects(held[0].check(), {
        name: "OutputError",
        message: /^Cannot go on writing to '.*': another process has taken it over \(host /,
      });
      await taken[0].check();
      await held[0].release();
      await taken[0].check();
      assert.equal(await lockRun(folder.path), undefined);
      await taken[0].release();
    }
    assert.deepEqual(await folder.files(), []);
  }
});

test("one that came and went between the look and the making is noticed", async (folder) => {
  const killed = await lockRun(folder.path);
  await silence(folder.at("run.owner.1"), STALE_MS + 60_000);
  const { open } = Deno;
  let between = true;
  let other: Awaited<ReturnType<typeof lockRun>>;
  Deno.open = async (path, options) => {
    if (between && String(path).endsWith("run.owner.2")) {
      between = false;
      // Takes over, ends, and a third one begins anew with the number 1.
      await (await lockRun(folder.path))!.release();
      other = await lockRun(folder.path);
    }
    return await open(path, options);
  };
  try {
    assert.equal(await lockRun(folder.path), undefined);
    assert.deepEqual(await folder.files(), ["run.lock", "run.owner.1"]);
    await other!.check();
  } finally {
    Deno.open = open;
  }
  await other!.release();
  await killed!.release();
});

test("a machine that knows locks sees who holds a folder without", async (folder, withLocks) => {
  const lock = await lockRun(folder.path);
  assert.equal(await withLocks(() => lockRun(folder.path)), undefined);
  await silence(folder.at("run.owner.1"), STALE_MS + 60_000);
  const other = await withLocks(() => lockRun(folder.path));
  assert.equal(other?.kind, "system");
  await other?.release();
  await lock?.release();
});

test("what is no owner's file keeps nobody waiting for ever", async (folder) => {
  await Deno.symlink("/dev/zero", folder.at("run.owner.7"));
  assert.equal(await lockRun(folder.path), undefined);
  assert.match(await describeHolder(folder.path), /^ \(an owner without a name; /);
});

test("training says that there are no locks, keeps others out, and notices when it is out itself", async (folder) => {
  await writeTinyDataset(folder);
  const run: RunOptions = {
    ...{ task: "acl", plane: "coronal", weights: "none", engine: "wasm", threads: 1, seed: 1 },
    ...{ data: folder.at("data"), models: folder.at("models"), logs: folder.at("logs") },
  };
  const { logFolder } = await trainRun({
    ...{ ...run, epochs: 1 },
    onStart: ({ lock }) => assert.equal(lock, "file"),
  });
  assert.ok(!(await folder.files("logs")).some((name) => /lock|owner/.test(name)));
  // Held by one that lives.
  const other = await lockRun(logFolder);
  await assert.rejects(trainRun({ ...run, resume: true }), {
    name: "TrainingError",
    message:
      /: another process is at work on it \(host \S+, process \d+, since .*\): wait for its end/,
  });
  assert.equal(await flushHistory(folder.at("logs"), "acl", "coronal"), 0);
  await other!.release();
  let thief: Awaited<ReturnType<typeof lockRun>>;
  const before = await Deno.readFile(`${logFolder}/state.safetensors`);
  await assert.rejects(
    trainRun({
      ...{ ...run, resume: true, epochs: 30, patience: 30 },
      async onEpoch() {
        if (thief !== undefined) return;
        await silence(`${logFolder}/run.owner.1`, STALE_MS + 60_000);
        thief = await lockRun(logFolder);
      },
    }),
    /^OutputError: Cannot go on writing to .*: another process has taken it over .*go on with --resume/,
  );
  assert.notDeepEqual(await Deno.readFile(`${logFolder}/state.safetensors`), before);
  await thief!.check();
  await thief!.release();
  assert.equal(await flushHistory(folder.at("logs"), "acl", "coronal"), 1);
});
