/**
 * Every link of the documents that stays within the project leads somewhere: to a file that is there, and
 * to a heading that is in it.
 */
import assert from "node:assert/strict";

const ROOT = new URL("../", import.meta.url);

/** Folders whose documents are the project's own. */
const FOLDERS = ["", "docs/", "data/", "models/", "logs/", "examples/"];

/** A link or a picture of Markdown, or of HTML in it. */
const LINK = /\]\(([^)\s]+)\)|\b(?:src|href)="([^"]+)"/g;

/** The documents, by their path from the root. */
async function documents(): Promise<string[]> {
  const found: string[] = [];
  for (const folder of FOLDERS) {
    try {
      for await (const { name, isFile } of Deno.readDir(new URL(folder || ".", ROOT))) {
        if (isFile && name.endsWith(".md")) found.push(folder + name);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return found.sort();
}

/** The text of a document without its blocks of code. */
function proseOf(markdown: string): string {
  return markdown.replace(/^(`{3,})[^]*?^\1$/gm, "");
}

/** What GitHub makes of the headings: the anchors that can be linked to. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of proseOf(markdown).matchAll(/^#+ (.+)$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "").replaceAll(" ", "-");
    let name = anchor;
    for (let n = 1; anchors.has(name); n++) name = `${anchor}-${n}`;
    anchors.add(name);
  }
  return anchors;
}

/** The links of a document that stay within the project: path, empty for the page itself, and anchor. */
function linksOf(markdown: string): { path: string; anchor: string | undefined }[] {
  return [...proseOf(markdown).replace(/`[^`\n]*`/g, "").matchAll(LINK)]
    .map(([, link, source]) => link ?? source)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [path, anchor] = link.split("#");
      return { path, anchor };
    });
}

Deno.test("anchors are GitHub's, and code is no heading and no link", () => {
  const text =
    "# A `b`, c–d\n\n```sh\n# no heading\n```\n\n## See [x](y.md)\n\n## See x\n`[a](b.md)`\n";
  assert.deepEqual([...anchorsOf(text)], ["a-b-cd", "see-x", "see-x-1"]);
  assert.deepEqual(linksOf(text), [{ path: "y.md", anchor: undefined }]);
});

for (const document of await documents()) {
  Deno.test(`the links of ${document} lead somewhere`, async () => {
    const text = await Deno.readTextFile(new URL(document, ROOT));
    for (const { path, anchor } of linksOf(text)) {
      const target = path === "" ? document : new URL(path, new URL(document, ROOT)).pathname;
      const url = new URL(target, ROOT);
      await assert.doesNotReject(Deno.stat(url), `${document} links to ${path}`);
      if (anchor === undefined) continue;
      const anchors = anchorsOf(await Deno.readTextFile(url));
      assert.ok(anchors.has(anchor), `${document} links to ${path}#${anchor}`);
    }
  });
}

Deno.test("the README links to every page of docs/, by itself or by way of another", async () => {
  const reached = new Set<string>();
  const visit = async (document: string) => {
    if (reached.has(document)) return;
    reached.add(document);
    for (const { path } of linksOf(await Deno.readTextFile(new URL(document, ROOT)))) {
      if (!path.endsWith(".md")) continue;
      const url = new URL(path, new URL(document, ROOT));
      await visit(url.pathname.slice(ROOT.pathname.length));
    }
  };
  await visit("README.md");
  const pages = (await documents()).filter((name) => name.startsWith("docs/"));
  assert.ok(pages.length >= 10);
  assert.deepEqual(pages.filter((page) => !reached.has(page)), []);
});
