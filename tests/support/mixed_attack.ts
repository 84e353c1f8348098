/**
 * Everything at once that a service on the open net may get, beside honest clients: slow readers and
 * writers, wide slices, forms of many parts, denormals, exams of 3e38, hostile studies, half-sent
 * connections, pages of other sites, HTTP/2 without a window. The service is a process of its own with
 * few descriptors.
 *
 * Only to 127.0.0.1, and bounded in time and in connections.
 */
import { encodeNpy } from "../../lib/data/npy.ts";
import { PLANES } from "../../lib/terms.ts";
import { CLI } from "./cli.ts";
import { TemporaryFolder } from "./folders.ts";
import { joined } from "./fuzz/mutate.ts";
import { HOSTILE_STUDIES, largestStudy } from "./hostile_studies.ts";
import { Process } from "./process.ts";
import { writeModel } from "./served_models.ts";

/** What came of an attack. Sizes are resident ones, in bytes. */
export interface MixedReport {
  /** Whether the process was still there at the end. */
  alive: boolean;
  /** Honest requests, and those that were answered rightly within the deadline. */
  honest: number;
  answered: number;
  /** How often an honest client found no connection, and tried again within its deadline. */
  retried: number;
  /** What became of the others, and how often. */
  others: Record<string, number>;
  /** Attacks by kind. */
  attacks: Record<string, number>;
  before: number;
  peak: number;
  after: number;
}

/** How to attack. */
export interface MixedOptions {
  seconds: number;
  /** Told from time to time how it goes. */
  onProgress?: (report: Readonly<Omit<MixedReport, "after">>) => void;
}

/** An honest client's patience, in milliseconds: the service's deadline. */
const DEADLINE = 30_000;

/** What docs/serving.md has the C library do, so that memory goes back to the system. */
const MALLOC = "MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=8192";

/** Descriptors of the service. */
const DESCRIPTORS = 256;

const text = (written: string) => new TextEncoder().encode(written);
const pause = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

function npy(shape: readonly number[], value: number | undefined, float = false): Uint8Array {
  const count = shape.reduce((product, length) => product * length);
  const voxels = new (float ? Float32Array : Uint8Array)(count);
  for (let at = 0; at < count; at++) voxels[at] = value ?? at * 37 % 251;
  return encodeNpy(voxels, shape);
}

function noise(count: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: count }, () => {
    state = Math.imul(state, 1664525) + 1013904223;
    return state >>> 24;
  });
}

const post = (length: number, type = "application/octet-stream", query = "?plane=axial") =>
  text(
    `POST /v1/predict${query} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\n` +
      `content-length: ${length}\r\nconnection: close\r\n\r\n`,
  );
const get = (path: string, headers = "") =>
  text(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n`);

/** What each kind sends, and for how long it stays afterwards, in milliseconds. */
interface Kind {
  sends(): Uint8Array;
  /** Sends the last so many bytes one by one. */
  slowly?: number;
  /** Reads the answer. */
  reads?: boolean;
  stays: number;
  /**
   * How many connections it has at once: more altogether than there are descriptors.
   * @default 2
   */
  atOnce?: number;
}

const exam = npy([4, 64, 64], undefined);
const whole = (bytes: Uint8Array, type?: string) => () => joined(post(bytes.length, type), bytes);
const parts = text("--x\r\n\r\n\r\n".repeat(200_000));
const slices = () => get("/viewer/slices/valid/0002/axial");

/** HTTP/2 from the start, with a window of 0: the preface, SETTINGS, and one request for slices. */
function withoutWindow(): Uint8Array {
  const settings = Uint8Array.of(0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0);
  const literal = (name: number, value: string) =>
    joined(Uint8Array.of(name, value.length), text(value));
  // :method GET and :scheme http from the static table, :path and :authority written out.
  const head = joined(
    Uint8Array.of(0x82, 0x86),
    literal(0x04, "/viewer/slices/valid/0002/axial"),
    literal(0x01, "localhost"),
  );
  const frames = [1, 3, 5, 7, 9].map((stream) =>
    joined(Uint8Array.of(0, 0, head.length, 1, 5, 0, 0, 0, stream), head)
  );
  return joined(text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings, ...frames);
}

/** Studies from a scanner: those that are hostile, and the largest that is read. */
const STUDY_KINDS: Record<string, Kind> = {
  ...Object.fromEntries(
    Object.entries(HOSTILE_STUDIES).map(([name, { body }]) => [name, study(body)]),
  ),
  "the largest study": { ...study(largestStudy), stays: 2000, atOnce: 1 },
};

const KINDS: Record<string, Kind> = {
  "slow reader": { sends: slices, stays: 8000, atOnce: 24 },
  "HTTP/2 without a window": { sends: withoutWindow, stays: 8000, atOnce: 24 },
  "slow writer": { sends: whole(exam), slowly: 40, stays: 0, reads: true, atOnce: 20 },
  "half-sent": { sends: () => text("GET / HTTP/1.1\r\nhost: loc"), stays: 6000, atOnce: 120 },
  "idle": { sends: () => new Uint8Array(), stays: 6000, atOnce: 120 },
  "gone": { sends: whole(exam), stays: 0 },
  "wide slices": { sends: whole(npy([1, 2896, 2896], undefined)), reads: true, stays: 0 },
  "many parts": { sends: whole(parts, "multipart/form-data; boundary=x"), reads: true, stays: 0 },
  "denormals": { sends: whole(npy([2, 64, 64], 1e-40, true)), reads: true, stays: 500 },
  "3e38": { sends: whole(npy([2, 64, 64], 3e38, true)), reads: true, stays: 500 },
  "another site": {
    sends: () =>
      get("/viewer/reading/valid/0002", "sec-fetch-site: cross-site\r\nconnection: close\r\n"),
    reads: true,
    stays: 50,
  },
  ...STUDY_KINDS,
};

/** A study as an archive, from a client that waits for the answer. */
function study(body: () => Uint8Array): Kind {
  const sends = () => joined(post(body().length, "application/zip", ""), body());
  return { sends, reads: true, stays: 200, atOnce: 1 };
}

async function strike(port: number, { sends, slowly = 0, reads, stays }: Kind): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = sends();
  const write = async (part: Uint8Array) => {
    for (let at = 0; at < part.length;) at += await connection.write(part.subarray(at));
  };
  await write(bytes.subarray(0, bytes.length - slowly));
  for (let at = bytes.length - slowly; at < bytes.length; at++) {
    await pause(100);
    await write(bytes.subarray(at, at + 1));
  }
  if (reads) await connection.read(new Uint8Array(1024));
  await pause(stays);
}

function residentSize(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024;
}

/**
 * Attacks a service in a process of its own.
 *
 * @throws if the service does not start
 */
export async function mixedAttack({ seconds, onProgress }: MixedOptions): Promise<MixedReport> {
  await using folder = await TemporaryFolder.make();
  await writeModel(folder.at("axial.safetensors"), 1, { task: "acl", plane: "axial" });
  for (const plane of PLANES) {
    // Noise is not compressed: more than a connection takes of what nobody reads.
    await folder.write(
      `data/valid/${plane}/0002.npy`,
      encodeNpy(noise(64 * 256 * 256), [64, 256, 256]),
    );
  }
  const serve = ["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1", "--allow-read", CLI];
  const args = [
    "--models",
    "axial.safetensors",
    "--data",
    "data",
    "--backend",
    "wasm",
    "--port",
    "0",
  ];
  await using service = new Process(folder, [
    ...["-c", `ulimit -n ${DESCRIPTORS}; ${MALLOC} exec "$0" "$@"`, Deno.execPath(), ...serve],
    ...["serve", ...args, "--verdicts", "none"],
  ], "sh");
  let alive = true;
  service.ended.then(() => alive = false);
  const port = Number((await service.said(/:(\d+)\/\S*\n/))[1]);
  // As clients do, it tries again if there is no connection: the service may be listening anew.
  const honest = async (onRetry = () => {}) => {
    const signal = AbortSignal.timeout(DEADLINE);
    while (true) {
      try {
        const response = await fetch(`http://127.0.0.1:${port}/v1/predict?plane=axial`, {
          signal,
          method: "POST",
          headers: { "content-type": "application/octet-stream" },
          body: exam as BodyInit,
        });
        await response.body?.cancel();
        return response.status;
      } catch (error) {
        if (signal.aborted || !(error instanceof TypeError)) throw error;
        onRetry();
        await pause(200);
      }
    }
  };
  const look = async () => {
    await Promise.all(
      PLANES.map(async (plane) =>
        await (await fetch(`http://127.0.0.1:${port}/viewer/slices/valid/0002/${plane}`)).bytes()
      ),
    );
  };
  // Made before, for some take this process long.
  for (const { sends } of Object.values(KINDS)) sends();
  // What honest clients of all kinds need is there before it is measured.
  for (let time = 0; time < 20; time++) {
    const status = await honest();
    if (status !== 200) throw new Error(`an honest request came to ${status} before the attack`);
    await look();
  }
  // The first studies load what reads them.
  for (const kind of Object.values(STUDY_KINDS)) await strike(port, { ...kind, stays: 0 });
  for (let time = 0; time < 4; time++) {
    await pause(500);
    await honest();
  }
  const before = residentSize(service.pid);
  const report = {
    ...{ alive, honest: 0, answered: 0, retried: 0, others: {}, attacks: {} },
    ...{ before, peak: before },
  } as Omit<MixedReport, "after">;
  const end = performance.now() + 1000 * seconds;
  const goesOn = () => alive && performance.now() < end;
  const attackers = Object.entries(KINDS).flatMap(([name, kind]) =>
    Array.from({ length: kind.atOnce ?? 2 }, async () => {
      while (goesOn()) {
        report.attacks[name] = (report.attacks[name] ?? 0) + 1;
        await strike(port, kind).catch(() => {});
        await pause(kind.stays > 1000 ? 200 : 1000);
      }
    })
  );
  const clients = Array.from({ length: 2 }, async () => {
    while (goesOn()) {
      const fate = await honest(() => report.retried++).catch((error) => `${error.name}`);
      report.honest++;
      if (fate === 200) report.answered++;
      else report.others[fate] = (report.others[fate] ?? 0) + 1;
      await pause(200);
    }
  });
  const watch = (async () => {
    let shown = performance.now();
    while (goesOn()) {
      report.peak = Math.max(report.peak, residentSize(service.pid));
      if (performance.now() - shown > 30_000) {
        shown = performance.now();
        onProgress?.(report);
      }
      await pause(100);
    }
  })();
  await Promise.all([...attackers, ...clients, watch]);
  // When memory is collected is the runtime's business.
  let after = alive ? residentSize(service.pid) : 0;
  for (let time = 0; alive && time < 240 && after > before + 64 * 1024 * 1024; time++) {
    await honest().catch(() => {});
    await look().catch(() => {});
    await pause(500);
    if (alive) after = Math.min(after, residentSize(service.pid));
  }
  return { ...report, alive, after };
}

/**
 * What of a report is not as it must be; nothing if all is.
 *
 * @param settled how many bytes more than before may be resident afterwards
 * @param answers which share of the honest requests must be answered
 */
export function complaints(
  report: MixedReport,
  { settled = 64 * 1024 * 1024, answers = 0.95 } = {},
): string[] {
  const { alive, honest, answered, others, before, peak, after } = report;
  const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(0)} MB`;
  const found: string[] = [];
  if (!alive) found.push("the process ended");
  if (honest === 0 || answered < answers * honest) {
    found.push(`${answered} of ${honest} honest requests answered: ${JSON.stringify(others)}`);
  }
  if (peak > 1024 ** 3) found.push(`resident size up to ${megabytes(peak)}`);
  if (after > before + settled) {
    found.push(`resident size ${megabytes(after)} after, ${megabytes(before)} before`);
  }
  return found;
}
