import type { CoverageAlarmState, CoverageTier } from './coverage-alarms.ts';
import { type DriftReferences, type DriftReport, type DriftState, driftReport } from './drift-watch.ts';

/** How the published forecasts of a model hold, as people are told. */
export interface CoverageReport {
  /** Whose forecasts these are; null before the first that was watched. */
  readonly model: string | null;
  readonly tiers: readonly CoverageTierReport[];
  /** Null while the window has too few days, and for a model that has nothing to be compared with. */
  readonly drift: (DriftReport & { readonly windowDays: number }) | null;
}

export interface CoverageTierReport
  extends Pick<CoverageTier, 'horizonHours' | 'confidence' | 'observations' | 'exceedances' | 'alarmedAt'> {
  /** Null before the first observation. */
  readonly exceedanceRate: number | null;
  readonly expectedRate: number;
}

/** @param reference what the manifest of the model says of its training span. */
export function coverageReport(
  alarms: CoverageAlarmState | null,
  drift: DriftState | null,
  reference: DriftReferences | null,
): CoverageReport {
  if (alarms === null) return { model: null, tiers: [], drift: null };
  const seen =
    drift === null || reference === null || drift.model !== alarms.model
      ? null
      : driftReport(drift, reference);
  return {
    model: alarms.model,
    tiers: alarms.tiers.map(tierReport),
    drift: seen === null || reference === null ? null : { windowDays: reference.windowDays, ...seen },
  };
}

function tierReport({
  horizonHours,
  confidence,
  observations,
  exceedances,
  alarmedAt,
}: CoverageTier): CoverageTierReport {
  return {
    ...{ horizonHours, confidence, observations, exceedances, alarmedAt },
    exceedanceRate: observations === 0 ? null : exceedances / observations,
    // Confidences have three decimals; the difference of two floats has more.
    expectedRate: Number((1 - confidence).toFixed(6)),
  };
}
