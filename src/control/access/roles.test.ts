import { expect, test } from 'vitest';
import { isWriteScope, ROLE_SCOPES, ROLES, SCOPES, scopesOf, widestOf } from './roles.ts';

const writesOf = (role: (typeof ROLES)[number]): string[] =>
  SCOPES.filter((scope) => isWriteScope(scope) && ROLE_SCOPES[role].has(scope));

test('what each role may change is this and no more', () => {
  expect(Object.fromEntries(ROLES.map((role) => [role, writesOf(role)]))).toEqual({
    reader: [],
    exchange: ['users:write', 'accounts:write', 'prices:write'],
    'data-scientist': ['models:promote', 'training:run'],
    operator: [
      'users:write',
      'accounts:write',
      'prices:write',
      'models:promote',
      'training:run',
      'governance:change',
    ],
    approver: SCOPES.filter(isWriteScope),
  });
});

test('every role may read everything', () => {
  for (const role of ROLES)
    for (const scope of SCOPES)
      if (!isWriteScope(scope))
        expect([role, scope, ROLE_SCOPES[role].has(scope)]).toEqual([role, scope, true]);
});

test('a list of scopes takes away and never adds', () => {
  expect([...scopesOf('reader', ['limits:read', 'users:write'])]).toEqual(['limits:read']);
  expect(scopesOf('reader', null)).toEqual(ROLE_SCOPES.reader);
  expect([...scopesOf('operator', [])]).toEqual([]);
});

test('of several roles the widest counts; of none, none', () => {
  expect(widestOf(['reader', 'approver', 'exchange'])).toBe('approver');
  expect(widestOf([])).toBeNull();
});
