/**
 * A Redis of a test's own: on a free port, with its files in the test's folder.
 */
import { TemporaryFolder } from "./folders.ts";

const PROGRAM = "redis-server";

/** Set where the absence of Redis must fail instead of skip. */
const DEMANDED = Deno.env.get("MRNET_REQUIRE_REDIS") === "1";

const found = await new Deno.Command(PROGRAM, { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

/** What clients of it must know. */
export const PASSWORD = "never:shown@all";

/** A Redis that can die and come back with what it had. */
export class Redis implements AsyncDisposable {
  readonly #folder: string;
  readonly #port: number;
  #process: Deno.ChildProcess;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.#process = this.#spawn();
  }

  /** Starts one, and waits until it answers. */
  static async start(folder: TemporaryFolder): Promise<Redis> {
    await Deno.mkdir(folder.at("redis"));
    // The port is free again before Redis takes it.
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    const redis = new Redis(folder.at("redis"), port);
    await redis.#answers();
    return redis;
  }

  /** Its address without the password. */
  get shown(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** Its address. */
  get url(): string {
    return `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${this.#port}`;
  }

  /** Its host and port. */
  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Dies at once. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }

  /** Comes back after {@linkcode kill}. */
  async restart(): Promise<void> {
    this.#process = this.#spawn();
    await this.#answers();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
  }

  #spawn(): Deno.ChildProcess {
    return new Deno.Command(PROGRAM, {
      args: [
        ...["--port", `${this.#port}`, "--bind", "127.0.0.1", "--dir", this.#folder],
        ...["--requirepass", PASSWORD, "--maxmemory-policy", "noeviction"],
        // As a queue is to be kept: what was written is there after a kill.
        ...["--appendonly", "yes", "--save", ""],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  async #answers(): Promise<void> {
    while (!await _pong(this.#port)) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Whether a Redis has loaded its files and answers. */
async function _pong(port: number): Promise<boolean> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const inline = new TextEncoder().encode(`AUTH ${PASSWORD}\r\nPING\r\n`);
    await connection.write(inline);
    let text = "";
    const buffer = new Uint8Array(256);
    while (!/PONG|-[A-Z]/.test(text)) {
      const count = await connection.read(buffer);
      if (count === null) return false;
      text += new TextDecoder().decode(buffer.subarray(0, count));
    }
    return text.includes("PONG");
  } catch {
    return false;
  }
}

/** A test with a Redis of its own; skipped with a reason where there is none. */
export function testWithRedis(
  name: string,
  body: (folder: TemporaryFolder, redis: Redis, t: Deno.TestContext) => Promise<void>,
): void {
  const left = !found && !DEMANDED;
  Deno.test({
    name: name + (left ? " (skipped: this machine has no redis-server)" : ""),
    ignore: left,
    async fn(t) {
      await using folder = await TemporaryFolder.make();
      await using redis = await Redis.start(folder);
      await body(folder, redis, t);
    },
  });
}
