/**
 * A real PACS: Orthanc with its DICOMweb plugin, as Debian brings them. It listens at every address,
 * whatever its configuration says, so it runs in a network namespace that has only its loopback; a file
 * of tests with it runs itself once more in there.
 */
import assert from "node:assert/strict";
import { TemporaryFolder } from "./folders.ts";

/** Set where the absence of Orthanc must fail instead of skip. */
const DEMANDED = Deno.env.get("MRNET_REQUIRE_ORTHANC") === "1";

const VARIABLE = "MRNET_TEST_NAMESPACE";

/** Whether this is the namespace. */
export const isInside = Deno.env.get(VARIABLE) === "1";

const PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so";
const NAMESPACE = ["unshare", "--net", "sh", "-c"];
const HTTP_PORT = 18042;
const DICOM_PORT = 14242;

/** What clients of it must know. */
export const ORTHANC_CREDENTIALS = "knee:never shown";

/** A program's output, or what it says of its failure. */
async function run(program: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${out}${err}`);
  return out;
}

/** Why there is none here, if there is none. */
async function reasonWithout(): Promise<string | undefined> {
  try {
    await run("storescu", ["--version"]);
    await run("Orthanc", ["--version"]);
    await Deno.stat(PLUGIN);
  } catch {
    return "this machine has no Orthanc with DICOMweb, or no storescu";
  }
  const [program, ...args] = NAMESPACE;
  return await run(program, [...args, "ip link set lo up"])
    .then(() => undefined, () => "this machine makes no network namespaces");
}

/** Whether a service answers; without a password it refuses, which is an answer too. */
async function _answers(url: string): Promise<boolean> {
  try {
    await (await fetch(url)).body?.cancel();
    return true;
  } catch {
    return false;
  }
}

/** A PACS in a namespace. */
export class Orthanc implements AsyncDisposable {
  readonly #folder: TemporaryFolder;
  readonly #process: Deno.ChildProcess;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
    this.#process = new Deno.Command("Orthanc", {
      args: [folder.at("orthanc.json")],
      ...{ stdin: "null", stdout: "null", stderr: "null" },
    }).spawn();
  }

  /** Starts one, and waits until it answers. */
  static async start(): Promise<Orthanc> {
    const folder = await TemporaryFolder.make();
    const [user, password] = ORTHANC_CREDENTIALS.split(":");
    const configuration = {
      ...{ Name: "TEST", StorageDirectory: folder.at("db"), IndexDirectory: folder.at("db") },
      // A test's files need not outlive the machine.
      SyncStorageArea: false,
      ...{ Plugins: [PLUGIN], DicomWeb: { Enable: true, Root: "/dicom-web/" } },
      ...{
        HttpPort: HTTP_PORT,
        AuthenticationEnabled: true,
        RegisteredUsers: { [user]: password },
      },
      ...{ DicomAet: "TEST", DicomPort: DICOM_PORT, DicomAlwaysAllowStore: true },
    };
    await folder.write("orthanc.json", JSON.stringify(configuration));
    const orthanc = new Orthanc(folder);
    let hasEnded = false;
    orthanc.#process.status.then(() => hasEnded = true);
    while (!await _answers(orthanc.url)) {
      assert.ok(!hasEnded, "Orthanc has ended");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return orthanc;
  }

  /** The address of its DICOMweb service. */
  get url(): string {
    return `http://127.0.0.1:${HTTP_PORT}/dicom-web`;
  }

  /** Sends it all files in a folder as a scanner does, by DICOM's own protocol. */
  readonly storescu = async (folder: string): Promise<void> => {
    await run("storescu", ["+sd", "+r", "-aec", "TEST", "127.0.0.1", `${DICOM_PORT}`, folder]);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
    await this.#folder[Symbol.asyncDispose]();
  }
}

const left = isInside || DEMANDED ? undefined : await reasonWithout();

/**
 * Tests of a file with an Orthanc for all of them, each with a name; skipped with a reason where there is
 * none.
 *
 * @param file the file's `import.meta.url`
 */
export function testsWithOrthanc(
  file: string,
  tests: Readonly<Record<string, (orthanc: Orthanc) => Promise<void>>>,
): void {
  if (!isInside) {
    Deno.test({
      name: `in a namespace of its own, Orthanc${left === undefined ? "" : ` (skipped: ${left})`}`,
      ignore: left !== undefined,
      fn: () => _again(file),
    });
    return;
  }
  Deno.test("Orthanc", async (t) => {
    await using orthanc = await Orthanc.start();
    for (const [name, body] of Object.entries(tests)) await t.step(name, () => body(orthanc));
  });
}

/** Deno with some arguments, in a network namespace of its own that has a loopback. */
export function denoInNamespace(args: readonly string[]): Deno.Command {
  const [program, ...shell] = NAMESPACE;
  return new Deno.Command(program, {
    args: [...shell, 'ip link set lo up && exec "$0" "$@"', Deno.execPath(), ...args],
    cwd: new URL("../..", import.meta.url),
    env: { [VARIABLE]: "1", NO_COLOR: "1" },
    stdin: "null",
  });
}

/** Runs the file's tests once more, in a namespace. */
async function _again(file: string): Promise<void> {
  const args = ["test", "-A", "--no-check", "--quiet", "--lock=deno.dev.lock", file];
  const { success, stdout, stderr } = await denoInNamespace(args).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.ok(success, `${out}${err}`);
}
