import type { GateResult } from '../models/gate-record.ts';
import type { ModelRegistry } from '../models/registry.ts';
import { CHAMPION, type ChampionOfToday, judgeAgainstChampion } from './against-champion.ts';
import type { Dataset } from './dataset.ts';
import type { GatePolicy } from './judge/gate-policy.ts';
import { scoreGates } from './judge/gate-scores.ts';
import { unmeasured } from './judge/gate-words.ts';
import { checkGates } from './judge/gates.ts';
import type { Judgement } from './judge/judgement.ts';
import { judgePool } from './judge/pool.ts';
import type { ModelFacts } from './model-facts.ts';
import type { Trial } from './trial.ts';

/** Null where there is none that could be loaded: a damaged champion does not decide, so nobody needs to be better. */
export async function championOfToday(registry: ModelRegistry): Promise<ChampionOfToday | null> {
  const version = await registry.versionOf('champion');
  if (version === null) return null;
  try {
    const { manifest, forecaster } = await registry.forecaster(version);
    const text = await registry.document(version, 'judgement.json');
    return { manifest, forecaster, judgement: text === null ? null : (JSON.parse(text) as Judgement) };
  } catch {
    return null;
  }
}

const NO_COMMON_TIME =
  'not measured: the champion has seen this time, and its own trial was of other markets or another time; import 30 days of newer history, or train on the same markets';

/** Every gate for what was judged, whoever made it. */
export async function gatesOf(
  trial: Pick<Trial, 'outcomes' | 'forecasts' | 'judgement'>,
  data: Dataset,
  champion: ChampionOfToday | null,
  facts: ModelFacts,
  policy: GatePolicy,
): Promise<readonly GateResult[]> {
  const { outcomes, forecasts, judgement } = trial;
  const pool = judgePool(
    outcomes,
    forecasts,
    judgement,
    judgement.candidate,
    1 - policy.coverageSignificance,
  );
  const own = checkGates(judgement, { ...facts, champion: null, pool }, policy);
  if (champion === null) return own;
  const duel = await judgeAgainstChampion(trial, data, champion);
  if (duel === null) {
    const bounds = [
      unmeasured('pinball-against-champion', policy.leastPinballGainOverChampion),
      unmeasured('fz0-against-champion', policy.leastFz0GainOverChampion),
    ];
    return [...bounds.map((gate) => ({ ...gate, words: NO_COMMON_TIME })), ...own];
  }
  const isOfChampion = ({ gate }: GateResult): boolean => gate.endsWith('-against-champion');
  return [...scoreGates(duel, CHAMPION, policy).filter(isOfChampion), ...own];
}
