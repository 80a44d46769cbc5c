import { z } from 'zod';
import { PlimsollError } from '../errors.ts';
import { largestNotionalOf } from '../limits/brackets.ts';
import {
  FACTOR_DECIMALS,
  SIZE_FORM_KINDS,
  type SizeFormKind,
  type SizeRate,
  sizeFormOf,
  usualLargestNotional,
} from '../limits/size-form.ts';
import type { Bracket } from '../limits/types.ts';
import { formatDecimal, formatWhole } from '../units.ts';

const sizeRateSchema = z.object({
  baseRatePpm: z.number().int().min(0).max(1_000_000),
  /** Exact, a share of the notional per quote unit (`linear`) or per square root of one (`square-root`). */
  factor: z.string().regex(/^\d{1,6}(\.\d{1,18})?$/),
});

/** A schedule as one formula, for venues without brackets. */
export const sizeFormSchema = z
  .object({
    kind: z.enum(SIZE_FORM_KINDS),
    formula: z.string(),
    /** Positions above it are refused. */
    largestNotional: z.string().regex(/^\d{1,15}$/),
    initial: sizeRateSchema,
    maintenance: sizeRateSchema,
  })
  .meta({ id: 'SizeForm' });

const FORMULAS: Readonly<Record<SizeFormKind, string>> = {
  'square-root': 'rate(n) = max(base, 0.8 * base + factor * sqrt(n))',
  linear: 'rate(n) = base + factor * n',
  flat: 'rate(n) = base',
};

/**
 * The form that covers a schedule.
 *
 * @param upTo the largest notional to be covered, in whole quote units; undefined for the usual one.
 * @throws PlimsollError INPUT_INVALID where the schedule does not reach there.
 */
export function requireSizeForm(brackets: readonly Bracket[], kind: SizeFormKind, upTo: number | undefined) {
  const most = largestNotionalOf(brackets);
  const largestNotional = upTo ?? usualLargestNotional(brackets);
  if (largestNotional >= 1 && largestNotional <= most) return sizeFormOf(brackets, kind, largestNotional);
  throw new PlimsollError('INPUT_INVALID', `there is no form up to ${formatWhole(largestNotional)}`, {
    remedy: `Ask for one up to a notional from 1 to ${formatWhole(most)}.`,
  });
}

export function sizeFormShape({
  kind,
  largestNotional,
  initial,
  maintenance,
}: ReturnType<typeof sizeFormOf>): z.infer<typeof sizeFormSchema> {
  return {
    kind,
    formula: FORMULAS[kind],
    largestNotional: formatWhole(largestNotional),
    initial: sizeRateShape(initial),
    maintenance: sizeRateShape(maintenance),
  };
}

function sizeRateShape({ baseRatePpm, factor }: SizeRate): z.infer<typeof sizeRateSchema> {
  return { baseRatePpm, factor: formatDecimal(factor, FACTOR_DECIMALS) };
}
