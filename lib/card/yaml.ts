/** YAML, as the metadata of a README has it. */
import { stringify } from "npm:yaml@2.9.1";

/** A value as YAML; long texts stay on their line, and what is there twice is written twice. */
export function yamlText(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
