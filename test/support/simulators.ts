// The Plaid simulators of a test run, one for each test that requests one.
import type { SimulatorChoices, TestSimulator } from './stack.ts'

export interface Simulators {
  start(options: SimulatorChoices): Promise<TestSimulator>
  stop(id: string): Promise<void>
  stopAll(): Promise<void>
}

/** Most tests need a history, not a long one. */
const historyDays = 90
const clientId = 'test-client-id'
const secret = 'test-plaid-secret'

export function createSimulators(): Simulators {
  const running = new Map<string, { stop(): Promise<void> }>()
  let count = 0
  const stop = async (id: string) => {
    const simulator = running.get(id)
    if (simulator === undefined) throw new Error(`${id} is no simulator of this run`)
    running.delete(id)
    await simulator.stop()
  }
  return {
    async start(options) {
      // Loaded on demand: a run without a bank does not need it.
      const { startSimulator } = await import('../../src/dev/plaid-simulator/server.ts')
      const simulator = await startSimulator({ port: 0, clientId, secret, historyDays, ...options })
      const id = String((count += 1))
      running.set(id, simulator)
      return { id, url: simulator.url, clientId, secret }
    },
    stop,
    stopAll: async () => {
      await Promise.all([...running.keys()].map(stop))
    },
  }
}
