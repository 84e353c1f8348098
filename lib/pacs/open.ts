/** A PACS as scripts and commands name it. */
import { OptionError } from "../errors.ts";
import { isUid } from "../imaging/dicom/uid.ts";
import { shortened } from "../quoted.ts";
import { parseAddress } from "./address.ts";
import { Credentials } from "./credentials.ts";
import { DicomWeb } from "./dicomweb.ts";
import { PACS_LIMITS } from "./limits.ts";
import { checkPacs, type PacsOptions } from "./pacs_options.ts";

/**
 * A PACS that can be asked; nothing is sent yet.
 *
 * @throws {OptionError} if the address, the credentials or a limit cannot be used
 */
export function openPacs(options: PacsOptions): DicomWeb {
  checkPacs(options);
  const { url, credentials, limits } = options;
  return new DicomWeb({
    url: parseAddress(url),
    credentials: credentials === undefined
      ? undefined
      : Credentials.parse(credentials, "the option 'credentials'"),
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
