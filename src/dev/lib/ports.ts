// The ports of the local stack: read from the environment and checked before anything starts.
import { createServer } from 'node:net'
import * as z from 'zod'

const defaults = { PORT: 8787, PLAID_PORT: 8788, SQL_PORT: 8789, PG_PORT: 8790 } as const
const portSchema = z.coerce.number().int().min(0).max(65_535)

export type PortName = keyof typeof defaults
export type Ports = Record<PortName, number>

/** Listens and stops again. Resolves with the port, or null if it is taken or not allowed. */
function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : null))
    })
  })
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const port = await tryPort(0)
  if (port === null) throw new Error('The system has no free port.')
  return port
}

async function readPort(name: PortName, environment: NodeJS.ProcessEnv): Promise<number> {
  const given = environment[name] || defaults[name]
  const parsed = portSchema.safeParse(given)
  if (!parsed.success) throw new Error(`${name}=${given} is no port: give a number from 0 to 65535.`)
  if (parsed.data === 0 || (await tryPort(parsed.data)) !== null) return parsed.data
  throw new Error(`Port ${parsed.data} is taken: set ${name} to another one, or to 0 for any that is free.`)
}

/**
 * The ports to listen on; with 0 the listener chooses.
 * @throws Error that names the variable if a port is taken
 */
export async function readPorts(environment: NodeJS.ProcessEnv): Promise<Ports> {
  const ownServer = !environment['LOCAL_DATABASE_URL']
  const ports = {
    PORT: await readPort('PORT', environment),
    PLAID_PORT: await readPort('PLAID_PORT', environment),
    SQL_PORT: await readPort('SQL_PORT', environment),
    PG_PORT: ownServer ? await readPort('PG_PORT', environment) : 0,
  }
  const fixed = Object.values(ports).filter((port) => port !== 0)
  if (new Set(fixed).size === fixed.length) return ports
  throw new Error(`PORT, PLAID_PORT, SQL_PORT and PG_PORT must differ: ${fixed.join(', ')}.`)
}
