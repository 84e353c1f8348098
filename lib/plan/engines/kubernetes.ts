/**
 * Kubernetes: the units as an Indexed Job. It is written, and `kubectl` hands it over; nothing here
 * reaches a cluster.
 */
import { messageOf, OptionError } from "../../errors.ts";
import { join, sha256Of, writeWhole } from "../../files.ts";
import { commandLine, shellQuoted } from "../../invocation.ts";
import { COME_AGAIN, FAILED, TERMINATED, WRONG_ARGUMENTS } from "../exit_codes.ts";
import type { Plan } from "../plan.ts";
import type { Submission, SubmitEngine, SubmitOptions, SubmitRequest } from "./engine.ts";
import { unitArguments } from "./unit_process.ts";

/** The file of the job, in the plan's folder. */
export const JOB_FILE = "kubernetes.yaml";

/** Where the toolkit lies in the image unless it is said. */
export const APP = "/app";

/** The memory of a unit unless it is said: a training on exams of 61 slices takes about a quarter. */
export const MEMORY = "2Gi";

/** How often a unit is tried that was killed for another reason than that its node was wanted. */
const ATTEMPTS = 5;

/** How long a unit may take to save its state: the exam at hand, and the state. */
const GRACE_SECONDS = 120;

/** The most units of a job, by the rules of Kubernetes. */
const MAX_UNITS = 100_000;

/** How many units are done at once at most; `kubectl` can change it while they run. */
const MAX_PARALLEL = 100;

/** A name of an object of Kubernetes. */
const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/** An absolute path; Kubernetes takes no colon in one. */
const PATH = /^\/[^:\p{Cc}]*$/u;

/** How the units run in a cluster. */
export interface KubernetesOptions
  extends
    Pick<SubmitOptions, "workdir" | "app" | "memory">,
    Required<Pick<SubmitOptions, "image" | "claims">> {}

/** Kubernetes. */
export const kubernetes: SubmitEngine = {
  title: "Kubernetes",
  takes: ["image", "claims", "workdir", "app", "memory"],
  async submit({ folder, plan, sha256, open, options }: SubmitRequest): Promise<Submission> {
    const { print = false, image, claims = [], workdir, app, memory } = options;
    if (!print) {
      throw new OptionError(
        "Cannot hand units over to Kubernetes: the job is only written: " +
          `ask for that with print, and give ${JOB_FILE} to kubectl apply`,
      );
    }
    if (image === undefined) {
      throw new OptionError(
        "Cannot write a job of Kubernetes without an image: give one that holds Deno and the toolkit",
      );
    }
    const text = await formatKubernetesJob({ folder, plan, sha256 }, {
      ...{ image, claims, workdir, app, memory },
    });
    const path = join(folder, JOB_FILE);
    await writeWhole(path, text);
    return {
      files: [path],
      // The units that are done end at once.
      submitted: open.map(({ index }) => index),
      queued: [],
      jobs: [],
      commands: [`kubectl apply -f ${shellQuoted(path)}`],
      next: [commandLine("gather", folder)],
    };
  },
};

/**
 * The file of an Indexed Job that does a plan's units, one a pod; a unit that is done ends at once.
 *
 * - A pod whose node is drained or wanted by others, and one that exits 75, costs no attempt.
 * - Exit 1 and 2 fail the unit, and the others go on.
 * - Anything else is tried again up to five times a unit.
 *
 * @throws {OptionError} if an option is none that Kubernetes takes
 */
export async function formatKubernetesJob(
  { folder, plan, sha256 }: { folder: string; plan: Plan; sha256: string },
  options: KubernetesOptions,
): Promise<string> {
  const { image, app, memory, workdir, claims } = _checked(options);
  const units = plan.units.length;
  if (units > MAX_UNITS) {
    throw new OptionError(
      `Cannot write a job of ${units} units: Kubernetes takes ${MAX_UNITS}: make several plans`,
    );
  }
  const id = await sha256Of(new TextEncoder().encode(`${folder}\n${sha256}`));
  const program = `${app.replace(/\/+$/, "")}/cli.ts`;
  const command = ["deno", ...unitArguments(program, folder, "JOB_COMPLETION_INDEX")];
  const resources = `{ cpu: "${threadsOf(plan)}", memory: ${JSON.stringify(memory)} }`;
  return `# Written by 'cli.ts submit --engine kubernetes --print', for Kubernetes 1.29 or later.
apiVersion: batch/v1
kind: Job
metadata:
  name: mrnet-${id.slice(0, 10)}
  labels: { app.kubernetes.io/name: mrnet }
spec:
  completionMode: Indexed
  completions: ${units}
  parallelism: ${Math.min(units, MAX_PARALLEL)}
  backoffLimitPerIndex: ${ATTEMPTS}
  podFailurePolicy:
    rules:
      # A node that is drained, or wanted by others, costs no attempt.
      - action: Ignore
        onPodConditions: [{ type: DisruptionTarget, status: "True" }]
      # The unit is saved, or busy elsewhere: it comes again.
      - action: Ignore
        onExitCodes: { containerName: unit, operator: In, values: [${COME_AGAIN}, ${TERMINATED}] }
      # It failed for good.
      - action: FailIndex
        onExitCodes: { containerName: unit, operator: In, values: [${FAILED}, ${WRONG_ARGUMENTS}] }
  template:
    metadata:
      labels: { app.kubernetes.io/name: mrnet }
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      # Time to end the exam at hand and to save the state.
      terminationGracePeriodSeconds: ${GRACE_SECONDS}
      volumes:
${_items(6, claims.map(_volume))}
      containers:
        - name: unit
          image: ${JSON.stringify(image)}
          workingDir: ${JSON.stringify(workdir)}
          # Deno is the first process, so that it gets the TERM. The unit's number is in the environment.
          command:
${_items(12, command.map(_argument))}
          resources:
            requests: ${resources}
            limits: ${resources}
          securityContext: { allowPrivilegeEscalation: false }
          volumeMounts:
${_items(12, claims.map(_mount))}
`;
}

/** A volume that containers see. */
interface Claim {
  name: string;
  path: string;
}

type Checked = Required<Omit<KubernetesOptions, "claims">> & { claims: Claim[] };

function _checked(options: KubernetesOptions): Checked {
  const { image, app = APP, memory = MEMORY } = options;
  const claims = options.claims.map(_claim);
  if (claims.length === 0) {
    throw new OptionError(
      "Cannot write a job of Kubernetes without a volume that holds the plan: " +
        "name a persistent volume claim and where it is seen: mrnet=/data",
    );
  }
  const workdir = options.workdir ?? claims[0].path;
  const check = (name: string, value: string, rule: RegExp, hint: string) => {
    if (rule.test(value)) return;
    throw new OptionError(
      `Cannot write a job of Kubernetes with ${name} '${messageOf(value)}': give ${hint}`,
    );
  };
  check("the image", image, /^[\w./:@-]{1,500}$/, "the name of an image");
  check("the memory", memory, /^\d{1,9}([KMGT]i|[kMGT])?$/, "bytes, or as 2Gi");
  check("the folder of the toolkit", app, PATH, "an absolute path in the image");
  check("the working folder", workdir, PATH, "an absolute path in the container");
  return { image, app, memory, workdir, claims };
}

function _claim(text: string): Claim {
  const [, name, path] = /^([^=]*)=(.*)$/.exec(text) ?? [];
  if (name !== undefined && NAME.test(name) && PATH.test(path)) return { name, path };
  throw new OptionError(
    `Cannot use the volume claim '${
      messageOf(text)
    }': give its name and an absolute path: mrnet=/data`,
  );
}

/** The threads that a unit computes on, which its container is given. */
export function threadsOf(plan: Plan): number {
  if (plan.kind === "score") return plan.threads;
  return Math.max(...plan.units.map(({ threads }) => threads));
}

const _volume = ({ name }: Claim, index: number) =>
  `{ name: claim-${index}, persistentVolumeClaim: { claimName: ${JSON.stringify(name)} } }`;

const _mount = ({ path }: Claim, index: number) =>
  `{ name: claim-${index}, mountPath: ${JSON.stringify(path)} }`;

/** An argument as it is: Kubernetes replaces what looks like a variable, `$(NAME)`. */
const _argument = (text: string) => JSON.stringify(text.replaceAll("$(", () => "$$("));

/** The lines of a list. */
const _items = (indent: number, items: readonly string[]) =>
  items.map((item) => `${" ".repeat(indent)}- ${item}`).join("\n");
