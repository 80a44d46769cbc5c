import { z } from 'zod';
import { PlimsollError } from '../src/errors.ts';

const version = z.string().regex(/^\d{8}-[0-9a-f]{8}$/);
const finite = z.number();

/** One condition of promotion with what was measured. */
export const gateResultSchema = z.object({
  /** Name of the condition, stable: `pinball-against-champion`. */
  gate: z.string().min(1),
  passed: z.boolean(),
  /** Null where nothing could be measured, which never passes. */
  measured: finite.nullable(),
  bound: finite,
  /** What was measured, against what, and what is behind it. */
  words: z.string(),
});

/** What the gates said of a version when it was judged. */
export const gateRecordSchema = z
  .object({
    /** Of the policy: its number, and the beginning of the hash of its content. */
    policyVersion: z.string().min(1),
    /** The champion that it was held against; null where there was none. */
    champion: version.nullable(),
    judgedAt: z.iso.datetime(),
    passed: z.boolean(),
    results: z.array(gateResultSchema).min(1),
  })
  .refine(({ passed, results }) => passed === results.every((result) => result.passed), {
    path: ['passed'],
  });

/** Where a version comes from: enough to find its parent and to make it again. */
export const lineageSchema = z.object({
  /** The champion at the time of training; null where there was none. */
  parent: version.nullable(),
  dataFingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  programVersion: z.string().min(1),
  /** The command line that trains the same version from the same data. */
  command: z.string().min(1),
});

export type GateResult = z.infer<typeof gateResultSchema>;
export type GateRecord = z.infer<typeof gateRecordSchema>;
export type Lineage = z.infer<typeof lineageSchema>;

/** What stands against making a version the champion, a sentence each; none where nothing does. */
export function promotionObstacles(
  { version, gates }: { readonly version: string; readonly gates?: GateRecord | undefined },
  { champion, formerChampions }: PromotionStanding,
): readonly string[] {
  // It has decided before: going back to it must never need a judgement.
  if (formerChampions.includes(version)) return [];
  if (gates === undefined)
    return ['it has no record of gates: nobody knows how it compares with the champion'];
  const failed = gates.results
    .filter((result) => !result.passed)
    .map(({ gate, words }) => `${gate}: ${words}`);
  if (gates.champion === champion) return failed;
  const judgedAgainst = gates.champion ?? 'no champion';
  return [...failed, `it was held against ${judgedAgainst}, and the champion is now ${champion ?? 'none'}`];
}

export interface PromotionStanding {
  readonly champion: string | null;
  readonly formerChampions: readonly string[];
}

/** GATE_FAILED with every obstacle in words and how to go on. */
export function promotionRefused(version: string, obstacles: readonly string[]): PlimsollError {
  const list = obstacles.map((obstacle) => `\n  - ${obstacle}`).join('');
  return new PlimsollError('GATE_FAILED', `${version} is not promoted:${list}`, {
    remedy:
      'Train anew (plimsoll train), or promote it all the same, which the audit records: --override --reason TEXT.',
    details: { version, obstacles },
  });
}
