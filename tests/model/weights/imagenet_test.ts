import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fetchImageNetWeights } from "../../../lib/model/weights/imagenet.ts";
import { withFolder } from "./support.ts";

const CONTENT = new Uint8Array(300_000).map((_, index) => index * 7 % 251);
const HASH = createHash("sha256").update(CONTENT).digest("hex").slice(0, 8);
const NAME = `alexnet-owt-${HASH}.pth`;
const HINT = (folder: string) =>
  `put ${NAME} into ${folder}/ yourself, or start without it: --weights none`;

/** What the server is to do with a request; its number counts from 1. */
type Answer = (request: Request, number: number) => Response | Promise<Response>;

interface Setting {
  folder: string;
  url: string;
  path: string;
  partial: string;
  /** The `range` header of each request, `""` where there was none. */
  ranges: string[];
}

/** Runs a test with a server on the loopback and an empty folder. */
function served(name: string, answer: Answer, use: (setting: Setting) => Promise<void>): void {
  Deno.test(name, () =>
    withFolder(async (root) => {
      const folder = `${root}/models`;
      const ranges: string[] = [];
      await using server = Deno.serve(
        { port: 0, hostname: "127.0.0.1", onListen: () => {} },
        (request) => {
          ranges.push(request.headers.get("range") ?? "");
          return answer(request, ranges.length);
        },
      );
      const path = `${folder}/${NAME}`;
      const url = `http://127.0.0.1:${server.addr.port}/models/${NAME}`;
      await use({ folder, url, path, partial: `${path}.part`, ranges });
    }));
}

const whole: Answer = () => new Response(CONTENT);

/** A server that serves ranges, as that of PyTorch does. */
const inRanges: Answer = (request) => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
  const etag = '"version-1"';
  if (from === 0) return new Response(CONTENT, { headers: { etag } });
  if (from >= CONTENT.length) {
    const headers = { "content-range": `bytes */${CONTENT.length}` };
    return new Response(null, { status: 416, headers });
  }
  const condition = request.headers.get("if-range");
  if (condition !== null && condition !== etag) return new Response(CONTENT, { headers: { etag } });
  return new Response(CONTENT.subarray(from), {
    status: 206,
    headers: { etag, "content-range": `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}` },
  });
};

/** A response that promises everything from a byte on, and breaks off after some bytes. */
function broken(bytes: Uint8Array, headers: Record<string, string> = {}, from = 0): Response {
  const body = new ReadableStream({
    async pull(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      // The bytes must be on their way before the break, or they are dropped with it.
      await new Promise((resolve) => setTimeout(resolve, 50));
      controller.close();
    },
  });
  const length = CONTENT.length - from;
  const range = `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}`;
  return new Response(body, {
    status: from === 0 ? 200 : 206,
    headers: { ...headers, "content-length": `${length}`, "content-range": range },
  });
}

async function assertComplete({ path, partial }: Setting, given: string): Promise<void> {
  assert.equal(given, path);
  assert.deepEqual(await Deno.readFile(path), CONTENT);
  await assert.rejects(Deno.stat(partial), Deno.errors.NotFound);
}

async function assertFails(setting: Setting, found: string, pause = 1): Promise<void> {
  const { folder, url, path } = setting;
  await assert.rejects(fetchImageNetWeights({ folder, url, pause }), {
    name: "WeightsError",
    message: `Cannot fetch '${url}': ${found}: ${HINT(folder)}`,
  });
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
}

served("the weights are fetched once, and used from then on", inRanges, async (setting) => {
  const { folder, url, ranges } = setting;
  const progress: [number, number | undefined][] = [];
  const onProgress = (bytes: number, total?: number) => progress.push([bytes, total]);
  await assertComplete(setting, await fetchImageNetWeights({ folder, url, onProgress }));
  assert.deepEqual(progress[0], [0, CONTENT.length]);
  assert.deepEqual(progress.at(-1), [CONTENT.length, CONTENT.length]);
  assert.ok(progress.every(([bytes], index) => index === 0 || bytes > progress[index - 1][0]));
  await assertComplete(setting, await fetchImageNetWeights({ folder, url }));
  assert.deepEqual(ranges, [""]);
});

served("a file with another hash is replaced", whole, async (setting) => {
  const { folder, url, path } = setting;
  await Deno.mkdir(folder);
  await Deno.writeTextFile(path, "half of it");
  await assertComplete(setting, await fetchImageNetWeights({ folder, url }));
});

served("what an earlier run left is continued", inRanges, async (setting) => {
  const { folder, url, partial, ranges } = setting;
  await Deno.mkdir(folder);
  await Deno.writeFile(partial, CONTENT.subarray(0, 100_000));
  const progress: number[] = [];
  const onProgress = (bytes: number) => progress.push(bytes);
  await assertComplete(setting, await fetchImageNetWeights({ folder, url, onProgress }));
  assert.deepEqual(ranges, ["bytes=100000-"]);
  assert.equal(progress[0], 100_000);
});

served(
  "a break is continued where it happened, if the server's file is still the same",
  (request, number) =>
    number === 1
      ? broken(CONTENT.subarray(0, 50_000), { etag: '"version-1"' })
      : inRanges(request, number),
  async (setting) => {
    const { folder, url, ranges } = setting;
    await assertComplete(setting, await fetchImageNetWeights({ folder, url, pause: 1 }));
    assert.deepEqual(ranges, ["", "bytes=50000-"]);
  },
);

served(
  "a break starts again where the server's file has changed",
  (request, number) =>
    number === 1
      ? broken(new Uint8Array(50_000), { etag: '"version-0"' })
      : inRanges(request, number),
  async (setting) => {
    const { folder, url } = setting;
    await assertComplete(setting, await fetchImageNetWeights({ folder, url, pause: 1 }));
  },
);

served(
  "a server that does not serve ranges sends everything again",
  (request, number) => number === 1 ? broken(CONTENT.subarray(0, 9)) : whole(request, number),
  async (setting) => {
    const { folder, url, ranges } = setting;
    await assertComplete(setting, await fetchImageNetWeights({ folder, url, pause: 1 }));
    assert.deepEqual(ranges, ["", "bytes=9-"]);
  },
);

served("a partial file that is whole already needs no byte", inRanges, async (setting) => {
  const { folder, url, partial, ranges } = setting;
  await Deno.mkdir(folder);
  await Deno.writeFile(partial, CONTENT);
  await assertComplete(setting, await fetchImageNetWeights({ folder, url }));
  assert.deepEqual(ranges, [`bytes=${CONTENT.length}-`]);
});

served("a partial file that is too long starts again", inRanges, async (setting) => {
  const { folder, url, partial, ranges } = setting;
  await Deno.mkdir(folder);
  await Deno.writeFile(partial, new Uint8Array(CONTENT.length + 1));
  await assertComplete(setting, await fetchImageNetWeights({ folder, url }));
  assert.deepEqual(ranges, [`bytes=${CONTENT.length + 1}-`, ""]);
});

served("a partial file of another file starts again", inRanges, async (setting) => {
  const { folder, url, partial, ranges } = setting;
  await Deno.mkdir(folder);
  await Deno.writeFile(partial, new Uint8Array(1000).fill(1));
  await assertComplete(setting, await fetchImageNetWeights({ folder, url }));
  assert.deepEqual(ranges, ["bytes=1000-", ""]);
});

served(
  "an answer with another range than was asked for starts again",
  (request, number) => {
    if (number > 1) return whole(request, number);
    const headers = { "content-range": `bytes 0-9/${CONTENT.length}` };
    return new Response(CONTENT.subarray(0, 10), { status: 206, headers });
  },
  async (setting) => {
    const { folder, url, partial, ranges } = setting;
    await Deno.mkdir(folder);
    await Deno.writeFile(partial, CONTENT.subarray(0, 1000));
    await assertComplete(setting, await fetchImageNetWeights({ folder, url }));
    assert.deepEqual(ranges, ["bytes=1000-", ""]);
  },
);

served("a wrong hash is refused and nothing is kept", () => new Response("no"), async (setting) => {
  const hash = createHash("sha256").update("no").digest("hex").slice(0, 16);
  const found = `what came has the SHA-256 hash ${hash}…, not ${HASH}…, and was deleted`;
  await assertFails(setting, found);
  assert.deepEqual([...Deno.readDirSync(setting.folder)], []);
});

served(
  "a file that is not there is said to be so",
  () => new Response("", { status: 404, statusText: "Not Found" }),
  (setting) => assertFails(setting, "the server answers 404 Not Found"),
);

served(
  "a server that breaks off without a byte is not asked for ever",
  () => broken(new Uint8Array(0)),
  async (setting) => {
    await assert.rejects(
      fetchImageNetWeights({ folder: setting.folder, url: setting.url, pause: 1 }),
      /^WeightsError: Cannot fetch '.*': the connection broke off \(.*\): put alexnet-owt-/,
    );
    assert.equal(setting.ranges.length, 1);
  },
);

served(
  "what came before the server gave up is kept for the next run",
  (_, number) =>
    number === 1 ? broken(CONTENT.subarray(0, 4000)) : broken(new Uint8Array(0), {}, 4000),
  async (setting) => {
    const { folder, url, partial } = setting;
    await assert.rejects(
      fetchImageNetWeights({ folder, url, pause: 1 }),
      /; the 4000 bytes that came are kept for the next try: put/,
    );
    assert.equal((await Deno.stat(partial)).size, 4000);
  },
);

served("a server that falls silent is given up", async () => {
  await new Promise((resolve) => setTimeout(resolve, 400));
  return new Response(CONTENT);
}, async ({ folder, url }) => {
  await assert.rejects(
    fetchImageNetWeights({ folder, url, patience: 50, pause: 1 }),
    /the server sends nothing any more: put/,
  );
});

served("a download can be stopped, and what came is kept", () =>
  new Response(
    new ReadableStream({ pull: (controller) => controller.enqueue(CONTENT.subarray(0, 1000)) }),
  ), async (setting) => {
  const { folder, url, partial, path } = setting;
  const stop = new AbortController();
  const onProgress = (bytes: number) => bytes > 2000 && stop.abort(new Error("stopped"));
  const { signal } = stop;
  await assert.rejects(
    fetchImageNetWeights({ folder, url, onProgress, signal }),
    /^Error: stopped/,
  );
  assert.ok((await Deno.stat(partial)).size > 2000);
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
});

served("two at once fetch it once", async (request, number) => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  return inRanges(request, number);
}, async (setting) => {
  const { folder, url, ranges } = setting;
  const both = [1, 2, 3].map(() => fetchImageNetWeights({ folder, url, pause: 20 }));
  for (const path of await Promise.all(both)) await assertComplete(setting, path);
  assert.deepEqual(ranges, [""]);
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), [NAME]);
});

Deno.test("two processes at once fetch it once", async () => {
  await withFolder(async (folder) => {
    let requests = 0;
    await using server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      async (request) => {
        requests++;
        await new Promise((resolve) => setTimeout(resolve, 600));
        return inRanges(request, requests);
      },
    );
    const url = `http://127.0.0.1:${server.addr.port}/${NAME}`;
    const module = new URL("../../../lib/model/weights/imagenet.ts", import.meta.url);
    const code = `import { fetchImageNetWeights } from ${JSON.stringify(module)};
      await fetchImageNetWeights(${JSON.stringify({ folder, url, pause: 50 })});`;
    const script = `${folder}/fetch.ts`;
    await Deno.writeTextFile(script, code);
    const args = ["run", "--no-check", "--no-lock", "-A", script];
    const outputs = await Promise.all(
      [1, 2].map(() => new Deno.Command(Deno.execPath(), { args }).output()),
    );
    for (const { success, stderr } of outputs) {
      assert.ok(success, new TextDecoder().decode(stderr));
    }
    assert.deepEqual(await Deno.readFile(`${folder}/${NAME}`), CONTENT);
    assert.equal(requests, 1);
  });
});

Deno.test("a server that is not there is said to be so", () =>
  withFolder(async (folder) => {
    const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const { port } = listener.addr;
    listener.close();
    const url = `http://127.0.0.1:${port}/${NAME}`;
    const setting = { folder, url, path: `${folder}/${NAME}`, partial: "", ranges: [] };
    await assertFails(setting, "the server cannot be reached");
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  }));

Deno.test({
  name: "a refused network names the flag",
  permissions: { net: false, read: true, write: true },
  fn: () =>
    withFolder(async (folder) => {
      await assert.rejects(fetchImageNetWeights({ folder }), {
        name: "PermissionError",
        message: "Cannot fetch 'https://download.pytorch.org/models/alexnet-owt-7be5be79.pth': " +
          "Deno has no permission for the network: run again with --allow-net=download.pytorch.org",
      });
    }),
});

Deno.test("an address without a hash in its name is refused", async () => {
  for (const url of ["https://example.org/alexnet.pth", "alexnet-7be5be79.pth", "file:///a"]) {
    await assert.rejects(fetchImageNetWeights({ folder: "models", url }), {
      name: "OptionError",
      message: `Cannot fetch '${url}': it is no web address of a file whose name carries its ` +
        "hash: give one that ends like alexnet-owt-7be5be79.pth",
    });
  }
});

served(
  "a server that sends on to another address is not followed",
  (request) =>
    request.url.endsWith("/elsewhere")
      ? new Response(CONTENT)
      : new Response(null, { status: 301, headers: { location: "/elsewhere" } }),
  async ({ folder, url, path, ranges }) => {
    await assert.rejects(fetchImageNetWeights({ folder, url }), {
      name: "WeightsError",
      message: `Cannot fetch '${url}': the answer was 301, which sends on to '/elsewhere', and ` +
        `redirects are not followed: ${HINT(folder)}`,
    });
    assert.equal(ranges.length, 1);
    await assert.rejects(Deno.stat(path));
  },
);
