/** What findings are called within a sentence. */
import type { Task } from "../terms.ts";

/** Such as `a tear of a meniscus`. */
export function findingText(task: Task | undefined): string {
  switch (task) {
    case "abnormal":
      return "any abnormality";
    case "acl":
      return "a tear of the anterior cruciate ligament";
    case "meniscus":
      return "a tear of a meniscus";
    case undefined:
      return "a finding";
    default:
      return task satisfies never;
  }
}
