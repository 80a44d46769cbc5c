import type { z } from 'zod';
import type { auditEntrySchema, auditSchema } from '../../src/http/audit-schemas.ts';
import type {
  actedSchema,
  changeSchema,
  changesSchema,
  impactSchema,
} from '../../src/http/governance-schemas.ts';
import type {
  bracketSchema,
  bracketsSchema,
  explainSchema,
  forecastSchema,
  historySchema,
  limitsSchema,
  modelsSchema,
  readinessSchema,
  sensitivitySchema,
  trainingRunsSchema,
} from '../../src/http/schemas.ts';
import type { stressSchema, systemSchema } from '../../src/http/system-schemas.ts';
import type { overviewSchema } from '../../src/http/track-schemas.ts';

// What the service answers, from the same schemas that it validates with: the console cannot expect another shape.
export type Acted = z.infer<typeof actedSchema>;
export type Audit = z.infer<typeof auditSchema>;
export type AuditEntry = z.infer<typeof auditEntrySchema>;
export type Bracket = z.infer<typeof bracketSchema>;
export type Brackets = z.infer<typeof bracketsSchema>;
export type Change = z.infer<typeof changeSchema>;
export type Changes = z.infer<typeof changesSchema>;
export type Explain = z.infer<typeof explainSchema>;
export type Forecast = z.infer<typeof forecastSchema>;
export type History = z.infer<typeof historySchema>;
export type Impact = z.infer<typeof impactSchema>;
export type Limits = z.infer<typeof limitsSchema>;
export type Models = z.infer<typeof modelsSchema>;
export type Readiness = z.infer<typeof readinessSchema>;
export type Sensitivity = z.infer<typeof sensitivitySchema>;
export type Stress = z.infer<typeof stressSchema>;
export type System = z.infer<typeof systemSchema>;
export type TrainingRuns = z.infer<typeof trainingRunsSchema>;
export type Overview = z.infer<typeof overviewSchema>;
export type OverviewMarket = Overview['markets'][number];

export interface Track {
  readonly symbol: string;
  readonly version: number;
  readonly simulated: boolean;
  readonly horizonHours: number | null;
  readonly confidence: number | null;
  readonly from: string;
  readonly to: string;
  readonly intervalMilliseconds: number;
  readonly bars: {
    readonly openTime: readonly number[];
    readonly open: readonly number[];
    readonly high: readonly number[];
    readonly low: readonly number[];
    readonly close: readonly number[];
  };
  readonly decisions: readonly TrackedDecision[];
  readonly exceedances: { readonly observations: number; readonly long: number; readonly short: number };
}

export interface TrackedDecision {
  readonly version: number;
  readonly asOf: string;
  readonly maxLeverage: number;
  readonly bindingBound: string;
  readonly horizonHours: number;
  readonly confidence: number;
  readonly valueAtRisk: { readonly long: number | null; readonly short: number | null };
  readonly realised: { readonly long: number; readonly short: number } | null;
  readonly exceeded: { readonly long: boolean | null; readonly short: boolean | null } | null;
}
