/**
 * Compiles the processor's kernels, `lib/engine/wasm/kernels`, in every form that a runtime may need,
 * and lists their parameters for who calls them.
 *
 * ```sh
 * deno task build:wasm
 * ```
 */

import { MEMORY_PAGES, TILES, TILES_MODULE, tilesText } from "./tile_kernels.ts";

/** The compiler; not needed to use the toolkit, for what it makes is kept. */
export const COMPILER = "npm:assemblyscript@0.28.20/asc";

/** Where it is locked, and the assembler with it: users of the toolkit do not download them. */
export const LOCK = new URL("../deno.dev.lock", import.meta.url).pathname;

const ROOT = new URL("../", import.meta.url);
const FOLDER = new URL("lib/engine/wasm/", ROOT).pathname;
/** The file of the kernels' parameters. */
export const TABLE = "kernel_parameters.ts";

/** What a file's kernels use. */
export interface Build {
  /** Whether threads share their memory: then each has a second one, of its own. */
  shared: boolean;
  /** Whether they multiply and add in one instruction. */
  relaxedSimd: boolean;
}

/** All files. */
export const BUILDS: Readonly<Record<string, Build>> = {
  "kernels.wasm": { shared: true, relaxedSimd: true },
  "kernels_unshared.wasm": { shared: false, relaxedSimd: true },
  "kernels_plain.wasm": { shared: true, relaxedSimd: false },
  "kernels_plain_unshared.wasm": { shared: false, relaxedSimd: false },
};

/** Compiles all of them into a folder. */
export async function buildKernels(folder: string): Promise<void> {
  const files = await Promise.all(
    Object.entries(BUILDS).map(async ([file, build]) => [file, await _build(file, build)] as const),
  );
  for (const [file, bytes] of files) await Deno.writeFile(`${folder}/${file}`, bytes);
}

/** The kernels and the register tiles that they call, as one module. */
async function _build(file: string, build: Build): Promise<Uint8Array<ArrayBuffer>> {
  const { shared, relaxedSimd } = build;
  const text = await Deno.makeTempFile({ suffix: ".wat" });
  const features = [
    "simd",
    ...(shared ? ["threads"] : []),
    ...(relaxedSimd ? ["relaxed-simd"] : []),
  ];
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", `--lock=${LOCK}`, "-A", COMPILER],
        ...["lib/engine/wasm/kernels/index.ts", "-t", text],
        // Level 3 moves multiply-adds behind one another: more sums live than there are registers.
        ...["--optimizeLevel", "2", "--noAssert", "--runtime", "stub", "--importMemory"],
        ...["--initialMemory", `${MEMORY_PAGES}`, "--maximumMemory", "65536"],
        ...["--enable", features.join(), ...(shared ? ["--sharedMemory"] : [])],
      ],
      cwd: ROOT.pathname,
      env: { NO_COLOR: "1" },
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return await _withTiles(await Deno.readTextFile(text), build);
  } catch (error) {
    throw new Error(`Cannot compile '${file}'`, { cause: error });
  } finally {
    await Deno.remove(text);
  }
}

/** Defines the register tiles that a module imports. */
async function _withTiles(kernels: string, build: Build): Promise<Uint8Array<ArrayBuffer>> {
  const binaryen = await _loadAssembler();
  const module = binaryen.parseText(kernels);
  module.setFeatures(binaryen.Features.All);
  const names = new Map<string, string>();
  for (let index = 0; index < module.getNumFunctions(); index++) {
    const { name, module: from, base } = binaryen.getFunctionInfo(module.getFunctionByIndex(index));
    if (from === TILES_MODULE) names.set(base!, name);
  }
  for (const name of names.values()) module.removeFunction(name);
  // Behind all else: imports come first.
  const rest = module.emitText().trimEnd().slice(0, -1);
  return await assemble(`${rest}${tilesText(TILES, { ...build, names })})`);
}

/** The bytes of a module that is given as text. */
export async function assemble(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const binaryen = await _loadAssembler();
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.All);
  if (!module.validate()) throw new Error("Cannot assemble a module that is not valid");
  return new Uint8Array(module.emitBinary());
}

/** The text of a module; its functions are named by their indices, and in their order. */
export async function disassemble(module: Uint8Array): Promise<string> {
  return (await _loadAssembler()).readBinary(module).emitText();
}

/** The compiler is made of it, too. */
async function _loadAssembler() {
  return (await import("npm:binaryen@131.0.0-nightly.20260721")).default;
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
