/**
 * Files when things go wrong: a disk that is full, a process that is killed. What was there before
 * can still be read, and the failure is one line.
 *
 * The full disk is the system's own limit on the size of files (`ulimit -f`), which makes writing fail
 * half-way through a file, as a full disk does, and needs no rights.
 */
import assert from "node:assert/strict";
import { isAside, makeWritableFolder, writeWhole } from "../lib/files.ts";
import { initialWeights } from "../lib/model/initialise.ts";
import { readMRNet } from "../lib/model/weights/read.ts";
import { encodeSafetensors } from "../lib/model/weights/safetensors.ts";
import { CLI, withoutDriver } from "./support/cli.ts";
import { TemporaryFolder, writeTinyDataset } from "./support/folders.ts";
import { readEvents } from "./support/events.ts";

const ignore = Deno.build.os === "windows";
const module = (path: string) => JSON.stringify(new URL(`../${path}`, import.meta.url).href);

/** Files may grow to this size, in bytes, while {@linkcode runFull} runs. */
const ROOM = 1024 * 1024;

/** Runs Deno where no file can grow beyond {@linkcode ROOM}. */
async function runFull(folder: TemporaryFolder, args: readonly string[]) {
  // The signal that would end the process is ignored, so that writing fails instead.
  const limited = `trap '' XFSZ; ulimit -f ${ROOM / 512}; exec "$0" "$@"`;
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", limited, Deno.execPath(), "run", "--quiet", "-A", ...args],
    cwd: folder.path,
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err: withoutDriver(err) };
}

const FULL =
  /^Cannot write 'out\/[^']+': .+: check that the folder can be written and the disk has/;

Deno.test({
  name: "a full disk costs neither the file that was there nor a half one beside it",
  ignore,
  async fn() {
    await using folder = await TemporaryFolder.make();
    await folder.write("out/file", "old");
    await folder.write(
      "script.ts",
      `import { writeWhole } from ${module("lib/files.ts")};
       const parts = Array.from({ length: 40 }, () => new Uint8Array(${ROOM} / 20));
       try { await writeWhole("out/file", parts); } catch (error) {
         console.log(error.name, error.message);
       }`,
    );
    const { code, out, err } = await runFull(folder, ["script.ts"]);
    assert.equal(code, 0, err);
    assert.match(out, /^OutputError Cannot write 'out\/file': .*(too large|os error 27).*\n$/i);
    assert.equal(await folder.text("out/file"), "old");
    assert.deepEqual(await folder.files("out"), ["file"]);
  },
});

Deno.test({
  name: "an event file on a full disk can be read up to what reached it",
  ignore,
  async fn() {
    await using folder = await TemporaryFolder.make();
    await folder.write(
      "script.ts",
      `import { EventWriter } from ${module("lib/logs/tensorboard.ts")};
       const writer = await EventWriter.create("out");
       try {
         for (let step = 0; step < 100_000; step++) {
           writer.scalar("Train/Loss", step, step, 1.5e9);
           if (step % 1000 === 0) await writer.flush();
         }
         await writer.close();
       } catch (error) { console.log(error.name, error.message); }`,
    );
    const { code, out, err } = await runFull(folder, ["script.ts"]);
    assert.equal(code, 0, err);
    assert.match(out, /^OutputError Cannot write the event file 'out\/events.+': .+\n$/);
    const [name] = await folder.files("out");
    const events = readEvents(await Deno.readFile(folder.at("out", name)), name);
    assert.ok(events.length > 10_000, `${events.length}`);
    for (const [index, { scalars }] of events.slice(1).entries()) {
      assert.deepEqual(scalars, [{ tag: "Train/Loss", value: index }]);
    }
  },
});

Deno.test({
  name: "convert on a full disk leaves the model that was there",
  ignore,
  async fn() {
    await using folder = await TemporaryFolder.make();
    const [old, other] = [initialWeights(1), initialWeights(2)];
    await Deno.mkdir(folder.at("out"));
    await writeWhole(folder.at("out/a.safetensors"), encodeSafetensors(old));
    await writeWhole(folder.at("b.safetensors"), encodeSafetensors(other));
    const args = [CLI, "convert", "b.safetensors", "out/a.safetensors"];
    const { code, out, err } = await runFull(folder, args);
    assert.equal(code, 1);
    assert.equal(out, "");
    assert.match(err, FULL);
    assert.equal(err.trimEnd().split("\n").length, 1, err);
    assert.deepEqual((await readMRNet(folder.at("out/a.safetensors"))).tensors, old);
    assert.deepEqual(await folder.files("out"), ["a.safetensors"]);
  },
});

Deno.test({
  name: "synth on a full disk stops in one line, and leaves no label file and no half exam",
  ignore,
  async fn() {
    await using folder = await TemporaryFolder.make();
    const size = ["--size", "256", "--slices", "20", "--train", "1", "--valid", "1"];
    const args = [CLI, "synth", "--out", "out", "--seed", "1", ...size];
    const { code, out, err } = await runFull(folder, args);
    assert.equal(code, 1);
    assert.equal(out, "");
    assert.match(err.replace("Seed 1\n", ""), FULL);
    assert.deepEqual(await folder.files("out"), ["README.md", "unfinished.json"]);
  },
});

Deno.test({
  name: "training on a full disk stops in one line, and what it has written is whole",
  ignore,
  async fn() {
    await using folder = await TemporaryFolder.make();
    await writeTinyDataset(folder);
    const training = ["-t", "acl", "-p", "coronal", "--weights", "none", "--backend", "wasm"];
    const names = ["--models", "out", "--epochs", "1", "--seed", "1"];
    const { code, out, err } = await runFull(folder, [CLI, ...training, ...names]);
    assert.equal(code, 1, err);
    assert.ok(!out.includes("Checkpoint"), out);
    const [last] = err.trimEnd().split("\n").slice(-1);
    assert.match(
      last,
      /^Cannot write 'logs\/[^']+\/state\.safetensors': .+: check that the folder /,
    );
    assert.deepEqual(await folder.files("out"), []);
    for (const name of await folder.files("logs")) {
      assert.ok(!isAside(name), name);
      const bytes = await Deno.readFile(folder.at("logs", name));
      if (name.includes("events.")) assert.equal(readEvents(bytes, name).length, 1);
    }
  },
});

Deno.test({
  name: "after a kill at any moment the file is whole, old or new, and what else is left is known",
  ignore,
  async fn() {
    await using folder = await TemporaryFolder.make();
    await folder.write(
      "script.ts",
      `import { writeWhole } from ${module("lib/files.ts")};
       for (let round = 0;; round++) {
         const part = new Uint8Array(1 << 16).fill(round % 251 + 1);
         await writeWhole("out/file", Array.from({ length: 32 }, () => part));
         if (round === 0) await Deno.stdout.write(Uint8Array.of(10));
       }`,
    );
    await Deno.mkdir(folder.at("out"));
    let leftOver = 0;
    for (let kill = 0; kill < 6; kill++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "-A", "script.ts"],
        cwd: folder.path,
        stdout: "piped",
      }).spawn();
      // The first file is there when it says so; the kill comes at some moment after.
      const reader = child.stdout.getReader();
      await reader.read();
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
      child.kill("SIGKILL");
      await Promise.all([child.status, reader.cancel()]);
      const bytes = await Deno.readFile(folder.at("out/file"));
      assert.equal(bytes.length, 1 << 21);
      assert.ok(bytes.every((byte) => byte === bytes[0]), "two writings are mixed");
      const others = (await folder.files("out")).filter((name) => name !== "file");
      assert.ok(others.every(isAside), others.join());
      leftOver = others.length;
    }
    // They are of today, so they may be somebody's who is still writing.
    await makeWritableFolder(folder.at("out"));
    assert.equal((await folder.files("out")).length, 1 + leftOver);
  },
});

Deno.test("what a killed process left is removed a day later, and nothing else is", async () => {
  await using folder = await TemporaryFolder.make();
  const asides = ["a.safetensors.0a1b2c3d.part", ".0a1b2c3d.probe"];
  const others = ["a.safetensors", "alexnet-owt-7be5be79.pth.part", "b.part", "c.0a1b2c3d"];
  for (const name of [...asides, ...others]) await folder.write(name, "x");
  await folder.write("new.0a1b2c3d.part", "x");
  await Deno.mkdir(folder.at("folder.0a1b2c3d.part"));
  const old = new Date(Date.now() - 25 * 60 * 60 * 1000);
  for (const name of [...asides, ...others]) await Deno.utime(folder.at(name), old, old);
  assert.ok(asides.every(isAside) && !others.some(isAside));
  await makeWritableFolder(folder.path);
  assert.deepEqual(await folder.files(), [...others, "new.0a1b2c3d.part"].sort());
  assert.ok((await Deno.stat(folder.at("folder.0a1b2c3d.part"))).isDirectory);
});

Deno.test("a model that was not written to its end is not read as one", async () => {
  await using folder = await TemporaryFolder.make();
  const chunks = encodeSafetensors(initialWeights(1));
  const name = "model.safetensors.0a1b2c3d.part";
  await folder.write(
    name,
    new Uint8Array(await new Blob(chunks.slice(0, -1) as BlobPart[]).bytes()),
  );
  await assert.rejects(readMRNet(folder.at(name)), { name: "WeightsError" });
});
