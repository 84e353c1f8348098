/**
 * Programs called as Slurm's that write down how they were called, for tests of what is asked of a
 * cluster where none is needed.
 */
import type { TemporaryFolder } from "./folders.ts";

const PROGRAMS = {
  sbatch: `[ "$1" = --version ] && { echo "slurm 0"; exit; }
[ -e refusal ] && { cat refusal >&2; exit 1; }
echo "$@" >> calls
echo $((100 + $(wc -l < calls)))`,
  squeue: "[ ! -e queue ] || cat queue",
  scontrol: 'echo "MaxArraySize            = $(cat size 2> /dev/null || echo 1001)"',
};

/** Such programs, in the folder `bin` of another. */
export class FakeSlurm {
  readonly #folder: TemporaryFolder;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  /** Writes them; the first job has the number 101. */
  static async write(folder: TemporaryFolder): Promise<FakeSlurm> {
    for (const [name, does] of Object.entries(PROGRAMS)) {
      const script = `#!/usr/bin/env bash\ncd "$(dirname "$0")"\n${does}\n`;
      await folder.write(`bin/${name}`, script);
      await Deno.chmod(folder.at("bin", name), 0o755);
    }
    return new FakeSlurm(folder);
  }

  /** The environment in which they are found. */
  static env(folder: TemporaryFolder): Record<string, string> {
    return { PATH: `${folder.at("bin")}:${Deno.env.get("PATH")}` };
  }

  /** The arguments of each call of sbatch, in their order. */
  async calls(): Promise<string[]> {
    const text = await this.#folder.text("bin/calls").catch(() => "");
    return text.split("\n").filter((line) => line !== "");
  }

  /** What squeue prints from now on. */
  async queue(...lines: string[]): Promise<void> {
    await this.#folder.write("bin/queue", lines.map((line) => `${line}\n`).join(""));
  }

  /** The cluster's `MaxArraySize`. */
  async size(size: number): Promise<void> {
    await this.#folder.write("bin/size", `${size}\n`);
  }

  /** What sbatch says from now on instead of a job's number. */
  async refuse(words: string): Promise<void> {
    await this.#folder.write("bin/refusal", words);
  }
}
