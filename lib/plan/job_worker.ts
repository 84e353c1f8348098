/** A worker that does one unit after the other, on an engine of its own. */
import { CALLED, errorReply, plainArguments } from "./job_messages.ts";
import type { JobReply, JobRequest } from "./job_messages.ts";
import { scoreUnit } from "./score_unit.ts";
import { trainUnit, type UnitHooks } from "./train_unit.ts";
import type { UnitResult } from "./unit_file.ts";

/** What a worker has of the global scope of one; the types of the library are those of a page. */
const scope = globalThis as unknown as {
  postMessage(reply: JobReply): void;
  onmessage: (event: MessageEvent<JobRequest>) => void;
};

let stop = new AbortController();

scope.onmessage = ({ data }) => {
  if (data.do === "stop") return stop.abort();
  stop = new AbortController();
  _do(data).then(
    (result) => scope.postMessage({ said: "done", result }),
    (error) => scope.postMessage(errorReply(error)),
  );
};

async function _do(request: Exclude<JobRequest, { do: "stop" }>): Promise<UnitResult | undefined> {
  const calls = CALLED.map((said) => [
    said,
    (...given: unknown[]) => scope.postMessage({ said, given: plainArguments(given) }),
  ]);
  const hooks: UnitHooks = { ...Object.fromEntries(calls), signal: stop.signal };
  if (request.do === "train") return await trainUnit(request.training, hooks);
  return await scoreUnit(request.chunk, hooks);
}
