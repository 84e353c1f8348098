/**
 * What serving costs: the import, the first answer, answers under load, and requests of untrusted clients.
 *
 * ```sh
 * deno task bench:serve          # 10,000 requests of untrusted clients
 * deno task bench:serve 1000     # fewer of them
 * ```
 *
 * The service runs in a process of its own, on one model of random weights; the clients share the
 * machine with it. Compare within a run, not between runs.
 */
import { encodeNpy } from "../lib/data/npy.ts";
import { startEngine } from "../lib/engine/engine.ts";
import { saveMRNet } from "../lib/model/create.ts";
import { initialWeights } from "../lib/model/initialise.ts";
import { MRNet } from "../lib/model/mrnet.ts";
import { createRandom } from "../lib/random.ts";
import { attack } from "../tests/support/hostile.ts";

/** Requests and connections of the load. */
const REQUESTS = 500;
const CONNECTIONS = 20;
/** The small exam of the load: a forward pass is far from all that a request costs. */
const SMALL = { slices: 8, side: 128 };
/** The exam of the first answer. */
const FIRST = { slices: 24, side: 256 };
const REPEATS = 5;

const mod = new URL("../mod.ts", import.meta.url).href;
const [untrusted = 10_000] = Deno.args.map(Number);
if (!(Number.isInteger(untrusted) && untrusted > 0)) {
  print("usage: deno task bench:serve [REQUESTS OF UNTRUSTED CLIENTS]");
  Deno.exit(2);
}

const folder = await Deno.makeTempDir();
try {
  await startEngine("wasm");
  const model = `${folder}/acl.safetensors`;
  const card = { task: "acl", plane: "sagittal" } as const;
  await saveMRNet(new MRNet(initialWeights(1)), model, card);
  await imports();
  await firstAnswer(model);
  await load(model);
  await hostile(model);
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.exit(0);

/** What the handler adds to the import of everything else. */
async function imports(): Promise<void> {
  const source = await Deno.readTextFile(new URL("../mod.ts", import.meta.url));
  const root = JSON.stringify(new URL("../lib/", import.meta.url).href).slice(0, -1);
  const without = source.replaceAll('"./lib/', root)
    .replace(/export \{[^}]*\} from "[^"]*\/serve\/[^"]*";/g, "");
  const bare = await milliseconds(() => script("bare.ts", without));
  const whole = await milliseconds(() => script("whole.ts", `import ${JSON.stringify(mod)};`));
  const service = JSON.stringify(new URL("../lib/serve/service.ts", import.meta.url).href);
  const first = await milliseconds(() =>
    script("first.ts", `import ${JSON.stringify(mod)}; await import(${service});`)
  );
  print(`A process that imports mod.ts, least of ${REPEATS}, milliseconds:`);
  print(`  without the handler                    ${bare.toFixed(0)}`);
  print(`  with it                                ${whole.toFixed(0)}`);
  print(`  with what the first request loads      ${first.toFixed(0)}`);
}

/** From the start of a process to the end of its first answer, and of a script's without a service. */
async function firstAnswer(model: string): Promise<void> {
  const body = noise(FIRST);
  await Deno.writeFile(`${folder}/first.npy`, body);
  const alone = `import { decodeNpy, examFromNpy, loadMRNet, startEngine } from ${
    JSON.stringify(mod)
  };
    await startEngine("wasm");
    const { model } = await loadMRNet("${model}");
    const exam = examFromNpy(decodeNpy(await Deno.readFile("${folder}/first.npy"), ""), "", "");
    await model.predict(exam);`;
  const itself = await milliseconds(() => script("alone.ts", alone));
  let least = Infinity;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = performance.now();
    await using service = await serve({ models: [model] });
    await predict(service.port, body);
    least = Math.min(least, performance.now() - start);
  }
  const size = `${FIRST.slices} slices of ${FIRST.side}×${FIRST.side}`;
  print(`From process start to the first answer, exam of ${size}, least of ${REPEATS}, seconds:`);
  print(`  a script that predicts once            ${(itself / 1000).toFixed(2)}`);
  print(`  the service                            ${(least / 1000).toFixed(2)}`);
}

/** Answers a second beside the engine's own rate, and memory before and after. */
async function load(model: string): Promise<void> {
  const body = noise(SMALL);
  await using service = await serve({ models: [model], limits: { queue: CONNECTIONS } }, body);
  // The memory of a process that has answered some is the base.
  await many(service.port, body, REQUESTS / 5);
  const engine = () => service.ask<number>(`${REQUESTS / 5}`);
  const before = await engine();
  const memory = resident(service.pid);
  const start = performance.now();
  await many(service.port, body, REQUESTS);
  const rate = REQUESTS / ((performance.now() - start) / 1000);
  const grown = resident(service.pid) - memory;
  const after = await engine();
  const own = (before + after) / 2;
  print(
    `${REQUESTS} requests over ${CONNECTIONS} connections, exams of ${SMALL.slices} slices of ` +
      `${SMALL.side}×${SMALL.side}, no error:`,
  );
  print(`  the engine by itself        ${own.toFixed(1)} exams a second`);
  print(
    `  the service                 ${rate.toFixed(1)}, ${(100 * rate / own).toFixed(0)} % of it`,
  );
  print(`  resident memory             ${memory.toFixed(0)} MB, then ${grown.toFixed(0)} MB more`);
}

/** Requests of untrusted clients: what became of them, and memory before and after. */
async function hostile(model: string): Promise<void> {
  const limits = { bodyBytes: 262_144, deadline: 2000, queue: 64 };
  await using service = await serve({ models: [model], viewer: true, limits });
  const target = { port: service.port, bodyBytes: limits.bodyBytes };
  await attack(target, Math.ceil(untrusted / 10), CONNECTIONS);
  await service.collect();
  const memory = resident(service.pid);
  const start = performance.now();
  const tally = await attack(target, untrusted, CONNECTIONS);
  const seconds = (performance.now() - start) / 1000;
  await service.collect();
  const grown = resident(service.pid) - memory;
  print(
    `${untrusted} requests of untrusted clients in ${seconds.toFixed(0)} s, each with a right end:`,
  );
  for (const [kind, fates] of [...tally].sort()) {
    const ends = [...fates].map(([fate, count]) => `${count} × ${fate}`).join(", ");
    print(`  ${kind.padEnd(34)} ${ends}`);
  }
  const { status } = await fetch(`http://127.0.0.1:${service.port}/healthz`);
  print(`  then /healthz answers ${status}`);
  print(
    `  resident memory after a collection: ${memory.toFixed(0)} MB after a tenth, ${
      grown.toFixed(0)
    } MB more at the end`,
  );
}

/** A service in a process of its own. */
interface Service extends AsyncDisposable {
  pid: number;
  port: number;
  /** Has it predict so many times by itself, and says how many a second. */
  ask<T>(line: string): Promise<T>;
  /** Has it collect its garbage: what is left is what it holds. */
  collect(): Promise<void>;
}

async function serve(options: unknown, exam?: Uint8Array): Promise<Service> {
  const path = `${folder}/service.ts`;
  await Deno.writeTextFile(
    path,
    `import { createHandler } from ${JSON.stringify(mod)};
     const options = ${JSON.stringify({ engine: "wasm", ...options as object })};
     Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: ({ port }) => console.log(port) },
       createHandler({ ...options, onError: (error) => console.error(error) }));
     for await (const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
       if (line === "collect") {
         gc();
         // What is freed by finalizers is collected in a second go.
         await new Promise((resolve) => setTimeout(resolve, 300));
         gc();
         console.log("null");
         continue;
       }
       const { loadMRNet, decodeNpy, examFromNpy } = await import(${JSON.stringify(mod)});
       const exam = examFromNpy(decodeNpy(await Deno.readFile("${folder}/exam.npy"), ""), "", "");
       globalThis.model ??= (await loadMRNet(options.models[0])).model;
       await globalThis.model.predict(exam);
       const start = performance.now();
       for (let count = Number(line); count > 0; count--) await globalThis.model.predict(exam);
       console.log(Number(line) / ((performance.now() - start) / 1000));
     }`,
  );
  if (exam !== undefined) await Deno.writeFile(`${folder}/exam.npy`, exam);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "--quiet", "--unstable-no-legacy-abort"],
      ...["--v8-flags=--expose-gc", path],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const writer = child.stdin.getWriter();
  const { value: port } = await reader.read();
  const ask = async <T>(line: string) => {
    await writer.write(new TextEncoder().encode(line));
    const { value } = await reader.read();
    return JSON.parse(value!) as T;
  };
  return {
    pid: child.pid,
    port: Number(port),
    ask,
    collect: () => ask("collect"),
    async [Symbol.asyncDispose]() {
      child.kill();
      await writer.close().catch(() => {});
      await reader.cancel();
      await child.status;
    },
  };
}

async function many(port: number, body: Uint8Array<ArrayBuffer>, count: number): Promise<void> {
  let left = count;
  const client = async () => {
    while (left-- > 0) await predict(port, body);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
}

async function predict(port: number, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/predict`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body,
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  await response.json();
}

function noise({ slices, side }: { slices: number; side: number }): Uint8Array<ArrayBuffer> {
  const random = createRandom(1, "bench");
  const voxels = Uint8Array.from({ length: slices * side * side }, () => random.integer(256));
  return encodeNpy(voxels, [slices, side, side]);
}

async function script(name: string, text: string): Promise<void> {
  const path = `${folder}/${name}`;
  await Deno.writeTextFile(path, text);
  const args = ["run", "-A", "--no-check", "--quiet", path];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

async function milliseconds(work: () => Promise<void>): Promise<number> {
  await work();
  let least = Infinity;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = performance.now();
    await work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/** Megabytes of a process that are in memory. */
function resident(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1000;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
