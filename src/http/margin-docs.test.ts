import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TestService } from './test-service.ts';

test('the example in docs/margin.md is what the service answers', async () => {
  const text = readFileSync(`${import.meta.dirname}/../../docs/margin.md`, 'utf8');
  const [request, answer] = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, block]) => JSON.parse(block));
  const service = await TestService.start({ books: 0 });
  expect((await service.post('/v1/margin/simulate', request)).json).toEqual(answer);
  await service.stop();
});
