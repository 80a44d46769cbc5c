import { ACCESS_REFUSALS, type AccessRefusal } from '../../control/ports.ts';
import { type ErrorCode, PlimsollError } from '../../errors.ts';

export type { AccessRefusal } from '../../control/ports.ts';

/** @param message must not hold what was sent: it is answered and logged. */
export function refuseAccess(
  why: AccessRefusal,
  code: ErrorCode,
  message: string,
  remedy: string,
): PlimsollError {
  return new PlimsollError(code, message, { remedy, details: { refusal: why } });
}

/** Null for a failure that is no refusal of access. */
export function accessRefusalOf({ details }: PlimsollError): AccessRefusal | null {
  return ACCESS_REFUSALS.find((why) => why === details.refusal) ?? null;
}
