import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isoTime } from '../clock.ts';
import { DECIDED_AT } from '../limits/test-inputs.ts';
import { TestService } from './test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await TestService.start();
});
afterAll(() => service.stop());

const read = (query: string) => service.call(`/v1/markets/BTCUSDT/brackets?${query}`);

describe('the form of a schedule', () => {
  test('comes beside the brackets, with its formula and exact parameters', async () => {
    const { json: plain } = await service.call('/v1/markets/BTCUSDT/brackets');
    const { json, status } = await read('form=square-root');
    expect(status).toBe(200);
    expect(json.brackets).toEqual(plain.brackets);
    expect(json.form).toMatchObject({
      kind: 'square-root',
      formula: 'rate(n) = max(base, 0.8 * base + factor * sqrt(n))',
      // The last bracket, of leverage 1, is left out.
      largestNotional: plain.brackets.at(-2).notionalCap,
      initial: { baseRatePpm: plain.brackets[0].initialMarginRatePpm },
      maintenance: { baseRatePpm: plain.brackets[0].maintenanceMarginRatePpm },
    });
    // Read as a venue would: nowhere less than the brackets, at their floors and caps.
    const { initial, maintenance } = json.form;
    const rate = ({ baseRatePpm, factor }: { baseRatePpm: number; factor: string }, n: number) =>
      Math.max(baseRatePpm / 1e6, (0.8 * baseRatePpm) / 1e6 + Number(factor) * Math.sqrt(n));
    for (const bracket of plain.brackets.slice(0, -1)) {
      const [floor, cap] = [Number(bracket.notionalFloor), Number(bracket.notionalCap)];
      expect(rate(initial, floor + 1)).toBeGreaterThanOrEqual(bracket.initialMarginRatePpm / 1e6);
      const margin = (cap * bracket.maintenanceMarginRatePpm) / 1e6 - Number(bracket.maintenanceAmount);
      expect(rate(maintenance, cap) * cap).toBeGreaterThanOrEqual(margin * (1 - 1e-12));
    }
  });

  test('covers less, with a smaller factor, where it need not reach far', async () => {
    const far = (await read('form=linear')).json.form;
    const near = (await read('form=linear&upTo=35000000')).json.form;
    expect(near.largestNotional).toBe('35000000');
    expect(Number(near.maintenance.factor)).toBeLessThan(Number(far.maintenance.factor));
  });

  test('is also of a time past, and flat where a venue knows one rate only', async () => {
    const { json } = await read(`form=flat&asOf=${isoTime(DECIDED_AT)}`);
    expect(json.version).toBe(1);
    expect(json.form.initial.factor).toBe('0');
    expect(json.form.initial.baseRatePpm).toBe(json.brackets.at(-2).initialMarginRatePpm);
  });

  test.each(['form=cubic', 'form=linear&upTo=0', 'form=linear&upTo=999999999999', 'form=', 'upTo=5'])(
    '%s is refused',
    async (query) => {
      const { status, json } = await read(query);
      expect([status, json.code]).toEqual([400, 'INPUT_INVALID']);
    },
  );
});
