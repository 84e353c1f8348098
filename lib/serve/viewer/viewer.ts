/**
 * The viewer: a page to look at exams with, and what the page asks for. The page is part of the module
 * and loads nothing from anywhere else.
 */
import { type Exam, readExam } from "../../data/exam.ts";
import { examFile, isExamId } from "../../data/labels.ts";
import { DataError, messageOf, MRNetError } from "../../errors.ts";
import { colorOf } from "../../explain/color_map.ts";
import { DEFAULT_THRESHOLD } from "../../model/card.ts";
import { recalibrationText } from "../../model/recalibration.ts";
import type { ExamGeometry } from "../../imaging/exam_geometry.ts";
import { type Plane, PLANES, type Split, SPLITS, type Task, TASKS } from "../../terms.ts";
import { checkExamLimits } from "../exams.ts";
import type { Host, Route } from "../host.ts";
import { readingKey } from "../predict.ts";
import { Problem } from "../problem.ts";
import { engineTurns } from "../queue.ts";
import type { ViewerOptions } from "../options.ts";
import { CHUNK_BYTES } from "../outgoing.ts";
import { type ExamList, type ListedExam, listExams } from "./exam_list.ts";
import { Geometries } from "./geometries.ts";
import { LeastRecent } from "./least_recent.ts";
import { PAGE, POLICY, SCRIPTS, STYLE } from "./page_files.ts";
import { PageUse } from "./page_use.ts";
import { answerKey, type Answers, ReaderAnswers } from "./reader_answers.ts";
import { type ComparedExam, compareReader } from "./reader_comparison.ts";
import { type AskedExam, Readings } from "./readings.ts";
import { SharedExams } from "./shared_exams.ts";
import { sliceChunks } from "./slices.ts";
import { verdictLines, type VerdictSource } from "./verdict_lines.ts";
import { Verdicts } from "./verdicts.ts";
import { WATCHED, WatchedStudies } from "./watched_studies.ts";

/** What stands instead of a split for exams that were dropped on the page. */
const DROPPED = "dropped";

/** An exam that was dropped on the page. */
interface DroppedExam {
  planes: Map<Plane, Exam>;
  /** Where the pixels of each plane lie, as far as that is known. */
  geometries: ReadonlyMap<Plane, ExamGeometry>;
}

/** How many exams that were dropped on the page are kept. */
const MAX_DROPPED = 8;

/** Steps of the colours' scale on either side of 0. */
const COLOR_STEPS = 64;

/** An exam's address: of the dataset, dropped on the page, or of a PACS. */
const EXAM_PATH =
  /^\/viewer\/(slices|reading|answers|study)\/([a-z]+)\/([A-Za-z0-9_.-]+)(?:\/([a-z]+))?$/;

/** Answers the page's requests. */
export class Viewer {
  readonly #service: Host;
  readonly #data: string | undefined;
  /** Where the pixels of its exams lie. */
  readonly #geometries: Geometries | undefined;
  readonly #readings: Readings;
  /** What a person said of the exams, if that is asked for first. */
  readonly #answers: ReaderAnswers | undefined;
  readonly #dropped: LeastRecent<DroppedExam>;
  /** The studies of a PACS, if one is watched. */
  readonly #watched: WatchedStudies | undefined;
  readonly #use = new PageUse();
  /** Exams that are on their way to somebody. */
  readonly #shared: SharedExams;
  readonly #routes: ReadonlyMap<string, Route>;

  /**
   * @param service whose models read the exams
   * @param options where the exams are, and what the models say of them is kept
   */
  constructor(service: Host, { data, verdicts, reader, watch }: ViewerOptions) {
    this.#service = service;
    this.#data = data;
    this.#geometries = data === undefined ? undefined : new Geometries(data);
    this.#answers = reader === undefined ? undefined : new ReaderAnswers(reader);
    const { onError } = service.options;
    this.#readings = new Readings(
      service,
      new Verdicts({ folder: verdicts, data, onFault: onError }),
    );
    this.#dropped = new LeastRecent({
      most: MAX_DROPPED,
      mostSize: service.options.limits.uploadBytes,
      sizeOf: ({ planes }) =>
        planes.values().reduce((sum, { voxels }) => sum + voxels.byteLength, 0),
      onForget: (id) => this.#readings.forget(`${DROPPED}/${id}`),
    });
    this.#watched = watch === undefined
      ? undefined
      : new WatchedStudies(service, watch, (id) => this.#readings.forget(`${WATCHED}/${id}`));
    this.#shared = new SharedExams(service.options.limits.answerBytes);
    const text = (content: string, type: string): Route => ({
      method: "GET",
      open: true,
      answer: () => {
        this.#use.note();
        return new Response(content, {
          headers: {
            "content-type": `${type}; charset=utf-8`,
            "content-security-policy": POLICY,
          },
        });
      },
    });
    this.#routes = new Map<string, Route>([
      ["/", text(PAGE, "text/html")],
      ...Object.entries(SCRIPTS).map(([name, content]) =>
        [`/viewer/${name}.js`, text(content, "text/javascript")] as const
      ),
      ["/viewer/page.css", text(STYLE, "text/css")],
      ["/viewer/setup", { method: "GET", answer: () => this.#setup() }],
      ["/viewer/verdicts", { method: "GET", answer: (_, url) => this.#verdicts(url) }],
      ["/viewer/use", {
        method: "POST",
        answer: () => {
          this.#use.note();
          return new Response(null, { status: 204 });
        },
      }],
      ["/viewer/watch", { method: "GET", answer: (_, url) => this.#watch(url) }],
      ["/viewer/comparison", { method: "GET", answer: (_, url) => this.#comparison(url) }],
      ["/viewer/exams", {
        method: "POST",
        queued: true,
        answer: (request) => this.#drop(request),
      }],
    ]);
  }

  /** What answers a path of the page's. */
  route(path: string): Route | undefined {
    const fixed = this.#routes.get(path);
    if (fixed !== undefined) return fixed;
    const [, what, split, id, plane] = EXAM_PATH.exec(path) ?? [];
    if (what === "slices" && PLANES.includes(plane as Plane)) {
      const answer = (request: Request) => this.#slices(request, split, id, plane as Plane);
      // Of a study that was let go the engine waits for nobody.
      return { method: "GET", queued: split === WATCHED, answer };
    }
    if (what === "reading" && plane === undefined) {
      const answer = (request: Request) => this.#reading(request, split, id);
      return { method: "GET", queued: true, answer };
    }
    if (what === "study" && split === WATCHED && plane === undefined) {
      const answer = (request: Request, url: URL) => this.#open(request, id, url);
      return { method: "GET", queued: true, answer };
    }
    if (what === "answers" && plane === undefined) {
      return { method: "POST", answer: (_, url) => this.#give(split, id, url) };
    }
    return undefined;
  }

  /** Whatever would keep it from its work later; throws what is wrong with the file of answers. */
  async ready(): Promise<void> {
    await this.#answers?.prepare();
  }

  /** What the page needs to know before it can show anything. */
  async #setup(): Promise<Response> {
    this.#use.note();
    const list: ExamList = this.#data === undefined
      ? { exams: [], faults: [] }
      : await listExams(this.#data).catch((error) => {
        if (!(error instanceof DataError)) throw error;
        return { exams: [], faults: [messageOf(error)] };
      });
    const { faults } = list;
    const models = await this.#service.models().catch((error) => {
      if (!(error instanceof Problem)) throw error;
      faults.push(messageOf(error));
      return [];
    });
    const answers = await this.#answers?.all();
    const tasks = await this.#askedTasks();
    const exams = answers === undefined
      ? list.exams
      : list.exams.map((exam) => _asTold(exam, answers.get(answerKey(exam)) ?? {}, tasks));
    const { bodyBytes, images } = this.#service.options.limits;
    const colors = Array.from(
      { length: 2 * COLOR_STEPS + 1 },
      (_, step) => colorOf((step - COLOR_STEPS) / COLOR_STEPS),
    );
    return Response.json({
      data: this.#data,
      exams,
      faults,
      reader: this.#answers === undefined ? undefined : { tasks },
      watch: this.#watched?.told(models, 0),
      models: models.map((model) => ({
        name: model.name,
        kind: model.kind,
        task: model.task,
        planes: model.planes,
        readings: Object.fromEntries(
          model.planes.map((plane) => [plane, readingKey(model, plane)]),
        ),
        threshold: model.card.operatingPoint?.threshold ?? DEFAULT_THRESHOLD,
        chosen: model.card.operatingPoint?.exams,
        recalibration: model.card.recalibration && recalibrationText(model.card.recalibration),
      })),
      colors,
      limits: { bodyBytes, images },
    });
  }

  /** What is new of the studies of the PACS since `?after=`. */
  async #watch({ searchParams }: URL): Promise<Response> {
    const after = Number(searchParams.get("after") ?? NaN);
    if (this.#watched === undefined || !Number.isSafeInteger(after)) {
      throw new Problem(404, "This viewer shows no studies of a PACS, or none after that");
    }
    return this.#service.json(this.#watched.told(await this.#service.models(), after));
  }

  /** Fetches a study of the PACS, and tells what it has. */
  async #open(request: Request, id: string, { searchParams }: URL): Promise<Response> {
    const given = searchParams.getAll("series");
    const study = await this.#watched?.open(request, id, given.length === 0 ? undefined : given);
    if (study === undefined) throw _noExam(WATCHED, id);
    const { planes, series, skipped } = study;
    return Response.json({
      ...{ planes: [...planes.keys()], series: Object.fromEntries(series), skipped },
    });
  }

  async #slices(request: Request, split: string, id: string, plane: Plane): Promise<Response> {
    this.#use.note();
    if (split === WATCHED) await this.#watched?.open(request, id);
    const [exam, free] = await this.#shared.take(
      await this.#versionOf(split, id, plane),
      () => this.#exam(split, id, plane),
    );
    const geometry = split === DROPPED
      ? this.#dropped.get(id)?.geometries.get(plane)
      : split === WATCHED
      ? this.#watched?.kept(id)?.geometries.get(plane)
      : await this.#geometries?.of({ split, id, plane }, exam);
    const { height, width, voxels } = exam;
    // What is compressed at once, a piece or a slice, beside what others look at too.
    const bytes = CHUNK_BYTES + height * width * voxels.BYTES_PER_ELEMENT;
    return new Response(this.#service.outgoing(bytes, sliceChunks(exam, geometry), free), {
      headers: { "content-type": "application/octet-stream" },
    });
  }

  /** What tells a file of an exam from what it was before. */
  async #versionOf(split: string, id: string, plane: Plane): Promise<string> {
    const address = `${split}/${id}/${plane}`;
    if (!_isOfDataset(split) || !await this.#has(split, id, plane)) return address;
    const { size, mtime } = await Deno.stat(examFile(this.#folder(), split as Split, plane, id));
    return `${address} ${size} ${mtime?.getTime()}`;
  }

  async #reading(request: Request, split: string, id: string): Promise<Response> {
    if (split === WATCHED) await this.#watched?.open(request, id);
    const asked = await this.#examAsked(split, id);
    if (await this.#isHidden(split, id)) {
      throw new Problem(403, `What the models say of the exam '${id}' is told after your answer`);
    }
    const reading = await this.#readings.reading(request, asked).catch(_unreadable);
    // The page is about to draw it.
    this.#use.note();
    return this.#service.json(reading);
  }

  /**
   * An exam as the models are asked about it.
   *
   * @throws {Problem} 404 if it is not there: said at once, however much waits for the engine
   */
  async #examAsked(split: string, id: string): Promise<AskedExam> {
    return this.#askedOf(split, id, await this.#planes(split, id));
  }

  /** An exam of which the planes are known already. */
  #askedOf(split: string, id: string, planes: readonly Plane[]): AskedExam {
    const file = (plane: Plane) => examFile(this.#folder(), split as Split, plane, id);
    return {
      key: `${split}/${id}`,
      files: !_isOfDataset(split)
        ? undefined
        : new Map(planes.map((plane) => [plane, file(plane)])),
      read: () => this.#exams(split, id),
    };
  }

  /** The findings that a reader is asked about: those of the models, or all. */
  async #askedTasks(): Promise<Task[]> {
    const models = await this.#service.models().catch((error) => {
      if (!(error instanceof Problem)) throw error;
      return [];
    });
    return TASKS.filter((each) => models.length === 0 || models.some(({ task }) => task === each));
  }

  /** Whether a reader has still to say something of an exam. */
  async #isHidden(split: string, id: string): Promise<boolean> {
    const answers = await this.#answers?.all();
    if (answers === undefined || !_isOfDataset(split)) return false;
    const given = answers.get(answerKey({ split: split as Split, id })) ?? {};
    return _isUnanswered(given, await this.#askedTasks());
  }

  /** Takes a reader's answers about an exam, `?acl=1&meniscus=0`, and tells its labels. */
  async #give(split: string, id: string, { searchParams }: URL): Promise<Response> {
    if (this.#answers === undefined) {
      throw new Problem(404, "This viewer takes no answers: start it with --reader");
    }
    const { exams } = await listExams(this.#folder());
    const exam = exams.find((each) => each.split === split && each.id === id);
    if (exam === undefined) throw _noExam(split, id);
    const answers: Answers = {};
    for (const [task, answer] of searchParams) {
      if (!TASKS.includes(task as Task) || !/^[01]$/.test(answer)) {
        throw new Problem(400, `An answer must be 1 or 0 of ${TASKS.join(", ")}`);
      }
      answers[task as Task] = answer === "1" ? 1 : 0;
    }
    const refuse = (error: unknown): never => {
      if (error instanceof Problem || !(error instanceof MRNetError)) throw error;
      this.#service.options.onError?.(error);
      throw new Problem(
        503,
        `This answer was not taken, as it cannot be kept: ${messageOf(error)}`,
      );
    };
    const before = (await this.#answers.all().catch(refuse)).get(answerKey(exam)) ?? {};
    const tasks = await this.#askedTasks();
    const missing = tasks.filter((task) => !(task in answers) && !(task in before));
    if (missing.length > 0) {
      throw new Problem(400, `An answer must be about each finding: ${missing.join(", ")}`);
    }
    const given = await this.#answers.give(exam, answers).catch(refuse);
    return Response.json({ answers: given, labels: exam.labels });
  }

  /** A reader and a model side by side, on the exams of a split that both have read. */
  async #comparison(url: URL): Promise<Response> {
    const answers = await this.#answers?.all();
    if (answers === undefined) {
      throw new Problem(404, "This viewer compares no reader: start it with --reader");
    }
    const [split, name] = [url.searchParams.get("split"), url.searchParams.get("model")];
    const model = (await this.#service.models()).find((each) => each.name === name);
    if (model === undefined || !SPLITS.includes(split as Split)) {
      throw new Problem(400, `The query must name a model and a split: ${SPLITS.join(" or ")}`);
    }
    const { task } = model;
    const tasks = await this.#askedTasks();
    const { exams } = await listExams(this.#folder());
    const compared: ComparedExam[] = [];
    const left = { unlabelled: 0, unread: 0 };
    let answered = 0;
    for (const exam of exams.filter((each) => each.split === split)) {
      const given = answers.get(answerKey(exam)) ?? {};
      // What is only half answered is still hidden.
      if (!(task in given) || _isUnanswered(given, tasks)) continue;
      answered++;
      const label = exam.labels[task];
      const asked = await this.#examAsked(exam.split, exam.id);
      const known = await this.#readings.known(asked, this.#service.stopping);
      const verdict = known?.find((each) => each.model === name);
      if (label === undefined) left.unlabelled++;
      else if (verdict === undefined) left.unread++;
      else compared.push({ ...verdict, label, answer: given[task]! });
    }
    return this.#service.json({ answered, ...left, ...compareReader(compared) });
  }

  /** Writes down what is only in memory yet. */
  async stop(): Promise<void> {
    await this.#readings.save();
  }

  /** A line for each exam of a split, as soon as its verdicts are known. */
  async #verdicts(url: URL): Promise<Response> {
    const split = url.searchParams.get("split");
    if (!SPLITS.includes(split as Split)) {
      throw new Problem(400, `The query must name a split: ${SPLITS.join(" or ")}`);
    }
    const { exams } = await listExams(this.#folder());
    const left = new AbortController();
    const { stopping } = this.#service;
    const lines = verdictLines(
      exams.filter((exam) => exam.split === split),
      this.#verdictSource(AbortSignal.any([left.signal, stopping])),
    );
    const next = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      // What is known takes no engine, but a while too if it is much.
      await this.#use.moment();
      const { done, value } = stopping.aborted
        ? { done: true, value: undefined }
        : await lines.next();
      if (left.signal.aborted) return;
      if (done || stopping.aborted) {
        await this.#readings.save();
        return controller.close();
      }
      controller.enqueue(new TextEncoder().encode(value));
    };
    const cancel = async () => {
      left.abort(new Problem(503, "The client has gone"));
      await this.#readings.save();
    };
    const stream = new ReadableStream({ pull: next, cancel });
    return new Response(stream, { headers: { "content-type": "application/x-ndjson" } });
  }

  /** What the list is told of its exams. */
  #verdictSource(signal: AbortSignal): VerdictSource {
    return {
      known: async ({ split, id, planes }) => {
        const asked = this.#askedOf(split, id, planes);
        // Not told, and not computed while somebody reads it.
        if (await this.#isHidden(split, id)) return {};
        const verdicts = await this.#readings.known(asked, signal).catch(_unreadable);
        return verdicts && { verdicts };
      },
      computed: async ({ split, id }) => {
        await this.#use.pause(signal);
        const asked = await this.#examAsked(split, id);
        return await this.#readings.verdicts(asked, {
          signal,
          // Whoever needs the engine gets it once this exam is done.
          between: () => this.#use.pause(signal, () => engineTurns.length > 1),
        }).catch(_unreadable);
      },
    };
  }

  /** Takes in an exam that is in no dataset. */
  async #drop(request: Request): Promise<Response> {
    if (this.#answers !== undefined) {
      await request.body?.cancel();
      throw new Problem(403, "A reader is asked about the exams of the dataset alone");
    }
    const sent = await this.#service.queued(request, async (deadline) => {
      using upload = await this.#service.upload(request, deadline);
      await upload.readStudy({ planes: PLANES }, deadline);
      return await deadline.wait(this.#service.compute(
        // Decoding is work, and one at a time does it.
        async () => await upload.exams(),
        deadline,
      ));
    });
    if (!("planes" in sent)) {
      throw new Problem(415, "The planes are not known: send a form with a part for each");
    }
    // Nobody else can guess it, and no other exam ever has it.
    const id = crypto.randomUUID();
    const { planes, series = new Map(), geometries = new Map(), skipped } = sent;
    this.#dropped.set(id, { planes, geometries });
    return Response.json({
      ...{ split: DROPPED, id, planes: [...planes.keys()], labels: {} },
      ...{ series: Object.fromEntries(series), skipped },
    });
  }

  /** An exam in all planes that there are of it. */
  async #exams(split: string, id: string): Promise<Map<Plane, Exam>> {
    const held = this.#held(split, id);
    if (held !== undefined) return held;
    const exams = new Map<Plane, Exam>();
    for (const plane of await this.#planes(split, id)) {
      exams.set(plane, await this.#exam(split, id, plane));
    }
    return exams;
  }

  /** The planes that there are of an exam, at least one. */
  async #planes(split: string, id: string): Promise<Plane[]> {
    const held = this.#held(split, id);
    if (held !== undefined) return [...held.keys()];
    const planes: Plane[] = [];
    for (const plane of PLANES) {
      if (await this.#has(split, id, plane)) planes.push(plane);
    }
    if (planes.length === 0) throw _noExam(split, id);
    return planes;
  }

  async #exam(split: string, id: string, plane: Plane): Promise<Exam> {
    const held = this.#held(split, id);
    if (held !== undefined) {
      const exam = held.get(plane);
      if (exam === undefined) throw _noExam(split, id);
      return exam;
    }
    if (!await this.#has(split, id, plane)) throw _noExam(split, id);
    try {
      const path = examFile(this.#folder(), split as Split, plane, id);
      const { limits } = this.#service.options;
      return await readExam(path, id, (size) => checkExamLimits(size, path, limits));
    } catch (error) {
      if (error instanceof DataError) throw new Problem(422, messageOf(error));
      throw error;
    }
  }

  async #has(split: string, id: string, plane: Plane): Promise<boolean> {
    if (!SPLITS.includes(split as Split) || !isExamId(id)) return false;
    const path = examFile(this.#folder(), split as Split, plane, id);
    return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
  }

  /** An exam that is in memory and not in the dataset. */
  #held(split: string, id: string): Map<Plane, Exam> | undefined {
    if (_isOfDataset(split)) return undefined;
    const planes = split === DROPPED
      ? this.#dropped.get(id)?.planes
      : this.#watched?.kept(id)?.planes;
    if (planes === undefined) throw _noExam(split, id);
    return planes;
  }

  #folder(): string {
    if (this.#data !== undefined) return this.#data;
    throw new Problem(404, "This viewer has no dataset: start it with --data");
  }
}

/** Whether exams of a split are those of the dataset, which has them on disk. */
function _isOfDataset(split: string): boolean {
  return split !== DROPPED && split !== WATCHED;
}

/** What an exam's file had wrong when it was hashed is the exam's own fault, not the service's. */
function _unreadable(error: unknown): never {
  if (error instanceof DataError) throw new Problem(422, messageOf(error));
  throw error;
}

/** Whether a finding is left that a reader has not answered. */
function _isUnanswered(answers: Answers, tasks: readonly Task[]): boolean {
  return tasks.some((task) => !(task in answers));
}

/** An exam as a reader may know it: the labels come after all answers. */
function _asTold(exam: ListedExam, answers: Answers, tasks: readonly Task[]) {
  return { ...exam, labels: _isUnanswered(answers, tasks) ? {} : exam.labels, answers };
}

function _noExam(split: string, id: string): Problem {
  const shown = id.length > 64 ? `${id.slice(0, 40)}...` : id;
  return new Problem(
    404,
    `There is no exam '${split.slice(0, 20)}/${shown}' in this plane, or it was let go`,
  );
}
