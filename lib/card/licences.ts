/** How the Hugging Face Hub is told a licence. */

/**
 * The identifiers that the Hub knows, as its documentation lists them: most are those of SPDX in small
 * letters. https://huggingface.co/docs/hub/repositories-licenses
 */
const IDENTIFIERS = new Set([
  ...["apache-2.0", "mit", "openrail", "afl-3.0", "artistic-2.0", "bsl-1.0", "bsd"],
  ...["bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "c-uda", "cc", "cc0-1.0", "cc-by-2.0"],
  ...["cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0"],
  ...["cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0"],
  ...["cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cdla-sharing-1.0"],
  ...["cdla-permissive-1.0", "cdla-permissive-2.0", "ecl-2.0", "epl-1.0", "epl-2.0"],
  ...["etalab-2.0", "eupl-1.1", "agpl-3.0", "gfdl", "gpl", "gpl-2.0", "gpl-3.0", "lgpl"],
  ...["lgpl-2.1", "lgpl-3.0", "isc", "lppl-1.3c", "ms-pl", "mpl-2.0", "odc-by", "odbl"],
  ...["osl-3.0", "postgresql", "ofl-1.1", "ncsa", "unlicense", "zlib", "pddl", "lgpl-lr"],
]);

/** A licence as the Hub is told it. */
export interface HubLicence {
  /** An identifier that it knows; `other` for any other licence, `unknown` if there is none. */
  license: string;
  /** The name of another licence. */
  license_name?: string;
  /** Where the text of another licence is. */
  license_link?: string;
}

/** A licence as the Hub is told it. */
export function hubLicence({ license, licenseLink }: {
  license?: string;
  licenseLink?: string;
}): HubLicence {
  if (license === undefined) return { license: "unknown" };
  // SPDX tells `GPL-3.0-only` from `GPL-3.0-or-later`; the Hub does not.
  const id = license.toLowerCase().replace(/-(only|or-later)$/, "");
  if (IDENTIFIERS.has(id)) return { license: id };
  const link = licenseLink === undefined ? {} : { license_link: licenseLink };
  return { license: "other", license_name: slug(license), ...link };
}

/** Text as an identifier: small letters, digits, dots and hyphens. */
export function slug(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9.]+/g, "-").replace(/^[-.]+|[-.]+$/g, "") || "other";
}
