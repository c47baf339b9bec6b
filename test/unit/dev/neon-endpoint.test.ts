import { neon } from '@neondatabase/serverless'
import { neonConfig } from '@neondatabase/serverless'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { connectStack } from '../../support/stack.ts'
import type { TestDatabase } from '../../support/stack.ts'

const stack = connectStack(inject('control'))
let database: TestDatabase

beforeAll(async () => {
  database = await stack.createDatabase()
  neonConfig.fetchEndpoint = () => database.endpoint
}, 60_000)

describe('the Neon endpoint', () => {
  it('answers a query with text values', async () => {
    expect(await neon(database.ownerUrl)`SELECT 1::int8 AS one`).toEqual([{ one: '1' }])
  })
})
