import { join } from 'node:path';
import { acquireLock, type HeldLock, ownerAddress } from '../../../data/lock.ts';
import { hashKey, readKey, readOperatorKey } from '../../../data/operator-key.ts';
import type { Clock } from '../../clock.ts';
import { type Config, loadConfig } from '../../config.ts';
import { GovernanceDesk } from '../../control/governance/desk.ts';
import type { Command } from '../../control/governance/rules.ts';
import { ERROR_CATALOGUE, type ErrorCode, PlimsollError } from '../../errors.ts';
import { requireScope, requireSubjects } from '../../http/access/caller.ts';
import { keyringOf } from '../../http/auth.ts';
import { actedShape, changesShape, triedShape } from '../../http/governance-shapes.ts';
import { openStore, requireState } from '../../opened-store.ts';
import type { CommonOptions } from '../command.ts';
import { withStore } from './state.ts';

export type ActedAnswer = Awaited<ReturnType<typeof actedShape>>;
export type ChangesAnswer = Awaited<ReturnType<typeof changesShape>>;

/** Options of every verb that changes something. */
export interface KeyOptions extends CommonOptions {
  readonly keyFile?: string;
}

/** What people change, through the service where one runs, and on its store where none does. */
export interface Reached {
  /** @param preview only what an override would do; nothing is changed. */
  act(command: Command, preview?: boolean): Promise<ActedAnswer>;
  changes(limit: number): Promise<ChangesAnswer>;
  /** Whether a service obeys at once; otherwise the next start does. */
  readonly isRunning: boolean;
}

const ANSWER_DEADLINE_MILLISECONDS = 30_000;

/**
 * @throws PlimsollError NOTHING_PUBLISHED where the data folder has no state, LOCKED while the service starts, and what
 *   the service or the rules refuse.
 */
export async function withGovernance<T>(
  clock: Clock,
  { keyFile, json: _, ...flags }: KeyOptions,
  work: (reached: Reached) => Promise<T>,
): Promise<T> {
  const { values: config } = loadConfig(flags);
  requireState(config);
  const path = join(config.dataDir, 'service.lock');
  const lock = lockOf(path);
  if (lock === null) return work(serviceAt(path, () => keyOf(config, keyFile)));
  try {
    return await onStore(clock, config, () => keyOf(config, keyFile), work);
  } finally {
    lock.release();
  }
}

/** Null while a service runs. */
function lockOf(path: string): HeldLock | null {
  try {
    return acquireLock(path, 'a service');
  } catch (thrown) {
    if (thrown instanceof PlimsollError && thrown.code === 'LOCKED') return null;
    throw thrown;
  }
}

async function keyOf(config: Config, keyFile: string | undefined): Promise<string> {
  if (keyFile !== undefined) return readKey(keyFile);
  const { dataDir, keys, requireKeys, identity } = config;
  if (keys.length === 0 && !requireKeys && identity === null && !(await hasStoredKeys(config)))
    return readOperatorKey(dataDir);
  throw new PlimsollError('UNAUTHENTICATED', 'there are keys, so it must be said whose hand this is', {
    remedy: 'Name the file that holds your key: --key-file FILE.',
  });
}

async function hasStoredKeys(config: Config): Promise<boolean> {
  return (await withStore(config, (store) => store.keys.all())).length > 0;
}

function serviceAt(lockPath: string, key: () => Promise<string>): Reached {
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const url = ownerAddress(lockPath);
    if (url === null)
      throw new PlimsollError('LOCKED', 'the service is starting, or another command works on the folder', {
        remedy: 'Try again in a few seconds.',
      });
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await key()}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_DEADLINE_MILLISECONDS),
    }).catch((cause) => {
      throw new PlimsollError('IO_FAILED', `the service at ${url} did not answer: ${cause.message}`, {
        remedy: 'It may have ended just now; try again.',
        cause,
      });
    });
    const answer = await response.json();
    if (response.ok) return answer;
    throw problemError(answer);
  };
  return {
    isRunning: true,
    act: async (command, preview) => {
      const { method, path, body } = requestOf(command);
      return (await ask(method, path, preview ? { ...body, preview } : body)) as ActedAnswer;
    },
    changes: async (limit) => (await ask('GET', `/v1/changes?limit=${limit}`)) as ChangesAnswer,
  };
}

/** A refusal of the service as the error that it was there. */
function problemError(answer: unknown): PlimsollError {
  const { code, detail, remedy } = answer as Record<string, string | undefined>;
  const known = code !== undefined && Object.hasOwn(ERROR_CATALOGUE, code) ? (code as ErrorCode) : 'INTERNAL';
  return new PlimsollError(
    known,
    detail ?? 'the service gave an answer that cannot be read',
    remedy === undefined ? {} : { remedy },
  );
}

function requestOf(command: Command): { method: string; path: string; body: object } {
  switch (command.act) {
    case 'override': {
      const { act: _, ...given } = command;
      return { method: 'POST', path: '/v1/overrides', body: withIsoTime(given) };
    }
    case 'approve':
    case 'reject':
    case 'withdraw':
      return {
        method: 'POST',
        path: `/v1/approvals/${encodeURIComponent(command.id)}`,
        body: { decision: command.act, reason: command.reason },
      };
    case 'freeze': {
      const { act: _, ...given } = command;
      return { method: 'POST', path: '/v1/freeze', body: withIsoTime(given) };
    }
    case 'thaw':
      return {
        method: 'DELETE',
        path: '/v1/freeze',
        body: { symbol: command.symbol, reason: command.reason },
      };
    case 'declareEmergency': {
      const { act: _, ...given } = command;
      return { method: 'POST', path: '/v1/emergency', body: withIsoTime(given) };
    }
    case 'endEmergency':
      return { method: 'DELETE', path: '/v1/emergency', body: { reason: command.reason } };
  }
}

function withIsoTime<T extends { readonly expiresAt?: number | undefined }>({ expiresAt, ...rest }: T) {
  return expiresAt === undefined ? rest : { ...rest, expiresAt: new Date(expiresAt).toISOString() };
}

async function onStore<T>(
  clock: Clock,
  config: Config,
  key: () => Promise<string>,
  work: (reached: Reached) => Promise<T>,
): Promise<T> {
  const { store } = await openStore(config, { name: 'command', sessions: 2 });
  try {
    const book = await store.latestBook();
    const desk = await GovernanceDesk.recover({ store, clock, policy: config.policy, book: () => book });
    /** Who signs is known by the same keys as in the service. */
    const signed = async () => {
      const isOpen = config.keys.length === 0 && !config.requireKeys && config.identity === null;
      const stored = await store.keys.all();
      const own = isOpen && stored.length === 0 ? hashKey(await readOperatorKey(config.dataDir)) : null;
      const keyring = keyringOf(config.keys, own, clock, config.identity !== null);
      keyring.useStored(
        stored.filter(({ revokedAt }) => revokedAt === null),
        stored.length > 0,
      );
      const actor = keyring.callerOf(`Bearer ${await key()}`);
      return { keyring, actor };
    };
    return await work({
      isRunning: false,
      act: async (command, preview) => {
        const { keyring, actor } = await signed();
        const isSettled = command.act === 'approve' || command.act === 'reject' || command.act === 'withdraw';
        if (actor.isNarrowed) requireScope(actor, isSettled ? 'governance:approve' : 'governance:change');
        requireSubjects(actor, null);
        if (preview) return triedShape(command, desk, keyring, actor);
        return actedShape(await desk.act(actor, command), desk, keyring, actor);
      },
      changes: async (limit) => changesShape(desk, Number.MAX_SAFE_INTEGER, limit),
    });
  } finally {
    await store.close();
  }
}
