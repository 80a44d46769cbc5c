import { isDeepStrictEqual } from 'node:util';
import { venueOf } from './exchange/venues.ts';
import { ROUTES, type Route } from './routes.ts';
import { problemSchema } from './schemas.ts';

interface Said {
  readonly status: number;
  readonly contentType: string;
  readonly json: unknown;
}

const patterns = ROUTES.map((route) => ({
  route,
  pattern: new RegExp(`^${route.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}));

/** The route that an address belongs to; one with a fixed path before one whose parameter it would be. */
function routeOf(method: string, path: string): Route | undefined {
  const found = patterns.filter(
    ({ route, pattern }) => route.method === method.toLowerCase() && pattern.test(path),
  );
  return (found.find(({ route }) => !route.path.includes('{')) ?? found[0])?.route;
}

/**
 * What is wrong with an answer by the schemas that the OpenAPI document is made from: a field that is missing, of another type, or
 * not described. Empty where all is as described, or where nothing is said of such an answer.
 */
export function undescribed(method: string, address: string, { status, contentType, json }: Said): string {
  const path = address.split('?', 1)[0];
  if (json === undefined || method === 'HEAD') return '';
  const route = routeOf(method, path);
  const isProblem = contentType.startsWith('application/problem+json');
  if (status >= 400 && !isProblem && venueOf(path) !== undefined) return '';
  if (route === undefined && !isProblem) return '';
  const schema = isProblem ? problemSchema : (route as Route).answer;
  const read = schema.safeParse(json);
  if (!read.success) return `${method} ${path} ${status}: ${read.error.message}`;
  return isDeepStrictEqual(read.data, json)
    ? ''
    : `${method} ${path} ${status} has fields that nobody described`;
}
