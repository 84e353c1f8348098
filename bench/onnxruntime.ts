/**
 * A forward pass of the exported network in onnxruntime-node, in a process of its own.
 *
 * ```sh
 * deno run -A --no-lock bench/onnxruntime.ts MODEL.onnx SLICES SIDE THREADS REPEATS [SETTING]
 * deno run -A bench/onnx_settings.ts    # which setting is the best
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
      inputMetadata: readonly { shape: readonly (number | string)[] }[];
      run(feeds: Record<string, unknown>): Promise<Record<string, { data: Float32Array }>>;
    }>;
  };
}

const PACKAGE = "npm:onnxruntime-node@1.30.0";

/** What is said of the peer: its own defaults are its best settings. */
export const ONNXRUNTIME =
  "onnxruntime-node 1.30.0, one grey channel, its own defaults: all graph " +
  "optimizations, sequential, memory arena and pattern";

/** An exam's size and how many threads compute it. */
interface Extent {
  slices: number;
  side: number;
  threads: number;
}

/** What differs from its defaults, by what is tried. */
export const SETTINGS: Readonly<Record<string, (extent: Extent) => Record<string, unknown>>> = {
  "defaults": () => ({}),
  "extended optimizations": () => ({ graphOptimizationLevel: "extended" }),
  "parallel execution": ({ threads }) => ({
    executionMode: "parallel",
    interOpNumThreads: threads,
  }),
  "no memory arena": () => ({ enableCpuMemArena: false }),
  "no memory pattern": () => ({ enableMemPattern: false }),
  "sizes known": ({ slices, side }) => ({
    freeDimensionOverrides: { slices, height: side, width: side },
  }),
  "no spinning": () => ({ extra: { session: { intra_op: { allow_spinning: "0" } } } }),
  "denormals are zero": () => ({ extra: { session: { set_denormal_as_zero: "1" } } }),
};

if (import.meta.main) {
  const [path, ...rest] = Deno.args;
  const [slices, side, threads, repeats] = rest.map(Number);
  const setting = SETTINGS[rest[4] ?? "defaults"];
  const { default: onnx }: { default: OnnxRuntime } = await import(PACKAGE);
  const session = await onnx.InferenceSession.create(path, {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    ...setting({ slices, side, threads }),
  });
  const channels = Number(session.inputMetadata[0].shape[1]);
  const shape = [slices, channels, side, side];
  const length = shape.reduce((all, each) => all * each, 1);
  const exam = new onnx.Tensor(
    "float32",
    Float32Array.from({ length }, () => 255 * Math.random()),
    shape,
  );
  const forward = await bestOf(repeats, () => session.run({ exam }));
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify({ forward })));
  Deno.exit(0);
}
