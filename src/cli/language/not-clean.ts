// Files and folders whose texts are not clean yet. The list only shrinks: an entry without findings fails the check.
export const notCleanYet: readonly string[] = [
  'docs/conformance.md',
  'test/unit/dev',
  'test/unit/plaid',
  'test/unit/ratelimit',
  'test/worker/db',
  'test/worker/http',
  'test/worker/identity',
  'test/worker/items',
  'test/worker/known-failures.test.ts',
  'test/worker/link',
  'test/worker/model.test.ts',
  'test/worker/plaid',
  'test/worker/queue',
  'test/worker/ratelimit',
  'test/worker/sync',
  'test/worker/webhooks',
]
