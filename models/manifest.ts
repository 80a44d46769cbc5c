import { z } from 'zod';
import { gateRecordSchema, lineageSchema } from './gate-record.ts';

/** A version is the day its data end and the beginning of its content's hash: `20241231-1a2b3c4d`. */
export const MODEL_VERSION = /^\d{8}-[0-9a-f]{8}$/;
export const MODEL_NAME = 'shock-network';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.iso.datetime();

const scores = z.object({
  forecaster: z.string(),
  side: z.enum(['long', 'short']),
  horizonHours: z.number(),
  confidence: z.number(),
  observations: z.number(),
  /** Mean pinball loss, share of the price. */
  pinball: z.number(),
  fz0: z.number(),
  exceedanceRate: z.number(),
});

const histogram = {
  /** Ascending; a value equal to an edge belongs below it. */
  edges: z.array(z.number()),
  /** One more than there are edges. */
  counts: z.array(z.number().int().min(0)),
  /** The stability index that a month of the training span usually stays below. */
  usual: z.number().min(0),
};

/** What live values are compared with to find drift; made by `training/reference.ts`. */
const driftReferenceSchema = z.object({
  windowDays: z.number().positive(),
  features: z.array(z.object({ name: z.string(), ...histogram })),
  /** Adverse excursion over VaR at 95 %, both sides. */
  residuals: z.array(z.object({ horizonHours: z.number(), ...histogram })),
  /** Pinball loss at 99 % over VaR: its mean, and the ratio to it that a month usually stays below. */
  scores: z.array(z.object({ horizonHours: z.number(), mean: z.number().min(0), usual: z.number().min(1) })),
});

/**
 * The manifest of a version folder: the only place that says what the weights are. Everything needed to make them
 * again is in it, and everything needed to refuse them when they are not what was made.
 */
export const manifestSchema = z.object({
  name: z.literal(MODEL_NAME),
  version: z.string().regex(MODEL_VERSION),
  createdAt: time,
  data: z.object({
    from: time,
    to: time,
    /** Fingerprint of the bar store. */
    hash: sha256,
    markets: z.array(z.string()),
    /** Stored, but without a single row to train on: too little history. */
    leftOut: z.array(z.string()).optional(),
    simulated: z.boolean(),
    rows: z.number(),
    everyHours: z.number(),
  }),
  features: z.object({ specHash: sha256, names: z.array(z.string()) }),
  split: z.object({ trainUntil: time, validationFrom: time, validationUntil: time }),
  training: z.object({
    backend: z.string(),
    hidden: z.array(z.number()),
    batchRows: z.number(),
    learningRate: z.number(),
    weightDecay: z.number(),
    maximumEpochs: z.number(),
    patience: z.number(),
    members: z.array(
      z.object({ seed: z.number(), epochs: z.number(), bestEpoch: z.number(), validationLoss: z.number() }),
    ),
  }),
  weights: z.object({
    file: z.literal('weights.bin'),
    sha256,
    layers: z.array(z.object({ inputs: z.number().int(), outputs: z.number().int() })),
    members: z.number().int().min(1),
  }),
  scaling: z.object({
    featureMean: z.array(z.number()),
    featureDeviation: z.array(z.number().positive()),
    harCoefficients: z.array(z.array(z.number())),
    varianceFactors: z.array(z.number().positive()),
  }),
  /** A feature row and what the model made of it when it was saved: a load that does not repeat it is refused. */
  probe: z.object({ features: z.array(z.number()), valueAtRisk: z.array(z.number()) }),
  /** From the same recipe, fitted without ever seeing the test span; null where it was not evaluated. */
  evaluation: z
    .object({ testFrom: time, testTo: time, fittedUntil: time, scores: z.array(scores) })
    .nullable(),
  /** What the gates said; absent where the version was never held against them. */
  gates: gateRecordSchema.optional(),
  /** Absent in versions from before lineage was kept. */
  lineage: lineageSchema.optional(),
  /** Absent in versions from before drift was watched. */
  reference: driftReferenceSchema.optional(),
});

export type ModelManifest = z.infer<typeof manifestSchema>;
export type ModelScore = z.infer<typeof scores>;
export type DriftReference = z.infer<typeof driftReferenceSchema>;
