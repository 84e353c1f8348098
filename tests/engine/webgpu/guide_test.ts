/**
 * Runs the kernel of docs/adding_a_kernel.md, and its test, as they are printed there.
 */
import { grid, imageSize } from "../../../lib/engine/webgpu/grid.ts";
import type { KernelLaunch } from "../../../lib/engine/webgpu/kernel.ts";
import { assertClose, onGpu, runKernel, step } from "./support.ts";

const root = new URL("../../../", import.meta.url);
const page = Deno.readTextFileSync(new URL("docs/adding_a_kernel.md", root));
const [kernel, test] = [...page.matchAll(/```ts ignore\n(import .*?)```/gs)].map(([, text]) =>
  text
);

/** What is printed, with its imports found from anywhere. */
function placed(text: string, path: string): string {
  return text.replaceAll(/(?<=from ")\.[^"]*/g, (to) => new URL(to, new URL(path, root)).href);
}

const half = { ...grid(1, 2, 4), half: true };

const folder = new URL(`file://${Deno.makeTempDirSync({ prefix: "mrnet-guide-" })}/`);
const path = "lib/engine/webgpu/kernels/leaky_relu.ts";
const [kernelFile, testFile] = ["leaky_relu.ts", "leaky_relu_test.ts"].map((n) =>
  new URL(n, folder)
);
Deno.writeTextFileSync(kernelFile, placed(kernel, path));
Deno.writeTextFileSync(
  testFile,
  placed(test, "tests/engine/webgpu/leaky_relu_test.ts")
    .replace(new URL(path, root).href, kernelFile.href),
);
const { leakyRelu }: { leakyRelu(shape: typeof half, slope: number): KernelLaunch } = await import(
  kernelFile.href
);
// It registers its tests.
await import(testFile.href);
Deno.removeSync(folder, { recursive: true });

onGpu("the guide's kernel reads and writes half precision if the grid says so", async (gpu) => {
  const values = [1, -2, 3, -4, -0.5, 6, -7, 8];
  const bytes = new Uint8Array(2 * imageSize(half));
  const view = new DataView(bytes.buffer);
  values.forEach((value, at) => view.setFloat16(2 * at, value, true));
  const words = await runKernel(gpu, leakyRelu(half, 0.5), {
    slices: 1,
    inputs: { step: step({ slices: 1 }), x: bytes },
    output: ["y", imageSize(half) / 2],
  });
  const y = new DataView(words.buffer);
  assertClose(
    Float32Array.from(values, (_, at) => y.getFloat16(2 * at, true)),
    Float32Array.from(values, (value) => value < 0 ? value / 2 : value),
  );
});
