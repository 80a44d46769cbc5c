import { isoTime } from '../clock.ts';
import { formatMicros } from '../units.ts';
import type { UserPolicy } from './ports.ts';

/** A user's policy as it is told. */
export function userShape({ notionalCoefMicros, ...user }: UserPolicy) {
  return {
    ...user,
    notionalCoef: notionalCoefMicros === null ? null : formatMicros(notionalCoefMicros),
    accountCreatedAt: user.accountCreatedAt === null ? null : isoTime(user.accountCreatedAt),
    overrideExpiresAt: user.overrideExpiresAt === null ? null : isoTime(user.overrideExpiresAt),
    updatedAt: isoTime(user.updatedAt),
  };
}
