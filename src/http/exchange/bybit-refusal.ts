import { z } from 'zod';
import type { PlimsollError } from '../../errors.ts';
import { type FailedRequest, faultOf, type Venue, type VenueRefusal } from './venue.ts';

export const bybitRefusalSchema = z
  .object({
    retCode: z.number().int().min(1),
    retMsg: z.string(),
    result: z.strictObject({}),
    retExtInfo: z.strictObject({}),
    time: z.number().int(),
  })
  .meta({ id: 'BybitRefusal' });

/** Most of Bybit's refusals come with HTTP status 200. */
export function bybitRefusal(status: number, retCode: number, retMsg: string, now: number): VenueRefusal {
  const json: z.infer<typeof bybitRefusalSchema> = { retCode, retMsg, result: {}, retExtInfo: {}, time: now };
  return { status, json };
}

/** A parameter is missing or wrong. */
export function bybitParameterRefusal(what: string, now: number): VenueRefusal {
  return bybitRefusal(200, 10001, `params error: ${what}`, now);
}

function refusalOf(error: PlimsollError, { now }: FailedRequest): VenueRefusal {
  switch (error.code) {
    case 'UNAUTHENTICATED':
    case 'FORBIDDEN':
      return bybitRefusal(401, 10003, 'API key is invalid.', now);
    case 'RATE_LIMITED':
      return bybitRefusal(429, 10006, 'Too many visits. Exceeded the API Rate Limit.', now);
    case 'KEY_EXPIRED':
      return bybitRefusal(401, 33004, 'Your api key has expired.', now);
    case 'NOT_FOUND':
      return bybitRefusal(404, 404, 'Path not found', now);
    case 'METHOD_NOT_ALLOWED':
      return bybitRefusal(405, 405, 'Method not allowed', now);
    case 'NOTHING_PUBLISHED':
      return bybitRefusal(503, 10016, 'System error. Please try again later.', now);
    default:
      return error.httpStatus < 500
        ? bybitParameterRefusal(faultOf(error), now)
        : bybitRefusal(500, 10016, 'System error. Please try again later.', now);
  }
}

export const BYBIT: Venue = {
  name: 'Bybit',
  prefixes: ['/v5/'],
  keyHeader: 'x-bapi-api-key',
  refusalSchema: bybitRefusalSchema,
  refusalOf,
};
