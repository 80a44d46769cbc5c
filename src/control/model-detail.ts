import type { ModelSummary } from './reads.ts';

/** A version as its manifest describes it, without weights and what guards them. Times are ISO 8601. */
export interface ModelDetail extends ModelSummary {
  /** Of a model that was made elsewhere, in its author's words. */
  readonly title: string | null;
  readonly featureCount: number;
  /** On time that what was judged had never seen; null where the version was not evaluated. */
  readonly evaluation: {
    readonly testFrom: string;
    readonly testTo: string;
    readonly fittedUntil: string;
    readonly scores: readonly ModelScore[];
  } | null;
  /** Null where it was never held against gates. */
  readonly gateRecord: {
    readonly policyVersion: string;
    /** The champion that it was held against. */
    readonly champion: string | null;
    readonly judgedAt: string;
    readonly passed: boolean;
    readonly results: readonly {
      readonly gate: string;
      readonly passed: boolean;
      /** Null where nothing could be measured. */
      readonly measured: number | null;
      readonly bound: number;
      readonly words: string;
    }[];
  } | null;
  /** Null in versions from before lineage was kept. */
  readonly lineage: {
    readonly parent: string | null;
    readonly dataFingerprint: string;
    readonly programVersion: string;
    readonly command: string;
  } | null;
  /** This and the next are null for a model that was made elsewhere. */
  readonly split: {
    readonly trainUntil: string;
    readonly validationFrom: string;
    readonly validationUntil: string;
  } | null;
  readonly training: {
    readonly backend: string;
    readonly hidden: readonly number[];
    readonly batchRows: number;
    readonly learningRate: number;
    readonly weightDecay: number;
    readonly maximumEpochs: number;
    readonly patience: number;
    readonly members: readonly {
      readonly seed: number;
      readonly epochs: number;
      readonly bestEpoch: number;
      readonly validationLoss: number;
    }[];
  } | null;
  readonly data: {
    readonly from: string;
    readonly to: string;
    readonly markets: readonly string[];
    /** Stored, with too little history to train on. */
    readonly leftOut: readonly string[];
    readonly simulated: boolean;
    /** Fingerprint of the bar store; null where it came from none. */
    readonly hash: string | null;
    readonly rows: number | null;
    readonly everyHours: number | null;
  };
}

/** Mean losses of a forecaster in one cell; `pinball` is a share of the price. */
export interface ModelScore {
  readonly forecaster: string;
  readonly side: 'long' | 'short';
  readonly horizonHours: number;
  readonly confidence: number;
  readonly observations: number;
  readonly pinball: number;
  readonly fz0: number;
  readonly exceedanceRate: number;
}
