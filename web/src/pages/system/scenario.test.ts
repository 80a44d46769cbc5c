import { describe, expect, test } from 'vitest';
import { addressOfScenario, scenarioDraftOf, scenarioOf } from './scenario.ts';

const draftOf = (query: string) => scenarioDraftOf(new URLSearchParams(query));

describe('a scenario', () => {
  test('is what the address says, and says it again', () => {
    const draft = draftOf('move=-20&moves=AURUSDT:-30,BOREUSDT:10');
    expect(scenarioOf(draft ?? { move: '', moves: [] })).toEqual({
      faults: [],
      scenario: { move: -0.2, moves: { AURUSDT: -0.3, BOREUSDT: 0.1 } },
    });
    expect(draft && addressOfScenario(draft)).toEqual({ move: '-20', moves: 'AURUSDT:-30,BOREUSDT:10' });
  });

  test('is none where the address says nothing: nothing is run that nobody asked for', () => {
    expect(draftOf('market=AURUSDT')).toBeNull();
  });

  test.each([
    ['move=-100', 'above −100'],
    ['move=1001', 'up to 1000'],
    ['move=much', 'much'],
    ['moves=AURUSDT', 'AURUSDT'],
    ['moves=AURUSDT:1,AURUSDT:2', 'two moves'],
  ])('%s is told before it is sent', (query, words) => {
    const { scenario, faults } = scenarioOf(draftOf(query) ?? { move: '0', moves: [] });
    expect(scenario).toBeNull();
    expect(faults.join(' ')).toContain(words);
  });
});
