/**
 * A study is fetched as it is stored and nothing else is, whatever the PACS answers; and nobody but the PACS
 * is told the credentials.
 */
import assert from "node:assert/strict";
import { messageOf, PacsError } from "../../lib/errors.ts";
import { Credentials } from "../../lib/pacs/credentials.ts";
import { openPacs } from "../../lib/pacs/open.ts";
import { pacs } from "../../mod.ts";
import { dicomSlice } from "../support/dicom.ts";
import { FakePacs, filesAnswer, json, value } from "../support/fake_pacs.ts";
import { runScript } from "../support/cli.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { study } from "../support/study.ts";

/** The study of `study(1)`. */
const STUDY = "2.25.71";
const SECRET = "never:shown@all";

/** The message of what a promise is rejected with, which must be one line. */
async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => assert.fail("it was not refused"), (error) => error);
  const message = messageOf(error);
  assert.equal(message, error.message, error.stack);
  return message;
}

Deno.test("a study is fetched file by file as it is stored, and of it only MR", async () => {
  await using fake = new FakePacs();
  const files = [...study(1).values()];
  await fake.take(files);
  await fake.take(study(2).values());
  await fake.take([dicomSlice({ elements: { "0020,000D UI": STUDY, "0008,0060 CS": "OT" } })]);
  const fetched = await pacs.fetchStudy(STUDY, { url: `${fake.url}/` });
  assert.deepEqual(fetched.map(({ root }) => root), Array(54).fill(STUDY));
  const found = new Set(fetched.map(({ bytes }) => new Uint8Array(bytes).toHex()));
  assert.deepEqual(found, new Set(files.map((bytes) => bytes.toHex())));
  assert.equal(new Set(fetched.map(({ name }) => name)).size, 54);
  assert.deepEqual(fake.asked, [
    `GET /studies/${STUDY}/series`,
    ...[0, 1, 2].map((series) => `GET /studies/${STUDY}/series/${STUDY}${series}`),
  ]);
});

Deno.test("where a series does not say how many files it has, its instances are counted", async () => {
  await using fake = new FakePacs();
  const files = [...study(1).values()].slice(0, 18);
  await fake.take(files);
  const list = [{ "0020000E": value(`${STUDY}0`), "00080060": value("MR") }];
  fake.trouble = (_, { pathname }) => pathname.endsWith("/series") ? json(list) : undefined;
  assert.equal((await pacs.fetchStudy(STUDY, { url: fake.url })).length, 18);
  assert.equal(fake.asked.at(-1), `GET /studies/${STUDY}/series/${STUDY}0/instances`);
  fake.trouble = (_, { pathname }) => {
    if (pathname.endsWith("/series")) return json(list);
    return pathname.endsWith("/instances") ? undefined : filesAnswer(files.slice(1));
  };
  assert.match(await failure(pacs.fetchStudy(STUDY, { url: fake.url })), /it sent 17 of 18 files/);
});

Deno.test("files that share an identifier are told apart by their names", async () => {
  await using fake = new FakePacs();
  const [file] = study(1).values();
  await fake.take([file]);
  fake.trouble = (_, { pathname }) =>
    pathname.endsWith("/series") ? undefined : filesAnswer([file, file]);
  const names = (await pacs.fetchStudy(STUDY, { url: fake.url })).map(({ name }) => name);
  const { instance } = [...fake.instances.values()][0];
  assert.deepEqual(names, [`${STUDY}/${instance}`, `${STUDY}/${instance}-1`]);
});

Deno.test("studies are listed page by page, and a PACS that knows no pages ends the list", async () => {
  await using fake = new FakePacs();
  const [bytes] = study(1).values();
  for (let i = 0; i < 450; i++) {
    const about = { study: `2.25.${i}`, series: "2.25.1", instance: `${i}`, bytes };
    const texts = { modality: "MR", description: "", bodyPart: "", date: "20260101", title: "" };
    fake.instances.set(`${i}`, { ...about, ...texts });
  }
  const web = openPacs({ url: fake.url });
  const listed = await Array.fromAsync(web.studies("20260101"));
  assert.deepEqual(
    listed.map(({ study }) => study),
    Array.from({ length: 450 }, (_, i) => `2.25.${i}`),
  );
  assert.equal(fake.asked.length, 3);
  const page = Array.from({ length: 200 }, (_, i) => ({ "0020000D": value(`2.25.${i}`) }));
  fake.trouble = () => json(page);
  assert.equal((await Array.fromAsync(web.studies("20260101"))).length, 200);
  assert.equal(fake.asked.length, 5);
});

Deno.test("series that are named are fetched alone", async () => {
  await using fake = new FakePacs();
  await fake.take(study(1).values());
  const fetched = await pacs.fetchStudy(STUDY, { url: fake.url, series: [`${STUDY}1`] });
  assert.equal(fetched.length, 18);
  assert.match(
    await failure(pacs.fetchStudy(STUDY, { url: fake.url, series: ["2.25.9"] })),
    /^Cannot fetch study '2\.25\.71' at http:.*: it has no MR series '2\.25\.9': give some of '2\.25\.710', /,
  );
});

Deno.test("a user with a password, or a token, is sent to the PACS alone and shown nowhere", async () => {
  await using fake = new FakePacs();
  await using other = new FakePacs();
  await fake.take(study(1).values());
  const url = fake.url;
  await pacs.fetchStudy(STUDY, { url, credentials: `${SECRET}\n` });
  await pacs.fetchStudy(STUDY, { url, credentials: "token" });
  assert.deepEqual(fake.authorizations, new Set([`Basic ${btoa(SECRET)}`, "Bearer token"]));
  const server = openPacs({ url, credentials: SECRET });
  assert.ok(!Deno.inspect(server, { depth: 9, showHidden: true }).includes(SECRET));
  assert.ok(!JSON.stringify(server).includes(SECRET));

  // A service that sends back what it was sent, in every way it can.
  const echo = (status: number, headers?: Record<string, string>): void => {
    fake.trouble = (request) => {
      const sent = `${SECRET} ${request.headers.get("authorization")}`;
      const location = `${other.url}/studies?${encodeURIComponent(sent)}`;
      return new Response(sent, { status, statusText: SECRET, headers: { location, ...headers } });
    };
  };
  for (const status of [200, 302, 307, 400, 401, 403, 404, 409, 500, 503]) {
    echo(status);
    const message = await failure(pacs.fetchStudy(STUDY, { url, credentials: SECRET }));
    for (const part of ["never", "shown", btoa(SECRET)]) {
      assert.ok(!message.includes(part), message);
    }
    assert.match(
      message,
      /^Cannot find study '2\.25\.71' at http:\/\/127\.0\.0\.1:\d+\/dicom-web: /,
    );
  }
  assert.deepEqual(other.asked, []);
  echo(401);
  assert.match(
    await failure(pacs.fetchStudy(STUDY, { url, credentials: SECRET })),
    /it answered 401: check the credentials, and what they permit$/,
  );
});

Deno.test("redirects are followed within the PACS, a few times, and to no other host", async () => {
  await using fake = new FakePacs();
  await using other = new FakePacs();
  await fake.take(study(1).values());
  await other.take(study(1).values());
  const redirect = (to: string) => new Response(null, { status: 307, headers: { location: to } });
  fake.trouble = ({ headers }, { pathname, search }) => {
    assert.ok(headers.has("authorization"));
    if (pathname.startsWith("/dicom-web/")) return undefined;
    return redirect(pathname.replace("/old", "/dicom-web") + search);
  };
  const old = { url: `http://${fake.host}/old`, credentials: SECRET };
  assert.equal((await pacs.fetchStudy(STUDY, old)).length, 54);
  fake.trouble = () => redirect(`${other.url}/studies`);
  assert.match(
    await failure(pacs.fetchStudy(STUDY, old)),
    /it answered 307, which sends on to 'http:\/\/127\.0\.0\.1:\d+': give the address that answers itself$/,
  );
  assert.deepEqual(other.asked, []);
  const before = fake.asked.length;
  fake.trouble = (_, { pathname }) => redirect(pathname);
  assert.match(await failure(pacs.fetchStudy(STUDY, old)), /it answered 307/);
  assert.equal(fake.asked.length - before, 4);
  fake.trouble = () => redirect(`http://user:password@${fake.host}/dicom-web`);
  assert.match(await failure(pacs.fetchStudy(STUDY, old)), /it answered 307/);
});

Deno.test("whatever a PACS answers instead of a study is one line", async () => {
  await using fake = new FakePacs();
  const files = [...study(1).values()].slice(0, 3);
  await fake.take(files);
  await fake.take([dicomSlice({ elements: { "0020,000D UI": "2.25.5", "0008,0060 CS": "SR" } })]);
  const isSeries = (url: URL) => /series\/[\d.]+$/.test(url.pathname);
  const series = (change: () => Response) => (_: Request, url: URL) =>
    isSeries(url) ? change() : undefined;
  const list = (content: unknown) => () => json(content);
  const [other] = study(2).values();
  const type = "multipart/related; boundary=bound";
  const cases: [name: string, trouble: FakePacs["trouble"], message: RegExp][] = [
    ["no such study", list([]), /it has no such study, .*: check the Study Instance UID$/],
    ["no content", () => new Response(null, { status: 204 }), /it has no such study/],
    ["a page", () => new Response("<html>"), /its answer is of type 'text\/plain', not a list/],
    ["broken JSON", () => new Response('[{"002'), /not a list in DICOM's JSON: check that the add/],
    ["another list", list([1, 2]), /not a list in DICOM's JSON/],
    [
      "a list of a million values",
      list(Array(1_000_001).fill(0)),
      /its list is too large: it has more than 1000000 brackets and commas: its own log says why$/,
    ],
    ["no identifiers", list([{}]), /its list has an entry without an identifier/],
    [
      "a path for an identifier",
      list([{ "0020000E": value("../../secrets") }]),
      /its list has an entry without an identifier/,
    ],
    [
      "a refusal",
      () => new Response(null, { status: 401 }),
      /answered 401: no credentials were sent: give them .* --allow-env=MRNET_DICOMWEB_CREDENTIALS$/,
    ],
    [
      "no permission",
      () => new Response(null, { status: 403 }),
      /answered 403: no credentials were/,
    ],
    ["an overload", () => new Response(null, { status: 503 }), /answered 503: try again later$/],
    [
      "a transfer syntax that it cannot send",
      series(() => new Response(null, { status: 500 })),
      /^Cannot fetch series '2\.25\.710' at .*: it answered 500: it may not be able to send the files in the transfer syntax/,
    ],
    ["a syntax not acceptable", series(() => new Response("", { status: 406 })), /transfer syntax/],
    [
      "half a part",
      series(() => filesAnswer(files, (body) => body.slice(0, body.length / 2))),
      /its answer was cut short: try again/,
    ],
    [
      "an end that breaks off",
      series(() => filesAnswer(files, (body) => body.slice(0, body.length - 6))),
      /its answer was cut short/,
    ],
    [
      "fewer parts",
      series(() => filesAnswer(files.slice(1))),
      /it sent 2 of 3 files: try again: the study may not have come in whole$/,
    ],
    ["no parts", series(() => filesAnswer([])), /its answer was cut short|it sent 0 of 3/],
    [
      "another study",
      series(() => filesAnswer([other])),
      /part 1 of its answer is of another study/,
    ],
    [
      "another series",
      series(() => filesAnswer([...study(1).values()].slice(20, 21))),
      /part 1 of its answer is of another series/,
    ],
    [
      "no DICOM",
      series(() => filesAnswer([new TextEncoder().encode("rubbish")])),
      /the DICOM file 'part 1': it does not begin as a DICOM file does/,
    ],
    [
      "a cut file",
      series(() => filesAnswer([files[0].subarray(0, 300)])),
      /the DICOM file 'part 1': it is damaged/,
    ],
    [
      "a type without a boundary",
      series(() => new Response("", { headers: { "content-type": "multipart/related" } })),
      /of type 'multipart\/related', not the files of a series/,
    ],
    ["another type", series(() => json([])), /of type 'application\/dicom\+json', not the files/],
    [
      "an encoded part",
      series(() =>
        new Response("--bound\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--bound--\r\n", {
          headers: { "content-type": type },
        })
      ),
      /its answer has an encoded part/,
    ],
  ];
  for (const [name, trouble, message] of cases) {
    fake.trouble = trouble;
    const found = await failure(pacs.fetchStudy(STUDY, { url: fake.url }));
    assert.match(found, message, name);
    assert.match(found, /^Cannot (find|fetch|list) .* at http:\/\/127\.0\.0\.1:\d+\/dicom-web: /);
  }
  fake.trouble = undefined;
  assert.match(
    await failure(pacs.fetchStudy("2.25.5", { url: fake.url })),
    /it has no MR series, but SR: give a study with MR series$/,
  );
});

Deno.test("an identifier that claims more bytes than its file has is one line", async () => {
  await using fake = new FakePacs();
  await fake.take([...study(1).values()].slice(0, 1));
  const elements = { "0020,000D UI": STUDY };
  const file = dicomSlice({ syntax: "1.2.840.10008.1.2", elements });
  const at = new TextDecoder("latin1").decode(file).indexOf("\x20\0\x0d\0");
  new DataView(file.buffer, file.byteOffset).setUint32(at + 4, 543_061, true);
  fake.trouble = (_, { pathname }) =>
    /series\/[\d.]+$/.test(pathname) ? filesAnswer([file]) : undefined;
  const message = await failure(pacs.fetchStudy(STUDY, { url: fake.url }));
  assert.match(message, /^Cannot fetch series .*'part 1': it is damaged \(.*past end of buffer/);
});

Deno.test("an answer may take so many bytes and files, and so much time, and no more", async () => {
  await using fake = new FakePacs();
  await fake.take(study(1).values());
  const fetch = (limits: Partial<pacs.PacsLimits>) =>
    failure(pacs.fetchStudy(STUDY, { url: fake.url, limits }));
  assert.match(
    await fetch({ studyBytes: 100_000 }),
    /it sent more than 100000 bytes: ask for less/,
  );
  assert.match(await fetch({ files: 20 }), /'2\.25\.711' at .*: it sent more than 2 files/);
  const never = new ReadableStream();
  fake.trouble = () => new Response(never);
  assert.match(await fetch({ silence: 50 }), /it sent nothing for 0\.05 s: try again later$/);
  // Some bytes now and then keep it alive, but not for ever.
  let timer: ReturnType<typeof setInterval> | undefined;
  fake.trouble = () =>
    new Response(
      new ReadableStream({
        start(controller) {
          timer = setInterval(() => controller.enqueue(new Uint8Array(1)), 5);
        },
        cancel: () => clearInterval(timer),
      }),
    );
  assert.match(await fetch({ deadline: 100 }), /its answer was not complete after 0\.1 s/);
  clearInterval(timer);
  const endless = new Uint8Array(1 << 20);
  fake.trouble = () =>
    new Response(new ReadableStream({ pull: (controller) => controller.enqueue(endless) }));
  assert.match(await fetch({}), /it sent more than 33554432 bytes/);
});

Deno.test("no timer outlives its answer, and the longest limits are no short ones", async () => {
  await using fake = new FakePacs();
  await fake.take([...study(1).values()].slice(0, 1));
  const { setTimeout, clearTimeout } = globalThis;
  const { timeout } = AbortSignal;
  const waiting = new Set<unknown>();
  try {
    Object.assign(globalThis, {
      setTimeout(action: () => void, milliseconds: number) {
        const timer = setTimeout(() => (waiting.delete(timer), action()), milliseconds);
        waiting.add(timer);
        return timer;
      },
      clearTimeout: (timer: number) => (waiting.delete(timer), clearTimeout(timer)),
    });
    // This one cannot be cleared.
    AbortSignal.timeout = (milliseconds) => (waiting.add(milliseconds), timeout(milliseconds));
    const limits = { silence: 1e12, deadline: 1e12 };
    assert.equal((await pacs.fetchStudy(STUDY, { url: fake.url, limits })).length, 1);
    assert.deepEqual([...waiting], []);
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
    AbortSignal.timeout = timeout;
  }
});

Deno.test("what is stored is there, and what the PACS refuses is an error", async () => {
  await using fake = new FakePacs();
  const files = [...study(1).values()].slice(0, 2);
  await pacs.storeInstances(STUDY, files, { url: fake.url });
  assert.deepEqual([...fake.instances.values()].map(({ bytes }) => bytes), files);
  const cases: [answer: () => Response, message: RegExp][] = [
    [
      () => json({ "00081198": { vr: "SQ", Value: [{}] } }),
      /it stored 0 of 2 and refused 1: its own/,
    ],
    [() => json({ "00081199": { vr: "SQ", Value: [{}] } }), /it stored 1 of 2 and refused 0/],
    [() => new Response("<xml>"), /it does not say what it stored/],
    [
      () => json(Array(1_000_001).fill(0)),
      /what it says of them is too large: it has more than 1000000 brackets and commas/,
    ],
    [() => new Response(null, { status: 400 }), /it answered 400: its own log says why$/],
    [() => new Response(null, { status: 409 }), /it answered 409/],
  ];
  for (const [answer, message] of cases) {
    fake.trouble = answer;
    const found = await failure(pacs.storeInstances(STUDY, files, { url: fake.url }));
    assert.match(found, message);
    assert.match(found, /^Cannot store 2 files in study '2\.25\.71' at http:/);
  }
});

Deno.test("a PACS that is not there is down, one that does not have a study is not", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const url = `http://127.0.0.1:${port}/dicom-web`;
  await assert.rejects(pacs.fetchStudy(STUDY, { url }), (error: unknown) => {
    assert.ok(error instanceof PacsError && error.isDown);
    assert.match(
      error.message,
      /it cannot be reached \(.*[Rr]efused\): check that it runs at this/,
    );
    return true;
  });
  await using fake = new FakePacs();
  await assert.rejects(
    pacs.fetchStudy(STUDY, { url: fake.url }),
    (error: unknown) => error instanceof PacsError && !error.isDown,
  );
});

Deno.test("a connection that ends before an answer does is one line", async () => {
  const head =
    "HTTP/1.1 200 OK\r\ncontent-type: application/dicom+json\r\ncontent-length: 99\r\n\r\n[";
  for (const answer of [head, "", "rubbish\r\n\r\n"]) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const served = (async () => {
      using connection = await listener.accept();
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode(answer));
      listener.close();
    })();
    const url = `http://127.0.0.1:${listener.addr.port}`;
    assert.match(
      await failure(pacs.fetchStudy(STUDY, { url })),
      /^Cannot find study '2\.25\.71' at http:[^ ]+: the answer broke off \([\w ]+\): check that it runs/,
    );
    await served;
  }
});

Deno.test("addresses and credentials that cannot be used are refused before anything is sent", async () => {
  const cases: [url: string, message: RegExp][] = [
    [
      "pacs",
      /^Cannot use the DICOMweb address 'pacs': it is no http: or https: address: give one like/,
    ],
    ["ftp://host/", /it is no http: or https: address/],
    [
      "https://user:never@host/dicom-web",
      /address: it holds a user or a password: give them in a file/,
    ],
    ["https://user@host/dicom-web", /it holds a user or a password/],
    ["https://host/dicom-web?token=never", /address: something follows its path/],
    ["https://host/dicom-web#never", /something follows its path/],
    ["https://user:never@:x", /no http: or https: address/],
  ];
  for (const [url, message] of cases) {
    const found = await failure(pacs.fetchStudy(STUDY, { url }));
    assert.match(found, message);
    assert.ok(!found.includes("never"), found);
  }
  // As a script in JavaScript may have it.
  const nowhere = {} as { url: string };
  assert.match(
    await failure(pacs.fetchStudy(STUDY, nowhere)),
    /^Cannot use the DICOMweb address: there is none: give one like https:/,
  );
  for (
    const text of ["", " \n", "two words", "token\nof two lines", ":password", "us\ner:password"]
  ) {
    const found = await failure(Promise.try(() => Credentials.parse(text, "'file'")));
    assert.match(
      found,
      /^Cannot use the credentials in 'file': th(ere|ey) are n(one|either): give/,
    );
  }
  for (const name of ["1.2/../3", "", "2.25.7*", "2".repeat(65)]) {
    const found = await failure(pacs.fetchStudy(name, { url: "http://127.0.0.1:1" }));
    assert.match(found, /^Cannot ask for the study '.*': it is no identifier/);
  }
  assert.match(
    await failure(pacs.fetchStudy(STUDY, { url: "http://127.0.0.1:1", limits: { files: 0 } })),
    /^Cannot use the limit 'files': it is 0/,
  );
});

Deno.test("without permission for the PACS the flag is named", async () => {
  await using folder = await TemporaryFolder.make();
  const mod = JSON.stringify(new URL("../../mod.ts", import.meta.url).href);
  await folder.write(
    "script.ts",
    `import { PermissionError, pacs } from ${mod};
     for (const url of ["http://127.0.0.1:8042/dicom-web", "https://[::1]/", "http://pacs.example"]) {
       const error = await pacs.fetchStudy("2.25.1", { url }).catch((error) => error);
       console.log(error instanceof PermissionError, error.message);
     }`,
  );
  const { out, err } = await runScript(folder, "script.ts", []);
  const why = "Deno has no permission for it: run again with --allow-net=";
  assert.equal(
    out,
    `true Cannot find study '2.25.1' at http://127.0.0.1:8042/dicom-web: ${why}127.0.0.1:8042\n` +
      `true Cannot find study '2.25.1' at https://[::1]: ${why}[::1]:443\n` +
      `true Cannot find study '2.25.1' at http://pacs.example: ${why}pacs.example:80\n`,
    err,
  );
});
