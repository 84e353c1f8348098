/**
 * A PACS of a test's own on this machine: DICOMweb over instances in memory, which can be told to go wrong.
 */
import { readDicomIdentity } from "../../lib/imaging/dicom/identity.ts";
import { parseDicom } from "../../lib/imaging/dicom/dataset.ts";
import { concat } from "../../lib/bytes.ts";
import { boundaryOf, MultipartReader } from "../../lib/multipart.ts";

/** An instance that it has. */
export interface KeptInstance {
  study: string;
  series: string;
  instance: string;
  modality: string;
  description: string;
  bodyPart: string;
  /** Of the study. */
  date: string;
  title: string;
  bytes: Uint8Array;
}

/** What it does instead of answering as a PACS does; nothing for what is to be answered. */
export type Trouble = (
  request: Request,
  url: URL,
) => Response | undefined | Promise<Response | undefined>;

const text = (line: string) => new TextEncoder().encode(line);

/** A PACS. */
export class FakePacs implements AsyncDisposable {
  /** What it has, by SOP Instance UID. */
  readonly instances = new Map<string, KeptInstance>();
  /** The requests that came, `GET /studies`. */
  readonly asked: string[] = [];
  /** What requests sent as their authorization. */
  readonly authorizations = new Set<string | null>();
  /** The instances that were stored by STOW-RS, those that came again too. */
  readonly stowed: string[] = [];
  trouble: Trouble | undefined;
  /** The date of its studies: none is too old for a watch. */
  date = "29991231";
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** @param port 0 takes a free one */
  constructor(port = 0) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen() {} },
      (request) => this.#answer(request),
    );
  }

  /** Its address. */
  get url(): string {
    return `http://${this.host}/dicom-web`;
  }

  /** Its host and port. */
  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  /** Gives it files. */
  async take(files: Iterable<Uint8Array>): Promise<void> {
    for (const bytes of files) {
      const { study, series, instance } = await readDicomIdentity(bytes, "file");
      const { data } = await parseDicom(bytes, { file: "file" });
      const read = (tag: string) => data.string(tag) ?? "";
      this.instances.set(instance, {
        ...{ study, series, instance, bytes },
        modality: read("x00080060"),
        description: read("x0008103e"),
        bodyPart: read("x00180015"),
        date: read("x00080020"),
        title: read("x00081030"),
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    this.asked.push(`${request.method} ${url.pathname.replace("/dicom-web", "")}`);
    this.authorizations.add(request.headers.get("authorization"));
    const trouble = await this.trouble?.(request, url);
    if (trouble !== undefined) {
      await request.body?.cancel();
      return trouble;
    }
    const [, study, series, instances] =
      /^\/dicom-web\/studies(?:\/([\d.]+))?(?:\/series(?:\/([\d.]+))?)?(\/instances)?$/.exec(
        url.pathname,
      ) ?? [];
    if (request.method === "POST") return await this.#store(request);
    const all = [...this.instances.values()];
    const own = all.filter((each) =>
      (study ?? each.study) === each.study && (series ?? each.series) === each.series
    );
    if (series !== undefined && instances === undefined) {
      return own.length === 0
        ? new Response(null, { status: 404 })
        : filesAnswer(own.map(({ bytes }) => bytes));
    }
    if (instances !== undefined) {
      return json(own.map((each) => ({ "00080018": value(each.instance) })));
    }
    if (study === undefined) return this.#studies(all, url);
    const groups = [...Map.groupBy(own, (each) => each.series)];
    return json(groups.map(([uid, [first, ...more]]) => ({
      "0020000E": value(uid),
      "00080060": value(first.modality),
      "0008103E": value(first.description),
      ...first.bodyPart === "" ? {} : { "00180015": value(first.bodyPart) },
      "00201209": { vr: "IS", Value: [1 + more.length] },
    })));
  }

  #studies(all: readonly KeptInstance[], { searchParams }: URL): Response {
    const since = searchParams.get("StudyDate")!.replace(/-$/, "");
    const studies = [...Map.groupBy(all, ({ study }) => study)];
    const begin = Number(searchParams.get("offset"));
    const page = studies.slice(begin, begin + Number(searchParams.get("limit")));
    return json(
      since > this.date ? [] : page.map(([study, [{ date, title }]]) => ({
        "0020000D": value(study),
        ...date === "" ? {} : { "00080020": value(date) },
        ...title === "" ? {} : { "00081030": value(title) },
      })),
    );
  }

  async #store(request: Request): Promise<Response> {
    const boundary = boundaryOf(request.headers.get("content-type")!)!;
    const refuse = (fault: string) => new Error(fault);
    const reader = new MultipartReader(boundary, { parts: 100, named: false, refuse });
    const body = new Uint8Array(await request.arrayBuffer());
    reader.scan(body);
    const files = reader.parts(body).map(({ bytes }) => bytes.slice());
    await this.take(files);
    for (const file of files) this.stowed.push((await readDicomIdentity(file, "file")).instance);
    const stored = files.map(() => ({ "00081155": value("2.25.1") }));
    return json({ "00081199": { vr: "SQ", Value: stored } });
  }
}

/** An element with one value. */
export function value(text: string) {
  return { vr: "UI", Value: [text] };
}

/** An answer in DICOM's JSON. */
export function json(content: unknown): Response {
  return new Response(JSON.stringify(content), {
    headers: { "content-type": "application/dicom+json" },
  });
}

/** Files as WADO-RS sends them. */
export function filesAnswer(
  files: readonly Uint8Array[],
  change: (body: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> = (body) => body,
): Response {
  const body = concat([
    ...files.flatMap((file) => [
      text(`--bound\r\nContent-Type: application/dicom\r\nContent-Length: ${file.length}\r\n\r\n`),
      ...[file, text("\r\n")],
    ]),
    text("--bound--\r\n"),
  ]);
  return new Response(change(body), {
    headers: { "content-type": 'multipart/related; type="application/dicom"; boundary=bound' },
  });
}
