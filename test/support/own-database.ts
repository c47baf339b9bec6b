// A database for the tests of one file, and a connection to it.
import { Client } from 'pg'
import { afterAll, beforeAll, inject } from 'vitest'
import { connectStack, type TestDatabase } from './stack.ts'

/** Creates a database for all tests of the file, and connects to one of its URLs: by default the owner's. */
export function useDatabase(take: (client: Client) => void, url: 'ownerUrl' | 'apiUrl' = 'ownerUrl'): void {
  const stack = connectStack(inject('control'))
  let database: TestDatabase
  let client: Client
  beforeAll(async () => {
    database = await stack.createDatabase()
    client = new Client(database[url])
    await client.connect()
    take(client)
  })
  afterAll(async () => {
    await client.end()
    await stack.dropDatabase(database.name)
  })
}
