/**
 * What V8's revectorizer makes of the processor's kernels. It turns two operations on vectors of 128 bits
 * into one of 256 where two stores lie side by side and nothing that may fail is between them. Deno's
 * WebAssembly checks the address of each access, so it packs nothing; without checks it shows what it will
 * pack the day that Deno has V8's trap handler in their place.
 *
 * ```sh
 * deno run -A --lock=deno.dev.lock tools/revectorize.ts
 * ```
 */
import { assemble, disassemble } from "./build_kernels.ts";

const FLAG = "--experimental-wasm-revectorize";

/** What was packed in a function, each two into one. */
export interface Packed {
  /** Pairs of stores that lie side by side: where it begins. */
  pairs: number;
  /** As many of them as were packed. */
  stores: number;
  loads: number;
  multiplyAdds: number;
}

/** The kinds of operations that are counted, as V8 names them. */
const KINDS: readonly [kind: Exclude<keyof Packed, "pairs">, name: RegExp][] = [
  ["stores", /^Store$/],
  ["loads", /^Load$/],
  ["multiplyAdds", /Qfma/],
];

/** Two sums that are stored side by side: what is packed if anything is. */
const PAIR = `(module (memory 1 1)
  (func (export "double") (param $x i32) (local $a v128) (local $b v128)
    (local.set $a (v128.load (local.get $x)))
    (local.set $b (v128.load offset=16 (local.get $x)))
    (v128.store (local.get $x) (f32x4.add (local.get $a) (local.get $a)))
    (v128.store offset=16 (local.get $x) (f32x4.add (local.get $b) (local.get $b)))))`;

/** Why nothing can be said of kernels here; `undefined` if something can. */
export async function whyUnknown(): Promise<string | undefined> {
  if (!(await _output(["run", "--v8-flags=--help"])).includes(FLAG)) {
    return "this V8 has no revectorizer";
  }
  const packed = await revectorize(await assemble(PAIR), { checks: false });
  return packed.get("double")!.stores > 0
    ? undefined
    : "this V8 packs not even two stores: it needs a processor with vectors of 256 bits";
}

/**
 * Compiles a module to TurboFan's code in a process of its own and says what was packed in each function
 * that it exports, with those that this one calls.
 *
 * @param checks whether the addresses of accesses are checked
 */
export async function revectorize(
  module: Uint8Array<ArrayBuffer>,
  { checks }: { checks: boolean },
): Promise<Map<string, Packed>> {
  const file = await Deno.makeTempFile({ suffix: ".wasm" });
  try {
    await Deno.writeFile(file, module);
    const flags = [
      ...[FLAG, "--trace-wasm-revectorize", checks ? "" : "--no-wasm-bounds-checks"],
      // All functions at once and by the second compiler alone; one after another, or lines would mix.
      ...["--no-liftoff", "--no-wasm-lazy-compilation", "--single-threaded"],
      // What is inlined would be counted twice: in its own function, too.
      "--no-wasm-inlining",
    ].filter(Boolean);
    const code = `new WebAssembly.Module(Deno.readFileSync(${JSON.stringify(file)}))`;
    const trace = await _output(["eval", "--no-config", `--v8-flags=${flags}`, code]);
    return _ofExports(await disassemble(module), packedIn(trace));
  } finally {
    await Deno.remove(file);
  }
}

/** What was packed in each function, by its index, as V8's trace tells. */
export function packedIn(trace: string): Map<number, Packed> {
  const found = new Map<number, Packed>();
  for (const [, index, text] of trace.matchAll(FUNCTION)) {
    const packed = { pairs: 0, stores: 0, loads: 0, multiplyAdds: 0 };
    packed.pairs = text.match(/^\{\n#.*\bStore\b.*\n#.*\bStore\b/gm)?.length ?? 0;
    for (const [, list] of text.matchAll(DECIDED)) {
      for (const [, name, kind = "", one, other] of list.matchAll(NODE)) {
        // One that goes to both lanes alike is no pair.
        if (one === other) continue;
        const counted = KINDS.find(([, pattern]) => pattern.test(kind === "" ? name : kind));
        if (counted !== undefined) packed[counted[0]]++;
      }
    }
    found.set(Number(index), packed);
  }
  return found;
}

/** A function's part of the trace. */
const FUNCTION =
  /^Begin revec function wasm-function#(\d+)$([\s\S]*?)^Finished revec function wasm-function#\1$/gm;
/** The list of what is packed. */
const DECIDED =
  /Decided to vectorize, \d+ revectorizable nodes:\n((?:Revec: Print \d+: \w+.*\n)*)/g;
/** Two operations of this list, such as `Simd128Ternary[F32x4Qfma](#650, #651)`. */
const NODE = /^Revec: Print \d+: (\w+)(?:\[(\w+)\])?\(#(\d+), #(\d+)\)$/gm;

/** Sums of the exported functions and of those that they call, in a module's text. */
function _ofExports(text: string, packed: ReadonlyMap<number, Packed>): Map<string, Packed> {
  const calls = new Map<string, string[]>();
  for (const body of text.split(/^ \(func \$/m).slice(1)) {
    const callees = [...body.matchAll(/\(call \$(\w+)/g)].map(([, name]) => name);
    calls.set(/^\w+/.exec(body)![0], callees);
  }
  const reached = (name: string, all = new Set<string>()): Set<string> => {
    if (!all.has(name)) {
      all.add(name);
      for (const callee of calls.get(name) ?? []) reached(callee, all);
    }
    return all;
  };
  const order = [...calls.keys()];
  const sums = new Map<string, Packed>();
  for (const [, exported, name] of text.matchAll(/\(export "(\w+)" \(func \$(\w+)\)\)/g)) {
    const sum = { pairs: 0, stores: 0, loads: 0, multiplyAdds: 0 };
    for (const each of reached(name)) {
      const own = packed.get(order.indexOf(each));
      if (own === undefined) continue;
      for (const kind of Object.keys(sum) as (keyof Packed)[]) sum[kind] += own[kind];
    }
    sums.set(exported, sum);
  }
  return sums;
}

/** What a run of Deno prints. */
async function _output(args: string[]): Promise<string> {
  const env = { NO_COLOR: "1" };
  const run = await new Deno.Command(Deno.execPath(), { args, env }).output();
  const [stdout, stderr] = [run.stdout, run.stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!run.success) throw new Error(`Cannot run deno ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** A table of kernels, those with the most stores first. */
export function packedTable(
  checked: ReadonlyMap<string, Packed>,
  unchecked: ReadonlyMap<string, Packed>,
): string[] {
  const rows = [...unchecked].filter(([name, { pairs }]) => pairs + checked.get(name)!.pairs > 0)
    .sort(([a, one], [b, other]) => other.pairs - one.pairs || (a < b ? -1 : 1));
  const heads = ["pairs of stores", "packed", "packed unchecked", "loads", "multiply-adds"];
  const line = (name: string, cells: readonly (string | number)[]) =>
    [name.padEnd(20), ...cells.map((cell, at) => `${cell}`.padStart(heads[at].length))].join("  ");
  return [
    line("kernel", heads),
    ...rows.map(([name, { pairs, stores, loads, multiplyAdds }]) =>
      line(name, [pairs, checked.get(name)!.stores, stores, loads, multiplyAdds])
    ),
  ];
}

if (import.meta.main) {
  const reason = await whyUnknown();
  if (reason !== undefined) {
    print(`Cannot tell what is packed: ${reason}`);
    Deno.exit(1);
  }
  const file = new URL("../lib/engine/wasm/kernels.wasm", import.meta.url);
  const module = await Deno.readFile(file);
  const checked = await revectorize(module, { checks: true });
  const unchecked = await revectorize(module, { checks: false });
  for (const line of packedTable(checked, unchecked)) print(line);
  const others = [...unchecked].filter(([, { pairs }]) => pairs === 0).map(([name]) => name);
  print(`No two stores lie side by side in ${others.sort().join(", ")}`);
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
