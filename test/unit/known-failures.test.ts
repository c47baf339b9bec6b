// The list of failures of other integrations of Plaid. For each there is a test whose title begins with its name.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const failures = [
  'row errors logged and the cursor advanced anyway',
  'partial pages applied after a failure',
  '`modified` for an unknown id dropped',
  'removals ignored',
  'a webhook during a sync lost',
  'the second of two webhooks in five minutes deduplicated away',
  'two workers inserting twice',
  'the verification key cached without looking at the kid',
  'the verification key fetched for every junk kid',
  'signature checked but body hash not',
  'unknown webhook types answered 400 until Plaid stopped sending',
  'the JWT path hanging instead of answering',
  'tokens in plaintext in a log table',
  'tokens in query strings',
  'a null category crashing the run',
  'an unofficial currency rejected',
  '12-digit amounts',
  'accounts closed because sync did not list them',
  'user notes overwritten',
  'item removed locally and billed for ever',
  'USER_ACCOUNT_REVOKED crashing on its missing `error`',
]

/** The part of each test title before the colon. Skipped tests do not count. */
async function failuresPlayedIn(file: string): Promise<string[]> {
  const text = await readFile(join(import.meta.dirname, '..', file), 'utf8')
  return [...text.matchAll(/^ *(?:it|test)\(\s*'([^':]+): /gm)].map(([, name = '']) => name)
}

it('every failure has a test of its name, and every such test a failure', async () => {
  const played = [
    ...(await failuresPlayedIn('worker/known-failures-sync.test.ts')),
    ...(await failuresPlayedIn('worker/known-failures-data.test.ts')),
    ...(await failuresPlayedIn('e2e/known-failures.test.ts')),
  ]
  expect([...new Set(played)].toSorted()).toEqual(failures.toSorted())
})
