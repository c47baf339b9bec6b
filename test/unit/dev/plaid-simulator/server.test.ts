// Starting and stopping: several simulators concurrently, on chosen and on free ports.
import { expect, test } from 'vitest'
import { startSimulator } from '../../../../src/dev/plaid-simulator/server.ts'
import { credentials, openDesk } from './bank-desk.ts'

test('two simulators in one process know nothing of each other', async () => {
  const [left, right] = [await openDesk(), await openDesk({ seed: 'other' })]
  const { access_token } = await left.link()
  expect((await right.post('/item/get', { access_token })).body['error_code']).toBe('INVALID_ACCESS_TOKEN')
  expect((await right.control('/truth')).body).toEqual({ items: [] })
})

test('a port that is taken is an error, and its owner continues', async () => {
  const desk = await openDesk()
  await expect(startSimulator({ port: desk.simulator.port, ...credentials })).rejects.toThrow('EADDRINUSE')
  expect((await desk.control('/calls')).status).toBe(200)
})

test('nothing responds after stop, and the port is free again', async () => {
  const desk = await openDesk()
  await desk.simulator.stop()
  await expect(fetch(desk.simulator.url)).rejects.toThrow('fetch failed')
  const again = await startSimulator({ port: desk.simulator.port, ...credentials })
  expect(again.port).toBe(desk.simulator.port)
  await again.stop()
})
