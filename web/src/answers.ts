import type { z } from 'zod';
import type { auditEntrySchema, auditSchema } from '../../src/http/audit-schemas.ts';
import type {
  actedSchema,
  changeSchema,
  changesSchema,
  impactSchema,
} from '../../src/http/governance-schemas.ts';
import type { interventionSchema, interventionsSchema } from '../../src/http/intervention-schemas.ts';
import type { marginSchema } from '../../src/http/margin-schemas.ts';
import type {
  coverageSchema,
  modelSchema,
  modelsSchema,
  trainingRunsSchema,
} from '../../src/http/model-schemas.ts';
import type {
  bracketSchema,
  bracketsSchema,
  explainSchema,
  forecastSchema,
  historySchema,
  limitsSchema,
  marketsSchema,
  readinessSchema,
  sensitivitySchema,
} from '../../src/http/schemas.ts';
import type { stressSchema, systemSchema } from '../../src/http/system-schemas.ts';
import type { overviewSchema, trackSchema } from '../../src/http/track-schemas.ts';
import type {
  capSchema,
  capsSchema,
  checkSchema,
  userPolicySchema,
  userSchema,
} from '../../src/http/user-schemas.ts';

// What the service answers, from the same schemas that it validates with: the console cannot expect another shape.
export type Acted = z.infer<typeof actedSchema>;
export type Audit = z.infer<typeof auditSchema>;
export type AuditEntry = z.infer<typeof auditEntrySchema>;
export type Bracket = z.infer<typeof bracketSchema>;
export type Brackets = z.infer<typeof bracketsSchema>;
export type Cap = z.infer<typeof capSchema>;
export type Caps = z.infer<typeof capsSchema>;
export type Change = z.infer<typeof changeSchema>;
export type Changes = z.infer<typeof changesSchema>;
export type Check = z.infer<typeof checkSchema>;
export type Explain = z.infer<typeof explainSchema>;
export type Forecast = z.infer<typeof forecastSchema>;
export type History = z.infer<typeof historySchema>;
export type Impact = z.infer<typeof impactSchema>;
export type Intervention = z.infer<typeof interventionSchema>;
export type Interventions = z.infer<typeof interventionsSchema>;
export type Limits = z.infer<typeof limitsSchema>;
export type Margin = z.infer<typeof marginSchema>;
export type Markets = z.infer<typeof marketsSchema>;
export type Models = z.infer<typeof modelsSchema>;
export type Readiness = z.infer<typeof readinessSchema>;
export type Sensitivity = z.infer<typeof sensitivitySchema>;
export type Stress = z.infer<typeof stressSchema>;
export type System = z.infer<typeof systemSchema>;
export type TrainingRuns = z.infer<typeof trainingRunsSchema>;
export type Overview = z.infer<typeof overviewSchema>;
export type OverviewMarket = Overview['markets'][number];

export type Track = z.infer<typeof trackSchema>;
export type TrackedDecision = Track['decisions'][number];
export type Model = z.infer<typeof modelSchema>;
export type Coverage = z.infer<typeof coverageSchema>;
export type User = z.infer<typeof userSchema>;
export type UserPolicy = z.infer<typeof userPolicySchema>;
