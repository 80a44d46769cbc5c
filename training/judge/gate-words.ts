import type { GateResult } from '../../models/gate-record.ts';

/** A gate fails that nobody measured. */
export function unmeasured(gate: string, bound: number): GateResult {
  return { gate, passed: false, measured: null, bound, words: 'it was not measured' };
}

export function percent(share: number, digits = 2): string {
  return `${Number((100 * share).toFixed(digits))} %`;
}
