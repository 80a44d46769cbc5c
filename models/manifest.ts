import { z } from 'zod';
import { gateRecordSchema, lineageSchema } from './gate-record.ts';

/** A version is the day its data end and the beginning of its content's hash: `20241231-1a2b3c4d`. */
export const MODEL_VERSION = /^\d{8}-[0-9a-f]{8}$/;
export const MODEL_NAME = 'shock-network';
/** Of versions that were made elsewhere. */
export const ONNX_NAME = 'onnx';

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

/** What every manifest has, whatever the version is. */
const common = {
  version: z.string().regex(MODEL_VERSION),
  createdAt: time,
  features: z.object({ specHash: sha256, names: z.array(z.string()) }),
  /** A feature row and what the model made of it when it was saved: a load that does not repeat it is refused. */
  probe: z.object({ features: z.array(z.number()), valueAtRisk: z.array(z.number()) }),
  /** On time that what was judged had never seen: the recipe, fitted without it, or the version itself. Null where it was not evaluated. */
  evaluation: z
    .object({ testFrom: time, testTo: time, fittedUntil: time, scores: z.array(scores) })
    .nullable(),
  /** What the gates said; absent where the version was never held against them. */
  gates: gateRecordSchema.optional(),
  /** Absent in versions from before lineage was kept. */
  lineage: lineageSchema.optional(),
  /** Absent in versions from before drift was watched. */
  reference: driftReferenceSchema.optional(),
};

/** What a version was made from. */
const data = {
  from: time,
  /** Origin of the last row; its outcomes end a longest horizon later. */
  to: time,
  markets: z.array(z.string()),
  simulated: z.boolean(),
};

const networkManifestSchema = z.object({
  name: z.literal(MODEL_NAME),
  ...common,
  data: z.object({
    ...data,
    /** Fingerprint of the bar store. */
    hash: sha256,
    /** Stored, but without a single row to train on: too little history. */
    leftOut: z.array(z.string()).optional(),
    rows: z.number(),
    everyHours: z.number(),
  }),
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
});

/** What its author says of an ONNX file, in the JSON file beside it. Nobody can see it in the file itself. */
export const onnxOriginSchema = z.strictObject({
  /** What it is, in a few words. */
  title: z.string().min(1).max(200),
  /** The command that makes it again. */
  command: z.string().min(1).max(2000),
  /** Hash of the feature specification that it was trained on: in the metadata of the exported training set, and in `plimsoll judge`'s refusal. */
  featureSpecHash: sha256,
  data: z.strictObject({
    ...data,
    /** Of the bar store that it came from, where it came from one: in the same metadata. */
    hash: sha256.optional(),
  }),
});

const onnxManifestSchema = z.object({
  name: z.literal(ONNX_NAME),
  ...common,
  title: onnxOriginSchema.shape.title,
  data: z.object(onnxOriginSchema.shape.data.shape),
  weights: z.object({ file: z.literal('model.onnx'), sha256 }),
});

/**
 * The manifest of a version folder: the only place that says what the weights are. Everything needed to make them
 * again is in it, and everything needed to refuse them when they are not what was made.
 */
export const manifestSchema = z.discriminatedUnion('name', [networkManifestSchema, onnxManifestSchema]);

export type ModelManifest = z.infer<typeof manifestSchema>;
export type NetworkManifest = z.infer<typeof networkManifestSchema>;
export type OnnxManifest = z.infer<typeof onnxManifestSchema>;
export type OnnxOrigin = z.infer<typeof onnxOriginSchema>;
export type ModelScore = z.infer<typeof scores>;
export type DriftReference = z.infer<typeof driftReferenceSchema>;
