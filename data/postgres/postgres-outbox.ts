import type { BuriedEvent, FeedDraft, FeedEvent, OutboxStore } from '../../src/control/ports.ts';
import { KEPT_EVENTS } from '../state-rows.ts';
import { wakeFollowers } from './chain.ts';
import type { PostgresDatabase, Session } from './database.ts';

/** The outbox, in the database of the books: a book and the event that tells it are one transaction. */
export class PostgresOutbox implements OutboxStore {
  readonly #database: PostgresDatabase;
  readonly #sourceOf: () => string;

  /** @param sourceOf the accounts that interventions come from: each data folder, or partition of the streams, counts its own. */
  constructor(database: PostgresDatabase, sourceOf: () => string) {
    this.#database = database;
    this.#sourceOf = sourceOf;
  }

  /** Needs the write lock. An intervention that is there already, put by another owner of the same accounts, fails all of it. */
  async insert(session: Session, drafts: readonly FeedDraft[]): Promise<void> {
    const last = Number((await session.row('SELECT max(sequence) AS sequence FROM outbox'))?.sequence ?? 0);
    await session.rows(
      `INSERT INTO outbox (sequence, kind, at, intervention_source, intervention, body)
       SELECT $1 + n, kind, at, CASE WHEN intervention IS NULL THEN NULL ELSE $2 END, intervention, body
       FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::text[])
         WITH ORDINALITY AS draft (kind, at, intervention, body, n)`,
      [
        last,
        this.#sourceOf(),
        drafts.map(({ kind }) => kind),
        drafts.map(({ at }) => at),
        drafts.map(({ intervention }) => intervention),
        drafts.map(({ body }) => body),
      ],
    );
    const taken = drafts.findLast(({ intervention }) => intervention !== null)?.intervention ?? null;
    // Beside the events, which are dropped in time.
    if (taken !== null) await setCursor(session, this.#interventions, taken);
    await session.rows('DELETE FROM outbox WHERE sequence <= $1', [last + drafts.length - KEPT_EVENTS]);
  }

  async appendEvents(drafts: readonly FeedDraft[]): Promise<void> {
    if (drafts.length === 0) return;
    await this.#database.write(async (session) => {
      await this.insert(session, drafts);
      await wakeFollowers(session);
    });
  }

  async eventsAfter(sequence: number, limit: number): Promise<readonly FeedEvent[]> {
    const rows = await this.#database.rows(
      'SELECT sequence, kind, body FROM outbox WHERE sequence > $1 ORDER BY sequence LIMIT $2',
      [sequence, limit],
    );
    return rows as unknown as FeedEvent[];
  }

  async lastEvent(): Promise<number> {
    const row = await this.#database.row('SELECT max(sequence) AS sequence FROM outbox');
    return Number(row?.sequence ?? 0);
  }

  async oldestEvent(): Promise<number | null> {
    const row = await this.#database.row('SELECT min(sequence) AS sequence FROM outbox');
    return (row?.sequence as number | null | undefined) ?? null;
  }

  async lastIntervention(): Promise<number> {
    return (await this.cursor(this.#interventions)) ?? 0;
  }

  async cursor(reader: string): Promise<number | null> {
    const row = await this.#database.row('SELECT sequence FROM outbox_cursor WHERE reader = $1', [reader]);
    return row === undefined ? null : Number(row.sequence);
  }

  async setCursor(reader: string, sequence: number): Promise<void> {
    await setCursor(this.#database, reader, sequence);
  }

  async bury({ reader, sequence, reason, at }: BuriedEvent): Promise<void> {
    await this.#database.rows(
      `INSERT INTO outbox_buried (reader, sequence, reason, at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (reader, sequence) DO UPDATE SET reason = excluded.reason, at = excluded.at`,
      [reader, sequence, reason, at],
    );
  }

  async buried(limit: number): Promise<readonly BuriedEvent[]> {
    const rows = await this.#database.rows(
      'SELECT reader, sequence, reason, at FROM outbox_buried ORDER BY at DESC, sequence DESC LIMIT $1',
      [limit],
    );
    return rows as unknown as BuriedEvent[];
  }

  /** No webhook has a colon in its name. */
  get #interventions(): string {
    return `interventions:${this.#sourceOf()}`;
  }
}

async function setCursor(session: Session, reader: string, sequence: number): Promise<void> {
  await session.rows(
    `INSERT INTO outbox_cursor (reader, sequence) VALUES ($1, $2)
     ON CONFLICT (reader) DO UPDATE SET sequence = excluded.sequence`,
    [reader, sequence],
  );
}
