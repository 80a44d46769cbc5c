import type { ModelRegistry } from '../models/registry.ts';
import type { AuditDraft, WatchEntry } from './control/ports.ts';
import { shadowObstacles } from './control/shadow-record.ts';
import { PlimsollError } from './errors.ts';
import { modelSummaries } from './registry-view.ts';

export interface PromotionInput {
  readonly registry: ModelRegistry;
  readonly version: string;
  readonly actor: string;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** What the state store keeps of shadow scoring. */
  readonly shadow: readonly WatchEntry[];
  /** Whether a real market is stored. */
  readonly hasRealMarkets: () => Promise<boolean>;
  /** Durable when it returns. */
  readonly appendAudit: (draft: AuditDraft) => Promise<unknown>;
}

/**
 * Makes a version the champion, if nothing stands against it: its gates, its shadow in the live service, and what it was trained on.
 * There is no way around them here; `plimsoll promote --override` is for whoever has the data folder.
 *
 * @returns the champion before.
 * @throws PlimsollError GATE_FAILED, VERSION_UNKNOWN, CONFLICT where it is the champion already, MODEL_DAMAGED.
 */
export async function promoteModel(input: PromotionInput): Promise<string | null> {
  const { registry, version, actor, reason, at, appendAudit } = input;
  const { gates, data } = await registry.manifest(version);
  if (data.simulated && (await input.hasRealMarkets()))
    throw refused(version, ['it was trained on simulated markets, and real ones are stored']);
  const models = await modelSummaries(registry, input.shadow);
  const obstacles = shadowObstacles(models.find((model) => model.version === version)?.shadow ?? null);
  if (obstacles.length > 0) throw refused(version, obstacles);
  return registry.promote(version, {
    record: async (from) => {
      const details = { from, to: version, gatePolicy: gates?.policyVersion ?? null, overridden: [] };
      await appendAudit({ at, kind: 'promotion', actor, subject: version, reason, details });
    },
  });
}

function refused(version: string, obstacles: readonly string[]): PlimsollError {
  return new PlimsollError('GATE_FAILED', `${version} is not promoted: ${obstacles.join('; ')}`, {
    remedy: 'Keep the champion, or train another version.',
    details: { version, obstacles },
  });
}
