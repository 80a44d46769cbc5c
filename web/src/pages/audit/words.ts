import type { AuditEntry } from '../../answers.ts';

/** What an entry may be about; others that the chain has are offered as they are seen. */
export const ENTRY_KINDS: readonly string[] = [
  'decision',
  'override',
  'approval',
  'rejection',
  'withdrawal',
  'freeze',
  'thaw',
  'emergency',
  'emergency-end',
  'refusal',
  'promotion',
  'rollback',
  'training',
  'user-policy',
  'key',
  'start',
];

export interface EntryFilter {
  readonly kind: string;
  readonly actor: string;
  /** Anywhere in the entry, details too. */
  readonly text: string;
}

export function fits(entry: AuditEntry, { kind, actor, text }: EntryFilter): boolean {
  if (kind !== '' && entry.kind !== kind) return false;
  if (actor !== '' && !entry.actor.toLowerCase().includes(actor.toLowerCase())) return false;
  if (text === '') return true;
  const { subject, reason, hash, details } = entry;
  return [subject, reason, entry.actor, hash, JSON.stringify(details)]
    .join('\n')
    .toLowerCase()
    .includes(text.toLowerCase());
}

/** The markets and the changes that the details of an entry name, and the book that it decided. */
export interface Mentions {
  readonly markets: readonly string[];
  readonly changes: readonly string[];
  readonly book: number | null;
}

export function mentionsOf({ kind, subject, details }: AuditEntry): Mentions {
  const changes = listOf(details.changes).filter((one) => typeof one === 'object' && one !== null) as Record<
    string,
    unknown
  >[];
  const command = details.command as Record<string, unknown> | undefined;
  const markets = [...listOf(details.guarded), ...changes.map(({ symbol }) => symbol), command?.symbol];
  const book = kind === 'decision' ? /^book (\d+)$/.exec(subject)?.[1] : undefined;
  return {
    markets: texts(markets),
    changes: texts(changes.map(({ id }) => id)),
    book: book === undefined ? null : Number(book),
  };
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function texts(values: readonly unknown[]): readonly string[] {
  return [...new Set(values.filter((value) => typeof value === 'string'))];
}
