/**
 * What a request may be about. Every route names the one that it needs; a role holds some of them, and a key may hold
 * fewer than its role. Nothing is allowed that is not named here.
 */
export const SCOPES = [
  'limits:read',
  'users:read',
  'accounts:read',
  'system:read',
  'feed:read',
  'governance:read',
  'models:read',
  'audit:read',
  'operations:read',
  'documents:read',
  'users:write',
  'accounts:write',
  'prices:write',
  'models:promote',
  'training:run',
  'governance:change',
  'governance:approve',
] as const;
export type Scope = (typeof SCOPES)[number];

export const ROLES = ['reader', 'exchange', 'data-scientist', 'operator', 'approver'] as const;
export type Role = (typeof ROLES)[number];

/** Whether a scope lets something be changed; such a route needs a key even where reads need none. */
export function isWriteScope(scope: Scope): boolean {
  return !scope.endsWith(':read');
}

const READS = SCOPES.filter((scope) => !isWriteScope(scope));
const OPERATES: readonly Scope[] = SCOPES.filter((scope) => scope !== 'governance:approve');

/** The one table of who may do what. Whether an approver may approve this very change is for the rules of governance. */
export const ROLE_SCOPES: Readonly<Record<Role, ReadonlySet<Scope>>> = {
  reader: new Set(READS),
  exchange: new Set<Scope>([...READS, 'users:write', 'accounts:write', 'prices:write']),
  'data-scientist': new Set<Scope>([...READS, 'models:promote', 'training:run']),
  operator: new Set(OPERATES),
  approver: new Set(SCOPES),
};

/** From most to least, for whoever has several. */
const BY_REACH: readonly Role[] = ['approver', 'operator', 'data-scientist', 'exchange', 'reader'];

export function widestOf(roles: readonly Role[]): Role | null {
  return BY_REACH.find((role) => roles.includes(role)) ?? null;
}

/** What a key of a role may do: all of the role, or what its own list leaves of that. */
export function scopesOf(role: Role, narrowed: readonly Scope[] | null): ReadonlySet<Scope> {
  const whole = ROLE_SCOPES[role];
  return narrowed === null ? whole : new Set(narrowed.filter((scope) => whole.has(scope)));
}
