// Decides which server may be loaded: one on this machine, or one that the operator says is theirs. The name is resolved
// once, and all connections go to that address, so that a name cannot change its meaning after the check.
import { lookup as lookUp } from 'node:dns/promises'
import { request as requestPlainly } from 'node:http'
import { request as requestOverTls } from 'node:https'
import { BlockList, isIP } from 'node:net'
import { misuse } from '../../dev/lib/run-command.ts'

export interface Target {
  readonly isTls: boolean
  /** The `Host` header. */
  readonly host: string
  /** The name in the certificate. */
  readonly hostname: string
  readonly address: string
  readonly port: number
}

export type Lookup = (hostname: string) => Promise<readonly string[]>

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

const isLoopback = (address: string): boolean => loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

const resolveName: Lookup = async (hostname) => (await lookUp(hostname, { all: true })).map(({ address }) => address)

function parse(text: string): URL {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) throw misuse('--url is an http(s) URL.')
  if (url.username !== '' || url.password !== '') throw misuse('--url must not contain a login.')
  return url
}

/** @throws Error unless every address of the host is on this machine, or `isOwn` */
export async function resolveTarget(text: string, isOwn: boolean, lookup: Lookup = resolveName): Promise<Target> {
  const { protocol, host, hostname: written, port } = parse(text)
  const hostname = written.replace(/^\[|\]$/g, '')
  const addresses = isIP(hostname) > 0 ? [hostname] : await lookup(hostname)
  const [address] = addresses
  if (address === undefined) throw new Error(`${hostname} has no address.`)
  if (!isOwn && !addresses.every(isLoopback))
    throw misuse(`${hostname} (${address}) is not this machine. Load only what is yours, and say so with --i-own-this.`)
  const isTls = protocol === 'https:'
  return { isTls, host, hostname, address, port: Number(port || (isTls ? 443 : 80)) }
}

const answerTimeoutMs = 10_000

/** Checks with one request that the target serves. Follows no redirect: it could lead to another machine. */
export async function checkServes(target: Target, signal: AbortSignal): Promise<void> {
  const { isTls, host, hostname, address, port } = target
  const options = {
    host: address,
    port,
    path: '/health',
    headers: { host },
    signal: AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]),
    ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
  }
  const { status, location } = await new Promise<{ status: number; location: string | undefined }>(
    (resolve, reject) => {
      const asked = (isTls ? requestOverTls : requestPlainly)(options, (answer) => {
        answer.resume()
        resolve({ status: answer.statusCode ?? 0, location: answer.headers.location })
      })
      asked.once('error', reject)
      asked.end()
    },
  )
  if (location !== undefined) throw new Error(`GET /health redirects to ${location}: redirects are not followed.`)
  if (status !== 200) throw new Error(`GET /health returns ${status}.`)
}
