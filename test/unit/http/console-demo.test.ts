// The limits of the demo sessions, which exist on a laptop only.
import { expect, test } from 'vitest'
import { demoOperatorRoute, demoSessionRoute } from '../../../src/http/routes/console.ts'
import { policyOf } from '../../../src/ratelimit/policies.ts'

test('a demo session counts against no limit of sign-ins: each load of a page starts one', () => {
  const limits = [demoSessionRoute, demoOperatorRoute].map(({ limit }) => policyOf(limit ?? null))
  expect(limits).toEqual([null, null])
})
