import assert from "node:assert/strict";
import { DataError, OutputError, PermissionError } from "../../lib/errors.ts";
import { createHandler, type Handler } from "../../lib/serve/handler.ts";
import type { ViewerOptions } from "../../lib/serve/options.ts";
import { engineTurns } from "../../lib/serve/queue.ts";
import { isHashed, rememberedHash } from "../../lib/serve/viewer/file_hashes.ts";
import { KeptMap, parseKept } from "../../lib/serve/viewer/kept_map.ts";
import { isKept } from "../../lib/serve/viewer/verdicts.ts";
import { examBytes, TemporaryFolder, voxels, writeTinyDataset } from "../support/folders.ts";
import { writeModel } from "../support/served_models.ts";

/** The engine outlives the tests on purpose. */
const OUTLIVING = { sanitizeOps: false, sanitizeResources: false };

const MODEL = { task: "acl", plane: "coronal" } as const;

/** A dataset of two exams to validate on, and a model of its plane. */
async function prepared(): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.make();
  await writeTinyDataset(folder);
  await folder.write("data/valid/coronal/0003.npy", examBytes(voxels(0, 3 * 4096), [3, 64, 64]));
  await Deno.mkdir(folder.at("models"));
  await writeModel(folder.at("models/acl.safetensors"), 1, MODEL);
  return folder;
}

/** A service that keeps verdicts in `kept`, and what it was told of that could not be done. */
function service(folder: TemporaryFolder, viewer: ViewerOptions = {}) {
  const errors: unknown[] = [];
  const handler = createHandler({
    models: [folder.at("models/acl.safetensors")],
    engine: "wasm",
    viewer: { data: folder.at("data"), verdicts: folder.at("kept"), ...viewer },
    onError: (error) => errors.push(error),
  });
  return { handler, errors };
}

type Line = { id: string; fault?: string; verdicts?: { probability: number; decision: boolean }[] };

/** The list's verdicts by exam. */
async function listed(handler: Handler): Promise<Record<string, number | undefined>> {
  const response = await handler(new Request("http://localhost/viewer/verdicts?split=valid"));
  const lines = (await response.text()).trim().split("\n").map((line) => JSON.parse(line) as Line);
  return Object.fromEntries(lines.map(({ id, verdicts }) => [id, verdicts?.[0]?.probability]));
}

/** The same while the engine is busy with something without an end: only what is known is told. */
async function known(handler: Handler): Promise<Record<string, number | undefined>> {
  await handler.ready();
  const engine = Promise.withResolvers<void>();
  const busy = engineTurns.take(() => engine.promise);
  const response = await handler(new Request("http://localhost/viewer/verdicts?split=valid"));
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (const end = Date.now() + 1500; Date.now() < end;) {
    const late = new Promise<undefined>((resolve) =>
      setTimeout(() => resolve(undefined), end - Date.now())
    );
    const next = await Promise.race([reader.read(), late]);
    if (next === undefined || next.done) break;
    text += next.value;
  }
  await reader.cancel();
  engine.resolve();
  await busy;
  const lines = text.split("\n").filter(Boolean).map((line) => JSON.parse(line) as Line);
  return Object.fromEntries(lines.map(({ id, verdicts }) => [id, verdicts?.[0]?.probability]));
}

Deno.test("a second start computes nothing that the first one knew", OUTLIVING, async () => {
  await using folder = await prepared();
  const first = service(folder);
  const all = await listed(first.handler);
  assert.deepEqual(Object.keys(all), ["0002", "0003"]);
  await first.handler.stop();
  const second = service(folder);
  assert.deepEqual(await known(second.handler), all);
  assert.deepEqual([...first.errors, ...second.errors], []);
  await Deno.rename(folder.at("data"), folder.at("moved"));
  const moved = service(folder, { data: folder.at("moved") });
  assert.deepEqual(await known(moved.handler), all, "exams are known by their bytes");
  const none = service(folder, { data: folder.at("moved"), verdicts: undefined });
  assert.deepEqual(await known(none.handler), {}, "without a folder");
});

Deno.test(
  "what is looked at is remembered too, and the list needs it no more",
  OUTLIVING,
  async () => {
    await using folder = await prepared();
    const first = service(folder);
    const read = await first.handler(new Request("http://localhost/viewer/reading/valid/0002"));
    const { predictions: [{ probability }] } = await read.json();
    await first.handler.stop();
    assert.deepEqual(await known(service(folder).handler), { "0002": probability });
  },
);

Deno.test(
  "no old verdict for an exam that has changed, whatever its size and time",
  OUTLIVING,
  async () => {
    await using folder = await prepared();
    const path = folder.at("data/valid/coronal/0002.npy");
    const old = new Date("2024-01-01T00:00:00Z");
    await Deno.utime(path, old, old);
    // Files that have just been written are hashed each time, those that lie there only once.
    await new Promise((resolve) => setTimeout(resolve, 3200));
    const first = service(folder);
    const before = await listed(first.handler);
    const { size } = await Deno.stat(path);
    const reading = async (handler: Handler) => {
      const response = await handler(new Request("http://localhost/viewer/reading/valid/0002"));
      return (await response.json()).predictions[0].probability;
    };
    assert.equal(await reading(first.handler), before["0002"]);

    await Deno.writeFile(
      path,
      examBytes(voxels(1, 4096 * 2).map((value) => 255 - value), [2, 64, 64]),
    );
    assert.equal((await Deno.stat(path)).size, size, "as long as before");
    await Deno.utime(path, old, old);
    const fresh = await listed(service(folder, { verdicts: undefined }).handler);
    assert.notEqual(fresh["0002"], before["0002"], "the models see a difference");
    assert.equal(fresh["0003"], before["0003"]);
    assert.deepEqual(await listed(first.handler), fresh, "the service that goes on");
    assert.equal(await reading(first.handler), fresh["0002"], "the maps too");
    await first.handler.stop();
    assert.deepEqual(await known(service(folder).handler), fresh, "the next one");
    const names = await folder.files("kept");
    assert.deepEqual(names.map((name) => name.replace(/[0-9a-f]{16}/, "X")), [
      "exams-X.json",
      "verdicts-X.json",
    ]);
  },
);

Deno.test("no old verdict for a model that has changed under its name", OUTLIVING, async () => {
  await using folder = await prepared();
  const first = service(folder);
  const before = await listed(first.handler);
  await first.handler.stop();
  await writeModel(folder.at("models/acl.safetensors"), 2, MODEL);
  const second = service(folder);
  assert.deepEqual(await known(second.handler), {});
  const after = await listed(second.handler);
  assert.notEqual(after["0002"], before["0002"]);
  await second.handler.stop();

  // The first one back again: both are kept, each with its own.
  await writeModel(folder.at("models/acl.safetensors"), 1, MODEL);
  assert.deepEqual(await known(service(folder).handler), before);
});

Deno.test(
  "a file that is not understood is said, left as it is, and not used",
  OUTLIVING,
  async () => {
    await using folder = await prepared();
    const first = service(folder);
    const all = await listed(first.handler);
    await first.handler.stop();
    for (const name of await folder.files("kept")) {
      const whole = await Deno.readTextFile(folder.at("kept", name));
      const damaged = whole.slice(0, -9);
      await folder.write(`kept/${name}`, damaged);
      const { handler, errors } = service(folder);
      assert.deepEqual(await listed(handler), all, "the answers come all the same");
      await handler.stop();
      assert.equal(await Deno.readTextFile(folder.at("kept", name)), damaged);
      assert.equal(errors.length, 1, "said once");
      assert.ok(errors[0] instanceof OutputError);
      assert.match(
        errors[0].message,
        /^Cannot keep what the models say of the list in '.*kept': Cannot use '.*json': it is no JSON/,
      );
      await folder.write(`kept/${name}`, whole);
    }
  },
);

Deno.test(
  "where the folder cannot be made it is said once, and the list is read",
  OUTLIVING,
  async () => {
    await using folder = await prepared();
    await folder.write("file", "no folder");
    const { handler, errors } = service(folder, { verdicts: folder.at("file/verdicts") });
    assert.equal(Object.values(await listed(handler)).length, 2);
    await handler.stop();
    assert.equal(errors.length, 1);
    assert.match(`${errors[0]}`, /^OutputError: Cannot keep what the models say of the list in /);
  },
);

Deno.test({
  name:
    "without the permission to write nobody is asked for it: it is said once, and the list is read",
  ...OUTLIVING,
  permissions: { read: true, write: [await Deno.realPath("/tmp")], env: true, sys: true },
  async fn() {
    await using folder = await prepared();
    const { handler, errors } = service(folder, { verdicts: "/nowhere/verdicts" });
    assert.equal(Object.values(await listed(handler)).length, 2);
    await handler.stop();
    assert.equal(errors.length, 1);
    assert.ok(errors[0] instanceof PermissionError);
    assert.equal(
      errors[0].message,
      "Cannot keep what the models say of the list in '/nowhere/verdicts': " +
        "Deno has no permission for it: run again with --allow-write=/nowhere/verdicts",
    );
  },
});

Deno.test("two services that keep at the same time lose nothing of each other's", async () => {
  await using folder = await TemporaryFolder.make();
  const options = { path: folder.at("kept/map.json"), about: "it", check: isKept };
  const [a, b] = [new KeptMap(options), new KeptMap(options)];
  await a.load();
  await b.load();
  a.set("x", [0.5, 0]);
  b.set("y", [0.25, -1.1]);
  await a.save();
  await b.save();
  const c = new KeptMap(options);
  await c.load();
  assert.deepEqual([c.get("x"), c.get("y")], [[0.5, 0], [0.25, -1.1]]);
});

Deno.test("a kept file is of its format, about its own, and holds nothing but its values", () => {
  const options = { path: "kept.json", about: "it", check: isKept };
  const text = (file: unknown) => JSON.stringify(file);
  const good = { format: 1, about: "it", values: { x: [0.5, 0] } };
  assert.deepEqual([...parseKept(text(good), options)], [["x", [0.5, 0]]]);
  for (
    const [file, found] of [
      [text({ ...good, format: 2 }), /it is none of format 1/],
      [text({ ...good, about: "another" }), /about something else/],
      [text({ ...good, values: null }), /its values are none/],
      [text({ ...good, values: { x: [1.5, 0] } }), /its values are none/],
      [text({ ...good, values: { x: [0.5] } }), /its values are none/],
      [text({ ...good, values: { x: ["0.5", 0] } }), /its values are none/],
      ["null", /none of format/],
      ["", /it is no JSON/],
    ] as const
  ) {
    assert.throws(() => parseKept(file, options), (error) => {
      return error instanceof DataError && found.test(error.message) &&
        error.message.endsWith("remove it, and it is made anew");
    });
  }
});

Deno.test("a hash is remembered only of a file that has lain there unchanged", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("file", "abc");
  const memory = new Map<string, [string, string]>();
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  assert.equal(await rememberedHash(folder.at("file"), memory), abc);
  assert.equal(memory.size, 0, "a change within its times' steps would not be seen");
  await new Promise((resolve) => setTimeout(resolve, 3200));
  assert.equal(await rememberedHash(folder.at("file"), memory), abc);
  const [[, [stamp]]] = memory;
  memory.set(folder.at("file"), [stamp, "0".repeat(64)]);
  assert.equal(await rememberedHash(folder.at("file"), memory), "0".repeat(64), "it is asked");
  await folder.write("file", "abd");
  assert.notEqual(await rememberedHash(folder.at("file"), memory), "0".repeat(64));
  assert.ok(isHashed(["1 2 3", abc]) && !isHashed(["1", "ABC"]) && !isHashed([1, abc]));
});
