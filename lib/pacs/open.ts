/** A PACS as scripts and commands name it. */
import { OptionError } from "../errors.ts";
import { isUid } from "../imaging/dicom/identity.ts";
import { shortened } from "../quoted.ts";
import { parseAddress } from "./address.ts";
import { Credentials } from "./credentials.ts";
import { DicomWeb } from "./dicomweb.ts";
import { PACS_LIMITS, type PacsLimits } from "./exchange.ts";

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
 * A PACS that can be asked; nothing is sent yet.
 *
 * @throws {OptionError} if the address, the credentials or a limit cannot be used
 */
export function openPacs(
  { url, credentials, limits = {} }: Omit<PacsOptions, "credentials"> & {
    credentials?: string | Credentials;
  },
): DicomWeb {
  for (const [name, value] of Object.entries(limits)) {
    if (!(name in PACS_LIMITS) || !(Number.isFinite(value) && value > 0)) {
      throw new OptionError(
        `Cannot use the limit '${name}': it is ${value}: give a number above 0 for any of ` +
          Object.keys(PACS_LIMITS).join(", "),
      );
    }
  }
  return new DicomWeb({
    url: parseAddress(url),
    credentials: typeof credentials === "string"
      ? Credentials.parse(credentials, "the option 'credentials'")
      : credentials,
    limits: { ...PACS_LIMITS, ...limits },
  });
}

/**
 * Makes sure that a text is a unique identifier, before it becomes part of an address.
 *
 * @throws {OptionError} if it is not
 */
export function checkStudyUid(text: string): void {
  if (isUid(text)) return;
  throw new OptionError(
    `Cannot ask for the study '${
      shortened(text, 80)
    }': it is no identifier: give its Study Instance ` +
      "UID, such as 1.2.840.113619.2.5",
  );
}
