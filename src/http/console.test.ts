import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { consoleReads } from './console.ts';
import { sha256Of, TestService } from './test-service.ts';

/** A service that asks for keys. */
let service: TestService;
beforeAll(async () => {
  service = await TestService.start({
    keys: [{ name: 'desk', role: 'reader', sha256: sha256Of('key-of-a-desk-that-reads_0123456789') }],
  });
});
afterAll(() => service.stop());

async function assets(): Promise<readonly string[]> {
  const { text } = await service.call('/');
  return [...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, address]) => address);
}

describe('the console', () => {
  test('is open to whoever has no key, as it holds no data, while what it reads is not', async () => {
    const page = await service.call('/?from=mail');
    expect([page.status, page.headers['cache-control']]).toEqual([200, 'no-cache']);
    expect(page.text).not.toContain('BTCUSDT');
    for (const address of await assets())
      expect([address, (await service.call(address)).status]).toEqual([address, 200]);
    expect((await service.call('/v1/limits')).status).toBe(401);
  });

  test('has files that are kept for ever under names that change with them, packed for who takes that', async () => {
    const [script] = (await assets()).filter((address) => address.endsWith('.js'));
    expect(script).toMatch(/-[\w-]{8}\.js$/);
    const plain = await service.call(script);
    const packed = await service.call(script, { headers: { 'accept-encoding': 'gzip' } });
    expect(packed.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
  });

  test('is under 150 kB compressed, with all that its first page loads', async () => {
    const loaded = await Promise.all(
      ['/', ...(await assets())].map((address) =>
        service.call(address, { headers: { 'accept-encoding': 'gzip' } }),
      ),
    );
    const bytes = loaded.reduce((sum, { body }) => sum + body.length, 0);
    expect(bytes).toBeGreaterThan(5000);
    expect(bytes).toBeLessThan(150_000);
  });

  test('says how to build it where it was not built', () => {
    const reads = consoleReads(join(tmpdir(), 'no-such-console'));
    expect([...reads.keys()]).toEqual(['/']);
    expect(String(reads.get('/')?.plain.body)).toContain('npm run build');
  });
});
