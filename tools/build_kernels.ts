/**
 * Compiles the processor's kernels, `lib/engine/wasm/kernels`, in every form that a runtime may need.
 *
 * ```sh
 * deno task build:wasm
 * ```
 *
 * @module
 */

/** The compiler; not needed to use the toolkit, for what it makes is kept. */
export const COMPILER = "npm:assemblyscript@0.28.20/asc";

/** Where the compiler is locked: users of the toolkit do not download it. */
export const LOCK = new URL("../deno.dev.lock", import.meta.url).pathname;

const ROOT = new URL("../", import.meta.url);
const FOLDER = new URL("lib/engine/wasm/", ROOT).pathname;
const SHARED = "--sharedMemory";
const RELAXED = "relaxed-simd";

/** What the compiler is told for each file. */
export const BUILDS: Readonly<Record<string, readonly string[]>> = {
  "kernels.wasm": [SHARED, "--enable", `simd,threads,${RELAXED}`],
  "kernels_unshared.wasm": ["--enable", `simd,${RELAXED}`],
  "kernels_plain.wasm": [SHARED, "--enable", "simd,threads"],
  "kernels_plain_unshared.wasm": ["--enable", "simd"],
};

/** Compiles all of them into a folder. */
export async function buildKernels(folder: string): Promise<void> {
  await Promise.all(Object.entries(BUILDS).map(([file, options]) => _build(folder, file, options)));
}

async function _build(folder: string, file: string, options: readonly string[]): Promise<void> {
  const source = ["lib/engine/wasm/kernels/index.ts", "-o", `${folder}/${file}`];
  const small = ["--optimizeLevel", "3", "--noAssert", "--runtime", "stub"];
  const memory = ["--importMemory", "--maximumMemory", "65536"];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", `--lock=${LOCK}`, "-A", COMPILER, ...source, ...small, ...memory, ...options],
    cwd: ROOT.pathname,
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) {
    throw new Error(`Cannot compile '${file}': ${new TextDecoder().decode(stderr)}`);
  }
}

if (import.meta.main) await buildKernels(FOLDER);
