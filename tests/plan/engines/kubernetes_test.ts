import assert from "node:assert/strict";
import { formatKubernetesJob, kubernetes } from "../../../lib/plan/engines/kubernetes.ts";
import type { KubernetesOptions } from "../../../lib/plan/engines/kubernetes.ts";
import type { ScorePlan } from "../../../lib/plan/plan.ts";
import { TemporaryFolder } from "../../support/folders.ts";
import { testWithPython } from "../../support/python.ts";

const HASH = "0123456789abcdef".repeat(4);

/** A plan of so many chunks. */
function scorePlan(chunks: number): ScorePlan {
  return {
    ...{ asked: {}, kind: "score", engine: "auto", threads: 4 },
    manifest: { file: "exams.csv", sha256: HASH, exams: chunks },
    model: { file: "model.safetensors", sha256: HASH },
    units: Array.from({ length: chunks }, (_, index) => ({
      ...{ index, id: `chunk-${index}`, first: index, count: 1 },
    })),
  };
}

const OPTIONS: KubernetesOptions = { image: "registry.example/mrnet:1", claims: ["mrnet=/data"] };

const formatted = (options: Partial<KubernetesOptions> = {}, folder = "plans/acl", chunks = 9) =>
  formatKubernetesJob({ folder, plan: scorePlan(chunks), sha256: HASH }, {
    ...OPTIONS,
    ...options,
  });

Deno.test("a job has an index for each unit, which a lost node costs nothing and exit 1 fails", async () => {
  const text = await formatted();
  for (
    const line of [
      "completionMode: Indexed",
      "completions: 9",
      "parallelism: 9",
      "backoffLimitPerIndex: 5",
      'onPodConditions: [{ type: DisruptionTarget, status: "True" }]',
      "restartPolicy: Never",
      'workingDir: "/data"',
      'image: "registry.example/mrnet:1"',
      'requests: { cpu: "4", memory: "2Gi" }',
      '- "--allow-env=XDG_RUNTIME_DIR,JOB_COMPLETION_INDEX"',
      '- "/app/cli.ts"',
    ]
  ) assert.ok(text.includes(line), line);
  const rules = [...text.matchAll(/action: (\w+)\n.*values: \[(.*)\]/g)];
  assert.deepEqual(rules.map(([, action, values]) => [action, values]), [
    ["Ignore", "75, 143"],
    ["FailIndex", "1, 2"],
  ]);
  // No network is needed.
  assert.doesNotMatch(text, /allow-net|"-A"/);
  assert.equal(await formatted(), text);
  assert.notEqual(
    /name: mrnet-\w+/.exec(await formatted({}, "plans/b"))![0],
    /name: mrnet-\w+/.exec(text)![0],
  );
  assert.match(await formatted({}, "p", 5000), /completions: 5000\n {2}parallelism: 100\n/);
});

Deno.test("what Kubernetes would take for a variable, or for more than a text, stays what it is", async () => {
  const text = await formatted({}, 'plans/$(HOME) "a": b,c');
  assert.ok(text.includes(String.raw`- "plans/$$(HOME) \"a\": b,c"`), text);
  assert.ok(text.includes(String.raw`- "--allow-write=plans/$$(HOME) \"a\": b,,c"`));
});

Deno.test("options that Kubernetes would refuse are refused", async () => {
  const cases: [Partial<KubernetesOptions>, RegExp][] = [
    [{ claims: [] }, /without a volume that holds the plan: name a persistent volume claim/],
    [{ claims: ["mrnet"] }, /the volume claim 'mrnet': give its name and an absolute path/],
    [{ claims: ["Mrnet=/data"] }, /the volume claim 'Mrnet=\/data'/],
    [{ claims: ["mrnet=data"] }, /the volume claim 'mrnet=data'/],
    [{ claims: ["mrnet=/a:b"] }, /the volume claim 'mrnet=\/a:b'/],
    [{ image: "a b" }, /with the image 'a b': give the name of an image/],
    [{ memory: "2GB" }, /with the memory '2GB': give bytes, or as 2Gi/],
    [{ app: "app" }, /with the folder of the toolkit 'app': give an absolute path/],
    [{ workdir: "data" }, /with the working folder 'data': give an absolute path/],
  ];
  for (const [options, message] of cases) {
    await assert.rejects(formatted(options), { name: "OptionError", message });
  }
});

Deno.test("a job is only written, into the plan's folder", async () => {
  await using folder = await TemporaryFolder.make();
  const plan = scorePlan(3);
  const submit = (print: boolean, image?: string) =>
    kubernetes.submit({
      ...{ folder: folder.path, plan, sha256: HASH, open: plan.units.slice(1) },
      options: { engine: "kubernetes", print, image, claims: OPTIONS.claims },
    });
  await assert.rejects(
    submit(false, "image"),
    /^OptionError: .*the job is only written: ask for that/,
  );
  await assert.rejects(submit(true), /^OptionError: .*without an image: give one/);
  const path = folder.at("kubernetes.yaml");
  const { files, commands, submitted } = await submit(true, "image");
  assert.deepEqual([files, commands, submitted], [[path], [`kubectl apply -f ${path}`], [1, 2]]);
  assert.match(await folder.text("kubernetes.yaml"), /\n {2}completions: 3\n/);
});

/** Holds files against the schemas of several versions, and prints what was read. */
const VALIDATE = `
import json, sys, yaml, kubernetes_validate
for path in sys.argv[1:]:
    job = yaml.safe_load(open(path))
    for version in ["1.31", "1.33"]:
        kubernetes_validate.validate(job, version, strict=True)
    print(json.dumps(job["spec"]["template"]["spec"]["containers"][0]["command"]))
`;

testWithPython(
  "jobs hold against the schemas of Kubernetes",
  ["kubernetes_validate", "yaml"],
  async (run) => {
    await using folder = await TemporaryFolder.make();
    const odd = 'plans/$(HOME) "ä": b';
    await folder.write("one.yaml", await formatted());
    const claims = ["mrnet=/data", "scratch.b-1=/scratch disk"];
    await folder.write(
      "two.yaml",
      await formatted({ claims, workdir: "/w # x", memory: "4096M" }, odd),
    );
    const lines = (await run(VALIDATE, folder.at("one.yaml"), folder.at("two.yaml"))).split("\n");
    const [plain, quoted] = lines.map((line) => JSON.parse(line) as string[]);
    assert.deepEqual(plain.slice(-3), ["/app/cli.ts", "unit", "plans/acl"]);
    assert.equal(quoted.at(-1), odd.replace("$(", () => "$$("));
  },
);
