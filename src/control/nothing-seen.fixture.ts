import type { SeenByDecision } from './drift-watch.ts';

export const NOTHING_SEEN: SeenByDecision = {
  features: new Float64Array(0),
  horizons: new Uint8Array(0),
  residuals: new Float64Array(0),
  scores: new Float64Array(0),
};
