import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { BuriedEvent, FeedDraft, FeedEvent, OutboxStore } from '../src/control/ports.ts';
import { inTransaction } from './sqlite-file.ts';
import { KEPT_EVENTS } from './state-rows.ts';

/** Whose cursor says how far interventions were taken over. */
const INTERVENTIONS = 'interventions';

/** What the state store lends: its way of telling failures. */
type Attempt = <T>(work: () => T) => T;

/** The outbox, in the file of the state store: a book and the event that tells it are one transaction. */
export class SqliteOutbox implements OutboxStore {
  readonly #database: DatabaseSync;
  readonly #attempt: Attempt;
  readonly #statements: Statements;

  constructor(database: DatabaseSync, attempt: Attempt) {
    this.#database = database;
    this.#attempt = attempt;
    this.#statements = prepare(database);
  }

  /** Needs the write lock. */
  insert(drafts: readonly FeedDraft[]): void {
    let sequence = this.#last();
    for (const { kind, at, intervention, body } of drafts) {
      this.#statements.insert.run(++sequence, kind, at, intervention, body);
      // Beside the events, which are dropped in time.
      if (intervention !== null) this.#statements.setCursor.run(INTERVENTIONS, intervention);
    }
    this.#statements.forget.run(sequence - KEPT_EVENTS);
  }

  async appendEvents(drafts: readonly FeedDraft[]): Promise<void> {
    this.#attempt(() => inTransaction(this.#database, () => this.insert(drafts)));
  }

  async eventsAfter(sequence: number, limit: number): Promise<readonly FeedEvent[]> {
    return this.#attempt(() => this.#statements.after.all(sequence, limit)) as unknown as FeedEvent[];
  }

  async lastEvent(): Promise<number> {
    return this.#attempt(() => this.#last());
  }

  async oldestEvent(): Promise<number | null> {
    const row = this.#attempt(() => this.#statements.oldest.get());
    return (row?.sequence as number | null | undefined) ?? null;
  }

  async lastIntervention(): Promise<number> {
    return (await this.cursor(INTERVENTIONS)) ?? 0;
  }

  async cursor(reader: string): Promise<number | null> {
    const row = this.#attempt(() => this.#statements.cursor.get(reader));
    return row === undefined ? null : Number(row.sequence);
  }

  async setCursor(reader: string, sequence: number): Promise<void> {
    this.#attempt(() => this.#statements.setCursor.run(reader, sequence));
  }

  async bury({ reader, sequence, reason, at }: BuriedEvent): Promise<void> {
    this.#attempt(() => this.#statements.bury.run(reader, sequence, reason, at));
  }

  async buried(limit: number): Promise<readonly BuriedEvent[]> {
    return this.#attempt(() => this.#statements.buried.all(limit)) as unknown as BuriedEvent[];
  }

  #last(): number {
    return Number(this.#statements.last.get()?.sequence ?? 0);
  }
}

interface Statements {
  readonly insert: StatementSync;
  readonly forget: StatementSync;
  readonly after: StatementSync;
  readonly last: StatementSync;
  readonly oldest: StatementSync;
  readonly cursor: StatementSync;
  readonly setCursor: StatementSync;
  readonly bury: StatementSync;
  readonly buried: StatementSync;
}

function prepare(database: DatabaseSync): Statements {
  return {
    insert: database.prepare(
      'INSERT INTO outbox (sequence, kind, at, intervention, body) VALUES (?, ?, ?, ?, ?)',
    ),
    forget: database.prepare('DELETE FROM outbox WHERE sequence <= ?'),
    after: database.prepare(
      'SELECT sequence, kind, body FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?',
    ),
    last: database.prepare('SELECT max(sequence) AS sequence FROM outbox'),
    oldest: database.prepare('SELECT min(sequence) AS sequence FROM outbox'),
    cursor: database.prepare('SELECT sequence FROM outbox_cursor WHERE reader = ?'),
    setCursor: database.prepare(
      'INSERT INTO outbox_cursor (reader, sequence) VALUES (?, ?) ON CONFLICT (reader) DO UPDATE SET sequence = excluded.sequence',
    ),
    bury: database.prepare(
      'INSERT OR REPLACE INTO outbox_buried (reader, sequence, reason, at) VALUES (?, ?, ?, ?)',
    ),
    buried: database.prepare(
      'SELECT reader, sequence, reason, at FROM outbox_buried ORDER BY at DESC, sequence DESC LIMIT ?',
    ),
  };
}
