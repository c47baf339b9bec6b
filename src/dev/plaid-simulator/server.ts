// Starts the Plaid simulator on a port of this machine. Several can run in one process; they share nothing.
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { simulatorApp } from './app.ts'
import { createWorld } from './create-world.ts'
import { replay } from './replay.ts'
import { noJournal, openJournal } from './state/journal.ts'
import { type Settings, settingsFrom, type SimulatorOptions } from './state/options.ts'
import type { Stage } from './state/stage.ts'
import type { Site } from './state/world.ts'

export type { SimulatorOptions } from './state/options.ts'

export interface Simulator {
  /** The `basePath` for the `plaid` SDK. */
  url: string
  port: number
  /** Closes every connection, cancels every timer and webhook, and waits until nothing runs. */
  stop(): Promise<void>
}

/** The world of the journal, or a new one. */
async function openStage(settings: Settings, site: Site): Promise<Stage> {
  const { journalFile } = settings
  const kept = journalFile === null ? null : openJournal(journalFile, settings)
  const { journal, seed, historyDays, lines } = kept ?? { ...settings, journal: noJournal, lines: [] }
  const ofWorld = { ...settings, historyDays }
  const stage: Stage = {
    world: createWorld(ofWorld, seed, journal, site),
    async reset(next) {
      const before = stage.world
      journal.begin(next)
      stage.world = createWorld(ofWorld, next, journal, site)
      await before.timers.stop()
    },
  }
  await replay(stage.world, lines)
  return stage
}

/** The host of a URL that reaches a server on this address. */
function urlHost(address: string): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1'
  return address.includes(':') ? `[${address}]` : address
}

/** Starts the simulator. Rejects if the port is taken. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const settings = settingsFrom(options)
  const site: Site = { url: '' }
  const stage = await openStage(settings, site)
  const server = serve({ fetch: simulatorApp(stage).fetch, hostname: settings.host, port: settings.port })
  const { port } = await new Promise<AddressInfo>((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('the simulator has no TCP address'))
      else resolve(address)
    })
  })
  site.url = `http://${urlHost(settings.host)}:${port}`
  return {
    url: site.url,
    port,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      if ('closeAllConnections' in server) server.closeAllConnections()
      await stage.world.timers.stop()
      await closed
    },
  }
}
