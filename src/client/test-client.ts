import type { Clock } from '../clock.ts';
import type { ClientOptions } from './client.ts';
import { PlimsollClient } from './client.ts';

/** Clients of tests: quick to come back, and closed at the end. */
const open = new Set<PlimsollClient>();

export async function connect(
  url: string,
  clock: Clock,
  options: Partial<ClientOptions> = {},
): Promise<PlimsollClient> {
  const client = await PlimsollClient.connect({
    ...{ url, clock, seed: 5, firstPauseSeconds: 0.02, longestPauseSeconds: 0.05, ...options },
  });
  open.add(client);
  return client;
}

export function closeAll(): void {
  for (const client of open) client.close();
  open.clear();
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('waited in vain');
}
