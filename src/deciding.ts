import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { isMarketSeries } from '../data/primary-series.ts';
import type { SeriesFiles } from '../data/series-files.ts';
import { postWebhook } from '../data/webhook-post.ts';
import type { ModelRegistry } from '../models/registry.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { SystemWatch } from './control/accounts/system-watch.ts';
import type { ControlPlane } from './control/control-plane.ts';
import type { CoverageReport } from './control/coverage-report.ts';
import { type BookProposer, type CycleFacts, DecisionCycle } from './control/decision-cycle.ts';
import { WebhookSender } from './control/feed/webhooks.ts';
import { ExpiryTimer } from './control/governance/expiry-timer.ts';
import type { StateStore } from './control/ports.ts';
import { ForecastWatch } from './forecast-watch.ts';
import type { LimitBook } from './limits/types.ts';
import type { Metrics } from './metrics/metrics.ts';
import { Random } from './random.ts';
import type { Trainings } from './scheduled-training.ts';
import { logPublished, webhookTeller } from './service-log.ts';
import { ShadowScoring } from './shadow-scoring.ts';

export interface DecidingInput {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly store: StateStore;
  readonly control: ControlPlane;
  readonly registry: ModelRegistry;
  readonly series: SeriesFiles;
  readonly proposer: BookProposer;
  readonly tellModel: (model: string | null) => Promise<void>;
  /** Reads again what other processes have written. */
  readonly refresh: () => Promise<void>;
  /** How models are trained by the clock and by triggers. */
  readonly trainings: () => Trainings;
  readonly onDecided: (book: LimitBook, facts: CycleFacts) => void;
  readonly onFailed: (error: Error) => void;
}

/** What only one process does: decisions, what follows from them, and calling those who want to be called. */
export interface Deciding {
  /** Decides at once. */
  wake(): void;
  /** How its forecasts hold. */
  coverage(): Promise<CoverageReport>;
  /** A proposal or a publication that runs comes to its end. */
  stop(): Promise<void>;
}

/** Begins with the newest book that is stored. */
export async function startDeciding(input: DecidingInput): Promise<Deciding> {
  const { config, clock, logger, metrics, store, control, registry, series, proposer } = input;
  const { dataDir, trainingSchedule } = config;
  const shadow = new ShadowScoring({ store, registry, metrics, clock, logger, dataDir });
  const training = input.trainings();
  const watch = new ForecastWatch({
    ...{ store, registry, metrics, clock, logger },
    catalogue: async () => (await series.manifests()).filter(isMarketSeries),
    train: trainingSchedule === null ? null : (trigger, why) => void training.run(trigger, why),
    triggerHours: config.trainingTriggerHours,
  });
  const systemWatch = new SystemWatch({
    clock,
    ask: () => control.accounts.stressInput(),
    seen: ({ leverage }) => metrics.accounts.systemSeen(leverage),
  });
  let isEnding = false;
  const cycle = new DecisionCycle({
    proposer,
    store,
    clock,
    policy: config.policy,
    current: await store.latestBook(),
    governance: () => control.governance.state(),
    revision: () => control.governance.revision(),
    refresh: input.refresh,
    intrabar: () => control.prices.report(),
    systemStress: () => systemWatch.latest(),
    activity: (now) => control.activity.report(now),
    observer: {
      published: (book, previous, facts) => {
        // The metrics first: a reader that fails must not keep a publication out of them.
        metrics.bookPublished(book, previous, facts);
        control.show(book, facts);
        void input.tellModel(book.model);
        shadow.published();
        void watch.published(book, facts);
        logPublished(logger, book, facts);
        input.onDecided(book, facts);
      },
      failed: (error) => {
        if (isEnding) return;
        control.decisionFailed(error);
        input.onFailed(error);
        metrics.decisionFailed();
        logger.error({ err: error }, 'a decision failed; the limits in force stay');
      },
    },
  });
  const expiries = new ExpiryTimer(control.governance, () => cycle.wake());
  const forgetters = [
    control.governance.onChange(() => cycle.wake()),
    control.prices.onUrgent(() => cycle.wake()),
  ];
  const webhooks = webhooksOf(input);
  for (const webhook of webhooks) webhook.start();
  cycle.start(config.decisionIntervalSeconds * 1000);
  await training.start(trainingSchedule);
  return {
    wake: () => cycle.wake(),
    coverage: () => watch.report(),
    stop: async () => {
      isEnding = true;
      expiries.stop();
      for (const forget of forgetters) forget();
      await Promise.all([training.stop(), shadow.stop(), cycle.stop().then(() => watch.stop())]);
      await Promise.all(webhooks.map((webhook) => webhook.stop()));
    },
  };
}

function webhooksOf({ config, clock, logger, metrics, store, control }: DecidingInput): WebhookSender[] {
  return config.webhooks.map(
    (hook) =>
      new WebhookSender({
        ...{ hook, clock, post: postWebhook, pause, outbox: store.outbox, feed: control.feed },
        random: new Random(`webhook ${hook.name} ${clock.now()}`),
        observer: webhookTeller(logger, metrics),
      }),
  );
}

/** Ends early when the service does. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal }).catch(() => undefined);
}
