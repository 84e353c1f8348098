import assert from "node:assert/strict";
import { isLoopback, loopbackHosts } from "../../lib/commands/loopback.ts";
import { CLI } from "../support/cli.ts";
import { examBytes, TemporaryFolder, writeTinyDataset } from "../support/folders.ts";
import { Process } from "../support/process.ts";
import { modelBytes } from "../support/served_models.ts";

const DESCRIPTORS = 96;

const UNIX = { ignore: Deno.build.os === "windows" };

/** Opens more connections than the service has descriptors, idle ones and half-sent ones, and holds them. */
async function flood(port: number): Promise<Disposable> {
  const held: Deno.Conn[] = [];
  for (let index = 0; index < 2 * DESCRIPTORS; index++) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
    // Refused: it has none left, and has stopped listening for a moment.
    if (connection === undefined) break;
    held.push(connection);
    const head = ["", "GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nx-half: "][index % 2];
    await connection.write(new TextEncoder().encode(head)).catch(() => {});
  }
  return { [Symbol.dispose]: () => held.forEach((connection) => connection.close()) };
}

/** Asks until it is answered, as an honest client would that is refused. */
async function patient(address: string): Promise<string> {
  const until = performance.now() + 20_000;
  while (true) {
    const signal = AbortSignal.timeout(2000);
    // A connection of its own: one that is kept would be no proof that any is accepted.
    using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    const answer = await fetch(address, { client, signal }).then(
      async (response) => `${response.status} ${(await response.text()).slice(0, 15)}`,
      () => undefined,
    );
    if (answer !== undefined) return answer;
    if (performance.now() > until) return "nothing within 20 s";
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

Deno.test(
  "out of descriptors serve and view answer what is coming in, and who asks then and after",
  UNIX,
  async () => {
    await using folder = await TemporaryFolder.make();
    await writeTinyDataset(folder);
    await folder.write("models/acl.safetensors", await modelBytes());
    for (const command of ["serve", "view"]) {
      const models = ["--models", "models/acl.safetensors", "--backend", "wasm"];
      const args = [
        "run",
        "--quiet",
        "-A",
        CLI,
        command,
        "--data",
        "data",
        "--port",
        "0",
        ...models,
      ];
      await using service = new Process(
        folder,
        ["-c", `ulimit -n ${DESCRIPTORS}; exec "$0" "$@"`, Deno.execPath(), ...args],
        "sh",
      );
      const [, address, port] = await service.said(/^Serving at (http:\S+:(\d+)\/)\n/);
      const exam = examBytes();
      using coming = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
      const head = "POST /v1/predict HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n" +
        `content-type: application/octet-stream\r\ncontent-length: ${exam.length}\r\n\r\n`;
      await coming.write(new TextEncoder().encode(head));
      await coming.write(exam.subarray(0, 100));
      // It must have been taken in before the others come.
      await new Promise((resolve) => setTimeout(resolve, 300));
      for (let round = 0; round < 3; round++) {
        {
          using _ = await flood(Number(port));
          if (round === 0) {
            for (let sent = 100; sent < exam.length;) {
              sent += await coming.write(exam.subarray(sent));
            }
            const bytes = new Uint8Array(12);
            await coming.read(bytes);
            const status = new TextDecoder().decode(bytes);
            assert.equal(status, "HTTP/1.1 200", "what was coming in is answered");
          }
          assert.equal(
            await patient(`${address}healthz`),
            '200 {"status":"ok",',
            "while they are held",
          );
        }
        assert.equal(await patient(`${address}viewer/setup`), '200 {"data":"data",');
      }
      const { code, err } = await service.end();
      assert.equal(code, 0, err);
      const said = err.match(/^No more connections can be taken .*$/gm) ?? [];
      assert.equal(said.length, 1, err);
      assert.doesNotMatch(err, /uncaught|Fault/i);
    }
  },
);

Deno.test(
  "an address of this machine answers this machine's names only, however it is written",
  UNIX,
  async () => {
    await using folder = await TemporaryFolder.make();
    for (
      const [host, own] of [
        ["127.0.0.2", "127.0.0.2"],
        ["127.1", "127.0.0.1"],
        ["LOCALHOST", "localhost"],
      ]
    ) {
      if (host === "127.0.0.2" && Deno.build.os !== "linux") continue;
      await using service = new Process(folder, [
        ...["run", "--quiet", "-A", CLI, "view", "--data", ".", "--host", host, "--port", "0"],
      ]);
      const [, port] = await service.said(/^Serving at http:\S+:(\d+)\//);
      const ask = async (name: string) => {
        using connection = await Deno.connect({ hostname: host, port: Number(port) });
        const head = `GET /healthz HTTP/1.1\r\nhost: ${name}:${port}\r\nconnection: close\r\n\r\n`;
        await connection.write(new TextEncoder().encode(head));
        const bytes = new Uint8Array(12);
        await connection.read(bytes);
        return new TextDecoder().decode(bytes);
      };
      assert.equal(await ask("evil.example"), "HTTP/1.1 421", host);
      assert.equal(await ask(own), "HTTP/1.1 200", host);
      assert.equal(await ask(host), "HTTP/1.1 200", host);
      const { err } = await service.end();
      assert.doesNotMatch(err, /Whoever reaches/, host);
    }
  },
);

Deno.test("an address is the own machine's, whatever name led to it", () => {
  for (const own of ["127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1", "LocalHost"]) {
    assert.ok(isLoopback(own), own);
  }
  for (
    const other of ["0.0.0.0", "::", "10.0.0.127", "128.0.0.1", "127.0.0.1.example", "fe80::1"]
  ) {
    assert.ok(!isLoopback(other), other);
  }
  // As Debian has it: the machine's own name is 127.0.1.1.
  const named = loopbackHosts("Ward-7", "127.0.1.1");
  assert.deepEqual(named, ["127.0.0.1", "localhost", "[::1]", "ward-7", "127.0.1.1"]);
  assert.ok(loopbackHosts("0:0:0:0:0:0:0:1", "::1").includes("[::1]"));
});
