/** The items of a structured report's content, PS3.3 C.17.3. */
import type { ImageReference } from "../imaging/found_series.ts";
import { CODES } from "./codes.ts";
import type { Elements } from "./elements.ts";
import { asciiText, type Code, codeItem } from "./instance.ts";

/** What an item is to the one that it is in. */
export type Relationship =
  | "CONTAINS"
  | "HAS CONCEPT MOD"
  | "HAS OBS CONTEXT";

/** A container, the report itself too, which has no relationship. */
export function container(name: Code, items: readonly Elements[], template?: string): Elements {
  return {
    ..._named("CONTAINER", name, items),
    "0040,A050 CS": "SEPARATE",
    "0040,A504 SQ": template === undefined
      ? undefined
      : [{ "0008,0105 CS": "DCMR", "0040,DB00 CS": template }],
  };
}

/** A text of at most 65,534 characters. */
export function textItem(name: Code, text: string): Elements {
  return { ..._named("TEXT", name), "0040,A160 UT": asciiText(text) };
}

/** An identifier. */
export function uidItem(name: Code, uid: string): Elements {
  return { ..._named("UIDREF", name), "0040,A124 UI": uid };
}

/** One code for another. */
export function codedItem(name: Code, value: Code, items?: readonly Elements[]): Elements {
  return { ..._named("CODE", name, items), "0040,A168 SQ": [codeItem(value)] };
}

/** A number without a unit, to six digits as text and exactly beside it. */
export function numberItem(name: Code, value: number, items?: readonly Elements[]): Elements {
  return {
    ..._named("NUM", name, items),
    "0040,A300 SQ": [{
      "0040,08EA SQ": [codeItem(CODES.noUnits)],
      "0040,A161 FD": [value],
      "0040,A30A DS": String(Number(value.toPrecision(6))),
    }],
  };
}

/** A reference to an image, or to some of its frames. */
export function imageItem(images: readonly ImageReference[], name?: Code): Elements {
  return { ..._named("IMAGE", name), "0008,1199 SQ": [referenceItem(images)] };
}

/** The same items, with what they are to the one that they will be in. */
export function related(relationship: Relationship, items: readonly Elements[]): Elements[] {
  return items.map((item) => ({ ...item, "0040,A010 CS": relationship }));
}

/** The images as references, each instance once. */
export function byInstance(images: readonly ImageReference[]): ImageReference[][] {
  return [...Map.groupBy(images, ({ instance }) => instance).values()];
}

/** An image as an item of a sequence, with those of its frames that are meant, if it has several. */
export function referenceItem(images: readonly ImageReference[]): Elements {
  const [{ sopClass, instance }] = images;
  const frames = [...new Set(images.flatMap(({ frame }) => frame ?? []))];
  return {
    "0008,1150 UI": sopClass,
    "0008,1155 UI": instance,
    "0008,1160 IS": frames.length === 0 ? undefined : frames.join("\\"),
  };
}

function _named(type: string, name?: Code, items: readonly Elements[] = []): Elements {
  return {
    "0040,A040 CS": type,
    "0040,A043 SQ": name === undefined ? undefined : [codeItem(name)],
    "0040,A730 SQ": items.length === 0 ? undefined : items,
  };
}
