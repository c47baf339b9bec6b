// Smoke tests of the transport: the certificate, the versions of TLS, and what plain http gets.
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { ask, codeOf } from '../lib/ask.ts'
import { type Check, fail, pass, type Verdict, warn } from '../lib/checks.ts'
import { describeAnswer, problemCode, type SmokePorts } from './target.ts'

const timeoutMs = 10_000
/** Cloudflare renews a certificate 30 days before its end. */
const leastDays = 14
const dayMs = 86_400_000

interface Handshake {
  readonly protocol: string | null
  readonly validTo: Date
}

/** One TLS handshake with a verified certificate. Rejects with the error of the handshake. */
function handshake({ at, ca }: SmokePorts, options: ConnectionOptions = {}): Promise<Handshake> {
  const host = at.hostname.replaceAll(/^\[|\]$/g, '')
  const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host }
  const where = { host, port: Number(at.port || '443'), ...name, ...(ca === undefined ? {} : { ca }) }
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ ...where, ...options }, () => {
      const { valid_to: validTo } = socket.getPeerCertificate()
      resolve({ protocol: socket.getProtocol(), validTo: new Date(validTo) })
      socket.destroy()
    })
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no TLS handshake in time')))
    socket.on('error', reject)
  })
}

/** There is no TLS to check on this machine; anywhere else, plain http is a failure. */
function withoutTls({ at, isLocal }: SmokePorts): Verdict | null {
  if (at.protocol === 'https:') return null
  if (isLocal)
    return warn('not checked: a stack on this machine has no TLS', 'Give --url the https URL of a deployment.')
  return fail(`${at.origin} is plain http`, 'Give --url the https URL of the deployment.')
}

const certificate: Check<SmokePorts> = {
  name: 'certificate',
  async check(ports) {
    const missing = withoutTls(ports)
    if (missing !== null) return missing
    const { validTo } = await handshake(ports)
    const days = Math.floor((validTo.getTime() - ports.now().getTime()) / dayMs)
    if (!Number.isFinite(days)) return fail('the certificate names no end', 'Look at SSL/TLS → Edge Certificates.')
    if (days < 0) return fail(`it ended ${-days} days ago`, 'Renew it: SSL/TLS → Edge Certificates of the zone.')
    if (days < leastDays)
      return warn(
        `valid, but only for ${days} more days`,
        'Find out why it was not renewed: SSL/TLS → Edge Certificates of the zone.',
      )
    return pass(`valid for ${days} more days`)
  },
}

const modernTls: Check<SmokePorts> = {
  name: 'TLS version',
  async check(ports) {
    const missing = withoutTls(ports)
    if (missing !== null) return missing
    const { protocol } = await handshake(ports)
    if (protocol === 'TLSv1.3' || protocol === 'TLSv1.2') return pass(protocol)
    return fail(`the handshake takes ${protocol}`, 'Turn TLS 1.3 on in the zone: SSL/TLS → Edge Certificates.')
  },
}

/** How a server says that it takes no such version. */
const refusals = new Set([
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  'ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY',
  'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
  'ECONNRESET',
])

const oldTls: Check<SmokePorts> = {
  name: 'old TLS is refused',
  async check(ports) {
    const missing = withoutTls(ports)
    if (missing !== null) return missing
    // Without this handshake, a server that is down would look like one that refuses.
    await handshake(ports)
    try {
      const { protocol } = await handshake(ports, {
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        // This machine's OpenSSL offers such versions at its lowest security level only.
        ciphers: 'DEFAULT:@SECLEVEL=0',
        rejectUnauthorized: false,
      })
      return fail(
        `${protocol} is accepted`,
        'Set *Minimum TLS Version* of the zone to 1.2: SSL/TLS → Edge Certificates.',
      )
    } catch (error) {
      const code = codeOf(error)
      if (code !== null && refusals.has(code)) return pass('TLS 1.1 is refused')
      return warn(
        `unknown: this machine could not try TLS 1.1 (${code ?? String(error)})`,
        'Run it on a machine whose OpenSSL has TLS 1.1, or use SSL Labs.',
      )
    }
  },
}

const alwaysHttps = 'Turn *Always Use HTTPS* on in the zone; the Worker itself does so where ENVIRONMENT is strict.'

function plainVerdict(answer: Awaited<ReturnType<typeof ask>>, at: URL): Verdict {
  const { status } = answer
  const location = URL.parse(answer.headers['location'] ?? '', at.href)
  if (status >= 300 && status < 400) {
    if (location?.protocol === 'https:' && location.hostname === at.hostname) return pass(`redirected (${status})`)
    return fail(`redirected to ${location?.origin ?? 'nowhere'}, not to ${at.origin}`, alwaysHttps)
  }
  const said = describeAnswer(answer)
  if (status === 403 && problemCode(answer) === 'https_required') return pass(`refused (${said})`)
  // 401 would mean that the token was looked at. Any other refusal can come before the one that is asked for here.
  if (status >= 400 && status < 500 && status !== 401)
    return warn(
      `unknown: ${said} does not say that https is required`,
      'Run it again in a minute, from another network.',
    )
  return fail(`answered with ${said}`, alwaysHttps)
}

async function askPlainly(ports: SmokePorts, path: string, headers: Record<string, string>): Promise<Verdict> {
  const missing = withoutTls(ports)
  if (missing !== null) return missing
  const base = ports.plainUrl ?? `http://${ports.at.hostname}`
  try {
    const answer = await ask(`${base}${path}`, { headers: { ...ports.headers, ...headers } })
    return plainVerdict(answer, ports.at)
  } catch (error) {
    if (codeOf(error) === 'ECONNREFUSED') return pass('nothing listens for plain http')
    return warn(`unknown: ${error instanceof Error ? error.message : String(error)}`, 'Try it from another network.')
  }
}

const plainHttp: Check<SmokePorts> = {
  name: 'plain http',
  check: (ports) => askPlainly(ports, '/health', {}),
}

const plainToken: Check<SmokePorts> = {
  name: 'a token over plain http',
  check: (ports) => askPlainly(ports, '/api/v1/plaid/items', { authorization: 'Bearer not-a-token' }),
}

export const transportChecks: readonly Check<SmokePorts>[] = [certificate, modernTls, oldTls, plainHttp, plainToken]
