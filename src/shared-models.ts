import type { Logger } from 'pino';
import { PostgresDatabase } from '../data/postgres/database.ts';
import { type KnownAliases, PostgresModelStore } from '../data/postgres/postgres-model-store.ts';
import type { ModelRegistry } from '../models/registry.ts';
import { asPlimsollError } from './errors.ts';

const LOOK_MILLISECONDS = 5_000;
/** Beside those that are named, so many are fetched. */
const NEWEST = 20;

export interface SharedModelsOptions {
  readonly url: string;
  readonly registry: ModelRegistry;
  readonly logger: Logger;
  /** Whether this process says who is champion where nobody has said so yet. */
  readonly leads: () => boolean;
}

/**
 * Keeps the registry of a data folder as the database has it: fetches versions that were trained elsewhere, and names those champion
 * and challenger whom the leader has promoted. Looks every few seconds; a failure is tried again and costs no decision anything.
 */
export class SharedModels {
  readonly #options: SharedModelsOptions;
  readonly #database: PostgresDatabase;
  readonly #models: PostgresModelStore;
  #timer: NodeJS.Timeout | undefined;
  /** Of the aliases that this registry has taken over. */
  #revision = 0;
  #lastFault = '';
  /** Versions that were looked at and are none for this program. */
  readonly #unusable = new Set<string>();
  /** The champion that was said to be missing. */
  #missed = '';
  /** One thing after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: SharedModelsOptions) {
    this.#options = options;
    this.#database = new PostgresDatabase({ url: options.url, name: 'models', sessions: 1 });
    this.#models = new PostgresModelStore(this.#database);
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MILLISECONDS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#last;
    await this.#database.close();
  }

  /** Takes over what is new. Failures are logged, never thrown. */
  look(): Promise<void> {
    return this.#next(() => this.#look()).then(
      () => {
        this.#lastFault = '';
      },
      (thrown) => {
        const error = asPlimsollError(thrown);
        // Told once, not every few seconds.
        if (error.message !== this.#lastFault)
          this.#options.logger.error({ err: error }, 'the models of the database cannot be taken over');
        this.#lastFault = error.message;
      },
    );
  }

  /**
   * Changes who is champion here, on ground that is known, and tells all others.
   *
   * @throws what `change` throws; DATABASE_UNAVAILABLE where the others cannot be told: then it counts here alone until they can.
   */
  promoting<T>(change: () => Promise<T>): Promise<T> {
    return this.#next(async () => {
      await this.#look();
      const result = await change();
      await this.#tell();
      return result;
    });
  }

  /** Hands a version that was trained here to all others, as challenger where it is that here. Failures are logged, never thrown. */
  share(version: string): Promise<void> {
    const { registry, logger } = this.#options;
    return this.#next(async () => {
      const aliases = await registry.aliases();
      await this.#models.put(await registry.filesOf(version), aliases.challenger === version, aliases);
    }).catch((thrown) => {
      logger.error(
        { version, err: asPlimsollError(thrown) },
        'a model version could not be given to the others',
      );
    });
  }

  async #look(): Promise<void> {
    const { registry, leads } = this.#options;
    const known = await this.#models.aliases();
    const { champion, challenger, formerChampions = [] } = known?.aliases ?? {};
    const named = [champion, challenger, ...formerChampions].filter((version) => version !== undefined);
    for (const version of new Set([...named, ...(await this.#models.versions(NEWEST))]))
      await this.#fetch(version);
    if (known === null) {
      if (leads() && (await registry.hasOwnAliases())) await this.#tell();
    } else if (known.revision !== this.#revision) await this.#adopt(known);
  }

  /** One that cannot be used here is told once: another release may have made it. */
  async #fetch(version: string): Promise<void> {
    const { registry, logger } = this.#options;
    if (this.#unusable.has(version) || (await registry.has(version))) return;
    try {
      await registry.receive(await this.#models.version(version));
      logger.info({ version }, 'a model version was taken over from the database');
    } catch (thrown) {
      const error = asPlimsollError(thrown);
      if (error.code === 'DATABASE_UNAVAILABLE') throw error;
      this.#unusable.add(version);
      logger.warn({ version, err: error }, 'a model version of the database cannot be used here');
    }
  }

  /** A champion that is not to be had here decides nothing here: the one before stays, until there is another or it can be had. */
  async #adopt({ revision, aliases }: KnownAliases): Promise<void> {
    const { registry, logger } = this.#options;
    const { champion } = aliases;
    if (champion === undefined || (await registry.has(champion))) {
      await registry.adopt(aliases);
      this.#revision = revision;
    } else if (champion !== this.#missed) {
      this.#missed = champion;
      logger.error({ champion }, 'the champion of the database cannot be had here; the one before stays');
    }
  }

  async #tell(): Promise<void> {
    this.#revision = await shareAliases(this.#models, this.#options.registry);
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** Puts who is champion here, with the version itself, where all processes find it. @returns the revision. */
async function shareAliases(models: PostgresModelStore, registry: ModelRegistry): Promise<number> {
  const aliases = await registry.aliases();
  for (const version of [aliases.champion, aliases.challenger])
    if (version !== undefined && (await registry.has(version)))
      await models.put(await registry.filesOf(version), false, aliases);
  return models.setChampion(aliases);
}

/** For a command beside running services: tells them who is champion now. Does nothing without a database. */
export async function tellChampion(url: string | null, registry: ModelRegistry): Promise<void> {
  await withModels(url, async (models) => void (await shareAliases(models, registry)));
}

/** For a command that has trained: hands the version to all processes. Does nothing without a database. */
export async function tellVersion(
  url: string | null,
  registry: ModelRegistry,
  version: string,
  isChallenger: boolean,
): Promise<void> {
  await withModels(url, async (models) =>
    models.put(await registry.filesOf(version), isChallenger, await registry.aliases()),
  );
}

async function withModels(
  url: string | null,
  work: (models: PostgresModelStore) => Promise<void>,
): Promise<void> {
  if (url === null) return;
  const database = new PostgresDatabase({ url, name: 'command', sessions: 1 });
  try {
    await work(new PostgresModelStore(database));
  } finally {
    await database.close();
  }
}
