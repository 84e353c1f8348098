/**
 * The answers of a person who reads exams, in a CSV file: a line an exam and finding. The file is read
 * whenever somebody asks, and written whole, flushed to the disk, before an answer counts as given. So it
 * holds every answer that was taken, whatever ends the service. The first answer stands.
 */
import { type CsvLine, eachCsvLine } from "../../data/csv.ts";
import { isExamId } from "../../data/labels.ts";
import { DataError, OutputError } from "../../errors.ts";
import { type FileAction, readBytes, writeWhole } from "../../files.ts";
import { shortened } from "../../quoted.ts";
import { type Label, type Split, SPLITS, type Task, TASKS } from "../../terms.ts";
import { Problem } from "../problem.ts";

/** The largest file, in bytes: three findings of some 7000 exams. */
export const MAX_ANSWER_BYTES = 1024 * 1024;

const COLUMNS = ["split", "id", "task", "answer", "answered_at"] as const;

const HEAD = COLUMNS.join();

/** The longest time, as a spreadsheet may have written it, in characters. */
const MAX_TIME = 40;

/** What a reader said of an exam, by finding. */
export type Answers = Partial<Record<Task, Label>>;

/** An exam of the dataset. */
export interface AnsweredExam {
  split: Split;
  id: string;
}

interface _Row extends AnsweredExam {
  task: Task;
  answer: Label;
  answeredAt: string;
}

/** The answers of a file. */
export class ReaderAnswers {
  readonly #path: string;
  /** Ends when what was given so far is written: one writes at a time. */
  #writing: Promise<unknown> = Promise.resolve();

  /** @param path the file, made when it is needed */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Makes the file if it is not there, so that what forbids it is known before somebody has read an exam.
   *
   * @throws {DataError} if it is not such a file
   * @throws {OutputError | PermissionError} if it cannot be written
   */
  async prepare(): Promise<void> {
    await this.#write(await this.#rows());
  }

  /**
   * All answers, by {@linkcode answerKey}.
   *
   * @throws {DataError | PermissionError} if it is not such a file, or may not be read
   */
  async all(): Promise<Map<string, Answers>> {
    await this.#writing.catch(() => {});
    return _byExam(await this.#rows());
  }

  /**
   * Takes answers about an exam. They are in the file when this resolves, or none of them is.
   *
   * @throws {Problem} 403 if a finding of it is answered already
   * @throws {DataError | OutputError | PermissionError} if they cannot be kept
   */
  async give({ split, id }: AnsweredExam, answers: Answers): Promise<Answers> {
    const given = this.#writing.catch(() => {}).then(async () => {
      const rows = await this.#rows();
      const before = _byExam(rows).get(answerKey({ split, id })) ?? {};
      const twice = TASKS.find((task) => task in answers && task in before);
      if (twice !== undefined) {
        throw new Problem(403, `The exam '${id}' is answered (${twice}): the first answer stands`);
      }
      const answeredAt = new Date().toISOString();
      const added = TASKS.filter((task) => task in answers)
        .map((task): _Row => ({ split, id, task, answer: answers[task]!, answeredAt }));
      await this.#write([...rows, ...added]);
      return { ...before, ...answers };
    });
    this.#writing = given;
    return await given;
  }

  async #write(rows: readonly _Row[]): Promise<void> {
    const lines = rows.map(({ split, id, task, answer, answeredAt }) =>
      `${split},${id},${task},${answer},${answeredAt}\n`
    );
    const text = `${HEAD}\n${lines.join("")}`;
    if (text.length > MAX_ANSWER_BYTES) {
      const most = `a file has at most ${MAX_ANSWER_BYTES} bytes`;
      throw new OutputError(`Cannot write '${this.#path}': ${most}: begin another one`);
    }
    await writeWhole(this.#path, text);
  }

  async #rows(): Promise<_Row[]> {
    if (await Deno.lstat(this.#path).then(() => false, _isMissing)) return [];
    const action: FileAction = {
      what: "read the reader's answers",
      path: this.#path,
      access: "read",
      error: DataError,
    };
    const bytes = await readBytes(action, { most: MAX_ANSWER_BYTES });
    return decodeAnswers(bytes, this.#path);
  }
}

/** What an exam's answers are found by. */
export function answerKey({ split, id }: AnsweredExam): string {
  return `${split}/${id}`;
}

/**
 * Reads the bytes of such a file.
 *
 * @param path the file, for messages
 * @throws {DataError} if a line is not as it was written, or a finding of an exam is answered twice
 */
export function decodeAnswers(bytes: Uint8Array, path: string): _Row[] {
  const refusal = (found: string) => {
    const hint = `give a file that begins with '${HEAD}', or the name of a new one`;
    return new DataError(`Cannot use '${path}' for a reader's answers: ${found}: ${hint}`);
  };
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw refusal("it is not UTF-8 text");
  }
  const rows: _Row[] = [];
  const lines = new Map<string, number>();
  let hasHead = false;
  const use = ({ values, line }: CsvLine) => {
    if (!hasHead) {
      hasHead = values.join() === HEAD;
      if (hasHead) return;
      throw refusal(`its first line is '${shortened(values.join(), 60)}'`);
    }
    const [split, id, task, answer, answeredAt = ""] = values;
    const isRow = values.length <= COLUMNS.length && SPLITS.includes(split as Split) &&
      isExamId(id ?? "") && TASKS.includes(task as Task) && /^[01]$/.test(answer) &&
      /^[ -~]*$/.test(answeredAt) && !/[",;]/.test(answeredAt) && answeredAt.length <= MAX_TIME;
    if (!isRow) throw refusal(`line ${line} is '${shortened(values.join(), 60)}'`);
    const key = `${split}/${id} ${task}`;
    const before = lines.get(key);
    if (before !== undefined) throw refusal(`line ${line} answers what line ${before} does`);
    lines.set(key, line);
    const exam = { split: split as Split, id };
    rows.push({ ...exam, task: task as Task, answer: answer === "1" ? 1 : 0, answeredAt });
  };
  eachCsvLine(text, use, { columns: COLUMNS.length, refuse: refusal });
  if (!hasHead) throw refusal("it is empty");
  return rows;
}

function _byExam(rows: readonly _Row[]): Map<string, Answers> {
  const answers = new Map<string, Answers>();
  for (const { split, id, task, answer } of rows) {
    const key = answerKey({ split, id });
    answers.set(key, { ...answers.get(key), [task]: answer });
  }
  return answers;
}

function _isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound;
}
