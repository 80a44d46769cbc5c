import { hash } from 'node:crypto';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
} from 'jose';
import type { Clock } from '../../clock.ts';
import { KEY_ID_DIGITS, ROLE_SCOPES, ROLES, type Role, type Scope, widestOf } from '../../control/ports.ts';
import type { PlimsollError } from '../../errors.ts';
import { refuse } from '../problem.ts';
import type { Caller } from './caller.ts';
import { refuseAccess } from './refusal.ts';

export interface IdentityOptions {
  readonly issuer: string;
  readonly audience: string | readonly string[];
  /** Where the public keys of the issuer are: an address, or the keys themselves. */
  readonly keys: URL | JSONWebKeySet;
  /** Name of the claim that has the roles, or the path to it with dots. */
  readonly roleClaim: string;
  /** Our role for what the claim says; without, our own names. */
  readonly roles: Readonly<Record<string, Role>> | null;
  readonly clock: Clock;
}

/** Only signatures whose key is public: with a shared secret whoever can verify a token could make one. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const CLOCK_TOLERANCE_SECONDS = 5;
/** A token is believed for so long without another look, so that a key which its issuer takes back is noticed. */
const BELIEVED_MILLISECONDS = 60_000;
const MOST_BELIEVED = 10_000;
/** Keys are fetched when one is asked for that is not known, but no oftener than that: tokens of strangers must not make us ask without end. */
const FETCH = { cooldownDuration: 30_000, cacheMaxAge: 600_000, timeoutDuration: 5_000 };

/** People by the tokens (JWT) of their identity provider. */
export class Identities {
  readonly #options: IdentityOptions;
  readonly #keyOf: ReturnType<typeof createRemoteJWKSet>;
  readonly #believed = new Map<string, { readonly caller: Caller; readonly until: number }>();

  constructor(options: IdentityOptions) {
    this.#options = options;
    const { keys } = options;
    this.#keyOf = (
      keys instanceof URL ? createRemoteJWKSet(keys, FETCH) : createLocalJWKSet(keys)
    ) as ReturnType<typeof createRemoteJWKSet>;
  }

  /** The token of a request, or null: keys of ours have no dots. */
  static tokenOf(authorization: string | undefined): string | null {
    return /^Bearer ([\w-]{1,2048}\.[\w-]{1,8192}\.[\w-]{1,2048})$/.exec(authorization ?? '')?.[1] ?? null;
  }

  /** Whoever was verified a moment ago. */
  known(token: string): Caller | null {
    const found = this.#believed.get(hash('sha256', token, 'hex'));
    return found !== undefined && this.#options.clock.now() < found.until ? found.caller : null;
  }

  /** @throws PlimsollError TOKEN_INVALID, IDENTITY_UNAVAILABLE where the keys of the issuer cannot be had. */
  async callerOf(token: string): Promise<Caller> {
    const { issuer, audience, clock } = this.#options;
    const now = clock.now();
    const { payload } = await jwtVerify(token, this.#keyOf, {
      issuer,
      audience: [audience].flat(),
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(now),
      requiredClaims: ['exp', 'sub'],
    }).catch((thrown) => {
      throw refusalOf(thrown);
    });
    const caller = this.#callerOf(payload);
    const until = Math.min(now + BELIEVED_MILLISECONDS, endOf(payload));
    if (this.#believed.size >= MOST_BELIEVED)
      this.#believed.delete(this.#believed.keys().next().value as string);
    this.#believed.set(hash('sha256', token, 'hex'), { caller, until });
    return caller;
  }

  #callerOf(payload: JWTPayload): Caller {
    const { issuer, roleClaim, roles } = this.#options;
    const { sub = '' } = payload;
    if (!/^[\x21-\x7e]{1,128}$/.test(sub)) throw invalid('its sub is not 1 to 128 characters without spaces');
    const found = rolesOf(claimAt(payload, roleClaim), roles);
    const role = widestOf(found);
    if (role === null)
      throw refuseAccess(
        'scope',
        'FORBIDDEN',
        `the claim ${roleClaim} of the token has no role that is known here`,
        'Have a role assigned by whoever runs the identity provider.',
      );
    const scopes = new Set<Scope>(found.flatMap((one) => [...ROLE_SCOPES[one]]));
    const key = hash('sha256', JSON.stringify([issuer, sub]), 'hex').slice(0, KEY_ID_DIGITS);
    return {
      name: sub,
      role,
      key,
      scopes,
      isNarrowed: false,
      subjects: null,
      mustSign: false,
      tokenEndsAt: endOf(payload),
    };
  }
}

function endOf({ exp = 0 }: JWTPayload): number {
  return (exp + CLOCK_TOLERANCE_SECONDS) * 1000;
}

/** A claim by its name, which may have dots, or by the path to it. */
function claimAt(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  let value: unknown = payload;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

function rolesOf(claim: unknown, mapping: IdentityOptions['roles']): readonly Role[] {
  return [claim].flat().flatMap((value) => {
    if (typeof value !== 'string') return [];
    if (mapping !== null) return Object.hasOwn(mapping, value) ? [mapping[value]] : [];
    return ROLES.filter((role) => role === value);
  });
}

function invalid(why: string): PlimsollError {
  return refuseAccess(
    'token',
    'TOKEN_INVALID',
    `the token is not valid: ${why}`,
    'Get a new one from the identity provider, for this service.',
  );
}

/** Only words of ours are told: what a library says may quote the token. */
function refusalOf(thrown: unknown): PlimsollError {
  const code = thrown instanceof errors.JOSEError ? thrown.code : '';
  const why = WHY[code];
  if (why !== undefined) return invalid(why);
  if (thrown instanceof errors.JWTClaimValidationFailed)
    return invalid(`its claim ${thrown.claim} is not as it must be`);
  const error = refuse(
    'IDENTITY_UNAVAILABLE',
    'the keys of the identity provider cannot be had',
    'Try again later.',
  );
  error.cause = thrown;
  return error;
}

const WHY: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'its time is over',
  ERR_JWT_INVALID: 'it is no token',
  ERR_JWS_INVALID: 'it is no token',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'its signature is wrong',
  ERR_JWKS_NO_MATCHING_KEY: 'its issuer does not know the key that signed it',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'it does not say which key signed it',
  ERR_JOSE_ALG_NOT_ALLOWED: 'its algorithm is not allowed',
  ERR_JOSE_NOT_SUPPORTED: 'its algorithm is not known',
};
