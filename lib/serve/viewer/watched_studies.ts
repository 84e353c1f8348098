/**
 * The studies of a watched PACS: what the viewer's list says of them, and their exams, which are fetched
 * when somebody opens one and are in memory only.
 */
import type { Classifier } from "../../classifier/classifier.ts";
import type { SeriesChoice } from "../../imaging/choose.ts";
import { decide } from "../../model/card.ts";
import type { WatchList, WatchListEntry } from "../../pacs/watch_list.ts";
import { type Plane, PLANES } from "../../terms.ts";
import type { Deadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import { eventLoop } from "../loop.ts";
import { Problem } from "../problem.ts";
import { engineTurns, Turns } from "../queue.ts";
import type { StudyExams } from "../study.ts";
import { LeastRecent } from "./least_recent.ts";
import type { Verdict } from "./readings.ts";

/** What stands instead of a split for studies of a PACS. */
export const WATCHED = "pacs";

/** The exams of how many studies are kept. */
const MAX_OPEN = 8;

/** A study as the list shows it. */
export interface WatchedStudyRow {
  split: typeof WATCHED;
  /** Study Instance UID. */
  id: string;
  /** When it was read, and its own day. */
  at: string;
  date: string;
  description: string;
  /** The planes that the models need; the study's own are known when it is opened. */
  planes: readonly Plane[];
  labels: Record<string, never>;
  isReading: boolean;
  verdicts?: Omit<Verdict, "logit">[];
  /** Why there are none, in a word or two and in a line. */
  none?: string;
  fault?: string;
}

/** Lists and opens the studies of a watch. */
export class WatchedStudies {
  readonly #service: Host;
  readonly #list: WatchList;
  readonly #exams: LeastRecent<StudyExams>;
  /** The PACS is asked for one study at a time. */
  readonly #fetching = new Turns();
  readonly #onFetched: (id: string) => void;

  /**
   * @param service whose models read the studies
   * @param list of the watch, which then takes turns with the service
   * @param onFetched called when a study was fetched, perhaps once more and not as it was
   */
  constructor(service: Host, list: WatchList, onFetched: (id: string) => void) {
    this.#service = service;
    this.#list = list;
    this.#onFetched = onFetched;
    this.#exams = new LeastRecent({
      most: MAX_OPEN,
      mostSize: service.options.limits.uploadBytes,
      sizeOf: ({ planes }) =>
        planes.values().reduce((sum, { voxels }) => sum + voxels.byteLength, 0),
    });
    list.turns = {
      take: (work) => engineTurns.take(work),
      between: () => eventLoop.free(),
    };
  }

  /** What has changed since a revision, newest first. */
  told(models: readonly Classifier[], after: number) {
    // Before the changes: what comes in between is told twice and not never.
    const { revision, isDown } = this.#list;
    const changes = this.#list.changes(after).sort((a, b) => a.at < b.at ? 1 : -1);
    return { revision, isDown, studies: changes.map((entry) => this.#row(entry, models)) };
  }

  /**
   * The exams of a study: kept, or fetched.
   *
   * @param request who asks
   * @param series which series are meant, as in `sagittal=*t2*fs*`; by default what the watch goes by
   * @throws {Problem} 404 if the watch has no such study, 422 if no exam can be made of it, 502 if the PACS
   *   does not give it
   */
  async open(request: Request, id: string, series?: readonly string[]): Promise<StudyExams> {
    if (this.#list.get(id) === undefined) {
      throw new Problem(404, "The watch knows no such study");
    }
    const kept = this.#exams.get(id);
    if (kept !== undefined && series === undefined) return kept;
    return await this.#service.queued(request, (deadline) =>
      this.#fetching.take(async () => {
        const meanwhile = this.#exams.get(id);
        if (meanwhile !== undefined && series === undefined) return meanwhile;
        const study = await this.#fetch(id, deadline, series);
        this.#exams.set(id, study);
        this.#onFetched(id);
        return study;
      }, { signal: deadline.signal }));
  }

  /** The exams of a study that was opened just now; undefined if it was let go. */
  kept(id: string): StudyExams | undefined {
    return this.#exams.get(id);
  }

  async #fetch(id: string, deadline: Deadline, series?: readonly string[]): Promise<StudyExams> {
    const { bodyBytes, uploadBytes } = this.#service.options.limits;
    const models = await deadline.wait(this.#service.models());
    // All its series, and room for others beside it.
    const most = Math.max(bodyBytes, Math.floor(uploadBytes / 2));
    using upload = await this.#service.fetchStudy(id, deadline, most);
    const chosen = series ?? this.#list.series.map(_textOf);
    await upload.readStudy({ planes: _planesOf(models), series: chosen }, deadline);
    // A study has its planes.
    return upload.exams() as StudyExams;
  }

  #row(
    { study: id, outcome, at, date, description, answers, why }: WatchListEntry,
    models: readonly Classifier[],
  ): WatchedStudyRow {
    const planes = _planesOf(models);
    const row = { split: WATCHED, id, at, date, description, planes, labels: {} } as const;
    switch (outcome) {
      case "reading":
        return { ...row, isReading: true };
      case "answered": {
        const isReading = false;
        if (answers === undefined) {
          const fault = "its answer was not kept: open the study to have it read again";
          return { ...row, isReading, none: "answered", fault };
        }
        return { ...row, isReading, verdicts: this.#verdicts(models, answers) };
      }
      case "refused": {
        const fault = why ?? "no exam could be made of it: open the study to see why";
        return { ...row, isReading: false, none: "cannot be read", fault };
      }
      default: {
        const then = outcome === "again" ? ", and is asked for it again" : "";
        const fault = `the PACS did not give it${then}: see the watch's own messages`;
        return { ...row, isReading: false, none: "not given", fault };
      }
    }
  }

  #verdicts(models: readonly Classifier[], answers: readonly number[]) {
    return models.flatMap((model) => {
      const probability = answers[this.#list.models.indexOf(model.sha256)];
      if (probability === undefined) return [];
      const decision = decide(probability, model.card).decision === "positive";
      return [{ model: model.name, probability, decision }];
    });
  }
}

/** The planes that the watch has models for; of others a study may have several series. */
function _planesOf(models: readonly Classifier[]): Plane[] {
  return PLANES.filter((plane) => models.some((each) => each.planes.includes(plane)));
}

/** A choice as it is given by text. */
function _textOf({ plane, text }: SeriesChoice): string {
  return plane === undefined ? text : `${plane}=${text}`;
}
