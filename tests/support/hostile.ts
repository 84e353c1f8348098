/**
 * Requests that a service on the open net gets: too large, too slow, broken off, malformed, no exams.
 */
import { createRandom, type Random } from "../../lib/random.ts";
import { examBytes, npyHead } from "./folders.ts";

/** What became of a request: the status, or `closed` where the service ended the connection. */
export type Fate = number | "closed";

/** How many requests came to what, by kind. */
export type Tally = Map<string, Map<Fate, number>>;

/** What a service at an address is sent. */
export interface Attack {
  /** Its port on this machine. */
  port: number;
  /** The most bytes of a body that it takes. */
  bodyBytes: number;
}

const HEAD = (
  length: number | "chunked",
  type = "application/octet-stream",
  path = "/v1/predict",
) =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\n` +
  (length === "chunked" ? "transfer-encoding: chunked\r\n" : `content-length: ${length}\r\n`) +
  "connection: close\r\n\r\n";

const text = (written: string) => new TextEncoder().encode(written);
const pause = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** Each kind: what it sends, and the fates that are right. */
const KINDS: Record<
  string,
  { send(connection: Connection, random: Random, attack: Attack): Promise<void>; right: Fate[] }
> = {
  "an exam": {
    async send(connection) {
      const exam = examBytes();
      await connection.write(text(HEAD(exam.length)), exam);
    },
    right: [200],
  },
  "too large, and says so": {
    async send(connection, random) {
      await connection.write(text(HEAD(1e6 + random.integer(1e9))), new Uint8Array(1000));
    },
    right: [413],
  },
  "too large, without saying so": {
    async send(connection, _, { bodyBytes }) {
      await connection.write(text(HEAD("chunked")));
      const chunk = 65536;
      for (let sent = 0; sent <= bodyBytes; sent += chunk) {
        await connection.write(
          text(`${chunk.toString(16)}\r\n`),
          new Uint8Array(chunk),
          text("\r\n"),
        );
      }
    },
    right: [413],
  },
  "too slow": {
    async send(connection, random) {
      await connection.write(text(HEAD(5000)), new Uint8Array(random.integer(4000)));
    },
    right: [408],
  },
  "broken off": {
    async send(connection, random) {
      const exam = examBytes();
      await connection.write(
        text(HEAD(exam.length)),
        exam.subarray(0, random.integer(exam.length)),
      );
      await pause(random.integer(20));
      connection.close();
    },
    right: ["closed"],
  },
  "gone before the answer": {
    async send(connection) {
      const exam = examBytes();
      await connection.write(text(HEAD(exam.length)), exam);
      connection.close();
    },
    right: ["closed"],
  },
  "not HTTP": {
    async send(connection, random) {
      const bytes = Uint8Array.from({ length: 300 }, () => random.integer(256));
      await connection.write(bytes, text("\r\n\r\n"));
    },
    right: [400, "closed"],
  },
  "a broken form": {
    async send(connection, random) {
      const form =
        `--x\r\ncontent-disposition: form-data; name="axial"; filename="a"\r\n\r\nabc\r\n--x--`;
      const cut = text(form.slice(0, random.integer(form.length - 8)));
      await connection.write(text(HEAD(cut.length, "multipart/form-data; boundary=x")), cut);
    },
    right: [400, 422],
  },
  "no exam": {
    async send(connection, random) {
      const exam = examBytes();
      const bytes = [
        () => exam.slice(0, 1 + random.integer(exam.length - 1)),
        () => Uint8Array.from({ length: 500 }, () => random.integer(256)),
        () => npyHead("'|u1'", "(4000000, 4000, 4000)"),
        () => npyHead("'|O'", "(1,)"),
        () => examBytes(new Uint8Array(64 * 64), [64, 64]),
      ][random.integer(5)]();
      await connection.write(text(HEAD(bytes.length)), bytes);
    },
    right: [422],
  },
  "another path, type or question": {
    async send(connection, random) {
      const exam = examBytes();
      const [type, path] = [
        ["text/html", "/v1/predict"],
        ["application/octet-stream", "/etc/passwd"],
        ["application/octet-stream", "/v1/predict?plane=knee"],
        ["application/octet-stream", "/healthz"],
      ][random.integer(4)];
      await connection.write(text(HEAD(exam.length, type, path)), exam);
    },
    right: [400, 404, 405, 415],
  },
  "a host that cannot be": {
    async send(connection, random) {
      const host = ["[", "a b", "127.0.0.1:99999"][random.integer(3)];
      const path = ["/", "/healthz", "/viewer/setup"][random.integer(3)];
      await connection.write(
        text(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`),
      );
    },
    right: [400],
  },
  "an exam of the viewer's that is not there": {
    async send(connection, random) {
      const path = ["reading/dropped/1", "reading/valid/..", "slices/dropped/exam-1/axial"];
      const line = `GET /viewer/${path[random.integer(3)]} HTTP/1.1`;
      await connection.write(text(`${line}\r\nhost: localhost\r\nconnection: close\r\n\r\n`));
    },
    right: [404],
  },
};

/** The kinds, a good exam among them. */
export const HOSTILE_KINDS: readonly string[] = Object.keys(KINDS);

/** A service that cannot answer before its deadline says so at once, to whoever it is. */
const BUSY = 429;
const QUEUES = ["an exam", "a broken form", "no exam"];

/** A connection on which writing to a service that has had enough is no error. */
class Connection {
  readonly #connection: Deno.TcpConn;
  #closed = false;

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  async write(...parts: Uint8Array[]): Promise<void> {
    try {
      for (const part of parts) {
        for (let sent = 0; sent < part.length;) {
          sent += await this.#connection.write(part.subarray(sent));
        }
      }
    } catch {
      // It has answered already, or hung up.
    }
  }

  close(): void {
    if (!this.#closed) this.#connection.close();
    this.#closed = true;
  }

  async fate(): Promise<Fate> {
    if (this.#closed) return "closed";
    const bytes = new Uint8Array(1024);
    const count = await this.#connection.read(bytes).catch(() => null) ?? 0;
    const status = /^HTTP\/1\.1 (\d{3})/.exec(new TextDecoder().decode(bytes.subarray(0, count)))
      ?.[1];
    return status === undefined ? "closed" : Number(status);
  }
}

/**
 * Sends requests of all kinds, mixed by a seed.
 *
 * @param count how many
 * @param at how many at once
 * @returns what became of them
 * @throws if a request came to something that is not right for its kind
 */
export async function attack(target: Attack, count: number, at: number): Promise<Tally> {
  const tally: Tally = new Map();
  const wrong: string[] = [];
  let next = 0;
  const client = async () => {
    while (next < count) {
      const number = next++;
      const random = createRandom(1, "hostile", number);
      const kind = HOSTILE_KINDS[random.integer(HOSTILE_KINDS.length)];
      const { send, right } = KINDS[kind];
      const connection = new Connection(
        await Deno.connect({ hostname: "127.0.0.1", port: target.port }),
      );
      await send(connection, random, target);
      const fate = await connection.fate();
      connection.close();
      const fates = tally.get(kind) ?? new Map<Fate, number>();
      fates.set(fate, (fates.get(fate) ?? 0) + 1);
      tally.set(kind, fates);
      const isRight = right.includes(fate) || (fate === BUSY && QUEUES.includes(kind));
      if (!isRight) wrong.push(`${kind} (request ${number}) came to ${fate}`);
    }
  };
  await Promise.all(Array.from({ length: at }, client));
  if (wrong.length > 0) throw new Error(`${wrong.length} wrong: ${wrong.slice(0, 5).join("; ")}`);
  return tally;
}
