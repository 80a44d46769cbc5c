import { describe, expect, test } from 'vitest';
import { AccountVersions } from './account-versions.ts';

describe('versions of accounts', () => {
  test('are another sum once the user, a market that is held, or everything changes, and not before', () => {
    const versions = new AccountVersions();
    const words = versions.wordsOf('ann', ['BTCUSDT', 'ETHUSDT']);
    let before = versions.sumOf(words);
    versions.userChanges('bob');
    versions.marketChanges('SOLUSDT');
    expect(versions.sumOf(words)).toBe(before);
    for (const change of [
      () => versions.userChanges('ann'),
      () => versions.marketChanges('BTCUSDT'),
      () => versions.marketChanges('ETHUSDT'),
      () => versions.everythingChanges(),
    ]) {
      change();
      expect(versions.sumOf(words)).toBe(before + 1);
      before++;
    }
  });

  test('are the same for all that have their memory', () => {
    const counted = new AccountVersions();
    const seen = new AccountVersions(counted.memory);
    const words = seen.wordsOf('ann', []);
    counted.userChanges('ann');
    expect(seen.sumOf(words)).toBe(1);
  });

  test('name a word once, however many positions lead to it', () => {
    const versions = new AccountVersions();
    expect(versions.wordsOf('ann', ['BTCUSDT', 'BTCUSDT'])).toEqual(versions.wordsOf('ann', ['BTCUSDT']));
  });
});
