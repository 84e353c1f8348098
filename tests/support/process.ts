import { withoutDriver } from "./cli.ts";
import type { TemporaryFolder } from "./folders.ts";

/** A service in a process of its own, ended with the scope. */
export class Process implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #err: Promise<string>;
  /** What it has written so far. */
  out = "";

  constructor(folder: TemporaryFolder, args: readonly string[], program = Deno.execPath()) {
    this.#child = new Deno.Command(program, {
      args: [...args],
      cwd: folder.path,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#err = new Response(this.#child.stderr).text();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Settles when it has ended. */
  get ended(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** Waits for some output. */
  async said(words: RegExp): Promise<RegExpExecArray> {
    while (true) {
      const found = words.exec(this.out);
      if (found !== null) return found;
      const { done, value } = await this.#reader.read();
      if (done) throw new Error(`it ended: ${this.out}${await this.#err}`);
      this.out += value;
    }
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Asks it to end, and says how it did. */
  async end(signal: Deno.Signal = "SIGINT"): Promise<{ code: number; err: string }> {
    this.kill(signal);
    const { code } = await this.#child.status;
    return { code, err: withoutDriver(await this.#err) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await this.#reader.cancel();
    await this.#err;
  }
}
