/** What exams have in common, and what is odd about some of them. */
import { type Exam, MRNET_SIDE, MRNET_SLICES } from "./exam.ts";
import { type Intensity, MRNET_MEAN, MRNET_STANDARD_DEVIATION } from "./intensity.ts";
import { oddityOf } from "./oddity.ts";
import { listed } from "../quoted.ts";

/** What exams have in common. */
export interface CommonFacts {
  /** How many exams could be read. */
  exams: number;
  /** The fewest and the most slices. */
  slices: readonly [number, number];
  /** The sizes of slices, as in `256×256`, each once. */
  sizes: string[];
  /** The mean of all grey values; MRNet's is 58.09. */
  mean: number;
  /** Their standard deviation; MRNet's is 49.73. */
  deviation: number;
}

/** Something that is wrong, or odd. */
export interface Oddity {
  /** `error` if training or evaluation would fail or be misled, `warning` if it should be looked at. */
  level: "error" | "warning";
  /** What was found, and in which exams. */
  found: string;
}

/** How many exams an oddity names. */
export const MAX_NAMED = 5;

/** A mean or a deviation that differs from MRNet's by more than so many times is odd. */
const FAR = 2;

/** A range of slices as text. */
export function slicesText([least, most]: CommonFacts["slices"]): string {
  return least === most ? String(least) : `${least}–${most}`;
}

/** Is given exams one after the other. */
export class ExamTally {
  readonly #intensity: Intensity;
  #exams = 0;
  #slices: [number, number] = [Infinity, 0];
  readonly #sizes = new Set<string>();
  #voxels = 0;
  #sum = 0;
  #squares = 0;
  /** Exams by what is odd about them. */
  readonly #odd = new Map<string, { level: Oddity["level"]; ids: string[] }>();

  /** @param intensity how the model that reads the exams prepares its input */
  constructor(intensity: Intensity) {
    this.#intensity = intensity;
  }

  /** How many exams it was given. */
  get exams(): number {
    return this.#exams;
  }

  /** Takes an exam into account; it does not keep its voxels. */
  add(exam: Exam): void {
    const { slices, height, width, voxels } = exam;
    this.#exams++;
    this.#slices = [Math.min(this.#slices[0], slices), Math.max(this.#slices[1], slices)];
    this.#sizes.add(`${height}×${width}`);
    let [sum, squares] = [0, 0];
    for (let at = 0; at < voxels.length; at++) {
      sum += voxels[at];
      squares += voxels[at] * voxels[at];
    }
    this.#sum += sum;
    this.#squares += squares;
    this.#voxels += voxels.length;
    const [least, most] = MRNET_SLICES;
    if (slices < least || slices > most) {
      this.#note(exam.id, `MRNet's exams have ${least} to ${most} slices, these fewer or more`);
    }
    if (height !== MRNET_SIDE || width !== MRNET_SIDE) {
      this.#note(exam.id, `their slices are not ${MRNET_SIDE}×${MRNET_SIDE}, as MRNet's are`);
    }
    if (_hasConstantSlice(exam)) this.#note(exam.id, "slices of one single grey value");
    const odd = oddityOf(exam, this.#intensity);
    if (odd !== undefined) this.#note(exam.id, odd, "error");
  }

  /** What the exams have in common. */
  facts(): CommonFacts {
    const mean = this.#sum / this.#voxels;
    const deviation = Math.sqrt(Math.max(0, this.#squares / this.#voxels - mean ** 2));
    const sizes = [...this.#sizes].sort();
    return { exams: this.#exams, slices: this.#slices, sizes, mean, deviation };
  }

  /** What is odd about some or all of them. */
  oddities(): Oddity[] {
    const oddities = [...this.#odd].map(([found, { level, ids }]): Oddity => {
      const whose = ids.length === this.#exams ? `all ${ids.length} exams` : listed(ids, MAX_NAMED);
      return { level, found: `${whose}: ${found}` };
    });
    if (this.#exams === 0) return oddities;
    const { mean, deviation } = this.facts();
    const far = (value: number, usual: number) => value > usual * FAR || value < usual / FAR;
    if (far(mean, MRNET_MEAN) || far(deviation, MRNET_STANDARD_DEVIATION)) {
      const found = `the mean of all grey values is ${mean.toFixed(1)}, their deviation ` +
        `${deviation.toFixed(1)}; MRNet's are ${MRNET_MEAN} and ${MRNET_STANDARD_DEVIATION}`;
      oddities.push({ level: "warning", found });
    }
    return oddities;
  }

  #note(id: string, found: string, level: Oddity["level"] = "warning"): void {
    const noted = this.#odd.get(found);
    if (noted === undefined) this.#odd.set(found, { level, ids: [id] });
    else noted.ids.push(id);
  }
}

function _hasConstantSlice({ slices, height, width, voxels }: Exam): boolean {
  const size = height * width;
  for (let slice = 0; slice < slices; slice++) {
    const first = voxels[slice * size];
    let at = slice * size + 1;
    while (at < (slice + 1) * size && voxels[at] === first) at++;
    if (at === (slice + 1) * size) return true;
  }
  return false;
}
