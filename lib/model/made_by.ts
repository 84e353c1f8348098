/** By what and when a file was made, and what people say of what is in it. */
import { VERSION } from "../version.ts";
import { type CardText, cardTextJson, parseCardText } from "./card_text.ts";

/** By what and when a file was made, and what people say of what is in it. */
export interface MadeBy {
  /** What people say of it; none if nobody did. */
  about?: CardText;
  /** The version of the toolkit that made it, such as `0.1.0`. */
  toolkit?: string;
  /** The day on which it was made, in UTC, as in `2026-11-30`. */
  created?: string;
}

/** What a version and a day look like, and how that is said. */
export const FORMS = {
  toolkit: { form: /^\d+\.\d+\.\d+[\w.+-]{0,30}$/, needed: "a version such as 0.1.0" },
  created: { form: /^\d{4}-\d{2}-\d{2}$/, needed: "a day such as 2026-11-30" },
} as const;

/** What is made now, by this version. */
export function madeNow(about?: CardText): MadeBy {
  const created = new Date().toISOString().slice(0, 10);
  return { ...(about && { about }), toolkit: VERSION, created };
}

/** The JSON that {@linkcode parseMadeBy} reads. */
export function madeByJson({ about, toolkit, created }: MadeBy): Record<string, unknown> {
  return { about: about && cardTextJson(about), toolkit, created };
}

/**
 * Reads it from a JSON object, which is not trusted and may have other keys.
 *
 * @throws {RangeError} if one of the three is not what it must be
 */
export function parseMadeBy(object: Readonly<Record<string, unknown>>): MadeBy {
  const made: MadeBy = {};
  if (object.about !== undefined) made.about = parseCardText(object.about);
  for (const key of ["toolkit", "created"] as const) {
    const value = object[key];
    if (value === undefined) continue;
    const { form, needed } = FORMS[key];
    if (typeof value !== "string" || !form.test(value)) {
      throw new RangeError(`its ${key} is not ${needed}`);
    }
    made[key] = value;
  }
  return made;
}
