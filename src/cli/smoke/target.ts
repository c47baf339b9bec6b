// What a smoke test asks: a deployment, and how its requests are sent.
import { type Answered, ask, type Asked, jsonOf } from '../lib/ask.ts'

export interface SmokeTarget {
  /** The origin of the deployment, such as `https://api.example.com`. */
  readonly url: string
  /** Sent with every request, such as `Cloudflare-Workers-Version-Overrides`. */
  readonly headers?: Readonly<Record<string, string>>
  /** The version that must respond. */
  readonly version?: string
  /** An access token, for a read. `afterDeploy` needs an administrator's. */
  readonly token?: string | undefined
  /** Also checks what the admin routes say about the time since the deployment. */
  readonly afterDeploy?: boolean
  /** The metrics of an earlier reading: then `afterDeploy` counts from there. */
  readonly metricsBefore?: string | undefined
  /** PEM of a certificate authority that is trusted in place of the usual ones. */
  readonly ca?: string | undefined
  /** Where plain http is served; by default the same host at port 80. */
  readonly plainUrl?: string | undefined
}

export interface SmokePorts extends SmokeTarget {
  readonly at: URL
  /** Whether the deployment is a stack on this machine, which has no TLS. */
  readonly isLocal: boolean
  readonly now: () => Date
  readonly send: (path: string, asked?: Asked) => Promise<Answered>
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/** @throws Error if the URL is no http(s) URL */
export function smokePorts(target: SmokeTarget, now: () => Date = () => new Date()): SmokePorts {
  const at = URL.parse(target.url)
  if (at === null || !/^https?:$/.test(at.protocol)) throw new Error(`${target.url} is not an http(s) URL.`)
  return {
    ...target,
    at,
    isLocal: at.protocol === 'http:' && loopback.has(at.hostname),
    now,
    send: (path, asked = {}) =>
      ask(`${at.origin}${path}`, { ca: target.ca, ...asked, headers: { ...target.headers, ...asked.headers } }),
  }
}

/** The `code` of a problem; null where the response is none. */
export function problemCode(answer: Answered): string | null {
  const body = jsonOf(answer)
  return typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string' ? body.code : null
}

/** `401 unauthorized` */
export const describeAnswer = (answer: Answered): string => `${answer.status} ${problemCode(answer) ?? ''}`.trimEnd()
