import assert from "node:assert/strict";
import { parseSweep } from "../../lib/plan/sweep.ts";

const names = (text: string) => parseSweep(text, "sweep").map(({ name }) => name);

Deno.test("a sweep is a list, a grid or a table, and its values are those of the command line", () => {
  const expected = ["lr 0.0001, augment false", "lr 0.001, augment true"];
  assert.deepEqual(
    names('[{"lr": 1e-4, "augment": 0}, {"lr": "1e-3", "augment": true}]'),
    expected,
  );
  assert.deepEqual(names("lr,augment\n1e-4,0\n1e-3,1\n"), expected);
  assert.deepEqual(names('{"lr": [1, 2], "shift": ["25px", 0.1]}'), [
    ...["lr 1, shift 25px", "lr 1, shift 0.1", "lr 2, shift 25px", "lr 2, shift 0.1"],
  ]);
  const [first, second] = parseSweep("recipe,lr_scheduler\nstanford,0\n,step\n", "sweep.csv");
  assert.deepEqual(first.options, { recipe: "stanford", schedule: "none" });
  assert.deepEqual(second, { name: "lr_scheduler step", options: { schedule: "step" } });
  assert.deepEqual(names('[{}, {"lr": 1}]'), ["as given", "lr 1"]);
  const [greys] = parseSweep('{"noise_std": [0.1], "log_gamma": [0.3]}', "sweep.json");
  assert.deepEqual(greys, {
    name: "noise_std 0.1, log_gamma 0.3",
    options: { noiseStd: 0.1, logGamma: 0.3 },
  });
});

Deno.test("a sweep that is none is refused by name", () => {
  const refuses = (text: string, error: RegExp) =>
    assert.throws(() => parseSweep(text, "f"), error);
  refuses("{", /^DataError: Cannot read the sweep 'f': it is not JSON: give a JSON list/);
  refuses("[]", /: it has no setting: /);
  refuses("{}", /: it has no setting: /);
  refuses("[3]", /: setting 1 is no JSON object: /);
  refuses('{"lr": 3}', /: its 'lr' is no list of values: /);
  refuses("lr,gamma\n1\n", /: line 2: 1 values instead of 2: /);
  refuses('[{"lr": 1}, {"lr": 1.0}]', /: its setting 2 is there twice \(lr 1\): /);
  refuses(`{"lr": [${Array(1001).fill(1)}]}`, /: its grid has more than 1000 settings: /);
  refuses(`[${Array(1001).fill("{}")}]`, /: it has 1001 settings, allowed are 1000: /);
  refuses(
    '[{"lr": 1}, {"lrr": 1}]',
    /^OptionError: Cannot vary 'lrr': there is no such option: did you mean 'lr'\? \(setting 2 of 'f'\)$/,
  );
  refuses(
    '[{"lr": 0}]',
    /^OptionError: Cannot train with lr '0': give a number above 0 \(setting 1/,
  );
  refuses('[{"augment": 2}]', /^OptionError: Cannot train with augment '2': give 0 or 1/);
  refuses('[{"recipe": "own"}]', /'own': give one of reference, stanford/);
  // What a plan decides for each unit is not for a sweep.
  for (const flag of ["seed", "threads", "data", "models", "tune", "fold"]) {
    refuses(`[{"${flag}": 1}]`, /^OptionError: Cannot vary '\w+': there is no such option/);
  }
});
