import assert from "node:assert/strict";
import { encodeOnnx } from "../../../lib/model/weights/onnx.ts";
import { makeMRNet } from "./support.ts";

const MRNET = makeMRNet();

Deno.test("a model holds every weight once, and its bytes depend on the content alone", () => {
  const model = encodeOnnx(MRNET, { task: "acl" });
  assert.deepEqual(encodeOnnx(MRNET, { task: "acl" }), model);
  const weights = [...MRNET.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  assert.ok(model.length > weights && model.length < weights + 5000);
  const ends = new TextDecoder("ascii").decode(model.subarray(-13));
  assert.equal(ends, "r\v\n\x04task\x12\x03acl");
});

Deno.test("a parameter that is missing or wrongly shaped is not written", () => {
  const missing = new Map(MRNET);
  missing.delete("classifer.bias");
  assert.throws(() => encodeOnnx(missing), /RangeError: 'classifer.bias' needs the shape \[2\]/);
  const wrong = { shape: [1, 256], data: new Float32Array(256) };
  assert.throws(() => encodeOnnx(new Map(MRNET).set("classifer.weight", wrong)), RangeError);
  const short = { shape: [2, 256], data: new Float32Array(256) };
  assert.throws(() => encodeOnnx(new Map(MRNET).set("classifer.weight", short)), RangeError);
});

Deno.test("nodes of the graph prepare the input, if it is prepared", () => {
  const names = (model: Uint8Array) => new TextDecoder("latin1").decode(model);
  const [raw, standardized] = [
    names(encodeOnnx(MRNET)),
    names(encodeOnnx(MRNET, {}, { input: { intensity: "standardized" } })),
  ];
  for (const node of ["ReduceMin", "has_range", "divisor", "stretched"]) {
    assert.ok(standardized.includes(node) && !raw.includes(node), node);
  }
  for (const model of [raw, standardized]) {
    assert.ok(model.includes("grey values as they are in the exam's file"));
  }
});
