import type { PlimsollError } from '../errors.ts';

export interface StorageWatchOptions {
  /** Writes something durable; fails where nothing can be written. */
  readonly probe: () => Promise<void>;
  /** Is told when it begins and when it is over. */
  readonly onChange: (isFailing: boolean) => void;
  readonly probeMilliseconds?: number;
}

const PROBE_MILLISECONDS = 5000;

/**
 * Whether what comes in can be stored: a full disk, or one that may only be read, is seen by the first write that it
 * fails, and its end by a probe, also where nobody writes.
 */
export class StorageWatch {
  readonly #options: StorageWatchOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StorageWatchOptions) {
    this.#options = options;
  }

  get isFailing(): boolean {
    return this.#timer !== undefined;
  }

  /** Any failure may be told; only those of storage count. */
  failed({ code }: PlimsollError): void {
    if (code !== 'IO_FAILED' || this.#timer !== undefined) return;
    this.#timer = setInterval(
      () => void this.#probe(),
      this.#options.probeMilliseconds ?? PROBE_MILLISECONDS,
    );
    this.#timer.unref();
    this.#options.onChange(true);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #probe(): Promise<void> {
    try {
      await this.#options.probe();
    } catch {
      return;
    }
    if (this.#timer === undefined) return;
    this.stop();
    this.#options.onChange(false);
  }
}
