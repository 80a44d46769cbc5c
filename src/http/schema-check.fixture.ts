/**
 * A small validator for the part of JSON Schema that the OpenAPI document uses. It refuses keywords that it does not
 * know, so that nothing passes because nobody looked.
 */
export type Json = Readonly<Record<string, unknown>>;

const IGNORED = new Set(['description', 'example', 'examples', 'default', 'title']);

type Check = (expected: never, value: unknown, at: string, context: Context, schema: Json) => string[];

interface Context {
  readonly document: Json;
}

/** Every fault of a value against a schema; empty for a valid one. */
export function schemaFaults(schema: Json | boolean, value: unknown, document: Json, at = '$'): string[] {
  if (typeof schema === 'boolean') return schema ? [] : [`${at} is not allowed`];
  return Object.entries(schema).flatMap(([keyword, expected]) => {
    if (IGNORED.has(keyword)) return [];
    const check = CHECKS[keyword];
    if (check === undefined) return [`${at}: the keyword ${keyword} is not known to this check`];
    return check(expected as never, value, at, { document }, schema);
  });
}

/** What a `$ref` within the document leads to; undefined where it leads nowhere. */
export function resolveReference(document: Json, reference: string): Json | undefined {
  if (!reference.startsWith('#/')) return undefined;
  return reference
    .slice(2)
    .split('/')
    .reduce<unknown>((node, key) => (node as Json | undefined)?.[key], document) as Json | undefined;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
};

const FORMATS: Readonly<Record<string, RegExp>> = {
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/,
};

const fault = (isWrong: boolean, text: string): string[] => (isWrong ? [text] : []);
const number = (isWrong: (value: number, bound: number) => boolean, word: string): Check => {
  return (bound, value, at) =>
    fault(typeof value === 'number' && isWrong(value, bound), `${at}: ${value} is ${word} ${bound}`);
};

const CHECKS: Readonly<Record<string, Check>> = {
  $ref: (reference, value, at, { document }) => {
    const target = resolveReference(document, reference);
    return target === undefined
      ? [`${at}: ${reference} leads nowhere`]
      : schemaFaults(target, value, document, at);
  },
  type: (types: string | readonly string[], value, at) =>
    fault(
      ![types].flat().some((type) => TYPES[type as string]?.(value)),
      `${at} is no ${types}: ${JSON.stringify(value)}`,
    ),
  const: (only, value, at) => fault(value !== only, `${at} is not ${only}`),
  enum: (allowed: readonly unknown[], value, at) =>
    fault(!allowed.includes(value), `${at}: ${JSON.stringify(value)} is none of ${allowed}`),
  minimum: number((value, bound) => value < bound, 'below'),
  maximum: number((value, bound) => value > bound, 'above'),
  exclusiveMinimum: number((value, bound) => value <= bound, 'not above'),
  minLength: (least, value, at) =>
    fault(typeof value === 'string' && value.length < least, `${at} is shorter than ${least}`),
  maxLength: (most, value, at) =>
    fault(typeof value === 'string' && value.length > most, `${at} is longer than ${most}`),
  minItems: (least, value, at) =>
    fault(Array.isArray(value) && value.length < least, `${at} has fewer than ${least}`),
  maxItems: (most, value, at) =>
    fault(Array.isArray(value) && value.length > most, `${at} has more than ${most}`),
  pattern: (pattern, value, at) =>
    fault(
      typeof value === 'string' && !new RegExp(pattern, 'u').test(value),
      `${at}: ${value} is not ${pattern}`,
    ),
  format: (format, value, at) =>
    fault(
      FORMATS[format] === undefined || (typeof value === 'string' && !FORMATS[format].test(value)),
      `${at}: ${value} is no ${format}`,
    ),
  items: (schema: Json, value, at, { document }) =>
    Array.isArray(value)
      ? value.flatMap((item, i) => schemaFaults(schema, item, document, `${at}[${i}]`))
      : [],
  required: (names: readonly string[], value, at) =>
    isObject(value)
      ? names.filter((name) => !Object.hasOwn(value, name)).map((name) => `${at}.${name} is missing`)
      : [],
  properties: (schemas: Readonly<Record<string, Json>>, value, at, { document }) =>
    isObject(value)
      ? Object.entries(schemas).flatMap(([name, schema]) =>
          Object.hasOwn(value, name) ? schemaFaults(schema, value[name], document, `${at}.${name}`) : [],
        )
      : [],
  propertyNames: (schema: Json, value, at, { document }) =>
    isObject(value)
      ? Object.keys(value).flatMap((name) => schemaFaults(schema, name, document, `${at}.${name}`))
      : [],
  additionalProperties: (schema: Json | boolean, value, at, { document }, { properties = {} }) =>
    isObject(value)
      ? Object.keys(value)
          .filter((name) => !Object.hasOwn(properties as Json, name))
          .flatMap((name) => schemaFaults(schema, value[name], document, `${at}.${name}`))
      : [],
  anyOf: (schemas: readonly Json[], value, at, { document }) => {
    const faults = schemas.map((schema) => schemaFaults(schema, value, document, at));
    return faults.some((found) => found.length === 0) ? [] : faults.flat();
  },
};
