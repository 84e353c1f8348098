/**
 * Compiles the processor's kernels, `lib/engine/wasm/kernels`, in every form that a runtime may need,
 * and lists their parameters for who calls them.
 *
 * ```sh
 * deno task build:wasm
 * ```
 */

/** The compiler; not needed to use the toolkit, for what it makes is kept. */
export const COMPILER = "npm:assemblyscript@0.28.20/asc";

/** Where the compiler is locked: users of the toolkit do not download it. */
export const LOCK = new URL("../deno.dev.lock", import.meta.url).pathname;

const ROOT = new URL("../", import.meta.url);
const FOLDER = new URL("lib/engine/wasm/", ROOT).pathname;
/** The file of the kernels' parameters. */
export const TABLE = "kernel_parameters.ts";
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

/** A function that a kernels' file exports, with its parameters. */
const KERNEL = /^export function (\w+)\(([^)]*)\): void \{/gm;

/**
 * The text of {@linkcode TABLE}: the kernels' parameters as the source names them, in its order.
 *
 * A compiled function knows how many it has and nothing else.
 */
export async function kernelTable(): Promise<string> {
  const read = (file: string) => Deno.readTextFile(`${FOLDER}/kernels/${file}.ts`);
  const kernels: [string, string[]][] = [];
  for (
    const [, names, file] of (await read("index")).matchAll(/export \{([^}]*)\} from "\.\/(\w+)"/g)
  ) {
    const found = new Map([...(await read(file)).matchAll(KERNEL)].map(([, name, parameters]) => {
      return [name, parameters.split(",").map((each) => each.split(":")[0].trim()).filter(Boolean)];
    }));
    for (const name of names.split(",").map((each) => each.trim()).filter(Boolean)) {
      const parameters = found.get(name);
      if (parameters === undefined) throw new Error(`Cannot find kernel '${name}' in ${file}.ts`);
      kernels.push([name, parameters]);
    }
  }
  const rows = kernels.sort(([a], [b]) => a < b ? -1 : 1).map(([name, parameters]) =>
    `  ${name}: [${parameters.map((each) => `"${each}"`).join(", ")}],\n`
  );
  return `/**
 * The processor's kernels and the names of their parameters, in the order in which they are passed.
 * Made by \`deno task build:wasm\` of the kernels' source.
 */

/** The parameters of each kernel, by its name. */
// deno-fmt-ignore
export const KERNEL_PARAMETERS = {
${rows.join("")}} as const;
`;
}

if (import.meta.main) {
  await buildKernels(FOLDER);
  await Deno.writeTextFile(FOLDER + TABLE, await kernelTable());
}
