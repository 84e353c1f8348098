/** A PACS as scripts name it. What asks it is loaded with the first question. */
import { OptionError } from "../errors.ts";
import { parseAddress } from "./address.ts";
import { Credentials } from "./credentials.ts";
import { PACS_LIMITS, type PacsLimits } from "./limits.ts";

/** Where a PACS is, and who asks. */
export interface PacsOptions {
  /** The address of its DICOMweb service, such as `https://pacs.example.org/dicom-web`. */
  url: string;
  /**
   * `user:password`, or a token.
   * @default none
   */
  credentials?: string;
  /** What studies and answers may take; {@linkcode PACS_LIMITS} by default. */
  limits?: Partial<PacsLimits>;
}

/**
 * Makes sure that a PACS can be asked.
 *
 * @throws {OptionError} if the address, the credentials or a limit cannot be used
 */
export function checkPacs({ url, credentials, limits = {} }: PacsOptions): void {
  for (const [name, value] of Object.entries(limits)) {
    if (!(name in PACS_LIMITS) || !(Number.isFinite(value) && value > 0)) {
      throw new OptionError(
        `Cannot use the limit '${name}': it is ${value}: give a number above 0 for any of ` +
          Object.keys(PACS_LIMITS).join(", "),
      );
    }
  }
  parseAddress(url);
  if (credentials !== undefined) Credentials.parse(credentials, "the option 'credentials'");
}
