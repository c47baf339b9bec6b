// The converter itself, with Plaid's own examples: a converter that accepts or refuses too much proves nothing.
import { expect, test } from 'vitest'
import { readDescription } from './description.ts'

const description = readDescription()

test('the schemas take nearly all of Plaid’s own examples', () => {
  const schemaFaults = description.examples.map(({ path, name, value }) => ({
    of: `${path} ${name}`,
    faults: description.answerFaults(path, value).filter((fault) => !fault.endsWith('is not in the description')),
  }))
  const refused = schemaFaults.filter(({ faults }) => faults.length > 0)
  expect(description.examples.length).toBeGreaterThan(250)
  // Two examples contradict their own schemas.
  expect(refused.slice(2)).toEqual([])
})

test('the schemas refuse a response with a missing required field, a wrong type, or a field that Plaid does not have', () => {
  const example = { request_id: 'r', link_token: 'link-sandbox-x', expiration: '2026-01-01T00:00:00Z' }
  expect(description.answerFaults('/link/token/create', example)).toEqual([])
  expect(description.answerFaults('/link/token/create', { ...example, link_token: undefined })).not.toEqual([])
  expect(description.answerFaults('/link/token/create', { ...example, link_token: 1 })).not.toEqual([])
  expect(description.answerFaults('/link/token/create', { ...example, linktoken: 'x' })).not.toEqual([])
})
