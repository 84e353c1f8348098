/** Predicting exams from their files. */
import { type ExamInput, type ReadExamFile, readExamFiles } from "../data/exam_files.ts";
import { currentEngine } from "../engine/engine.ts";
import { type FilePrediction, filePrediction } from "../model/file_prediction.ts";
import type { MRNet } from "../model/mrnet.ts";
import { yieldToEventLoop } from "./yield_to_event_loop.ts";
import { createNetwork } from "../model/create_network.ts";

/** As in `verbs.ts`, where it is described. */
export async function* predictFiles(
  model: MRNet,
  paths: readonly ExamInput[],
): AsyncGenerator<FilePrediction> {
  const engine = currentEngine();
  const network = await createNetwork(model, { use: "evaluate" });
  const predict = async (file: ReadExamFile): Promise<FilePrediction> => {
    if ("error" in file) return file;
    const compute = () => network.forward(file.exam);
    return (await filePrediction(file, model, compute)).outcome;
  };
  const underWay: Promise<FilePrediction>[] = [];
  const oldest = async () => {
    const outcome = await underWay.shift()!;
    engine.check();
    return outcome;
  };
  try {
    for await (const file of readExamFiles(paths)) {
      const predicting = predict(file);
      // Where an earlier one fails, nobody waits for this one any more.
      predicting.catch(() => {});
      underWay.push(predicting);
      await yieldToEventLoop();
      if (underWay.length > network.inFlight) yield await oldest();
    }
    while (underWay.length > 0) yield await oldest();
  } finally {
    network.dispose();
  }
}
