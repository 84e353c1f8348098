import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { DataError } from "../../lib/errors.ts";
import { EventWriter } from "../../lib/logs/tensorboard.ts";
import { encodeRecord } from "../../lib/logs/tfrecord.ts";
import { readEvents } from "../support/events.ts";
import { TemporaryFolder } from "../support/folders.ts";

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** The bytes of a file of these scalars, all at the same time, without the record that opens it. */
async function written(scalars: [tag: string, value: number, step: number][]): Promise<Uint8Array> {
  let bytes = new Uint8Array();
  await withFolder(async (folder) => {
    const writer = await EventWriter.create(folder);
    const opening = (await Deno.stat(writer.path)).size;
    for (const [tag, value, step] of scalars) writer.scalar(tag, value, step, 1700000000.25);
    await writer.close();
    bytes = (await Deno.readFile(writer.path)).subarray(opening);
  });
  return bytes;
}

/** Written by TensorBoard 2.21's own RecordWriter and Event classes. */
const BY_TENSORBOARD = fromBase64(
  "KAAAAAAAAAD/cBZKCQAAEED8VNlBEIOAgICAICoWChQKDVZhbC9BVUNfZXBvY2gVZmZmPzbZADQgAAAAAAAAACnt" +
    "qVAJAAAQQPxU2UEQASoTChEKClRyYWluL0xvc3MVGHIxP2+57xsmAAAAAAAAAHNP4wAJAAAQQPxU2UEQ////////" +
    "////ASoQCg4KB0dyw7bDn2UVAACAf0oKHJQ=",
);

Deno.test("scalars are written byte for byte as TensorBoard's own classes write them", async () => {
  const bytes = await written([
    ["Val/AUC_epoch", 0.9, 2 ** 40 + 3],
    ["Train/Loss", Math.LN2, 1],
    ["Größe", Infinity, -1],
  ]);
  assert.deepEqual(bytes, BY_TENSORBOARD);
});

Deno.test("what TensorBoard wrote is read, other fields aside", () => {
  assert.deepEqual(readEvents(BY_TENSORBOARD), [
    {
      wallTime: 1700000000.25,
      step: 2 ** 40 + 3,
      scalars: [{ tag: "Val/AUC_epoch", value: Math.fround(0.9) }],
    },
    {
      wallTime: 1700000000.25,
      step: 1,
      scalars: [{ tag: "Train/Loss", value: Math.fround(Math.LN2) }],
    },
    { wallTime: 1700000000.25, step: -1, scalars: [{ tag: "Größe", value: Infinity }] },
  ]);
  // An opening record, a summary with a node's name and a tensor, and a graph.
  const other = fromBase64(
    "GAAAAAAAAACjf0siCQAAAAAAABZAGg1icmFpbi5FdmVudDoyQgI0jTMAAAAAAAAADKcgVgkAAAAAAAAaQBAHKiYK" +
      "CwoBYRUAAMA/OgFuCg0KAWJCCAgBKgQAAABACggKAWMVAAAAwOve2sEQAAAAAAAAAJX7/hgJAAAAAAAAHkAQCCID" +
      "eHl688RZIw==",
  );
  assert.deepEqual(readEvents(other), [
    { wallTime: 5.5, step: 0, fileVersion: "brain.Event:2", scalars: [] },
    { wallTime: 6.5, step: 7, scalars: [{ tag: "a", value: 1.5 }, { tag: "c", value: -2 }] },
    { wallTime: 7.5, step: 8, scalars: [] },
  ]);
});

Deno.test("a file is named for its time and begins with the format's version", async () => {
  await withFolder(async (folder) => {
    const before = Date.now() / 1000;
    const writers = [];
    for (let i = 0; i < 3; i++) writers.push(await EventWriter.create(`${folder}/acl/axial`));
    for (const writer of writers) await writer.close();
    const names = writers.map(({ path }) => path.slice(`${folder}/acl/axial/`.length));
    for (const name of names) assert.match(name, /^events\.out\.tfevents\.\d{10}\.mrnet(\.\d)?$/);
    assert.equal(new Set(names).size, 3);
    const [opening, ...others] = readEvents(await Deno.readFile(writers[0].path));
    assert.equal(opening.fileVersion, "brain.Event:2");
    assert(opening.wallTime >= before && opening.wallTime <= Date.now() / 1000);
    assert.deepEqual(others, []);
  });
});

Deno.test("any tag, value and step is read back", async () => {
  const scalar = fc.tuple(fc.string({ unit: "grapheme" }), fc.float(), fc.maxSafeInteger());
  await fc.assert(
    fc.asyncProperty(fc.array(scalar), async (scalars) => {
      const events = readEvents(await written(scalars));
      assert.deepEqual(
        events,
        scalars.map(([tag, value, step]) => ({
          wallTime: 1700000000.25,
          step,
          scalars: [{ tag, value }],
        })),
      );
    }),
    { numRuns: 30 },
  );
});

Deno.test("values reach the file with a flush, in order even if flushes overlap", async () => {
  await withFolder(async (folder) => {
    const writer = await EventWriter.create(folder);
    const steps = async () => {
      const events = readEvents(await Deno.readFile(writer.path));
      return events.slice(1).map(({ step }) => step);
    };
    writer.scalar("a", 1, 1);
    assert.deepEqual(await steps(), []);
    const flushes = [writer.flush()];
    for (let step = 2; step <= 50; step++) {
      writer.scalar("a", 1, step);
      flushes.push(writer.flush());
    }
    await Promise.all(flushes);
    assert.deepEqual(await steps(), Array.from({ length: 50 }, (_, i) => i + 1));
    writer.scalar("a", 1, 51);
    await Promise.all([writer.close(), writer.close()]);
    assert.equal((await steps()).length, 51);
    assert.throws(() => writer.scalar("a", 1, 52), {
      message: "Cannot log 'a': the event file was closed",
    });
  });
});

Deno.test("a step that is not a whole number is refused", async () => {
  for (const step of [0.5, NaN, 2 ** 53]) {
    await assert.rejects(written([["a", 1, step]]), {
      name: "RangeError",
      message: `A step must be a whole number: current value is ${step}`,
    });
  }
});

Deno.test("after a failed write the next flush goes on where it stopped", async () => {
  await withFolder(async (folder) => {
    const writer = await EventWriter.create(folder);
    for (let step = 0; step < 10; step++) writer.scalar("a", 0.5, step, 1);
    const original = Deno.FsFile.prototype.write;
    let calls = 0;
    Deno.FsFile.prototype.write = function (bytes) {
      if (calls++ > 0) throw new Error("No space left on device (os error 28)");
      return original.call(this, bytes.subarray(0, 37));
    };
    try {
      await assert.rejects(writer.flush(), {
        name: "OutputError",
        message: `Cannot write the event file '${writer.path}': No space left on device ` +
          "(os error 28): check that the folder can be written and the disk has room",
      });
    } finally {
      Deno.FsFile.prototype.write = original;
    }
    writer.scalar("a", 0.5, 10, 1);
    await writer.close();
    const events = readEvents(await Deno.readFile(writer.path));
    assert.deepEqual(events.slice(1).map(({ step }) => step), [...Array(11).keys()]);
  });
});

Deno.test("a folder that cannot be made is refused", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    await assert.rejects(EventWriter.create(`${folder}/file/acl`), { name: "OutputError" });
  });
});

Deno.test({
  name: "a folder that Deno may not write is refused with the flag to add",
  permissions: { read: true, write: false },
  fn: async () => {
    await assert.rejects(EventWriter.create("logs/acl"), (error) => {
      assert(error instanceof Error && error.name === "PermissionError");
      assert.match(error.message, /run again with --allow-write=logs$/);
      return true;
    });
  },
});

Deno.test("what a killed run leaves is read up to its last whole record", () => {
  const lengths = Array.from(
    { length: BY_TENSORBOARD.length + 1 },
    (_, end) => readEvents(BY_TENSORBOARD.subarray(0, end)).length,
  );
  assert.deepEqual([...new Set(lengths)], [0, 1, 2, 3]);
  assert.deepEqual(lengths, lengths.toSorted());
});

Deno.test("a changed byte is noticed, wherever it is", () => {
  for (let at = 0; at < BY_TENSORBOARD.length; at++) {
    const changed = BY_TENSORBOARD.slice();
    changed[at] ^= 0x10;
    assert.throws(() => readEvents(changed, "logs/x"), (error) => {
      assert(error instanceof DataError);
      assert.match(
        error.message,
        /^Cannot read the records of 'logs\/x': the (length of the )?record at byte (0|56|104) does not match its checksum: copy it again or remove it$/,
      );
      return true;
    });
  }
});

for (
  const [record, found] of [
    [[0x0f], "7 is not a known type of field"],
    [[0x2a, 5, 0], "a field is longer than its message"],
    [[0x09, 0, 0], "Offset is outside the bounds of the DataView"],
    [[0x10, ...new Array(11).fill(0xff)], "a number is too long"],
  ] as const
) {
  Deno.test(`the record [${record}] is not an event`, () => {
    const bytes = encodeRecord(Uint8Array.from(record));
    assert.throws(() => readEvents(bytes, "logs/x"), {
      name: "DataError",
      message: `Cannot read the events of 'logs/x': record 0 is not an event (${found}): ` +
        "give an event file",
    });
  });
}

for (
  const [what, records, found] of [
    ["events", Array(250_001).fill([]), "it has more than 250000 events and scalars"],
    [
      "scalars",
      Array(5).fill([
        0x2a,
        ...[0xb0, 0xae, 0x15],
        ...Array(50_000).fill([10, 5, 21, 0, 0, 0, 0]).flat(),
      ]),
      "it has more than 250000 events and scalars",
    ],
    ["fields", [Array(4_000_002).fill(0)], "it has more than 2000000 fields"],
  ] as [string, number[][], string][]
) {
  Deno.test(`a file of more ${what} than any run logs is refused`, async () => {
    const chunks = records.map((record) => encodeRecord(Uint8Array.from(record)));
    const bytes = await new Blob(chunks as BlobPart[]).bytes();
    assert.throws(() => readEvents(bytes, "logs/x"), {
      name: "DataError",
      message: `Cannot read the events of 'logs/x': ${found}: give a shorter one`,
    });
  });
}

/** True if python3 is there, may be run, and has TensorBoard. */
function hasTensorBoard(): boolean {
  const permission = Deno.permissions.querySync({ name: "run", command: "python3" });
  if (permission.state !== "granted") return false;
  const find =
    "import importlib.util, sys; sys.exit(importlib.util.find_spec('tensorboard') is None)";
  try {
    return new Deno.Command("python3", { args: ["-c", find] }).outputSync().success;
  } catch {
    return false;
  }
}

const available = hasTensorBoard();
Deno.test({
  name: `TensorBoard itself reads the file${
    available ? "" : " (skipped: no python3 with tensorboard that may be run)"
  }`,
  ignore: !available,
  fn: async () => {
    await withFolder(async (folder) => {
      const writer = await EventWriter.create(folder);
      for (let step = 0; step < 100; step++) writer.scalar("Train/Loss", 1 / (step + 1), step);
      writer.scalar("Val/AUC", 0.75, 2 ** 40, 1700000000.25);
      await writer.close();
      const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0}).Reload()
tags = events.Tags()["scalars"]
print(json.dumps({tag: [[e.step, e.value, e.wall_time] for e in events.Scalars(tag)] for tag in tags}))
`;
      const python = new Deno.Command("python3", { args: ["-c", script, folder] });
      const { success, stdout, stderr } = await python.output();
      assert(success, new TextDecoder().decode(stderr));
      const curves = JSON.parse(new TextDecoder().decode(stdout));
      assert.deepEqual(Object.keys(curves), ["Train/Loss", "Val/AUC"]);
      assert.deepEqual(
        curves["Train/Loss"].map(([step, value]: number[]) => [step, value]),
        Array.from({ length: 100 }, (_, step) => [step, Math.fround(1 / (step + 1))]),
      );
      assert.deepEqual(curves["Val/AUC"], [[2 ** 40, 0.75, 1700000000.25]]);
    });
  },
});

Deno.test("a writer goes on with an earlier one's file, and cuts off what came later", async () => {
  await using folder = await TemporaryFolder.make();
  const first = await EventWriter.create(folder.path);
  first.scalar("Train/Loss", 1, 0, 1.5e9);
  await first.sync();
  const { size, path } = first;
  assert.equal(size, (await Deno.stat(path)).size);
  first.scalar("Train/Loss", 2, 1, 1.5e9);
  await first.close();
  assert.ok((await Deno.stat(path)).size > size);
  const [name] = await folder.files();
  const second = await EventWriter.reopen(folder.path, name, size);
  assert.equal(second.path, path);
  second.scalar("Train/Loss", 3, 1, 1.5e9);
  await second.close();
  assert.equal(second.size, (await Deno.stat(path)).size);
  const values = readEvents(await Deno.readFile(path)).flatMap(({ step, scalars }) =>
    scalars.map(({ value }) => [step, value])
  );
  assert.deepEqual(values, [[0, 1], [1, 3]]);
});

Deno.test("where an earlier file cannot be gone on with a new one is begun beside it", async () => {
  await using folder = await TemporaryFolder.make();
  const cases: [name: string, size: number][] = [
    ["events.out.tfevents.1500000000.mrnet", 10],
    ["events.out.tfevents.1600000000.mrnet", 0],
    ["events.out.tfevents.1700000000.mrnet", 0],
    ["../outside", 0],
    ["config.json", 0],
  ];
  await folder.write("run/events.out.tfevents.1500000000.mrnet", "short");
  await folder.write("outside", "mine");
  await folder.write("run/config.json", "mine");
  // The second is not there, the third leads elsewhere.
  await Deno.symlink(folder.at("outside"), folder.at("run/events.out.tfevents.1700000000.mrnet"));
  for (const [name, size] of cases) {
    const writer = await EventWriter.reopen(folder.at("run"), name, size);
    assert.ok(!cases.some(([other]) => writer.path.endsWith(other)), writer.path);
    await writer.close();
    assert.equal(readEvents(await Deno.readFile(writer.path)).length, 1);
    await Deno.remove(writer.path);
  }
  assert.equal(await folder.text("outside"), "mine");
  assert.equal(await folder.text("run/config.json"), "mine");
  assert.equal(await folder.text("run/events.out.tfevents.1500000000.mrnet"), "short");
});
