// Secrets of the configuration are redacted in every text and in every form.
import { expect, it } from 'vitest'
import { developmentVariables, servicesOf } from '../http/serve-app.ts'

const keyFrom = (first: number): string =>
  Buffer.from(Array.from({ length: 32 }, (_, index) => (first + index * 5) % 256)).toString('hex')

const secrets = {
  PLAID_SECRET: 'the plaid secret of this test',
  SECRET_KEY: 'the secret key of this test, long enough',
  SECRET_KEY_PREVIOUS: 'the previous secret key of this test, also',
  ENCRYPTION_KEY: keyFrom(1),
  AUDIT_KEY: keyFrom(2),
  PLAID_WEBHOOK_VERIFICATION_KEY: 'the key of a relay of webhooks in this test',
  ALERT_WEBHOOK_URL: 'https://hooks.test/services/a-path-that-is-secret',
  PLAID_WEBHOOK_VERIFICATION_KEY_PREVIOUS: 'the previous key of a relay of webhooks in this test',
  ALERT_WEBHOOK_SECRET: `whsec_${'c2VjcmV0'.repeat(4)}`,
  ALERT_WEBHOOK_SECRET_PREVIOUS: `whsec_${'Zm9ybWVy'.repeat(4)}`,
}
/** Base64 that looks like words: only its value shows that it is a key. */
const retired = {
  k0: `retired/encryption/key${'/of/words'.repeat(3)}/only/a`,
  a0: `retired/audit/key${'/of/words'.repeat(4)}/ab`,
}

it('a current and a retired secret are redacted in any text', () => {
  const { redact } = servicesOf({
    ...developmentVariables,
    ...secrets,
    ENCRYPTION_KEYS_PREVIOUS: JSON.stringify({ k0: retired.k0 }),
    AUDIT_KEYS_PREVIOUS: JSON.stringify({ a0: retired.a0 }),
  })
  for (const secret of [...Object.values(secrets), ...Object.values(retired)])
    expect(redact(`read '${secret}' there`)).toBe("read '[redacted]' there")
})
