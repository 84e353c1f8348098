/**
 * Options that do not exist are errors, in JavaScript and behind a cast too: a misspelt `epochs` would
 * otherwise train with the default and nobody would know.
 */
import { OptionError } from "./errors.ts";
import { nearest } from "./nearest.ts";

/** The names of an options interface; the compiler holds it against the interface. */
export type OptionNames<T> = { readonly [Name in keyof Required<T>]: true };

/**
 * Refuses options that there are none of.
 *
 * @param action what they are for, such as `train`
 * @param options what was given
 * @param names what there is
 * @throws {OptionError} if one has a name that does not exist
 */
export function checkOptionNames(
  action: string,
  options: object,
  names: Readonly<Record<string, true>>,
): void {
  for (const [name, value] of Object.entries(options)) {
    // One that is undefined is left out, whatever it is called.
    if (value === undefined || Object.hasOwn(names, name)) continue;
    const all = Object.keys(names);
    const meant = nearest(name, all);
    const hint = meant === undefined ? `choose from ${all.join(", ")}` : `did you mean '${meant}'?`;
    throw new OptionError(
      `Cannot ${action} with an option '${name}': there is none of that name: ${hint}`,
    );
  }
}
