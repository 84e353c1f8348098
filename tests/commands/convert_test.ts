import assert from "node:assert/strict";
import { initialWeights } from "../../lib/model/initialise.ts";
import { readMRNet } from "../../lib/model/weights/read.ts";
import { encodePytorch } from "../../lib/model/weights/torch/write.ts";
import { encodeSafetensors } from "../../lib/model/weights/safetensors.ts";
import { writeWhole } from "../../lib/files.ts";
import { runCli } from "../support/cli.ts";
import { TemporaryFolder } from "../support/folders.ts";

const permissions = ["--allow-read=models", "--allow-write=models"];

Deno.test("convert takes a model to PyTorch and back without changing a bit", async () => {
  await using folder = await TemporaryFolder.make();
  const state = initialWeights(3);
  await Deno.mkdir(folder.at("models"));
  const metadata = { task: "acl", intensity: "standardized" };
  await writeWhole(folder.at("models/a.safetensors"), encodeSafetensors(state, metadata));

  const there = ["convert", "models/a.safetensors", "models/b.pth"];
  const toPytorch = await runCli(folder, there, { permissions });
  assert.equal(toPytorch.code, 0, toPytorch.err);
  assert.equal(toPytorch.out, "Wrote models/b.pth\n");
  assert.equal(
    toPytorch.err,
    "A PyTorch state dict has no place for metadata: how it was made stays in " +
      "models/a.safetensors, and so does that its input is standardized\n",
  );

  const back = ["convert", "models/b.pth", "models/c.safetensors"];
  assert.equal((await runCli(folder, back, { permissions })).code, 0);
  assert.deepEqual((await readMRNet(folder.at("models/c.safetensors"))).tensors, state);

  const onnx = ["convert", "models/a.safetensors", "models/d.onnx"];
  assert.equal((await runCli(folder, onnx, { permissions })).err, "", "ONNX keeps metadata");
});

Deno.test("convert says that one output became two", async () => {
  await using folder = await TemporaryFolder.make();
  await Deno.mkdir(folder.at("models"));
  const one = new Map([...initialWeights(3)].map(([name, { shape, data }]) => {
    const renamed = name.replace("pretrained_model.features", "alexnet").replace("classifer", "fc");
    if (!name.startsWith("classifer.")) return [renamed, { shape, data }];
    return [renamed, { shape: [1, ...shape.slice(1)], data: data.slice(data.length / 2) }];
  }));
  await writeWhole(folder.at("models/a.safetensors"), encodeSafetensors(one));
  const args = ["convert", "models/a.safetensors", "models/b.pth"];
  const { code, err } = await runCli(folder, args, { permissions });
  assert.equal(code, 0, err);
  assert.equal(
    err,
    "models/a.safetensors has one output: in models/b.pth it is the second of two, and the first " +
      "is zero\n",
  );
  const { tensors } = await readMRNet(folder.at("models/b.pth"));
  assert.deepEqual([...tensors.get("classifer.bias")!.data], [0, one.get("fc.bias")!.data[0]]);
  assert.deepEqual(tensors.get("classifer.weight")!.data.slice(256), one.get("fc.weight")!.data);
});

Deno.test("convert is told how the input is prepared where a file does not say it", async () => {
  await using folder = await TemporaryFolder.make();
  const state = initialWeights(3);
  await Deno.mkdir(folder.at("models"));
  await writeWhole(folder.at("models/a.pth"), encodePytorch(state));
  const run = (...args: string[]) => runCli(folder, ["convert", ...args], { permissions });

  const unsaid = await run("models/a.pth", "models/raw.onnx");
  assert.equal(
    unsaid.err,
    "'models/a.pth' does not say how its model's input is prepared: taken as raw\n",
  );
  const told = ["--intensity", "standardized"];
  for (const name of ["models/a.onnx", "models/a.safetensors"]) {
    const { code, err } = await run("models/a.pth", name, ...told);
    assert.deepEqual([code, err], [0, ""]);
  }
  const { metadata } = await readMRNet(folder.at("models/a.safetensors"));
  assert.deepEqual(metadata, { intensity: "standardized", format: "pt" });
  await run("models/a.safetensors", "models/b.onnx");
  const [first, second] = await Promise.all(
    ["a", "b"].map((name) => Deno.readTextFile(folder.at(`models/${name}.onnx`))),
  );
  for (const text of [first, second]) {
    assert.ok(text.includes("ReduceMin") && text.includes("has_range"));
    // Once at the graph's input, once in the metadata.
    assert.equal(text.split("grey values as they are in the exam's file").length, 3);
  }
  assert.ok(!(await Deno.readTextFile(folder.at("models/raw.onnx"))).includes("ReduceMin"));

  const other = await run("models/a.safetensors", "models/c.onnx", "--intensity", "raw");
  assert.equal(
    other.err,
    "Cannot use the model 'models/a.safetensors' with intensity raw: by its file it is " +
      "standardized: leave the intensity out\n",
  );
  const noMetadata = await run("models/a.pth", "models/c.pth", ...told);
  assert.equal(
    noMetadata.err,
    "Cannot write weights 'models/c.pth': a PyTorch state dict has no place for the intensity: " +
      "leave it out, or write .safetensors or .onnx\n",
  );
});

Deno.test("convert refuses what it cannot read or write in one line, and writes nothing", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("models/not.pth", "not a model");
  await folder.write("models/a.txt", "not a model");
  for (
    const [from, to, line] of [
      ["models/not.pth", "models/x.onnx", /^Cannot read weights 'models\/not\.pth': .+\n$/],
      ["models/none.pth", "models/x.onnx", /^Cannot .*'models\/none\.pth': there is no such file/],
      ["models/not.pth", "models/x.txt", /^Cannot write weights 'models\/x\.txt': its name tells/],
    ] as const
  ) {
    const { code, out, err } = await runCli(folder, ["convert", from, to], { permissions });
    assert.equal(code, 1);
    assert.equal(out, "");
    assert.match(err, line);
    assert.equal(err.trim().split("\n").length, 1);
  }
  assert.deepEqual(await folder.files("models"), ["a.txt", "not.pth"]);
});
