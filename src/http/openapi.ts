import { z } from 'zod';
import { isWriteScope } from '../control/ports.ts';
import { ERROR_CATALOGUE } from '../errors.ts';
import type { Venue } from './exchange/venue.ts';
import { ROUTES, type Route } from './routes.ts';
import { problemSchema } from './schemas.ts';

type Json = Record<string, unknown>;

/**
 * The OpenAPI 3.1 document, made from the same schemas that validate requests.
 *
 * @param version of the program.
 */
export function openApiDocument(version: string): Json {
  const schemas: Record<string, Json> = {};
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of ROUTES) {
    const path = paths[route.path] ?? {};
    path[route.method] = operation(route, schemas);
    paths[route.path] = path;
  }
  const reference = schemaOf(problemSchema, schemas, 'output');
  return {
    openapi: '3.1.0',
    info: {
      title: 'Plimsoll',
      version,
      summary: 'How much leverage each market and each user may carry right now, and why.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas,
      responses: {
        Problem: {
          description: 'Problem details (RFC 9457)',
          content: { 'application/problem+json': { schema: reference } },
        },
      },
      securitySchemes: {
        operatorKey: {
          type: 'http',
          scheme: 'bearer',
          description:
            'A key, or a token of the identity provider, whose role has the scope in `x-scope`; reads need one where keys are configured',
        },
      },
    },
    'x-error-codes': Object.fromEntries(
      Object.entries(ERROR_CATALOGUE).map(([code, { httpStatus, title }]) => [
        code,
        { status: httpStatus, title },
      ]),
    ),
  };
}

function operation(route: Route, schemas: Record<string, Json>): Json {
  const problem = { $ref: '#/components/responses/Problem' };
  const type = route.isStream ? 'text/event-stream' : 'application/json';
  const answer = { [type]: { schema: schemaOf(route.answer, schemas, 'output') } };
  const hasTag =
    route.method === 'get' && (route.path.startsWith('/v1/') || route.venue !== undefined) && !route.isStream;
  return {
    operationId: route.operationId,
    summary: route.summary,
    parameters: [...parameters('path', route.params, schemas), ...parameters('query', route.query, schemas)],
    ...requestBody(route, schemas),
    ...securityOf(route),
    responses: {
      200: { description: 'OK', content: answer },
      ...(hasTag ? { 304: { description: 'Unchanged since the ETag given in If-None-Match' } } : {}),
      ...(route.isAnswerAt503 ? { 503: { description: 'Not ready', content: answer } } : {}),
      // Every refusal of every other route has the same shape; `x-error-codes` lists them all.
      default: route.venue === undefined ? problem : refusal(route.venue, schemas),
    },
  };
}

/** Reads need a key only where keys are configured, which a document that is the same for all cannot say. */
function securityOf({ scope }: Route): Json {
  if (scope === 'open') return {};
  return { 'x-scope': scope, ...(isWriteScope(scope) ? { security: [{ operatorKey: [] }] } : {}) };
}

/** Where clients of an exchange ask, refusals have its form. */
function refusal({ name, refusalSchema }: Venue, schemas: Record<string, Json>): Json {
  const schema = schemaOf(refusalSchema, schemas, 'output');
  return { description: `A refusal as ${name} words it`, content: { 'application/json': { schema } } };
}

/** A line of NDJSON is described as if it were the whole: the format has no words for more. */
function requestBody({ body, line, isBodyOptional }: Route, schemas: Record<string, Json>): Json {
  const schema = body ?? line;
  if (schema === undefined) return {};
  const type = body === undefined ? 'application/x-ndjson' : 'application/json';
  return {
    requestBody: {
      required: !(isBodyOptional ?? false),
      content: { [type]: { schema: schemaOf(schema, schemas, 'input') } },
    },
  };
}

function parameters(
  place: 'path' | 'query',
  object: z.ZodObject | undefined,
  schemas: Record<string, Json>,
): Json[] {
  if (object === undefined) return [];
  return Object.entries(object.shape).map(([name, schema]) => ({
    name,
    in: place,
    required: place === 'path',
    schema: schemaOf(schema as z.ZodType, schemas, 'input'),
  }));
}

/** The JSON schema of a zod schema; named parts, the whole included, go to the components and are referred to. */
function schemaOf(schema: z.ZodType, schemas: Record<string, Json>, io: 'input' | 'output'): Json {
  const {
    $schema: _dialect,
    $defs = {},
    ...own
  } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
  }) as Json & { $defs?: Record<string, Json> };
  for (const [name, definition] of Object.entries($defs))
    schemas[name] = withComponentReferences(definition) as Json;
  return withComponentReferences(own) as Json;
}

function withComponentReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withComponentReferences);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) =>
      key === '$ref' && typeof item === 'string'
        ? [key, item.replace(/^#\/\$defs\//, '#/components/schemas/')]
        : [key, withComponentReferences(item)],
    ),
  );
}
