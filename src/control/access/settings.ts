import { z } from 'zod';
import { ROLES, type Role, SCOPES, type Scope } from './roles.ts';

export interface ConfiguredKey {
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the key, hex. The key itself is never configured. */
  readonly sha256: string;
  /** Fewer than those of the role. */
  readonly scopes?: readonly Scope[] | undefined;
  /** Beginnings of the ids of users and accounts that it may touch. */
  readonly subjects?: readonly string[] | undefined;
}

export const keySchema = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, dashes'),
  role: z.enum(ROLES),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the key, 64 hex digits'),
  scopes: z.array(z.enum(SCOPES)).min(1).optional(),
  subjects: z.array(z.string().min(1).max(128)).min(1).optional(),
});

const perSecond = z.number('must be a number').min(0).max(1_000_000);

/** An exchange asks before every order; people and dashboards do not. */
export const rateLimitsSchema = z.strictObject({
  reader: perSecond.default(500),
  exchange: perSecond.default(50_000),
  'data-scientist': perSecond.default(200),
  operator: perSecond.default(500),
  approver: perSecond.default(200),
  address: perSecond.default(100),
  firstRun: perSecond.default(0),
});
export type RateLimits = Readonly<z.infer<typeof rateLimitsSchema>>;

const isLocal = ({ hostname }: URL): boolean => /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);

/** Keys of an issuer that come over a network without encryption could be anybody's. */
const jwksUrlSchema = z
  .url()
  .refine(
    (text) => URL.canParse(text) && (new URL(text).protocol === 'https:' || isLocal(new URL(text))),
    'must be an https address',
  );

export const identitySchema = z
  .strictObject({
    issuer: z.string().min(1).max(500),
    audience: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(20)]),
    jwksUrl: jwksUrlSchema.optional(),
    jwksFile: z.string().min(1).optional(),
    roleClaim: z.string().min(1).max(200).default('plimsoll_roles'),
    roles: z.record(z.string(), z.enum(ROLES)).optional(),
  })
  .refine(
    ({ jwksUrl, jwksFile }) => (jwksUrl === undefined) !== (jwksFile === undefined),
    'needs either jwksUrl or jwksFile',
  )
  .nullable();
export type IdentitySettings = NonNullable<z.infer<typeof identitySchema>>;

/** `exchange=50000,reader=500` as what the schema takes. */
export function rateLimitsOfText(text: string): Readonly<Record<string, unknown>> {
  const items = text.split(',').filter((item) => item.trim() !== '');
  return Object.fromEntries(
    items.map((item) => {
      const [name, value = ''] = item.split('=').map((part) => part.trim());
      return [name, /^\d+(\.\d+)?$/.test(value) ? Number(value) : value];
    }),
  );
}
