import type { ChangeKind } from './words.ts';

/** A change as it is typed. */
export interface Draft {
  readonly scope: 'all' | 'one';
  readonly symbol: string;
  readonly maxLeverage: string;
  readonly loosens: 'auto' | 'no' | 'yes';
  readonly ending: 'hours' | 'time';
  readonly hours: string;
  /** As `datetime-local` has it, meant as UTC: `2026-01-31T12:00`. */
  readonly until: string;
  readonly reason: string;
}

export const FIRST_DRAFT: Draft = {
  scope: 'all',
  symbol: '',
  maxLeverage: '',
  loosens: 'auto',
  ending: 'hours',
  hours: '4',
  until: '',
  reason: '',
};

/** Whether everything is there that the service asks for; whether it is right says the service. */
export function isComplete(kind: ChangeKind, draft: Draft): boolean {
  const hasMarket =
    kind === 'emergency' || (kind === 'freeze' && draft.scope === 'all') || draft.symbol !== '';
  const hasLeverage = kind !== 'override' || draft.maxLeverage !== '';
  const hasEnd = draft.ending === 'hours' ? draft.hours !== '' : draft.until !== '';
  return hasMarket && hasLeverage && hasEnd && draft.reason.trim() !== '';
}

/** What is sent. */
export function draftBody(kind: ChangeKind, draft: Draft): Readonly<Record<string, unknown>> {
  const end =
    draft.ending === 'hours' ? { hours: Number(draft.hours) } : { expiresAt: isoOfUtc(draft.until) };
  const signed = { reason: draft.reason.trim(), ...end };
  if (kind === 'emergency') return signed;
  if (kind === 'freeze') return { symbol: draft.scope === 'all' ? null : draft.symbol, ...signed };
  const loosens = draft.loosens === 'auto' ? {} : { mayLoosen: draft.loosens === 'yes' };
  return { symbol: draft.symbol, maxLeverage: Number(draft.maxLeverage), ...loosens, ...signed };
}

/** Browsers leave out seconds that are 0. */
function isoOfUtc(local: string): string {
  return `${local.length === 16 ? `${local}:00` : local}Z`;
}
