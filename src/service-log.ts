import type { Logger } from 'pino';
import type { ModelRegistry } from '../models/registry.ts';
import { type CycleFacts, decidedMarkets, movesOf } from './control/decision-cycle.ts';
import type { WebhookObserver } from './control/feed/webhooks.ts';
import type { GovernanceObserver } from './control/governance/desk.ts';
import type { LimitBook } from './limits/types.ts';
import type { Metrics } from './metrics/metrics.ts';

/** Tells what people did about limits. */
export function governanceTeller(logger: Logger, metrics: Metrics): GovernanceObserver {
  return {
    acted: ({ name }, { act, reason }, { changes, isRepeat }) => {
      if (!isRepeat) metrics.governance.acted(act);
      logger.info({ actor: name, act, change: changes[0].id, reason, isRepeat }, 'people changed the limits');
    },
    refused: ({ name }, { act }, { code, message }) => {
      metrics.governance.refused(act);
      logger.warn({ actor: name, act, code, reason: message }, 'a change of the limits was refused');
    },
    failed: (error) => logger.error({ err: error }, 'what follows a change of the limits went wrong'),
  };
}

/** Tells what became of calls of webhooks. */
export function webhookTeller(logger: Logger, metrics: Metrics): WebhookObserver {
  return {
    delivered: (delivery) => {
      metrics.accounts.delivery('delivered');
      logger.debug(delivery, 'a webhook took an event');
    },
    failed: (delivery, reason, attempt) => {
      metrics.accounts.delivery('failed');
      logger.warn({ ...delivery, reason, attempt }, 'a webhook did not take an event; it is called again');
    },
    buried: (delivery, reason) => {
      metrics.accounts.delivery('buried');
      logger.error({ ...delivery, reason }, 'a webhook did not take an event for hours; the next ones go on');
    },
  };
}

export function logPublished(logger: Logger, book: LimitBook, facts: CycleFacts): void {
  const { seconds, guarded, fallbackReason: fallback } = facts;
  const moves = movesOf(decidedMarkets(book, facts));
  const said = { version: book.version, markets: book.markets.length, moves, model: book.model, seconds };
  if (guarded !== undefined) logger.warn({ ...said, guarded }, 'prices left their bounds: limits published');
  else if (fallback === null) logger.info(said, 'limits published');
  else logger.warn({ ...said, fallback }, 'limits published without the shock model');
}

/** Looks a model up when it comes into use, for the metrics that name it. */
export function modelTeller(
  registry: ModelRegistry,
  metrics: Metrics,
): (model: string | null) => Promise<void> {
  let told: string | null = '';
  return async (model) => {
    if (model === told) return;
    told = model;
    if (model === null) {
      metrics.noModelInUse();
      return;
    }
    const [name, version] = model.split('@');
    const manifest = await registry.manifest(version).catch(() => null);
    if (manifest !== null) metrics.modelInUse(name, version, Date.parse(manifest.createdAt));
  };
}
