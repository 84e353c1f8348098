/** `cli.ts watch --dicomweb URL --models FILE,…`: new studies of a PACS, each read once. */
import type { Classifier } from "../classifier/classifier.ts";
import { loadClassifier } from "../classifier/load.ts";
import { describeEngine, startEngine } from "../engine/engine.ts";
import { thresholdText } from "../page/format.ts";
import { isDay } from "../pacs/day.ts";
import type { StudyAnswer } from "../pacs/read_study.ts";
import { PACS_LIMITS } from "../pacs/limits.ts";
import { WatchList } from "../pacs/watch_list.ts";
import { Command, numberAbove, option, text, UsageError, wholeNumber } from "./arguments.ts";
import { oddRemark, print, remark } from "./console.ts";
import { dicomwebOptions, pacsOptionsOf, RESEARCH_ONLY } from "./dicomweb_options.ts";
import { interruptible } from "./interrupt.ts";
import { backendOption, threadsOption } from "./model_options.ts";
import { checkModelFiles } from "./models_there.ts";
import { readSeries, SERIES_FLAGS, SERIES_HELP } from "./series_choice.ts";
import { modelsOption } from "./serve.ts";
import { CommandService, hostOption, tokenFileOption, tokenOption } from "./service.ts";

/** What a page may have of a study, which is what the watch itself reads, as long as it is in memory once. */
const PAGE_LIMITS = {
  uploadBytes: 2 * PACS_LIMITS.studyBytes,
  images: PACS_LIMITS.files,
  inflatedBytes: PACS_LIMITS.studyBytes,
  seriesPixels: 128 * 2 ** 20,
  deadline: 60_000,
};

/** A day as DICOM writes it. */
function day(given: string): string {
  if (isDay(given)) return given;
  throw new UsageError(`invalid value: '${given}' (must be a day like 20260131)`);
}

/** The command. */
export function watchCommand() {
  const [dicomwebOption, credentialsOption] = dicomwebOptions();
  return new Command("watch")
    .description(
      "Ask a PACS for new MR studies of knees every so often, and have models read each once. With " +
        "--store the answer goes back as a DICOM structured report. What is done is kept in a folder, so " +
        "that the same command goes on where it was stopped or killed. With --port the viewer lists the " +
        "studies as they come. Research only: not for diagnosis.",
    )
    .addOption(dicomwebOption.makeOptionMandatory())
    .addOption(credentialsOption)
    .addOption(modelsOption().makeOptionMandatory())
    .option("--store", "store the answer in the study, as a structured report")
    .addOption(
      option(
        "--every <SECONDS>",
        "ask so often; a study is read when it has not grown since it was last asked for",
        numberAbove(0, 86_401),
      ).default(60),
    )
    .addOption(
      option(
        "--since <YYYYMMDD>",
        "the day of the first studies (default: the day it began, 30 days ago at most)",
        day,
      ),
    )
    .addOption(option("--state <DIR>", "folder that keeps what is done", text).default("watch"))
    .option(SERIES_FLAGS, SERIES_HELP, readSeries)
    .addOption(
      option(
        "--port <N>",
        "show the studies in the viewer, on this port; 0 takes a free one (default: not shown)",
        wholeNumber(0, 65535),
      ),
    )
    .addOption(hostOption())
    .addOption(tokenOption())
    .addOption(tokenFileOption())
    .option("--json", "an object an answer, and nothing else on standard output")
    .addOption(backendOption())
    .addOption(threadsOption())
    .addHelpText(
      "after",
      "\nPermissions: --allow-net=HOST:PORT --allow-read=FILE,DIR --allow-write=DIR;\n" +
        "with --port also that address in --allow-net, as in 127.0.0.1:8000",
    )
    .action(async (given) => {
      const { dicomweb, models, state: folder, json = false, backend, threads, port } = given;
      if (port === undefined && (given.token ?? given.token_file) !== undefined) {
        const name = given.token === undefined ? "token_file" : "token";
        throw new UsageError(`argument --${name}: not allowed without argument --port`);
      }
      await checkModelFiles(models);
      const pacs = await pacsOptionsOf(dicomweb, given);
      const { openPacs } = await import("../pacs/open.ts");
      const web = openPacs(pacs);
      const engine = await startEngine(backend, { threads });
      using loaded = new DisposableStack();
      const classifiers: Classifier[] = [];
      for (const model of models) classifiers.push(loaded.use(await loadClassifier(model)));
      const list = port === undefined ? undefined : new WatchList();
      const service = port === undefined ? undefined : await CommandService.prepare(
        { ...given, port },
        { models: classifiers, pacs, viewer: { watch: list }, limits: PAGE_LIMITS },
      );
      using interrupt = interruptible(() =>
        remark("Ends after the study at hand; press Ctrl-C again to end at once.")
      );
      remark(`Engine: ${describeEngine(engine)}`);
      remark(`PACS:   ${web.server.url}`);
      remark(RESEARCH_ONLY);
      service?.listen(json ? remark : print);
      const { watchWith } = await import("../pacs/watch_pacs.ts");
      const { store = false, every, since, series } = given;
      try {
        await watchWith(web, {
          ...{ classifiers, folder, store, every, since, series, list, signal: interrupt.signal },
          onAnswer(study, answer) {
            for (const odd of answer.remarks) remark(oddRemark(study, odd));
            for (const line of _lines(study, answer, { json, store })) print(line);
          },
          onRemark: remark,
        });
      } finally {
        await service?.stop();
      }
    });
}

/** A line for each model's answer. */
function _lines(
  study: string,
  { answers }: StudyAnswer,
  { json, store }: { json: boolean; store: boolean },
): string[] {
  return answers.map(({ task, planes, probability, decision, threshold, sha256 }) => {
    const plane = planes.length === 1 ? planes[0].plane : "combined";
    if (json) {
      const answer = { task, plane, probability, decision, threshold, model: sha256 };
      return JSON.stringify({ study, ...answer, stored: store });
    }
    return [
      study,
      `${task} ${plane}`,
      `probability ${probability.toFixed(4)}`,
      `${decision} (from ${thresholdText(threshold)})`,
      ...store ? ["stored"] : [],
    ].join("  ");
  });
}
