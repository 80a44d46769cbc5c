/** What a long job tells of itself. */
export interface JobStep {
  readonly phase: string;
  /** Of the phase, 0 to 1. */
  readonly share: number;
  /** Such as the current loss. */
  readonly remark: string;
  /** Countable work of the phase, where there is some. */
  readonly work?: { readonly done: number; readonly unit: string };
}

/** How far a job is as a whole. */
export interface JobStanding {
  /** 0 to 1. */
  readonly share: number;
  readonly secondsLeft: number;
  /** Of the phase's work; null where it does not count any. */
  readonly rate: { readonly perSecond: number; readonly unit: string } | null;
}

/** Until a job has run this long, what it took before counts as much as what it takes now. */
const TRUST_SECONDS = 10;

/**
 * How far a job of several phases is as a whole: phases count as long as they took last time, and all of it is
 * stretched by how much slower this run is than that one.
 */
export class JobPace {
  readonly #expected: ReadonlyMap<string, number>;
  readonly #total: number;
  #phase = '';
  #phaseStartedAt = 0;
  readonly #taken = new Map<string, number>();

  /** @param expected seconds by phase, in the order in which they come. */
  constructor(expected: readonly (readonly [phase: string, seconds: number])[]) {
    this.#expected = new Map(expected);
    this.#total = expected.reduce((sum, [, seconds]) => sum + seconds, 0);
  }

  /** @param elapsedSeconds since the job began; never less than in the call before. */
  step(progress: JobStep, elapsedSeconds: number): JobStanding {
    if (progress.phase !== this.#phase) {
      this.#close(elapsedSeconds);
      this.#phase = progress.phase;
      this.#phaseStartedAt = elapsedSeconds;
    }
    const done = this.#expectedUntil(progress);
    const slowness = (elapsedSeconds + TRUST_SECONDS) / (done + TRUST_SECONDS);
    const inPhase = elapsedSeconds - this.#phaseStartedAt;
    const { work } = progress;
    return {
      share: this.#total > 0 ? Math.min(1, done / this.#total) : 0,
      secondsLeft: Math.max(0, this.#total - done) * slowness,
      rate: work !== undefined && inPhase > 0 ? { perSecond: work.done / inPhase, unit: work.unit } : null,
    };
  }

  /** Seconds that each phase took, for the log and the next run. */
  taken(elapsedSeconds: number): Readonly<Record<string, number>> {
    this.#close(elapsedSeconds);
    this.#phaseStartedAt = elapsedSeconds;
    return Object.fromEntries(this.#taken);
  }

  #close(elapsedSeconds: number): void {
    if (this.#phase === '') return;
    const before = this.#taken.get(this.#phase) ?? 0;
    this.#taken.set(this.#phase, before + elapsedSeconds - this.#phaseStartedAt);
  }

  /** Expected seconds of all that is done; a phase that nobody expected counts nothing. */
  #expectedUntil({ phase, share }: JobStep): number {
    if (!this.#expected.has(phase)) {
      const before = [...this.#taken.keys()];
      return before.reduce((sum, name) => sum + (this.#expected.get(name) ?? 0), 0);
    }
    let sum = 0;
    for (const [name, seconds] of this.#expected) {
      if (name === phase) return sum + seconds * Math.min(1, Math.max(0, share));
      sum += seconds;
    }
    return sum;
  }
}
