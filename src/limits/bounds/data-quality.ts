import type { UsableInput } from '../market-input.ts';
import type { Policy } from '../policy.ts';
import type { Bound } from '../types.ts';
import { capBound } from './bound.ts';

/** Caps a market while its data are degraded; rejected data never come this far. */
export function dataQualityBound({ quality, qualityFindings }: UsableInput, policy: Policy): Bound {
  return capBound('dataQuality', quality === 'accept' ? null : policy.degradedMaximumLeverage, {
    findings: qualityFindings.join('; '),
    grade: quality,
  });
}

/** Stands in the list of bounds of a market that could not be bounded: it says why, and asks for leverage 1. */
export function rejectedBound({ quality, qualityFindings, liquidity }: UsableInput): Bound {
  return capBound('dataQuality', 1, {
    findings: qualityFindings.join('; '),
    grade: quality,
    traded: liquidity !== null && liquidity.hourlyVolume > 0,
  });
}
