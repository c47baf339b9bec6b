// The alarm of a deployed Worker that gets no client addresses.
import { describe, expect, it } from 'vitest'
import { type ServedApp, serveApp, productionVariables, servicesOf } from './serve-app.ts'

const deployed = () => serveApp(() => servicesOf(productionVariables))
const alarms = (served: ServedApp) => served.lines.filter(({ event }) => event === 'client_address_unknown')

describe('a client without an address', () => {
  it('is reported once where deployed', async () => {
    const served = deployed()
    await served.ask('/health')
    await served.ask('/health')
    expect(alarms(served)).toEqual([expect.objectContaining({ level: 'error', route: '/health' })])
  })

  it.each(['203.0.113.7', '2001:db8::1'])('is not reported as %s', async (address) => {
    const served = deployed()
    await served.ask('/health', { headers: { 'cf-connecting-ip': address } })
    expect(alarms(served)).toEqual([])
  })

  it('is not reported in development, where none has one', async () => {
    const served = serveApp()
    await served.ask('/health')
    expect(alarms(served)).toEqual([])
  })
})
