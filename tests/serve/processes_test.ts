import assert from "node:assert/strict";
import { attack, HOSTILE_KINDS } from "../support/hostile.ts";
import { CLI, runCli, withoutDriver } from "../support/cli.ts";
import { PLANES } from "../../lib/terms.ts";
import { examBytes, TemporaryFolder, voxels, writeTinyDataset } from "../support/folders.ts";
import { Process } from "../support/process.ts";
import { modelBytes, writeCombinedModels, writeModel } from "../support/served_models.ts";
import { assertWithin } from "../support/time.ts";

const MOD = JSON.stringify(new URL("../../mod.ts", import.meta.url).href);

async function predict(address: string, query = ""): Promise<Response> {
  return await fetch(`${address}v1/predict${query}`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: examBytes() as BodyInit,
  });
}

/** A request as it goes over the wire, and what comes back. */
async function wire(
  port: number,
  { line, headers = {}, body = new Uint8Array(), length = body.length }: Wire,
): Promise<{ status: number; headers: string; detail: string }> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const all = { host: "127.0.0.1", ...NPY, connection: "close", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = new TextEncoder().encode(
    `${line} HTTP/1.1\r\n${lines}content-length: ${length}\r\n\r\n`,
  );
  for (const bytes of [head, body]) {
    for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
  }
  // Not to its end: a service that refuses a body may wait for it before it hangs up.
  const bytes = new Uint8Array(65536);
  let text = "";
  let missing = Infinity;
  while (missing > 0) {
    const count = await connection.read(bytes);
    if (count === null) break;
    text += new TextDecoder().decode(bytes.subarray(0, count));
    const [, claimed = 0] = /content-length: (\d+)/i.exec(text) ?? [];
    const end = text.indexOf("\r\n\r\n");
    if (end >= 0) missing = end + 4 + Number(claimed) - text.length;
  }
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]),
    headers: text.split("\r\n\r\n")[0],
    detail: /"detail":"(.*)"/.exec(text)?.[1] ?? "",
  };
}

interface Wire {
  line: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
  /** The length that is claimed. */
  length?: number;
}

const NPY = { "content-type": "application/octet-stream" };
const PREDICT = "POST /v1/predict";
const TOKEN = { "x-guarded": "1", authorization: "Bearer s3cret" };

/** Requests, their statuses and a word of what is said about them. */
const STATUSES: [Wire, number, RegExp][] = [
  [{ line: PREDICT, body: examBytes() }, 200, /^$/],
  [{ line: "GET /healthz" }, 200, /^$/],
  [{ line: "HEAD /openapi.json" }, 200, /^$/],
  [{ line: `${PREDICT}?plane=knee`, body: examBytes() }, 400, /^The query cannot be used/],
  [{ line: "GET /healthz", headers: { host: "[" } }, 400, /^The request's address cannot be read/],
  [{ line: "GET /healthz", headers: { host: "a b" } }, 400, /^The request's address cannot/],
  [{ line: "GET /", headers: { host: "127.0.0.1:99999" } }, 400, /^The request's address cannot/],
  [{ line: PREDICT, headers: { "x-guarded": "1" } }, 401, /^There is no token/],
  [{ line: PREDICT, headers: { "sec-fetch-site": "cross-site" } }, 403, /^A page of another site/],
  [{ line: "GET /v2/predict" }, 404, /^There is nothing at this path/],
  [{ line: "GET /viewer/reading/dropped/1" }, 404, /^There is no exam/],
  [{ line: "GET /v1/predict" }, 405, /^This path answers POST only/],
  [{ line: PREDICT, headers: TOKEN, body: examBytes(), length: 9000 }, 408, /^The body was not/],
  [{ line: PREDICT, length: 200_000 }, 413, /^The body has more than 100000 bytes/],
  [{ line: PREDICT, headers: { "content-type": "text/csv" } }, 415, /^The body is 'text\/csv'/],
  [{ line: "GET /healthz", headers: { host: "example.org" } }, 421, /^This service does not go/],
  [{ line: PREDICT, body: Uint8Array.of(1, 2, 3) }, 422, /^Cannot read 'body' as \.npy/],
  [{ line: PREDICT, headers: { "x-bare": "1" } }, 503, /^This service has no model/],
];

Deno.test("the handler runs under Deno.serve and under deno serve, with the same answers", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("acl.safetensors", await modelBytes());
  await folder.write(
    "function.ts",
    `import { createHandler } from ${MOD};
     const models = [new URL("./acl.safetensors", import.meta.url)];
     const hosts = ["127.0.0.1"];
     const onError = (error) => console.log("FAULT", error);
     const open = createHandler({ models, hosts, onError, viewer: true, limits: { bodyBytes: 1e5 } });
     const limits = { deadline: 500, queue: 0 };
     const guarded = createHandler({ models, hosts, onError, limits, token: "s3cret" });
     const bare = createHandler();
     const handlerFor = ({ headers }) =>
       headers.has("x-guarded") ? guarded : headers.has("x-bare") ? bare : open;
     export default { fetch: (request) => handlerFor(request)(request) };`,
  );
  await folder.write(
    "service.ts",
    `import handler from "./function.ts";
     Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log("on", port) },
       handler.fetch);`,
  );
  const answers: unknown[] = [];
  const read = `--allow-read=${folder.at("acl.safetensors")}`;
  const net = "--allow-net=127.0.0.1";
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  for (
    const [args, words] of [
      [["run", "--quiet", "--no-prompt", read, net, "service.ts"], /on (\d+)/],
      [
        ["serve", "--no-prompt", read, "--host=127.0.0.1", `--port=${port}`, "function.ts"],
        undefined,
      ],
    ] as const
  ) {
    await using service = new Process(folder, args);
    const at = words === undefined ? port : Number((await service.said(words))[1]);
    const address = `http://127.0.0.1:${at}/`;
    const end = Date.now() + 30_000;
    while (words === undefined && Date.now() < end) {
      if (await fetch(`${address}healthz`).then((each) => each.text(), () => undefined)) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const response = await predict(address);
    assert.equal(response.status, 200);
    answers.push(await response.json());
    for (const [request, status, detail] of STATUSES) {
      const answer = await wire(at, request);
      assert.equal(answer.status, status, `${request.line}: ${answer.detail}`);
      assert.match(answer.detail, detail);
      // What GET answers has a length; that none at all comes would be wrong.
      if (request.line.startsWith("HEAD")) assert.doesNotMatch(answer.headers, /content-length/i);
    }
    // One that is coming in is in nobody's way; of several that are here only one is computed.
    const coming = wire(at, { line: PREDICT, headers: TOKEN, body: examBytes(), length: 9000 });
    // It has begun to come in before the queue is full, or it would not be let in.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const whole = await Promise.all(
      Array.from(
        { length: 8 },
        () => wire(at, { line: PREDICT, headers: TOKEN, body: examBytes() }),
      ),
    );
    const full = whole.filter(({ status }) => status === 429);
    assert.ok(
      full.length >= 1 && full.length < whole.length,
      whole.map(({ status }) => status).join(),
    );
    assert.equal((await coming).status, 408);
    assert.match(full[0].headers, /retry-after: \d/i);
    assert.ok(!service.out.includes("FAULT"), service.out);
  }
  assert.deepEqual(answers[0], answers[1]);
});

Deno.test("serve runs with the documented permissions, answers this machine and ends on Ctrl-C", async () => {
  await using folder = await TemporaryFolder.make();
  await writeTinyDataset(folder);
  await folder.write("models/acl.safetensors", await modelBytes());
  await folder.write("token", "s3cret\n");
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const net = `--allow-net=127.0.0.1:${port}`;
  const cli = (read: string, ...args: string[]) => [
    ...["run", "--quiet", "--no-prompt", `--allow-read=${read}`, net, CLI],
    ...args,
    ...["--port", `${port}`, "--backend", "wasm"],
  ];
  const models = ["--models", "models/acl.safetensors"];
  {
    await using service = new Process(
      folder,
      ["run", "--allow-write=models/verdicts"].concat(
        cli("data,models", "serve", "--data", "data", ...models).slice(1),
      ),
    );
    const [, address] = await service.said(/^Serving at (http:\/\/127\.0\.0\.1:\d+\/)\n/);
    assert.equal((await predict(address)).status, 200);
    const page = await fetch(address);
    assert.match(await page.text(), /Not for diagnosis/);
    const policy = page.headers.get("content-security-policy")!;
    assert.ok(policy.includes("default-src 'none'") && !policy.includes("unsafe"), policy);
    const setup = await (await fetch(`${address}viewer/setup`)).json();
    assert.deepEqual(setup.exams.map(({ id }: { id: string }) => id), [
      "0002",
      "0003",
      "0000",
      "0001",
    ]);
    const lines = (await (await fetch(`${address}viewer/verdicts?split=valid`)).text()).trim()
      .split("\n");
    assert.deepEqual(lines.map((line) => JSON.parse(line).id), ["0002", "0003"]);
    for (
      const path of ["valid/..%2f..%2fmodels/coronal", "valid/9999/coronal", "etc/0002/coronal"]
    ) {
      const away = await fetch(`${address}viewer/slices/${path}`);
      assert.equal(away.status, 404, path);
      await away.body?.cancel();
    }
    const { code, err } = await service.end();
    assert.equal(code, 0);
    assert.equal(
      err,
      "Not for diagnosis. Ctrl-C stops it.\nStopping after the requests under way.\n",
    );
  }
  {
    await using service = new Process(
      folder,
      cli("models,token", "serve", ...models, "--token_file", "token"),
    );
    const [, address] = await service.said(/^Serving at (http:\S+\/)#token=…, the token in place/);
    const refused = await predict(address);
    assert.equal(refused.status, 401);
    await refused.body?.cancel();
    const headers = { authorization: "Bearer s3cret" };
    assert.equal((await (await fetch(`${address}v1/models`, { headers })).json()).models.length, 1);
  }
  {
    await using service = new Process(folder, cli("data", "view"));
    await service.said(/^Serving at /);
  }
});

Deno.test("serve keeps the list's verdicts beside the models where it may write, and says where it may not", async () => {
  await using folder = await TemporaryFolder.make();
  await writeTinyDataset(folder);
  await Deno.mkdir(folder.at("models"));
  await writeModel(folder.at("models/acl.safetensors"), 1, { task: "acl", plane: "coronal" });
  const serve = async (permissions: string[], ...args: string[]) => {
    const models = ["--models", "models/acl.safetensors", "--data", "data"];
    await using service = new Process(folder, [
      ...["run", "--quiet", "--no-prompt", "--allow-read=data,models,kept", "--allow-net"],
      ...[...permissions, CLI, "serve", ...models, ...args, "--port", "0", "--backend", "wasm"],
    ]);
    const [, address] = await service.said(/^Serving at (\S+)\n/);
    const verdicts = await (await fetch(`${address}viewer/verdicts?split=valid`)).text();
    const { code, err } = await service.end();
    assert.equal(code, 0);
    const said = err.replace(/^Not for diagnosis.*\n/, "").replace(/Stopping after the .*\n$/, "");
    return { verdicts, said };
  };
  const refused = await serve([]);
  assert.equal(
    refused.said,
    "Cannot keep what the models say of the list in 'models/verdicts': " +
      "Deno has no permission for it: run again with --allow-write=models/verdicts\n",
  );
  assert.equal((await serve([], "--verdicts", "none")).said, "");
  assert.deepEqual(await folder.files("models"), ["acl.safetensors"]);
  const kept = await serve(["--allow-write=models/verdicts"]);
  assert.deepEqual(kept, { verdicts: refused.verdicts, said: "" });
  const names = await folder.files("models");
  assert.match(
    names.join(),
    /^acl\.safetensors(,verdicts\/exams-\w+\.json)?,verdicts\/verdicts-\w+\.json$/,
  );
  // Another answer in that file shows that it is read.
  const name = names.at(-1)!;
  const text = await Deno.readTextFile(folder.at("models", name));
  await folder.write(`models/${name}`, text.replaceAll(/\[0\.\d+,/g, "[0.125,"));
  const read = await serve(["--allow-write=models/verdicts"]);
  assert.match(read.verdicts, /"probability":0\.125/);
  await serve(["--allow-write=kept"], "--verdicts", "kept");
  assert.equal((await folder.files("kept")).length > 0, true);
});

/** Three planes of 24 slices, which take a while to be read. */
function longForm(): FormData {
  const form = new FormData();
  const exam = new Blob([examBytes(voxels(1, 24 * 65536), [24, 256, 256]) as BlobPart]);
  for (const plane of PLANES) form.append(plane, exam, "exam.npy");
  return form;
}

/** Waits until a service answers nothing new any more. */
async function refusing(address: string): Promise<void> {
  let status: number;
  do {
    const late = await fetch(`${address}healthz`).catch(() => new Response(null, { status: 503 }));
    await late.body?.cancel();
    status = late.status;
  } while (status !== 503);
}

Deno.test("SIGTERM: what was taken in is answered, what comes is refused, a second one ends it", async () => {
  await using folder = await TemporaryFolder.make();
  await writeCombinedModels(folder);
  const start = async () => {
    const models = ["--models", "combined.json", "--port", "0", "--backend", "wasm"];
    const service = new Process(folder, ["run", "--quiet", "-A", CLI, "serve", ...models]);
    const [, address] = await service.said(/^Serving at (\S+)\n/);
    const form = longForm();
    const under = fetch(`${address}v1/predict`, { method: "POST", body: form });
    under.catch(() => {});
    while ((await (await fetch(`${address}healthz`)).json()).waiting === 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return { service, address, under };
  };
  {
    const { service, address, under } = await start();
    await using _ = service;
    const ended = service.end("SIGTERM");
    await refusing(address);
    const response = await under;
    assert.equal(response.status, 200);
    assert.equal((await response.json()).predictions[0].kind, "combined");
    const { code, err } = await ended;
    assert.equal(code, 0);
    assert.match(err, /Stopping after the requests under way\.\n$/);
  }
  {
    const { service, address, under } = await start();
    await using _ = service;
    const ended = service.end("SIGTERM");
    // Two signals that come before the first is heard are one.
    await refusing(address);
    const again = performance.now();
    service.kill("SIGTERM");
    assert.notEqual((await ended).code, 0);
    assertWithin(performance.now() - again, 3000);
    await assert.rejects(under);
  }
});

Deno.test("the next exam's slices come while one is being read", async () => {
  await using folder = await TemporaryFolder.make();
  await writeCombinedModels(folder);
  const ids = ["0000", "0001", "0002", "0003"];
  for (const [index, id] of ids.entries()) {
    // Each of its own: what is known of a file is known of all that hold the same.
    const own = voxels(1, 24 * 65536).map((value) => value - index);
    const exam = examBytes(own, [24, 256, 256]);
    for (const plane of PLANES) await folder.write(`data/valid/${plane}/${id}.npy`, exam);
  }
  const args = ["--data", "data", "--models", "combined.json", "--port", "0", "--backend", "wasm"];
  await using service = new Process(folder, ["run", "--quiet", "-A", CLI, "serve", ...args]);
  const [, address] = await service.said(/^Serving at (\S+)\n/);
  const get = async (path: string) =>
    (await (await fetch(`${address}viewer/${path}`)).bytes()).length;
  const shown: number[] = [];
  for (const [index, id] of ids.slice(0, 3).entries()) {
    let read = false;
    const reading = get(`reading/valid/${id}`).then(() => read = true);
    while ((await (await fetch(`${address}healthz`)).json()).waiting === 0) { /* It begins. */ }
    const start = performance.now();
    await Promise.all(PLANES.map((plane) => get(`slices/valid/${ids[index + 1]}/${plane}`)));
    shown.push(performance.now() - start);
    assert.equal(read, false);
    await reading;
  }
  // 200 ms on a machine with nothing else to do; this one may have.
  const [, median] = shown.sort((a, b) => a - b);
  assertWithin(median, 2000, `an exam, of ${shown} ms,`);
});

Deno.test("serve on another address of this machine answers its own names only", async () => {
  await using folder = await TemporaryFolder.make();
  const net = "--allow-net=127.0.0.2";
  const args = ["run", "--quiet", "--no-prompt", net, CLI, "serve", "--host", "127.0.0.2"];
  await using process = new Process(folder, [...args, "--port", "0"]);
  const [, port] = await process.said(/http:\/\/127\.0\.0\.2:(\d+)\//);
  for (const [host, status] of [["127.0.0.2", 200], ["evil.example", 421]] as const) {
    using connection = await Deno.connect({ hostname: "127.0.0.2", port: Number(port) });
    const request = `GET /healthz HTTP/1.1\r\nhost: ${host}:${port}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    const bytes = new Uint8Array(4096);
    const answer = new TextDecoder().decode(bytes.subarray(0, await connection.read(bytes) ?? 0));
    assert.ok(answer.startsWith(`HTTP/1.1 ${status} `), answer);
  }
  const { err } = await process.end();
  assert.doesNotMatch(err, /is answered: give --token/);
});

Deno.test({
  name: "out of descriptors serve closes idle and half-sent connections and goes on",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using folder = await TemporaryFolder.make();
    const serve = ["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1", CLI, "serve"];
    const limited = ["-c", 'ulimit -n 64; exec "$0" "$@"', Deno.execPath(), ...serve];
    await using process = new Process(folder, [...limited, "--port", "0"], "sh");
    const port = Number((await process.said(/http:\/\/127\.0\.0\.1:(\d+)\//))[1]);
    const connections: Deno.TcpConn[] = [];
    for (let number = 0; number < 300; number++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
      if (connection === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        continue;
      }
      connections.push(connection);
      const half = new TextEncoder().encode("GET /healthz HTTP/1.1\r\nhost: localhost\r\n");
      if (number % 2 === 1) await connection.write(half).catch(() => {});
    }
    assert.ok(connections.length > 100, `${connections.length} connections`);
    let answered = 0;
    for (let time = 0; time < 20; time++) {
      const response = await fetch(`http://127.0.0.1:${port}/healthz`, {
        signal: AbortSignal.timeout(5000),
      }).catch(() => undefined);
      await response?.body?.cancel();
      if (response?.status === 200) answered++;
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
    for (const connection of connections) connection.close();
    assert.ok(answered >= 18, `${answered} of 20 answered`);
    const { code, err } = await process.end();
    assert.equal(code, 0, err);
    assert.match(err, /No more connections can be taken \(.*Too many open files/);
  },
});

Deno.test("what serve cannot do is one line that says what to fix", async () => {
  await using folder = await TemporaryFolder.make();
  await writeTinyDataset(folder);
  await writeModel(folder.at("models/acl.safetensors").replace("models/", ""), 1, {});
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  for (
    const [args, code, words] of [
      [["serve", "--port", "99999"], 2, /argument --port: invalid value: 99999/],
      [["serve", "--models", "a,,b"], 2, /argument --models: invalid value: 'a,,b'/],
      [["serve", "--token", "a", "--token_file", "b"], 2, /not allowed with argument --token/],
      [["view", "--token", "a", "--token_file", "b"], 2, /not allowed with argument --token/],
      [["view", "--token_file", "none.txt"], 1, /^Cannot read the token from 'none\.txt'/],
      [
        ["serve", "--allow_origin", "*"],
        2,
        /argument --allow_origin: Cannot allow the origin '\*'/,
      ],
      [
        ["serve", "--models", "none.pth"],
        1,
        /^Cannot read the model 'none\.pth': there is no such/,
      ],
      [["serve", "--models", "acl.safetensors"], 1, /does not say its task and plane/],
      [
        ["serve", "--data", "nowhere"],
        1,
        /^Cannot open the dataset in 'nowhere': there is no such/,
      ],
      [["serve", "--dicomweb_credentials", "a"], 2, /not allowed without argument --dicomweb$/m],
      [["serve", "--dicomweb", "http://u:p@host"], 1, /address: it holds a user or a password: /],
      [["view"], 1, /^Cannot open the dataset in 'data'/],
      [
        ["serve", "--port", `${port}`],
        1,
        /^Cannot listen on 127\.0\.0\.1:\d+: something else listens/,
      ],
      [["serve", "--port", "1234"], 1, /run again with --allow-net=127\.0\.0\.1:1234\n$/],
      [
        ["serve", "--port", "1234", "--host", "::1"],
        1,
        /^Cannot listen on \[::1\]:1234: .* run again with --allow-net=\[::1\]:1234\n$/,
      ],
    ] as const
  ) {
    const bare = args.length === 1;
    if (bare) await Deno.rename(folder.at("data"), folder.at("moved"));
    const { code: found, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--allow-read=.", `--allow-net=127.0.0.1:${port}`],
        ...[CLI, ...args, "--backend", "wasm"],
      ],
      cwd: folder.path,
      env: { NO_COLOR: "1" },
    }).output();
    const err = withoutDriver(new TextDecoder().decode(stderr));
    assert.match(code === 2 ? err.replace(/^[\s\S]*cli\.ts: error: /, "") : err, words);
    assert.deepEqual([found, new TextDecoder().decode(stdout)], [code, ""], err);
  }
  taken.close();
});

Deno.test("serve names the flag of a permission that is missing; help, documentation and deno.json name all", async () => {
  await using folder = await TemporaryFolder.make();
  await writeTinyDataset(folder);
  await folder.write("models/acl.safetensors", await modelBytes());
  const args = [
    "serve",
    "--data",
    "data",
    "--models",
    "models/acl.safetensors",
    "--backend",
    "wasm",
  ];
  const net = "--allow-net=127.0.0.1:8080";
  for (
    const [granted, missing] of [
      [["--allow-read=data", net], "--allow-read=models"],
      [["--allow-read=models", net], "--allow-read=data"],
      [["--allow-read=data,models"], net],
    ] as const
  ) {
    const { code, out, err } = await runCli(folder, args, { permissions: granted });
    assert.deepEqual([code, out], [1, ""], err);
    assert.match(
      err,
      new RegExp(`^Cannot .*: Deno has no permission for it: run again with ${missing}\n$`),
    );
  }
  const root = new URL("../../", import.meta.url);
  const { permissions } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  assert.deepEqual(permissions.serve, {
    env: ["XDG_RUNTIME_DIR"],
    read: ["data", "models"],
    write: ["models/verdicts"],
    net: ["127.0.0.1:8080"],
  });
  const page = await Deno.readTextFile(new URL("docs/command_line.md", root));
  for (const command of ["serve", "view"]) {
    const { out } = await runCli(folder, [command, "--help"], { permissions: [] });
    for (const text of [out, page]) {
      assert.ok(text.includes("--allow-net=HOST:PORT --allow-read=DIR"), text);
      assert.ok(text.includes("-P=serve"), text);
    }
  }
});

Deno.test("requests of untrusted clients get the right answers, and the service goes on", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("acl.safetensors", await modelBytes());
  const limits = { bodyBytes: 262_144, deadline: 3000, queue: 64 };
  await folder.write(
    "service.ts",
    `import { createHandler } from ${MOD};
     const viewer = true;
     const models = ["acl.safetensors"];
     const options = { models, engine: "wasm", viewer, limits: ${JSON.stringify(limits)} };
     Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log("on", port) },
       createHandler({ ...options, onError: (error) => console.log("FAULT", error) }));`,
  );
  const flags = ["--quiet", "--no-prompt", "--allow-read", "--allow-net"];
  await using service = new Process(folder, ["run", ...flags, "service.ts"]);
  const [, port] = await service.said(/on (\d+)/);
  const first = await predict(`http://127.0.0.1:${port}/`);
  assert.equal(first.status, 200);
  await first.body?.cancel();
  const tally = await attack({ port: Number(port), bodyBytes: limits.bodyBytes }, 200, 20);
  assert.equal(tally.size, HOSTILE_KINDS.length, "every kind was among them");
  assert.ok(tally.get("an exam")!.has(200), "no exam was answered");
  assert.equal((await predict(`http://127.0.0.1:${port}/`)).status, 200);
  assert.ok(!service.out.includes("FAULT"), service.out);
});

Deno.test("bodies that are too slow leave no memory behind", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("acl.safetensors", await modelBytes());
  const limits = { deadline: 200, queue: 64 };
  const options = { models: ["acl.safetensors"], engine: "wasm", limits };
  await folder.write(
    "service.ts",
    `import { createHandler } from ${MOD};
     const handler = createHandler(${JSON.stringify(options)});
     Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log("on", port) },
       async (request) => {
         if (!request.url.endsWith("/memory")) return await handler(request);
         for (let time = 0; time < 3; time++) {
           globalThis.gc();
           await new Promise((resolve) => setTimeout(resolve, 50));
         }
         return new Response(String(Deno.memoryUsage().external));
       });`,
  );
  const flags = ["--quiet", "--no-prompt", "--allow-read", "--allow-net", "--v8-flags=--expose-gc"];
  await using service = new Process(folder, ["run", ...flags, "service.ts"]);
  const [, port] = await service.said(/on (\d+)/);
  const slow = async () => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    const head = "POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9000\r\n" +
      "content-type: application/octet-stream\r\nconnection: close\r\n\r\n";
    await connection.write(new TextEncoder().encode(head));
    const answer = new Uint8Array(12);
    await connection.read(answer);
    assert.equal(new TextDecoder().decode(answer), "HTTP/1.1 408");
  };
  const memory = async () => {
    // What was cut off last is let go a moment after.
    await new Promise((resolve) => setTimeout(resolve, 200));
    return Number(await (await fetch(`http://127.0.0.1:${port}/memory`)).text());
  };
  await Promise.all(Array.from({ length: 20 }, slow));
  const before = await memory();
  for (let round = 0; round < 4; round++) await Promise.all(Array.from({ length: 25 }, slow));
  const grown = await memory() - before;
  // A buffer of 64 KiB for each of the hundred would be 6.5 MB.
  assert.ok(grown < 1e6, `${grown} bytes more`);
});

Deno.test("a body is in memory once", async () => {
  await using folder = await TemporaryFolder.make();
  const body = JSON.stringify(new URL("../../lib/serve/body.ts", import.meta.url).href);
  await folder.write(
    "body.ts",
    `import { Budget, readBody } from ${body};
     const parts = Array(320).keys();
     const stream = new ReadableStream({
       pull(controller) {
         if (parts.next().done) controller.close();
         else controller.enqueue(new Uint8Array(100_000).fill(1));
       },
     });
     const request = new Request("http://localhost", { method: "POST", body: stream });
     const limits = { most: 1e9, budget: new Budget(1e9), signal: new AbortController().signal };
     const kept = await readBody(request, limits);
     globalThis.gc();
     await new Promise((resolve) => setTimeout(resolve, 100));
     globalThis.gc();
     console.log(kept.bytes.length, "bytes,", Deno.memoryUsage().external);`,
  );
  await using process = new Process(folder, [
    "run",
    "--quiet",
    "--v8-flags=--expose-gc",
    "body.ts",
  ]);
  const [, bytes, memory] = await process.said(/(\d+) bytes, (\d+)/);
  assert.equal(Number(bytes), 32e6);
  assert.ok(Number(memory) < 40e6, memory);
});
