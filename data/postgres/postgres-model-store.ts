import { createHash } from 'node:crypto';
import { PlimsollError } from '../../src/errors.ts';
import type { PostgresDatabase, Session } from './database.ts';

/** A version as it lies in its folder. */
export interface SharedVersion {
  readonly version: string;
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** Who is champion and challenger, as the registry of a folder keeps it. */
export interface SharedAliases {
  readonly champion?: string;
  readonly challenger?: string;
  readonly formerChampions?: readonly string[];
}

export interface KnownAliases {
  /** Counts changes. */
  readonly revision: number;
  readonly aliases: SharedAliases;
}

/** Model versions and their aliases for all processes of a database. A version is never changed. */
export class PostgresModelStore {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  /** Newest first. */
  async versions(limit: number): Promise<readonly string[]> {
    const rows = await this.#database.rows(
      'SELECT version FROM model_version ORDER BY at DESC, version DESC LIMIT $1',
      [limit],
    );
    return rows.map(({ version }) => version as string);
  }

  /**
   * The files of a version, each as it was put there.
   *
   * @throws PlimsollError VERSION_UNKNOWN; MODEL_DAMAGED where a file does not have its checksum.
   */
  async version(version: string): Promise<SharedVersion> {
    const rows = await this.#database.rows('SELECT name, sha256, body FROM model_file WHERE version = $1', [
      version,
    ]);
    if (rows.length === 0)
      throw new PlimsollError('VERSION_UNKNOWN', `the database has no model version ${version}`, {
        remedy: 'List the versions that there are: plimsoll models.',
      });
    const files = rows.map(({ name, sha256, body }) => {
      const bytes = body as unknown as Buffer;
      if (sha256Of(bytes) === sha256) return { name: name as string, bytes };
      throw new PlimsollError('MODEL_DAMAGED', `model ${version}: ${name} of the database is damaged`, {
        remedy: 'Promote another version, or train anew: plimsoll train.',
        details: { version },
      });
    });
    return { version, files };
  }

  /** Durable when it returns. One that is there already stays as it is. */
  put(shared: SharedVersion, isChallenger: boolean, local: SharedAliases): Promise<void> {
    return this.#database.transaction((session) => putVersion(session, shared, isChallenger, local));
  }

  /** Null where nobody was promoted yet: then everybody has those that ship with the program. */
  async aliases(): Promise<KnownAliases | null> {
    const row = await this.#database.row('SELECT revision, body FROM model_alias');
    if (row === undefined) return null;
    return { revision: row.revision as number, aliases: JSON.parse(row.body as string) as SharedAliases };
  }

  /**
   * Names the champion of a registry, and its former ones. The challenger stays as the database has it: a training may have named
   * another meanwhile.
   *
   * @returns the revision that the aliases have now.
   */
  setChampion(local: SharedAliases): Promise<number> {
    return this.#database.transaction(async (session) => {
      const known = await lockedAliases(session);
      const challenger = (known ?? local).challenger;
      const { challenger: _, ...champions } = local;
      const isPromoted = challenger === undefined || challenger === local.champion;
      return writeAliases(session, isPromoted ? champions : { ...champions, challenger });
    });
  }
}

/** @param local what aliases to begin with where the database has none yet. */
export async function putVersion(
  session: Session,
  { version, files }: SharedVersion,
  isChallenger: boolean,
  local: SharedAliases,
): Promise<void> {
  const added = await session.rows(
    'INSERT INTO model_version (version) VALUES ($1) ON CONFLICT DO NOTHING RETURNING version',
    [version],
  );
  if (added.length > 0)
    for (const { name, bytes } of files)
      await session.rows('INSERT INTO model_file (version, name, sha256, body) VALUES ($1, $2, $3, $4)', [
        version,
        name,
        sha256Of(bytes),
        bytes,
      ]);
  if (!isChallenger) return;
  // The champion is for whoever promotes.
  const known = await lockedAliases(session);
  const aliases = known ?? local;
  if (aliases.champion !== version) await writeAliases(session, { ...aliases, challenger: version });
}

/** Null where there are none yet. */
async function lockedAliases(session: Session): Promise<SharedAliases | null> {
  const row = await session.row('SELECT body FROM model_alias WHERE id = 1 FOR UPDATE');
  return row === undefined ? null : (JSON.parse(row.body as string) as SharedAliases);
}

/** @returns their revision. */
async function writeAliases(session: Session, aliases: SharedAliases): Promise<number> {
  const row = await session.row(
    `INSERT INTO model_alias (id, revision, body) VALUES (1, 1, $1)
     ON CONFLICT (id) DO UPDATE SET revision = model_alias.revision + 1, body = excluded.body
     RETURNING revision`,
    [JSON.stringify(aliases)],
  );
  return row?.revision as number;
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
