/** The address of a DICOMweb service. */
import { OptionError } from "../errors.ts";
import { shortened } from "../quoted.ts";

/**
 * Reads an address such as `https://pacs.example.org/dicom-web`.
 *
 * @returns it without a slash at its end
 * @throws {OptionError} if it is none; a message never shows what may be a password
 */
export function parseAddress(text: string): string {
  const refused = (found: string, hint: string) => {
    const shown = !text || /[@?#]/.test(text) ? "" : ` '${shortened(text, 200)}'`;
    return new OptionError(`Cannot use the DICOMweb address${shown}: ${found}: ${hint}`);
  };
  const example = "give one like https://pacs.example.org/dicom-web";
  if (!text) throw refused("there is none", example);
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw refused("it is no http: or https: address", example);
  }
  if (url.username !== "" || url.password !== "") {
    throw refused("it holds a user or a password", "give them in a file or by the environment");
  }
  if (/[?#]/.test(text)) throw refused("something follows its path", example);
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** What `--allow-net` must name so that an address can be reached. */
export function netGrant(address: string): string {
  const { hostname, port, protocol } = new URL(address);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}
