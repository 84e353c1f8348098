/** The service's description in OpenAPI 3.1, made from the schemas that check requests. */
import { PROBLEM_HEADERS, PROBLEM_TITLES, PROBLEM_TYPE, type ProblemStatus } from "./problem.ts";
import {
  FORM_TYPE,
  HealthAnswer,
  ModelsAnswer,
  NPY_TYPES,
  PredictAnswer,
  PredictForm,
  PredictQuery,
  ProblemDetails,
  RELATED_TYPE,
  STUDY_TYPES,
  z,
} from "./schemas.ts";

/** What of the options the document says. */
export interface Described {
  /** Whether a token is asked for. */
  token: boolean;
  /** The most bytes of a body. */
  bodyBytes: number;
}

type Json = Record<string, unknown>;

/** What any request can be refused with: a host that cannot be or is not ours, a fault, a stop. */
const ALWAYS: readonly ProblemStatus[] = [400, 421, 500, 503];

/** Makes the document. */
export function openApi(described: Described): Json {
  const schemas = new _Schemas();
  const paths = { ..._predictPath(schemas, described), ..._otherPaths(schemas, described) };
  const securitySchemes = described.token
    ? { token: { type: "http", scheme: "bearer" } }
    : undefined;
  return {
    openapi: "3.1.0",
    info: {
      title: "MRNet",
      version: "1",
      summary: "How likely a knee MRI exam shows an injury.",
      description: "Not a medical device: not for diagnosis.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    paths,
    components: { schemas: schemas.named, ...(securitySchemes && { securitySchemes }) },
  };
}

/** Schemas as JSON; those that have a name are collected, and referred to by it. */
class _Schemas {
  /** The collected ones, by name. */
  readonly named: Json = {};

  /** A schema, or a reference to it. */
  of(type: z.ZodType, io: "input" | "output" = "output"): Json {
    const { $schema: _, $defs = {}, ...own } = z.toJSONSchema(type, { io, reused: "inline" });
    const moved = JSON.parse(
      JSON.stringify({ own, $defs }).replaceAll('"#/$defs/', '"#/components/schemas/'),
    );
    for (const [name, each] of Object.entries(moved.$defs as Json)) {
      this.named[name] = _plain(each as Json);
    }
    const { id } = own as { id?: string };
    if (id === undefined) return _plain(moved.own);
    this.named[id] = _plain(moved.own);
    return { $ref: `#/components/schemas/${id}` };
  }

  /** A response of JSON. */
  answer(type: z.ZodType, description: string): Json {
    return { description, content: { "application/json": { schema: this.of(type) } } };
  }

  /** The responses to requests that are refused, by status. */
  problems(...statuses: ProblemStatus[]): Json {
    return Object.fromEntries([...statuses, ...ALWAYS].map((status) => [`${status}`, {
      description: PROBLEM_TITLES[status],
      headers: Object.fromEntries(
        Object.entries(PROBLEM_HEADERS[status] ?? {}).map((
          [name, description],
        ) => [name, { description, schema: { type: "string" } }]),
      ),
      content: { [PROBLEM_TYPE]: { schema: this.of(ProblemDetails) } },
    }]));
  }
}

/** How a request proves that it may ask, and how it is refused if it does not. */
function _access({ token }: Described): { security: Json[]; forbidden: ProblemStatus[] } {
  // Without a token pages of other sites are kept out.
  return token
    ? { security: [{ token: [] }], forbidden: [401] }
    : { security: [], forbidden: [403] };
}

function _predictPath(schemas: _Schemas, described: Described): Json {
  const { security, forbidden } = _access(described);
  return {
    "/v1/predict": {
      post: {
        operationId: "predict",
        summary: "How likely the findings are in one patient's exam.",
        security,
        parameters: _parameters(schemas.of(PredictQuery, "input")),
        requestBody: {
          // None is needed for a study of the service's PACS.
          required: false,
          description:
            `One exam as a .npy file, [slices, height, width] in grey values; or up to three, one a ` +
            `plane; or one patient's study from a scanner: a zip archive of DICOM or NIfTI files, one ` +
            `such file, or several, in a form or as DICOMweb sends them. At most ` +
            `${described.bodyBytes} bytes.`,
          content: {
            ...Object.fromEntries([...NPY_TYPES, ...STUDY_TYPES].map((type) => [type, {}])),
            [FORM_TYPE]: { schema: schemas.of(PredictForm, "input") },
            [RELATED_TYPE]: {},
          },
        },
        responses: {
          "200": schemas.answer(PredictAnswer, "What the models say."),
          ...schemas.problems(...forbidden, 408, 413, 415, 422, 429, 502),
        },
      },
    },
  };
}

function _otherPaths(schemas: _Schemas, described: Described): Json {
  const { security, forbidden } = _access(described);
  return {
    "/v1/models": {
      get: {
        operationId: "models",
        summary: "The models, with what their files say about them.",
        security,
        responses: {
          "200": schemas.answer(ModelsAnswer, "The models."),
          ...schemas.problems(...forbidden),
        },
      },
    },
    "/healthz": {
      get: {
        operationId: "health",
        summary: "Whether the service answers; loads nothing.",
        security: [],
        responses: { "200": schemas.answer(HealthAnswer, "It does."), ...schemas.problems() },
      },
    },
    "/openapi.json": {
      get: {
        operationId: "description",
        summary: "This document.",
        security: [],
        responses: {
          "200": {
            description: "This document.",
            content: { "application/json": { schema: { type: "object" } } },
          },
          ...schemas.problems(),
        },
      },
    },
  };
}

/** Query parameters from an object's schema, a property each. */
function _parameters({ properties }: Json): Json[] {
  return Object.entries(properties as Record<string, Json>).map(([name, own]) => {
    const { description, ...schema } = own;
    return { name, in: "query", required: false, description, schema };
  });
}

/** A schema without the name that says where it is kept. */
function _plain({ id: _, ...own }: Json): Json {
  return own;
}
