// Cloudflare's edge on loopback: sends each request to a version by the traffic table of an invented account, and to the
// version that the override header names where that is deployed.
import { createServer, type IncomingMessage } from 'node:http'
import { readAccount } from './account.ts'

export interface Behaviour {
  /** The status of the nth request to a path, counted from 1. */
  readonly statusOf?: (path: string, count: number) => number
  /** A version from before responses named theirs. */
  readonly isNameless?: boolean
}

export interface EdgeServer {
  readonly url: string
  /** What a version does; 200 for everything without. */
  readonly behaviours: Map<string, Behaviour>
  /** How many requests ignore the override header, as in the seconds after a deployment. */
  ignored: number
  /** The requests so far, as `version /path`. */
  readonly served: string[]
  end: () => Promise<void>
}

function overriding(request: IncomingMessage, workerName: string): string | null {
  const header = request.headers['cloudflare-workers-version-overrides']
  const found = new RegExp(`^${workerName}="([^"]+)"$`).exec(typeof header === 'string' ? header : '')
  return found?.[1] ?? null
}

/** The version that a request gets; null without a deployment. `ignoresOverride` may be called once a request. */
export function versionChooser(folder: string, workerName: string, ignoresOverride: () => boolean = () => false) {
  let turn = 0
  return (request: IncomingMessage): string | null => {
    const shares = readAccount(folder).workers[workerName]?.deployments.at(-1)?.versions ?? []
    const wanted = overriding(request, workerName)
    if (wanted !== null && !ignoresOverride() && shares.some((share) => share.version_id === wanted)) return wanted
    // Exact shares of each hundred requests.
    turn = (turn + 37) % 100
    let below = 0
    return shares.find((share) => (below += share.percentage) > turn)?.version_id ?? null
  }
}

export async function startEdge(folder: string, workerName: string): Promise<EdgeServer> {
  const behaviours = new Map<string, Behaviour>()
  const counts = new Map<string, number>()
  const served: string[] = []
  const versionFor = versionChooser(folder, workerName, () => {
    if (edge.ignored === 0) return false
    edge.ignored -= 1
    return true
  })

  const server = createServer((request, response) => {
    const version = versionFor(request)
    if (version === null) return void response.writeHead(530).end('no deployment')
    const path = request.url ?? ''
    const count = (counts.get(`${version} ${path}`) ?? 0) + 1
    counts.set(`${version} ${path}`, count)
    served.push(`${version} ${path}`)
    const { statusOf = () => 200, isNameless = false } = behaviours.get(version) ?? {}
    const body = { status: 'ready', frozen: false, ...(isNameless ? {} : { version }) }
    response.writeHead(statusOf(path, count), { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  const edge: EdgeServer = {
    url: `http://127.0.0.1:${address.port}`,
    behaviours,
    ignored: 0,
    served,
    end: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return edge
}
