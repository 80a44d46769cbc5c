import {
  type AuditDraft,
  isLive,
  type KeyStep,
  type Role,
  type Scope,
  type StoredKey,
} from '../src/control/ports.ts';
import { PlimsollError } from '../src/errors.ts';
import type { Row } from './state-rows.ts';

/** More than that nobody keeps apart; it bounds what a service holds in memory. */
const MOST_LIVE_KEYS = 1000;

/** What a step with keys does to the tables, all or nothing. */
export interface KeyWrites {
  readonly inserted: readonly StoredKey[];
  readonly expired: readonly { readonly id: string; readonly at: number }[];
  readonly revoked: readonly { readonly id: string; readonly at: number }[];
  readonly audits: readonly AuditDraft[];
}

const NO_WRITES: KeyWrites = { inserted: [], expired: [], revoked: [], audits: [] };

/** See `KeyStore` for what these throw. @param all every key that is stored, read under the write lock. */
export function addedKey(all: readonly StoredKey[], key: StoredKey, step: KeyStep): KeyWrites {
  const live = all.filter((one) => isLive(one, step.at));
  if (live.some(({ name }) => name === key.name)) {
    throw new PlimsollError('CONFLICT', `there is a key of ${key.name} already`, {
      remedy: `Make a second one that takes its place: plimsoll keys rotate ${key.name}.`,
    });
  }
  requireRoom(live);
  return { ...NO_WRITES, inserted: [key], audits: [told('add', key, step, {})] };
}

export function rotatedKey(
  all: readonly StoredKey[],
  name: string,
  make: (present: StoredKey) => StoredKey,
  until: number,
  step: KeyStep,
): { readonly next: StoredKey; readonly writes: KeyWrites } {
  const live = all.filter((one) => isLive(one, step.at));
  const named = live.filter((one) => one.name === name);
  if (named.length === 0) throw unknownKey(name);
  if (named.length > 1) {
    throw new PlimsollError('CONFLICT', `there are two keys of ${name} already`, {
      remedy: `Wait until the older one ends, or end it: plimsoll keys revoke ${name} --id ${named[0].id}.`,
    });
  }
  requireRoom(live);
  const [present] = named;
  const next = make(present);
  const endsAt = Math.min(until, present.expiresAt ?? until);
  const audits = [told('rotate', next, step, { replaces: present.id, endsAt })];
  return {
    next,
    writes: { ...NO_WRITES, inserted: [next], expired: [{ id: present.id, at: endsAt }], audits },
  };
}

export function revokedKeys(
  all: readonly StoredKey[],
  name: string,
  id: string | null,
  step: KeyStep,
): { readonly ended: readonly StoredKey[]; readonly writes: KeyWrites } {
  const ended = all.filter(
    (one) => one.name === name && (id === null || one.id === id) && isLive(one, step.at),
  );
  if (ended.length === 0) throw unknownKey(name);
  const revoked = ended.map((key) => ({ id: key.id, at: step.at }));
  return {
    ended,
    writes: { ...NO_WRITES, revoked, audits: ended.map((key) => told('revoke', key, step, {})) },
  };
}

function told(act: string, key: StoredKey, step: KeyStep, more: Record<string, unknown>): AuditDraft {
  const { at, actor, reason } = step;
  const { id, name, role, scopes, subjects, expiresAt, sealedSecret } = key;
  const isSigned = sealedSecret !== null;
  const details = { act, id, role, scopes, subjects, expiresAt, isSigned, ...more };
  return { at, kind: 'key', actor, subject: name, reason, details };
}

function requireRoom(live: readonly StoredKey[]): void {
  if (live.length < MOST_LIVE_KEYS) return;
  throw new PlimsollError('CONFLICT', `there are ${MOST_LIVE_KEYS} live keys already`, {
    remedy: 'Revoke those that nobody needs: plimsoll keys list.',
  });
}

function unknownKey(name: string): PlimsollError {
  return new PlimsollError('KEY_UNKNOWN', `there is no live key of ${name} in this data folder`, {
    remedy: 'List those that there are: plimsoll keys list.',
  });
}

/** The values of a row of `api_key`, in the order of its columns; it is not revoked yet. */
export function keyValues(key: StoredKey): (string | number | Uint8Array | null)[] {
  return [
    key.id,
    key.name,
    key.role,
    key.scopes === null ? null : JSON.stringify(key.scopes),
    key.subjects === null ? null : JSON.stringify(key.subjects),
    key.sha256,
    key.sealedSecret,
    key.createdAt,
    key.expiresAt,
  ];
}

export function storedKey(row: Row): StoredKey {
  const list = <T>(value: unknown): readonly T[] | null =>
    value === null ? null : (JSON.parse(value as string) as T[]);
  return {
    id: row.id as string,
    name: row.name as string,
    role: row.role as Role,
    scopes: list<Scope>(row.scopes),
    subjects: list<string>(row.subjects),
    sha256: row.sha256 as string,
    sealedSecret: row.sealed_secret as Uint8Array | null,
    createdAt: row.created_at as number,
    expiresAt: row.expires_at as number | null,
    revokedAt: row.revoked_at as number | null,
  };
}
