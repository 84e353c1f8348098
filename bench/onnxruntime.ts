/**
 * A forward pass of the exported network in onnxruntime-node, in a process of its own.
 *
 * ```sh
 * deno run -A --no-lock bench/onnxruntime.ts MODEL.onnx SLICES SIDE THREADS REPEATS
 * ```
 *
 * The package weighs 290 MB and no part of the toolkit needs it. So its name is not one that Deno finds
 * before it runs, and nothing is fetched by a check, a test or another bench.
 */
import { bestOf } from "./best_of.ts";

/** As much of the package as is used: it has no types for Deno. */
interface OnnxRuntime {
  Tensor: new (type: "float32", data: Float32Array, shape: number[]) => unknown;
  InferenceSession: {
    create(path: string, options: Record<string, unknown>): Promise<{
      run(feeds: Record<string, unknown>): Promise<Record<string, { data: Float32Array }>>;
    }>;
  };
}

const PACKAGE = "npm:onnxruntime-node@1.30.0";

const [path, ...numbers] = Deno.args;
const [slices, side, threads, repeats] = numbers.map(Number);
const { default: onnx }: { default: OnnxRuntime } = await import(PACKAGE);
const session = await onnx.InferenceSession.create(path, {
  executionProviders: ["cpu"],
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
});
const voxels = Float32Array.from({ length: slices * 3 * side * side }, () => 255 * Math.random());
const exam = new onnx.Tensor("float32", voxels, [slices, 3, side, side]);
const forward = await bestOf(repeats, () => session.run({ exam }));
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify({ forward })));
Deno.exit(0);
