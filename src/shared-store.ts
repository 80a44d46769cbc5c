import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { readPublicKeys } from '../data/checkpoint-key.ts';
import { Leadership } from '../data/postgres/leadership.ts';
import type { ProcessRole } from './config.ts';
import type { ControlPlane } from './control/control-plane.ts';
import { StoreFollower } from './control/follow/store-follower.ts';
import type { SharedStore } from './control/ports.ts';
import { PlimsollError } from './errors.ts';
import type { CheckpointSigner } from './limits/checkpoint.ts';
import type { Metrics } from './metrics/metrics.ts';

/** Is told of the term that this process leads in; null with a reason once it does not. */
export type LeadListener = (term: number | null, reason: string) => void;

export interface Candidacy {
  readonly candidate: Leadership;
  /** Told at once where this process leads already. */
  whenChanged(listener: LeadListener): void;
  /** @throws PlimsollError LOCKED where another process still leads after so long. */
  alone(milliseconds: number): Promise<void>;
}

export function leadershipOf(url: string, role: ProcessRole): Candidacy {
  let listener: LeadListener = () => undefined;
  const taken = Promise.withResolvers<void>();
  const candidate = new Leadership({
    url,
    identity: `${role} ${hostname()} ${process.pid}`,
    onTaken: (term) => {
      taken.resolve();
      listener(term, '');
    },
    onLost: (reason) => listener(null, reason),
  });
  return {
    candidate,
    whenChanged: (given) => {
      listener = given;
      const term = candidate.term();
      if (term !== null) listener(term, '');
    },
    alone: async (milliseconds) => {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(() => late.reject(decidedElsewhere()), milliseconds);
      await Promise.race([taken.promise, late.promise]).finally(() => clearTimeout(timer));
    },
  };
}

function decidedElsewhere(): PlimsollError {
  return new PlimsollError('LOCKED', 'another process decides on this database', {
    remedy:
      'Start this one with PLIMSOLL_ROLE=serve, or both with PLIMSOLL_ROLE=decide: then either takes over.',
  });
}

export function notLeading(): PlimsollError {
  return new PlimsollError('NOT_LEADING', 'another process decides, and takes this alone', {
    remedy: 'Send it to the process whose GET /readyz says "leads": true.',
  });
}

/**
 * Deciders of one database sign with one key: what another signed would be taken for forged.
 *
 * @throws PlimsollError CONFIG_INVALID where the newest checkpoint has a key that this folder does not know.
 */
export async function requireOwnCheckpoints(
  store: SharedStore,
  dataDir: string,
  { keyId }: CheckpointSigner,
): Promise<void> {
  const newest = await store.latestCheckpoint();
  if (newest === null || newest.keyId === keyId || (await readPublicKeys(dataDir)).has(newest.keyId)) return;
  throw new PlimsollError(
    'CONFIG_INVALID',
    `the newest checkpoint of the database is signed by key ${newest.keyId}, which ${dataDir} does not know`,
    {
      remedy: `Copy checkpoint.key and checkpoint.pub from the data folder of the process that decided before into ${dataDir}.`,
    },
  );
}

export function followerOf(
  store: SharedStore,
  target: ControlPlane,
  usersSeen: number,
  logger: Logger,
  metrics: Metrics,
): StoreFollower {
  return new StoreFollower({
    store,
    target,
    usersSeen,
    onState: (reason, err) => {
      metrics.store.followed(reason);
      if (reason === null) logger.info('the store is followed again');
      else logger.error({ reason, err }, 'the store cannot be followed; the last valid limits stay');
    },
  });
}
