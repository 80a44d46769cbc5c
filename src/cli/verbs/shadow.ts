import type { ModelRegistry } from '../../../models/registry.ts';
import type { WatchEntry } from '../../control/ports.ts';
import {
  SHADOW_ERROR_PROBABILITY,
  type ShadowSummary,
  shadowObstacles,
} from '../../control/shadow-record.ts';
import { SHADOW_ENTRIES } from '../../control/shadow-watch.ts';
import { asPlimsollError, PlimsollError } from '../../errors.ts';
import { hasState, openStore } from '../../opened-store.ts';
import { modelSummaries } from '../../registry-view.ts';
import type { StatePlace } from './state.ts';

/** What the service has stored of shadow scoring; nothing where it never ran, or was last run by an older program. */
export async function shadowEntries(place: StatePlace): Promise<readonly WatchEntry[]> {
  if (!hasState(place)) return [];
  try {
    const { store } = await openStore(place, { name: 'command', sessions: 1, readOnly: true });
    try {
      return await store.watchEntries(SHADOW_ENTRIES);
    } finally {
      await store.close();
    }
  } catch (thrown) {
    if (place.databaseUrl === null && asPlimsollError(thrown).code === 'CONFIG_INVALID') return [];
    throw thrown;
  }
}

/** How a version did in the shadow of the present champion; null where it was not in it. */
export async function shadowOf(
  registry: ModelRegistry,
  place: StatePlace,
  version: string,
): Promise<ShadowSummary | null> {
  const models = await modelSummaries(registry, await shadowEntries(place));
  return models.find((model) => model.version === version)?.shadow ?? null;
}

/** @throws PlimsollError GATE_FAILED where the version was significantly worse than the champion, and this is not overridden. */
export function requireShadow(version: string, shadow: ShadowSummary | null, isOverridden: boolean): void {
  const obstacles = shadowObstacles(shadow);
  if (obstacles.length === 0 || isOverridden) return;
  throw new PlimsollError('GATE_FAILED', `${version} is not promoted: ${obstacles.join('; ')}`, {
    remedy: 'Keep the champion; to promote it all the same, add --override --reason TEXT.',
    details: { version, obstacles },
  });
}

export function shadowLines(shadow: ShadowSummary): string[] {
  const { champion, challenger, since, observations, pinball, fz0, exceedanceRate, eValues } = shadow;
  const lines = [
    `${challenger} in the shadow of ${champion} since ${since.slice(0, 16)}: ${observations} forecasts came due`,
  ];
  if (pinball !== null && fz0 !== null && exceedanceRate !== null) {
    const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
    lines.push(
      `  pinball ${percent(pinball.challenger)} of the price, champion ${percent(pinball.champion)}, ratio ${pinball.ratio.toFixed(4)}`,
      `  FZ0 ${fz0.challenger.toFixed(4)}, champion ${fz0.champion.toFixed(4)}; exceeded ${percent(exceedanceRate.challenger)}, champion ${percent(exceedanceRate.champion)}`,
      `  ${statement(shadow)} (e-value for worse ${eValues.worse.toPrecision(3)}, for better ${eValues.better.toPrecision(3)})`,
    );
  }
  const failed = Object.entries(shadow.failures).filter(([, count]) => count > 0);
  if (failed.length > 0)
    lines.push(
      `  without an answer: ${failed.map(([kind, count]) => `${count} ${kind}`).join(', ')}; the last: ${shadow.lastFailure}`,
    );
  return lines;
}

function statement({ verdict }: ShadowSummary): string {
  const level = `${100 * SHADOW_ERROR_PROBABILITY} %`;
  if (verdict === 'undecided') return `neither is significantly better at ${level}, at any time so far`;
  return `the challenger is significantly ${verdict} at ${level}, valid at any time`;
}
