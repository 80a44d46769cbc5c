import type { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { type ChainVerification, verificationFaults } from './control/ports.ts';
import type { Metrics } from './metrics/metrics.ts';
import { siblingUrl } from './program.ts';
import { startThread } from './thread.ts';
import { DAY_MILLISECONDS } from './units.ts';

/** Verifies the stored chains at the start and once a day, in a thread of its own. What does not hold is logged and counted. */
export class ChainVerifier {
  readonly #options: ChainVerifierOptions;
  #timer: NodeJS.Timeout | undefined;
  #worker: Worker | undefined;

  constructor(options: ChainVerifierOptions) {
    this.#options = options;
  }

  start(): void {
    void this.run();
    this.#timer = setInterval(() => void this.run(), DAY_MILLISECONDS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#worker?.terminate();
  }

  /** Resolves once both chains were judged; true when they hold. */
  run(): Promise<boolean> {
    const worker = startThread(siblingUrl(import.meta.url, 'verification-worker'), {
      dataDir: this.#options.config.dataDir,
      databaseUrl: this.#options.config.databaseUrl,
    });
    this.#worker = worker;
    return new Promise((resolve) => {
      worker.once('message', (answer: VerificationAnswer) => resolve(this.#judge(answer)));
      worker.once('error', (error) => resolve(this.#judge({ failure: String(error) })));
      worker.once('exit', () => {
        if (this.#worker === worker) this.#worker = undefined;
        resolve(false);
      });
    });
  }

  #judge(answer: VerificationAnswer): boolean {
    const { logger, metrics, clock } = this.#options;
    if ('failure' in answer) {
      metrics.verificationFailed();
      logger.error({ reason: answer.failure }, 'the chains could not be verified');
      return false;
    }
    const { books, auditEntries, checkpoints } = answer.found;
    if (verificationFaults(answer.found).length === 0) {
      metrics.verified(clock.now());
      logger.info({ books, auditEntries, checkpoints }, 'both chains hold');
      return true;
    }
    metrics.verificationFailed();
    logger.error(answer.found, 'a chain does not hold');
    return false;
  }
}

type VerificationAnswer = { readonly found: ChainVerification } | { readonly failure: string };

export interface ChainVerifierOptions {
  readonly config: Pick<Config, 'dataDir' | 'databaseUrl'>;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
}
