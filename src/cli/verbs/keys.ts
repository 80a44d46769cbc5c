import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ensureCheckpointKey } from '../../../data/checkpoint-key.ts';
import { hashKey } from '../../../data/operator-key.ts';
import { SigningSecrets } from '../../../data/signing-secret.ts';
import { isoTime } from '../../clock.ts';
import { type Config, loadConfig } from '../../config.ts';
import { isLive, type KeyStep, keyIdOf, type StoredKey } from '../../control/access/keys.ts';
import { ROLE_SCOPES, type Role, type Scope } from '../../control/access/roles.ts';
import { PlimsollError } from '../../errors.ts';
import { hasState } from '../../opened-store.ts';
import { HOUR_MILLISECONDS } from '../../units.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';
import { ACTOR } from './records.ts';
import { withStore } from './state.ts';

interface ReasonOptions extends CommonOptions {
  readonly reason?: string;
}

interface AddOptions extends ReasonOptions {
  readonly role: Role;
  readonly scopes?: readonly Scope[];
  readonly subjects?: readonly string[];
  readonly expires?: number;
  readonly signed?: boolean;
}

interface RotateOptions extends ReasonOptions {
  readonly overlapHours: number;
  readonly expires?: number;
}

/** 256 random bits cannot be guessed, so a plain SHA-256 of them can be kept: a slow hash is for what people make up. */
const KEY_BYTES = 32;

/** A key with what opens, which leaves this process once. */
interface MadeKey {
  readonly stored: StoredKey;
  readonly key: string;
  readonly signingSecret: string | null;
}

export async function addKey(
  context: CliContext,
  name: string,
  { json, role, scopes, subjects, expires, signed = false, reason, ...flags }: AddOptions,
): Promise<void> {
  const beyond = (scopes ?? []).filter((scope) => !ROLE_SCOPES[role].has(scope));
  if (beyond.length > 0) {
    throw new PlimsollError('USAGE', `the role ${role} does not have ${beyond.join(', ')}`, {
      remedy: `It has ${[...ROLE_SCOPES[role]].join(', ')}.`,
    });
  }
  const step = stepOf(context, reason);
  const { values: config } = loadConfig(flags);
  const { dataDir, keys } = config;
  if (keys.some((key) => key.name === name)) {
    throw new PlimsollError('CONFLICT', `the configuration has a key of ${name}`, {
      remedy: 'Choose another name, or take that key out of the configuration.',
    });
  }
  requireFuture(expires, step.at);
  const secrets = signed ? await SigningSecrets.open(dataDir) : null;
  const shape = { name, role, scopes: scopes ?? null, subjects: subjects ?? null };
  const made = makeKey({ ...shape, createdAt: step.at, expiresAt: expires ?? null }, secrets);
  await withStore(config, (store) => store.keys.add(made.stored, step));
  tellMade(context, made, json);
}

export async function rotateKey(
  context: CliContext,
  name: string,
  { json, overlapHours, expires, reason, ...flags }: RotateOptions,
): Promise<void> {
  const step = stepOf(context, reason);
  const { values: config } = loadConfig(flags);
  requireFolder(config, name);
  requireFuture(expires, step.at);
  const until = step.at + overlapHours * HOUR_MILLISECONDS;
  const present = await withStore(config, async (store) =>
    (await store.keys.all()).find((key) => key.name === name && isLive(key, step.at)),
  );
  const secrets = present?.sealedSecret == null ? null : await SigningSecrets.open(config.dataDir);
  let made: MadeKey | null = null;
  await withStore(config, (store) =>
    store.keys.rotate(
      name,
      ({ role, scopes, subjects }) => {
        const shape = { name, role, scopes, subjects };
        made = makeKey({ ...shape, createdAt: step.at, expiresAt: expires ?? null }, secrets);
        return made.stored;
      },
      until,
      step,
    ),
  );
  if (made === null) throw new Error('a rotation made no key');
  tellMade(context, made, json, `the key before it ends at ${isoTime(until)}, or earlier if it was to`);
}

export async function revokeKey(
  context: CliContext,
  name: string,
  { json, id, reason, ...flags }: ReasonOptions & { readonly id?: string },
): Promise<void> {
  const { values: config } = loadConfig(flags);
  requireFolder(config, name);
  const ended = await withStore(config, (store) =>
    store.keys.revoke(name, id ?? null, stepOf(context, reason)),
  );
  if (json === true) context.printJson({ name, revoked: ended.map((key) => key.id) });
  else for (const key of ended) context.print(`key ${key.id} of ${name} is revoked`);
}

export async function listKeys(context: CliContext, { json, ...flags }: CommonOptions): Promise<void> {
  const { values: config } = loadConfig(flags);
  const now = context.clock.now();
  const stored = hasState(config) ? await withStore(config, (store) => store.keys.all()) : [];
  const shown = stored.map((key) => ({
    name: key.name,
    id: key.id,
    role: key.role,
    scopes: key.scopes,
    subjects: key.subjects,
    isSigned: key.sealedSecret !== null,
    createdAt: isoTime(key.createdAt),
    expiresAt: key.expiresAt === null ? null : isoTime(key.expiresAt),
    state: key.revokedAt !== null ? 'revoked' : isLive(key, now) ? 'live' : 'expired',
  }));
  if (json === true) {
    context.printJson({ total: shown.length, keys: shown });
    return;
  }
  const rows = shown.map((key) => [
    key.name,
    key.id,
    key.role,
    key.scopes?.join(' ') ?? 'all of the role',
    key.subjects?.join(' ') ?? 'all',
    key.isSigned ? 'signed' : '',
    key.createdAt.slice(0, 16),
    key.expiresAt?.slice(0, 16) ?? 'never',
    key.state,
  ]);
  const header = ['name', 'id', 'role', 'scopes', 'subjects', 'writes', 'made', 'ends', 'state'];
  context.print(table(header, rows));
}

/** Of several processes on one database each has a folder, and all sign and open secrets with the same keys. */
export async function prepareKeyFiles(context: CliContext, { json, ...flags }: CommonOptions): Promise<void> {
  const { dataDir } = loadConfig(flags).values;
  const { keyId } = await ensureCheckpointKey(dataDir);
  await SigningSecrets.open(dataDir);
  const files = ['checkpoint.key', 'checkpoint.pub', 'signing.key'].map((name) => join(dataDir, name));
  if (json === true) context.printJson({ checkpointKeyId: keyId, files });
  else for (const file of files) context.print(file);
}

function makeKey(
  shape: Pick<StoredKey, 'name' | 'role' | 'scopes' | 'subjects' | 'createdAt' | 'expiresAt'>,
  secrets: SigningSecrets | null,
): MadeKey {
  const key = randomBytes(KEY_BYTES).toString('base64url');
  const sha256 = hashKey(key);
  const id = keyIdOf(sha256);
  const secret = secrets === null ? null : randomBytes(KEY_BYTES);
  return {
    stored: {
      ...shape,
      id,
      sha256,
      sealedSecret: secret === null ? null : (secrets?.seal(secret, id) ?? null),
      revokedAt: null,
    },
    key,
    signingSecret: secret?.toString('base64url') ?? null,
  };
}

function tellMade(
  context: CliContext,
  { stored, key, signingSecret }: MadeKey,
  json: boolean | undefined,
  more?: string,
): void {
  const { id, name, role } = stored;
  if (json === true) {
    context.printJson({ name, id, role, key, signingSecret });
    return;
  }
  context.print(key);
  if (signingSecret !== null) context.print(signingSecret);
  context.note(
    signingSecret === null
      ? `Key ${id} of ${name} (${role}), shown this once; only its SHA-256 is kept.`
      : `Key ${id} of ${name} (${role}) for reads, then the secret that signs writes, both shown this once.`,
  );
  if (more !== undefined) context.note(more);
}

function stepOf(context: CliContext, reason: string | undefined): KeyStep {
  return { at: context.clock.now(), actor: ACTOR, reason: reason ?? 'not given' };
}

function requireFuture(expires: number | undefined, now: number): void {
  if (expires === undefined || expires > now) return;
  throw new PlimsollError('EXPIRY_INVALID', `${isoTime(expires)} is over`, {
    remedy: 'Give a time to come: --expires 2030-01-31.',
  });
}

function requireFolder(config: Config, name: string): void {
  if (hasState(config)) return;
  throw new PlimsollError('KEY_UNKNOWN', `there is no live key of ${name} in ${config.dataDir}`, {
    remedy: 'Make one: plimsoll keys add NAME --role ROLE; or name another folder: --data-dir.',
  });
}
