import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';
import type { PlimsollError } from '../../errors.ts';

/** A refusal in an exchange's own form. */
export interface VenueRefusal {
  readonly status: number;
  readonly json: unknown;
}

/** What was asked when something failed. */
export interface FailedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** An exchange whose clients may read here as if it were there. */
export interface Venue {
  readonly name: string;
  /** All of its paths begin with one of these, and none of ours does. */
  readonly prefixes: readonly string[];
  /** The header in which its clients send their key; in lower case. */
  readonly keyHeader: string;
  readonly refusalSchema: z.ZodType;
  /** A failure in the exchange's form. The text of a fault of the service must not be in it. */
  refusalOf(error: PlimsollError, request: FailedRequest): VenueRefusal;
}

/** What is wrong with input in one line, without the line breaks that some texts have. */
export function faultOf({ message }: PlimsollError): string {
  return message.replaceAll(/\s+/g, ' ').slice(0, 300);
}

/** The key of a request as `Authorization` would have it: that of the exchange's own header first, because it says who the user is. */
export function authorizationOf(headers: IncomingHttpHeaders, venue: Venue | undefined): string | undefined {
  const key = venue === undefined ? undefined : headers[venue.keyHeader];
  return typeof key === 'string' && key !== '' ? `Bearer ${key}` : headers.authorization;
}
