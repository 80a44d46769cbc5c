import { z } from 'zod';
import { sha256, side, timeSchema } from './schemas.ts';

const pairSchema = z.object({ champion: z.number(), challenger: z.number() });

/** A version beside the champion in the live service. Means are null before the first forecast came due. */
const shadowSchema = z
  .object({
    champion: z.string(),
    challenger: z.string(),
    since: timeSchema,
    observations: z.number().int(),
    pinball: pairSchema.extend({ ratio: z.number() }).nullable(),
    fz0: pairSchema.extend({ difference: z.number() }).nullable(),
    exceedanceRate: pairSchema.nullable(),
    eValues: z.object({ worse: z.number(), better: z.number() }),
    verdict: z.enum(['worse', 'better', 'undecided']),
    failures: z.object({ failed: z.number().int(), invalid: z.number().int(), slow: z.number().int() }),
    lastFailure: z.string(),
    cells: z.array(
      z.object({
        side,
        horizonHours: z.number(),
        confidence: z.number(),
        observations: z.number().int(),
        pinball: pairSchema,
        fz0: pairSchema,
        exceedances: pairSchema,
      }),
    ),
  })
  .meta({ id: 'Shadow' });

const summary = {
  name: z.string(),
  version: z.string(),
  aliases: z.array(z.string()),
  createdAt: timeSchema,
  dataFrom: timeSchema,
  dataTo: timeSchema,
  markets: z.number().int(),
  simulated: z.boolean(),
  shipped: z.boolean(),
  gates: z.enum(['passed', 'failed', 'none']),
  shadow: shadowSchema.nullable(),
};

export const modelsSchema = z
  .object({
    total: z.number().int(),
    models: z.array(z.object(summary)),
  })
  .meta({ id: 'Models' });

export const trainingRunsSchema = z
  .object({
    total: z.number().int(),
    runs: z.array(
      z.object({
        id: z.string(),
        startedAt: timeSchema,
        finishedAt: timeSchema.nullable(),
        result: z.enum(['running', 'succeeded', 'failed']),
        modelVersion: z.string().nullable(),
        trigger: z.string(),
        message: z.string(),
      }),
    ),
  })
  .meta({ id: 'TrainingRuns' });

const scoreSchema = z.object({
  forecaster: z.string(),
  side,
  horizonHours: z.number(),
  confidence: z.number(),
  observations: z.number(),
  pinball: z.number().describe('Mean pinball loss, share of the price.'),
  fz0: z.number(),
  exceedanceRate: z.number(),
});

/** Whatever is null was not done, or not kept, when the version was made. */
export const modelSchema = z
  .object({
    ...summary,
    title: z.string().nullable().describe('Of a model that was made elsewhere.'),
    featureCount: z.number().int(),
    evaluation: z
      .object({
        testFrom: timeSchema,
        testTo: timeSchema,
        fittedUntil: timeSchema,
        scores: z.array(scoreSchema),
      })
      .nullable(),
    gateRecord: z
      .object({
        policyVersion: z.string(),
        champion: z.string().nullable().describe('That it was held against.'),
        judgedAt: timeSchema,
        passed: z.boolean(),
        results: z.array(
          z.object({
            gate: z.string(),
            passed: z.boolean(),
            measured: z.number().nullable(),
            bound: z.number(),
            words: z.string(),
          }),
        ),
      })
      .nullable(),
    lineage: z
      .object({
        parent: z.string().nullable(),
        dataFingerprint: sha256,
        programVersion: z.string(),
        command: z.string(),
      })
      .nullable(),
    split: z
      .object({ trainUntil: timeSchema, validationFrom: timeSchema, validationUntil: timeSchema })
      .nullable(),
    training: z
      .object({
        backend: z.string(),
        hidden: z.array(z.number()),
        batchRows: z.number(),
        learningRate: z.number(),
        weightDecay: z.number(),
        maximumEpochs: z.number(),
        patience: z.number(),
        members: z.array(
          z.object({
            seed: z.number(),
            epochs: z.number(),
            bestEpoch: z.number(),
            validationLoss: z.number(),
          }),
        ),
      })
      .nullable(),
    data: z.object({
      from: timeSchema,
      to: timeSchema,
      markets: z.array(z.string()),
      leftOut: z.array(z.string()),
      simulated: z.boolean(),
      hash: sha256.nullable(),
      rows: z.number().nullable(),
      everyHours: z.number().nullable(),
    }),
  })
  .meta({ id: 'Model' });

const stability = {
  index: z.number().describe('Population stability index of the window against the training span.'),
  usual: z.number().describe('That a month of the training span usually stays below.'),
};

export const coverageSchema = z
  .object({
    model: z.string().nullable(),
    tiers: z
      .array(
        z.object({
          horizonHours: z.number(),
          confidence: z.number(),
          observations: z.number().int(),
          exceedances: z.number().int(),
          exceedanceRate: z.number().min(0).max(1).nullable(),
          expectedRate: z.number().min(0).max(1),
          alarmedAt: z.object({ exceeded: timeSchema.nullable(), overstated: timeSchema.nullable() }),
        }),
      )
      .describe('All markets and both sides together, since the model came into use.'),
    drift: z
      .object({
        windowDays: z.number(),
        features: z.array(z.object({ name: z.string(), ...stability })),
        residuals: z.array(z.object({ horizonHours: z.number(), ...stability })),
        scores: z.array(z.object({ horizonHours: z.number(), ratio: z.number(), usual: z.number() })),
        drifted: z.array(z.string()),
      })
      .nullable()
      .describe('Null while the window has too few days, and where there is nothing to compare with.'),
  })
  .meta({ id: 'Coverage' });
