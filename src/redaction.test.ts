import { pino } from 'pino';
import { expect, test } from 'vitest';
import { PlimsollError } from './errors.ts';
import { REDACTED } from './redaction.ts';

test('what must stay secret is in no line of the log, wherever it comes up to three levels deep, and the rest is', () => {
  const secret = 'very-secret-0123456789';
  const lines: string[] = [];
  const logger = pino(
    { redact: { paths: [...REDACTED], censor: '(redacted)' } },
    { write: (line: string) => void lines.push(line) },
  );
  const headers = {
    authorization: `Bearer ${secret}`,
    cookie: secret,
    'x-mbx-apikey': secret,
    host: 'shown',
  };
  logger.info({ key: secret, token: secret, secret, password: secret, signature: secret }, 'at the top');
  logger.info(headers, 'headers alone');
  logger.info({ headers }, 'headers of something');
  logger.info({ request: { headers } }, 'headers of a request');
  logger.info({ webhook: { name: 'shown', secret, operatorKey: secret } }, 'a webhook');
  const err = new PlimsollError('IO_FAILED', 'shown', { details: { token: secret } });
  logger.error({ err }, 'a failure with details');
  expect(lines).toHaveLength(6);
  for (const line of lines) expect(line).not.toContain(secret);
  expect(lines.filter((line) => line.includes('shown')).length).toBe(5);
});
