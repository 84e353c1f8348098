/**
 * An option that does not exist is an error of every verb that takes options, whoever is asked by
 * whatever language.
 */
import assert from "node:assert/strict";
import * as mrnet from "../mod.ts";
import { checkOptionNames } from "../lib/option_names.ts";

/** The verbs without their types, as JavaScript has them. */
const verbs = mrnet as unknown as Record<string, (...given: unknown[]) => unknown>;
/** None is looked at before the options are. */
const model = { parameters: new Map() };
const classifier = Object.create(mrnet.Classifier.prototype);
const data = {};

/** What is done, how it is called, the option that is misspelt, and what it is called. */
const CASES: [
  action: string,
  call: (options: object) => unknown,
  given: string,
  meant: string,
][] = [
  ["train", (options) => verbs.train(model, data, options), "epoch", "epochs"],
  ["train", (options) => verbs.train({ ...options, task: "acl" }), "wieghts", "weights"],
  ["evaluate", (options) => verbs.evaluate(model, data, options), "onexam", "onExam"],
  ["evaluate", (options) => verbs.evaluate(classifier, data, options), "signa", "signal"],
  [
    "evaluate",
    (options) => verbs.evaluate({ model: "a.pth", ...options }),
    "theshold",
    "threshold",
  ],
  ["open a dataset", (options) => verbs.openDataset(options), "inmemory", "inMemory"],
  ["fetch a study", (options) => mrnet.pacs.fetchStudy("1.2", options as never), "serie", "series"],
  [
    "store instances",
    (options) => mrnet.pacs.storeInstances("1.2", [], options as never),
    "credential",
    "credentials",
  ],
  ["watch a PACS", (options) => mrnet.pacs.watch(options as never), "classifier", "classifiers"],
  ["make a model", (options) => verbs.createMRNet(options), "weight", "weights"],
  ["load a model", (options) => verbs.loadMRNet("a.pth", options), "intensty", "intensity"],
  [
    "load a classifier",
    (options) => verbs.loadClassifier("a.pth", options),
    "intensty",
    "intensity",
  ],
  ["import exams", (options) => verbs.importExams(options), "serie", "series"],
  ["explain", (options) => verbs.explain(model, data, options), "maps", "map"],
  ["explain", (options) => _first(verbs.explainFiles(model, [], options)), "foldr", "folder"],
  ["combine models", (options) => verbs.combineModels(options), "fiton", "fitOn"],
  [
    "make an ensemble",
    (options) => verbs.ensembleModels({ models: [], ...options }),
    "prediction",
    "predictions",
  ],
  ["recalibrate", (options) => verbs.recalibrate({ model: "a", ...options }), "methd", "method"],
  ["run all", (options) => verbs.runAll(options), "model", "models"],
  ["serve", (options) => verbs.createHandler(options), "tokens", "token"],
  ["start an engine", (options) => verbs.startEngine("cpu", options), "thread", "threads"],
  ["examine a data set", (options) => verbs.examineDataset(options), "dat", "data"],
  [
    "make a plan",
    (options) => mrnet.plan.makePlan({ kind: "all", ...options } as never),
    "ot",
    "out",
  ],
  [
    "make a plan",
    (options) => mrnet.plan.makePlan({ kind: "score", ...options } as never),
    "modl",
    "model",
  ],
  ["do a unit", (options) => mrnet.plan.runUnit("plan", options), "indx", "index"],
  ["work on a queue", (options) => mrnet.plan.workOnQueue(options as never), "rediss", "redis"],
  ["do units", (options) => mrnet.plan.runUnits("plan", options), "job", "jobs"],
  [
    "submit a plan",
    (options) => mrnet.plan.submitPlan("plan", options as never),
    "engin",
    "engine",
  ],
  ["inspect files", (options) => verbs.inspectPaths([], options), "onfile", "onFile"],
];

async function _first(generated: unknown): Promise<void> {
  await (generated as AsyncGenerator).next();
}

for (const [action, call, given, meant] of CASES) {
  Deno.test(`to ${action} with '${given}' is refused, and '${meant}' named`, async () => {
    await assert.rejects(async () => await call({ [given]: 1 }), {
      name: "OptionError",
      message: `Cannot ${action} with an option '${given}': there is none of that name: ` +
        `did you mean '${meant}'?`,
    });
    // One that is near to none gets all of them; one that everything has is none.
    await assert.rejects(
      async () => await call({ toString: 1 }),
      new RegExp(
        `^OptionError: Cannot ${action} with an option 'toString': .*: choose from .*\\b${meant}\\b`,
      ),
    );
  });
}

Deno.test("an option that is undefined is left out, whatever it is called", () => {
  checkOptionNames("train", { epochs: undefined, epoch: undefined }, { epochs: true });
});
