import { z } from 'zod';
import type { PlimsollError } from '../../errors.ts';
import { type FailedRequest, faultOf, type Venue, type VenueRefusal } from './venue.ts';

const schema = z
  .object({ code: z.number().int(), msg: z.string() })
  .meta({ id: 'BinanceRefusal', example: { code: -1121, msg: 'Invalid symbol.' } });

/** Binance's codes for futures, with their HTTP status. */
export function binanceRefusal(status: number, code: number, msg: string): VenueRefusal {
  return { status, json: { code, msg } satisfies z.infer<typeof schema> };
}

export const BINANCE_INVALID_SYMBOL = binanceRefusal(400, -1121, 'Invalid symbol.');
export const BINANCE_EMPTY_SYMBOL = binanceRefusal(400, -1105, "Parameter 'symbol' was empty.");

function refusalOf(error: PlimsollError, { method, path }: FailedRequest): VenueRefusal {
  switch (error.code) {
    case 'UNAUTHENTICATED':
      return binanceRefusal(401, -2014, 'API-key format invalid.');
    case 'FORBIDDEN':
      return binanceRefusal(401, -2015, 'Invalid API-key, IP, or permissions for action.');
    case 'RATE_LIMITED':
      return binanceRefusal(429, -1003, 'Too many requests.');
    case 'KEY_EXPIRED':
      return binanceRefusal(401, -2015, 'Invalid API-key, IP, or permissions for action.');
    case 'NOT_FOUND':
    case 'METHOD_NOT_ALLOWED':
      return binanceRefusal(
        error.httpStatus,
        -5000,
        `Path ${path.slice(0, 100)}, Method ${method} is invalid`,
      );
    case 'NOTHING_PUBLISHED':
      return binanceRefusal(503, -1001, 'Internal error; unable to process your request. Please try again.');
    default:
      return error.httpStatus < 500
        ? binanceRefusal(error.httpStatus, -1130, `Data sent for a parameter is not valid: ${faultOf(error)}`)
        : binanceRefusal(500, -1000, 'An unknown error occurred while processing the request.');
  }
}

export const BINANCE: Venue = {
  name: 'Binance',
  prefixes: ['/fapi/', '/sapi/'],
  keyHeader: 'x-mbx-apikey',
  refusalSchema: schema,
  refusalOf,
};
