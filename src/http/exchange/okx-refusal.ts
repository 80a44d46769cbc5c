import { z } from 'zod';
import type { PlimsollError } from '../../errors.ts';
import { faultOf, type Venue, type VenueRefusal } from './venue.ts';

export const okxRefusalSchema = z
  .object({
    code: z.string().regex(/^[1-9]\d{2,4}$/),
    msg: z.string(),
    data: z.array(z.never()),
  })
  .meta({ id: 'OkxRefusal' });

/** OKX's codes with the HTTP status that its documentation gives each. */
export function okxRefusal(status: number, code: string, msg: string): VenueRefusal {
  const json: z.infer<typeof okxRefusalSchema> = { code, msg, data: [] };
  return { status, json };
}

export const OKX_NO_SUCH_INSTRUMENT = okxRefusal(200, '51001', 'Instrument ID does not exist');

export function okxEmptyParameter(name: string): VenueRefusal {
  return okxRefusal(400, '50014', `Parameter ${name} can not be empty.`);
}

export function okxWrongParameter(name: string): VenueRefusal {
  return okxRefusal(400, '51000', `Parameter ${name} error`);
}

function refusalOf(error: PlimsollError): VenueRefusal {
  switch (error.code) {
    case 'UNAUTHENTICATED':
      return okxRefusal(401, '50103', 'Request header "OK-ACCESS-KEY" can not be empty.');
    case 'FORBIDDEN':
      return okxRefusal(401, '50111', 'Invalid OK-ACCESS-KEY');
    case 'RATE_LIMITED':
      return okxRefusal(
        429,
        '50011',
        'Rate limit reached. Please refer to API documentation and throttle requests accordingly.',
      );
    case 'KEY_EXPIRED':
      return okxRefusal(401, '50111', 'Invalid OK-ACCESS-KEY');
    case 'NOT_FOUND':
      return okxRefusal(404, '404', 'Not Found');
    case 'METHOD_NOT_ALLOWED':
      return okxRefusal(405, '405', 'Method Not Allowed');
    case 'NOTHING_PUBLISHED':
      return okxRefusal(503, '50001', 'Service temporarily unavailable. Please try again later.');
    default:
      return error.httpStatus < 500
        ? okxRefusal(400, '51000', `Parameter error: ${faultOf(error)}`)
        : okxRefusal(500, '50026', 'System error. Please try again later.');
  }
}

export const OKX: Venue = {
  name: 'OKX',
  prefixes: ['/api/v5/'],
  keyHeader: 'ok-access-key',
  refusalSchema: okxRefusalSchema,
  refusalOf,
};
