// Judges a version: at 0 % by the version override header, then by its error rate. Never judges on nothing.
import type { DeployPorts, ErrorRate, Judgement } from './ports.ts'

type WatchPorts = Pick<DeployPorts, 'ask' | 'sources' | 'judgement' | 'now' | 'wait' | 'print'>

const readyWithinMs = 120_000
/** The first deployment creates the certificate, and until then no request reaches the Worker. */
export const firstReadyWithinMs = 1_200_000
const askEveryMs = 2000

/**
 * Waits until the version itself says that it is ready. Cloudflare needs some seconds until it applies the header, and until
 * then another version responds.
 * @throws Error if the version does not get ready, or no response comes from it
 */
export async function waitUntilReady(
  { ask, now, wait }: Pick<DeployPorts, 'ask' | 'now' | 'wait'>,
  version: string,
  override: string | null,
  withinMs = readyWithinMs,
): Promise<void> {
  const until = now().getTime() + withinMs
  for (;;) {
    const answer = await ask(override)
    if (answer.version === version && answer.status === 200) return
    if (now().getTime() >= until) {
      const seen = answer.version === null ? 'a version that it does not name' : answer.version
      throw new Error(
        answer.version === version
          ? `The version ${version} is not ready: /ready returns ${answer.status}.`
          : `The version ${version} does not respond: /ready comes from ${seen}, with ${answer.status}.`,
      )
    }
    await wait(askEveryMs)
  }
}

/** A single failed request can be chance: it stops nothing by itself. */
export const isTooMany = (
  { requests, errors }: ErrorRate,
  { maxErrorRate }: Pick<Judgement, 'maxErrorRate'>,
): boolean => errors > Math.max(1, maxErrorRate * requests)

const describe = ({ requests, errors }: ErrorRate): string => `${errors} of ${requests} requests failed`

/** One request of this command. What another version responds says nothing about this one. */
async function probe({ ask }: Pick<DeployPorts, 'ask'>, version: string, own: ErrorRate): Promise<ErrorRate> {
  const answer = await ask(version)
  const failed = answer.status === 0 || answer.status >= 500
  // A failure that names no version may be this one's, so it counts.
  const isItsOwn = answer.version === version || (failed && answer.version === null)
  if (!isItsOwn) return own
  return { requests: own.requests + 1, errors: own.errors + (failed ? 1 : 0) }
}

/** Reads the other sources. One that fails is reported once and known to know nothing. */
function reader({ sources, print }: Pick<DeployPorts, 'sources' | 'print'>) {
  const broken = new Set<string>()
  return async (version: string, since: Date): Promise<{ name: string; rate: ErrorRate }[]> => {
    const read = sources.map(async ({ name, readErrorRate }) => {
      try {
        const rate = await readErrorRate(version, since)
        return rate === null ? [] : [{ name, rate }]
      } catch (error) {
        if (!broken.has(name))
          print(`  ${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
        broken.add(name)
        return []
      }
    })
    return (await Promise.all(read)).flat()
  }
}

/**
 * Watches a version that has traffic. Sends a request to it at each look, so that a quiet night has a minimum of requests
 * too, and reads what Cloudflare counted.
 * @throws Error if too many requests failed, or too few were seen
 */
export async function watch(ports: WatchPorts, version: string): Promise<void> {
  const { judgement, now, wait, print } = ports
  const { minRequests, watchMs, extraMs, everyMs } = judgement
  const since = now()
  const read = reader(ports)
  let own: ErrorRate = { requests: 0, errors: 0 }
  for (;;) {
    own = await probe(ports, version, own)
    const rates = [{ name: 'requests of this command', rate: own }, ...(await read(version, since))]
    const bad = rates.find(({ rate }) => isTooMany(rate, judgement))
    if (bad !== undefined) throw new Error(`The version ${version} fails: ${describe(bad.rate)} (${bad.name}).`)
    const elapsed = now().getTime() - since.getTime()
    const seen = Math.max(...rates.map(({ rate }) => rate.requests))
    if (elapsed >= watchMs && seen >= minRequests) {
      for (const { name, rate } of rates) print(`  ${describe(rate)} (${name})`)
      return
    }
    if (elapsed >= watchMs + extraMs)
      throw new Error(
        `The version ${version} cannot be judged: ${seen} requests in ${Math.round(elapsed / 60_000)} minutes, at least ` +
          `${minRequests} are needed.`,
      )
    await wait(everyMs)
  }
}
