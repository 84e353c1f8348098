/**
 * Studies of a PACS, predicted and imported as those in a folder are.
 */
import assert from "node:assert/strict";
import { readDicomIdentity } from "../../lib/imaging/dicom/identity.ts";
import { CLI, runCli } from "../support/cli.ts";
import { FakePacs, filesAnswer } from "../support/fake_pacs.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { Process } from "../support/process.ts";
import { modelBytes, writeCombinedModels } from "../support/served_models.ts";
import { study } from "../support/study.ts";

const STUDY = "2.25.71";
const SECRET = "never:shown@all";
const READ = ["--allow-read=.", "--allow-env=XDG_RUNTIME_DIR"];

Deno.test("a study of a PACS is predicted and imported as it is from a folder", async () => {
  await using fake = new FakePacs();
  await using folder = await TemporaryFolder.make();
  await writeCombinedModels(folder);
  for (const [name, bytes] of study(1)) await folder.write(`${STUDY}/${name}`, bytes);
  await fake.take(study(1).values());
  await fake.take(study(2).values());
  const permissions = [...READ, `--allow-net=${fake.host}`, "--allow-write=."];
  const run = async (...args: string[]) => {
    const { code, out, err } = await runCli(folder, args, { permissions });
    assert.equal(code, 0, err);
    return out;
  };
  const source = ["--dicomweb", fake.url, "--study", STUDY];
  const predict = ["predict", "--json", "--backend", "wasm", "--model", "combined.json"];
  assert.equal(await run(...predict, ...source), await run(...predict, STUDY));
  const imported = ["import", "--json", "--out"];
  const rows = (out: string) => out.trimEnd().split("\n").map((line) => JSON.parse(line).row);
  assert.deepEqual(
    rows(await run(...imported, "a", ...source)),
    rows(await run(...imported, "b", STUDY)),
  );
  for (const plane of ["axial", "coronal", "sagittal"]) {
    const [a, b] = await Promise.all(
      ["a", "b"].map((out) => Deno.readFile(folder.at(out, `valid/${plane}/0001.npy`))),
    );
    assert.deepEqual(a, b);
  }
  const before = fake.asked.length;
  await run(...imported, "c", ...source, "--series", `${STUDY}0,${STUDY}2`);
  assert.deepEqual(fake.asked.slice(before + 1), [
    `GET /studies/${STUDY}/series/${STUDY}0`,
    `GET /studies/${STUDY}/series/${STUDY}2`,
  ]);
});

Deno.test("what cannot be predicted of a PACS is one line, and no credential is shown", async () => {
  await using fake = new FakePacs();
  await using folder = await TemporaryFolder.make();
  await folder.write("acl.safetensors", await modelBytes());
  await folder.write("secret", `${SECRET}\n`);
  const files = [...study(1).values()];
  // A study with one plane, which is not the model's.
  await fake.take(files.slice(36));
  const net = `--allow-net=${fake.host}`;
  const predict = async (args: string[], permissions: string[], env?: Record<string, string>) => {
    const model = ["--model", "acl.safetensors", "--backend", "cpu"];
    const outcome = await runCli(folder, ["predict", ...model, ...args], { permissions, env });
    assert.ok(!(outcome.out + outcome.err).includes("never"), outcome.err);
    return { code: outcome.code, err: outcome.err.trimEnd() };
  };
  const source = ["--dicomweb", fake.url, "--study", STUDY];
  const withFile = [...source, "--dicomweb_credentials", "secret"];
  const cases: [
    args: string[],
    permissions: string[],
    code: number,
    line: RegExp,
    trouble?: FakePacs["trouble"],
  ][] = [
    [
      withFile,
      [...READ, net],
      1,
      /^Study 2\.25\.71 is not predicted: it has no \w+ series that can be read$/m,
    ],
    [
      withFile,
      [...READ, net],
      1,
      /^Cannot find study '2\.25\.71' at http:\/\/127.*: it answered 401: check the credentials/,
      () => new Response(SECRET, { status: 401 }),
    ],
    [
      withFile,
      [...READ, net],
      1,
      /: part 1 of its answer is of another study: /,
      (_, { pathname }) =>
        /series\/[\d.]+$/.test(pathname) ? filesAnswer([...study(2).values()]) : undefined,
    ],
    [
      withFile,
      READ,
      1,
      new RegExp(`Deno has no permission for it: run again with --allow-net=${fake.host}$`),
    ],
    [withFile, [net, "--allow-read=acl.safetensors"], 1, /'secret': .* with --allow-read=secret$/],
    [
      [...source, "--dicomweb_credentials", "none"],
      [...READ, net],
      1,
      /read the credentials from 'none'/,
    ],
    [["--dicomweb_credentials", "secret"], READ, 2, /--dicomweb_credentials: not allowed without/],
    [
      ["--dicomweb", "http://pacs.example/dicom-web", ...withFile.slice(2)],
      READ,
      1,
      /^The credentials and the study are sent unencrypted: [^]*--allow-net=pacs\.example:80$/,
    ],
    [
      ["--dicomweb", "https://pacs.example/dicom-web", ...withFile.slice(2)],
      READ,
      1,
      /^Cannot find study .*--allow-net=pacs\.example:443$/,
    ],
    [["--store"], READ, 2, /argument --store: not allowed without argument --dicomweb$/],
    [["--study", STUDY], READ, 2, /argument --study: not allowed without argument --dicomweb$/],
    [["--dicomweb", fake.url], READ, 2, /the following arguments are required: --study$/],
    [
      ["--dicomweb", "http://u:never@host", "--study", STUDY],
      READ,
      1,
      /address: it holds a user or/,
    ],
    [["--dicomweb", fake.url, "--study", "../1"], READ, 1, /'\.\.\/1': it is no identifier/],
    [["--manifest", "m.csv", "--out", "o.csv", ...source], READ, 2, /--dicomweb: not allowed with/],
  ];
  for (const [args, permissions, code, line, trouble] of cases) {
    fake.trouble = trouble;
    const found = await predict(args, permissions);
    assert.match(found.err, line);
    assert.equal(found.code, code, found.err);
  }
  assert.deepEqual(fake.authorizations, new Set([`Basic ${btoa(SECRET)}`]));

  fake.trouble = undefined;
  fake.authorizations.clear();
  const env = { MRNET_DICOMWEB_CREDENTIALS: SECRET };
  const granted = "--allow-env=XDG_RUNTIME_DIR,MRNET_DICOMWEB_CREDENTIALS";
  await predict(source, [net, "--allow-read=.", granted], env);
  assert.deepEqual(fake.authorizations, new Set([`Basic ${btoa(SECRET)}`]));
});

Deno.test("the answer is stored beside the study as it is written, and a refusal is one line", async () => {
  await using fake = new FakePacs();
  await using folder = await TemporaryFolder.make();
  await folder.write("acl.safetensors", await modelBytes());
  await fake.take(study(1, { "0008,0016 UI": "1.2.840.10008.5.1.4.1.1.4" }).values());
  const permissions = [...READ, "--allow-write=.", `--allow-net=${fake.host}`];
  const predict = (...args: string[]) => {
    const model = ["--model", "acl.safetensors", "--backend", "wasm"];
    const source = ["--dicomweb", fake.url, "--study", STUDY, "--store"];
    return runCli(folder, ["predict", ...model, ...source, ...args], { permissions });
  };
  const { code, err } = await predict("--sr", "answers", "--sc", "answers");
  assert.equal(code, 0, err);
  assert.match(err, /^Research only: not for diagnosis\.$/m);
  assert.ok(err.endsWith(`\nStored: ${fake.url}\n`), err);
  const stored = [...fake.instances.values()].filter(({ modality }) => modality !== "MR");
  assert.deepEqual(stored.map(({ modality }) => modality), ["SR", "OT"]);
  for (const { instance, bytes } of stored) {
    assert.deepEqual(await Deno.readFile(folder.at(`answers/${instance}.dcm`)), bytes);
  }
  fake.trouble = ({ method }) => method === "POST" ? new Response("", { status: 409 }) : undefined;
  const refused = await predict();
  assert.equal(refused.code, 1);
  assert.match(
    refused.err,
    /^Cannot store 2 files in study '2\.25\.71' at http:.*: it answered 409: /m,
  );
  const odd = await predict("knee.npy");
  assert.equal(odd.code, 2);
  assert.match(odd.err, /argument EXAM: not allowed with argument --store$/m);
});

Deno.test("a new study is watched for, read by every model, and its answer stored beside it", async () => {
  await using fake = new FakePacs();
  await using folder = await TemporaryFolder.make();
  await writeCombinedModels(folder);
  await folder.write("acl.safetensors", await modelBytes());
  await folder.write("secret", `${SECRET}\n`);
  const knee = { "0018,0015 CS": "KNEE", "0008,0016 UI": "1.2.840.10008.5.1.4.1.1.4" };
  await fake.take(study(1, knee).values());
  // One with two planes goes before another one.
  await fake.take([...study(2, knee).values()].slice(18));
  await fake.take(study(3, knee).values());
  const args = [
    ...["watch", "--dicomweb", fake.url, "--dicomweb_credentials", "secret", "--store", "--json"],
    ...["--models", "combined.json,acl.safetensors", "--every", "0.05", "--backend", "wasm"],
  ];
  const permissions = [...READ, "--allow-write=watch", `--allow-net=${fake.host}`];
  const flags = ["run", "--quiet", "--no-prompt", ...permissions, CLI];
  await using watch = new Process(folder, [...flags, ...args]);
  await watch.said(/(.*2\.25\.73.*\n){2}/);
  const { code, err } = await watch.end();
  assert.equal(code, 0, err);
  const answers = watch.out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(
    answers.map(({ study, plane, stored }) => [study, plane, stored]),
    [STUDY, "2.25.73"].flatMap((study) => [[study, "combined", true], [study, "sagittal", true]]),
  );
  assert.match(err, /^Study 2\.25\.72 is not read: it has no sagittal series$/m);
  const state = await folder.text("watch/watch.json");
  assert.ok(!(watch.out + err + state).includes("never"), err);
  assert.ok(!/Doe|MRN/.test(watch.out + err + state), err);
  const stored = [...fake.instances.values()].filter(({ modality }) => modality === "SR");
  assert.deepEqual(stored.map(({ study }) => study), [STUDY, "2.25.73"]);
  // Of the combination three pictures, of the other model one.
  const pictures = [...fake.instances.values()].filter(({ modality }) => modality === "OT");
  assert.equal(pictures.length, 8);
  for (const { bytes, instance } of [...stored, ...pictures]) {
    assert.equal((await readDicomIdentity(bytes, "report")).instance, instance);
  }
  // The same command has nothing more to do, and other models are another watch.
  const other = [...args.with(args.indexOf("combined.json,acl.safetensors"), "acl.safetensors")];
  const refused = await runCli(folder, other, { permissions });
  assert.equal(refused.code, 1);
  assert.match(
    refused.err,
    /Cannot go on with the watch of 'watch\/watch\.json': it is of other models/,
  );
});

Deno.test("watch --port shows its studies in the viewer, and ends with it on SIGTERM", async () => {
  await using fake = new FakePacs();
  await using folder = await TemporaryFolder.make();
  await folder.write("acl.safetensors", await modelBytes());
  await folder.write("secret", `${SECRET}\n`);
  await fake.take(study(1, { "0018,0015 CS": "KNEE" }).values());
  const args = [
    ...["watch", "--dicomweb", fake.url, "--dicomweb_credentials", "secret", "--port", "0"],
    ...["--models", "acl.safetensors", "--every", "0.05", "--backend", "wasm"],
  ];
  const net = `--allow-net=${fake.host},127.0.0.1:0`;
  const permissions = [...READ, "--allow-write=watch", net];
  const flags = ["run", "--quiet", "--no-prompt", ...permissions, CLI];
  /** What the service tells of the watch's studies. */
  const told = async (watch: Process) => {
    const [, address] = await watch.said(/^Serving at (http:\S+)$/m);
    let studies = [];
    // The state is read once it listens.
    while (studies.length === 0) {
      const response = await fetch(`${address}viewer/watch?after=0`);
      assert.equal(response.status, 200);
      ({ studies } = await response.json());
    }
    return studies.map(({ id, verdicts }: { id: string; verdicts: { model: string }[] }) => [
      id,
      ...verdicts.map(({ model }) => model),
    ]);
  };
  {
    await using watch = new Process(folder, [...flags, ...args, "--json"]);
    await watch.said(/^\{.*2\.25\.71.*\n/m);
    // The answer is printed before it is marked as done.
    while (!/"answers"/.test(await folder.text("watch/watch.json"))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { code, err } = await watch.end("SIGTERM");
    assert.equal(code, 0, err);
    assert.match(watch.out, /^\{.*\}\n$/, "nothing but answers");
  }
  // Started again, the list has the answer, and nothing is read.
  await using watch = new Process(folder, [...flags, ...args]);
  assert.deepEqual(await told(watch), [["2.25.71", "acl"]]);
  const { code, err } = await watch.end("SIGTERM");
  assert.equal(code, 0, err);
  assert.match(watch.out, /^Serving at .*\n$/, "nothing is read again");
  assert.ok(!err.includes("never"), err);
  const cases: [args: string[], code: number, line: RegExp][] = [
    [["--token", "abc"], 2, /argument --token: not allowed without argument --port$/m],
    [["--token_file", "secret"], 2, /argument --token_file: not allowed without argument --port$/m],
  ];
  const without = args.filter((each, at) => each !== "--port" && args[at - 1] !== "--port");
  for (const [more, code, line] of cases) {
    const refused = await runCli(folder, [...without, ...more], { permissions });
    assert.match(refused.err, line);
    assert.equal(refused.code, code);
  }
});
