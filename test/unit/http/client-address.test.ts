// The alarm of a deployed Worker that gets no client addresses.
import { describe, expect, it } from 'vitest'
import { type Door, openDoor, productionVariables, servicesOf } from './serve-app.ts'

const deployed = () => openDoor(() => servicesOf(productionVariables))
const alarms = (door: Door) => door.lines.filter(({ event }) => event === 'client_address_unknown')

describe('a client without an address', () => {
  it('is reported once where deployed', async () => {
    const door = deployed()
    await door.ask('/health')
    await door.ask('/health')
    expect(alarms(door)).toEqual([expect.objectContaining({ level: 'error', route: '/health' })])
  })

  it.each(['203.0.113.7', '2001:db8::1'])('is not reported as %s', async (address) => {
    const door = deployed()
    await door.ask('/health', { headers: { 'cf-connecting-ip': address } })
    expect(alarms(door)).toEqual([])
  })

  it('is not reported in development, where none has one', async () => {
    const door = openDoor()
    await door.ask('/health')
    expect(alarms(door)).toEqual([])
  })
})
