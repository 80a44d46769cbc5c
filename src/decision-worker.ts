import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { pino } from 'pino';
import { BarStore } from '../data/bar-store.ts';
import { levelFile } from '../data/level-file.ts';
import { judgeQuality } from '../data/quality.ts';
import { SampleSource } from '../data/sample/source.ts';
import { Champion } from '../models/champion.ts';
import { ModelRegistry } from '../models/registry.ts';
import { stopwatchSeconds } from './clock.ts';
import type { Config } from './config.ts';
import { DecisionEngine } from './control/decision-engine.ts';
import { CorrelationWatch } from './control/market-correlations.ts';
import { readTrack } from './control/track-reading.ts';
import {
  type CorrelationsMade,
  END_REQUEST,
  type WorkerAnswer,
  type WorkerRequest,
  withoutCarriedOn,
} from './control/worker-proposer.ts';
import { asPlimsollError } from './errors.ts';
import { FilteredPredictor, HistoricalPredictor, TailPredictor } from './forecast/classical.ts';
import { canonicalMarkets } from './limits/canonical-bytes.ts';
import type { LimitBook } from './limits/types.ts';
import { uninterrupted } from './thread.ts';

/** What the thread that decides is given: it opens its own market data and its own models. */
export interface DecisionWorkerData {
  readonly config: Pick<Config, 'dataDir' | 'sampleMarket' | 'policy' | 'logLevel'>;
  readonly shippedModels: string;
}

const { config, shippedModels } = workerData as DecisionWorkerData;
const logger = pino(
  { level: config.logLevel, base: { part: 'decision' } },
  pino.destination({ dest: 2, sync: true }),
);
const store = await BarStore.open(config.dataDir);
const sample = new SampleSource({ store, dataDir: config.dataDir });
const engine = new DecisionEngine({
  reader: {
    catalogue: () => store.catalogue(),
    fingerprint: () => store.fingerprint(),
    loadMarkets: (options) => uninterrupted(() => store.loadMarkets(options)),
  },
  judgeQuality,
  champion: new Champion(new ModelRegistry(shippedModels, config.dataDir), (message) =>
    logger.error({ reason: message }, 'the champion cannot be used; the classical predictors decide'),
  ),
  historical: new HistoricalPredictor(),
  filtered: new FilteredPredictor(),
  tail: new TailPredictor(),
  policy: config.policy,
  levels: levelFile(config.dataDir),
  stopwatch: stopwatchSeconds,
});

const correlations = new CorrelationWatch({
  horizonHours: config.policy.marginCallHorizonHours,
  pause: setImmediate,
  made: (measured) => {
    logger.info({ markets: measured.markets.length }, 'correlations between markets were measured');
    parentPort?.postMessage({ correlations: measured } satisfies CorrelationsMade);
  },
});

let proposed: LimitBook | null = null;
let last: Promise<void> = Promise.resolve();
parentPort?.on('message', (request: WorkerRequest | typeof END_REQUEST) => {
  // One after the other: the end comes after what was asked before it.
  last = last.then(async () => {
    if (request !== END_REQUEST) {
      parentPort?.postMessage(await answer(request));
      // Beside the requests: nobody waits for it.
      correlations
        .look(engine.markets)
        .catch((err) => logger.error({ err }, 'correlations could not be measured'));
    } else {
      correlations.stop();
      store.close();
      parentPort?.close();
    }
  });
});

async function answer(request: WorkerRequest): Promise<WorkerAnswer> {
  try {
    if ('track' in request) return { track: readTrack(engine.markets, request.track) };
    if ('trials' in request)
      return { markets: await engine.preview(request.book, request.now, request.trials) };
    const { previous, now, governance, intrabar, systemStress, activity } = request;
    if (config.sampleMarket) {
      const update = await uninterrupted(() => sample.ensure(now));
      if (update?.generated) logger.info({ hours: update.hours }, 'simulated markets were made');
    }
    const before = previous === 'proposed' ? proposed : previous;
    const proposal = await engine.propose(before, now, governance, intrabar, systemStress, activity);
    if (proposal === null) return { proposal };
    proposed = proposal.book;
    const sent = withoutCarriedOn(proposal);
    return { proposal: sent, bytes: canonicalMarkets(sent.book.markets) };
  } catch (thrown) {
    const { code, message, remedy } = asPlimsollError(thrown);
    return { error: { code, message, remedy } };
  }
}
