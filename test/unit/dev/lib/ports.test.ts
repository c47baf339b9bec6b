// Ports are checked before anything starts, and the error names the variable.
import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freePort, readPorts } from '../../../../src/dev/lib/ports.ts'

let server: Server
let taken: number

beforeAll(async () => {
  taken = await freePort()
  server = createServer()
  await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve))
})
afterAll(() => void server.close())

const anywhere = { PORT: '0', PLAID_PORT: '0', SQL_PORT: '0', PG_PORT: '0' }

it('0 is left for the listener to choose', async () => {
  expect(await readPorts(anywhere)).toEqual({ PORT: 0, PLAID_PORT: 0, SQL_PORT: 0, PG_PORT: 0 })
})

it.each(['PORT', 'PLAID_PORT', 'SQL_PORT', 'PG_PORT'])('a taken %s is refused by name', async (name) => {
  await expect(readPorts({ ...anywhere, [name]: String(taken) })).rejects.toThrow(`${taken} is taken: set ${name} `)
})

it.each(['http', '-1', '65536', '1.5'])('%s is no port', async (value) => {
  await expect(readPorts({ ...anywhere, SQL_PORT: value })).rejects.toThrow(`SQL_PORT=${value} is no port`)
})

it('two equal ports are refused', async () => {
  const port = String(await freePort())
  await expect(readPorts({ ...anywhere, PORT: port, PLAID_PORT: port })).rejects.toThrow('must differ')
})

it('the port of the database is not checked for an external database', async () => {
  const given = { ...anywhere, PG_PORT: String(taken), LOCAL_DATABASE_URL: 'postgres://u:p@localhost/d' }
  expect((await readPorts(given)).PG_PORT).toBe(0)
})
