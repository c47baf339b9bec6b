// Removes secrets from text before it leaves the Worker in log lines and error reports. Bounded work for any input.
// Rather removes too much than too little.

const redacted = '[redacted]'
/** The longest text that is kept; the rest is cut off. */
const maxTextLength = 16_384
const maxDepth = 8
const maxNodes = 2000
/** Shorter configured values (`dev`, `8787`) occur in ordinary text. */
const minKnownSecretLength = 8

export type Redact = (text: string) => string

/** Names whose value is a secret, in headers, JSON, query strings and key=value text. */
const secretNames =
  'authorization|proxy-authorization|cookie|set-cookie|plaid-verification|neon-connection-string|' +
  '(?:[a-z0-9]{1,20}[_-]){0,4}[a-z0-9]{0,20}' +
  '(?:secret|token|password|passwd|pwd|signature|(?:api|access|encryption|private|secret|signing|verification)[_-]?keys?)' +
  '(?:[_-](?:key|previous))?'
const secretName = new RegExp(`^(?:${secretNames})$`, 'i')

const assignment = String.raw`\\?["']?\s{0,8}[:=]\s{0,8}`
const quotedTwice = String.raw`\\"[^"\\]{0,8192}`
const quoted = String.raw`"(?:[^"\\]|\\.){0,8192}|'(?:[^'\\]|\\.){0,8192}`
const bare = String.raw`[^\s"',;&})\]\\]{1,8192}`

/** Each takes linear time: a start is either literal or bounded, and no two neighbours can match the same character. */
const patterns: readonly (readonly [RegExp, string])[] = [
  // user:password@ of any URL
  [/:\/\/[^\s"'<>]{1,512}@/g, `://${redacted}@`],
  [/\b(bearer|basic)\s{1,8}[^\s"',;]{1,8192}/gi, `$1 ${redacted}`],
  // a header that is a secret to the end of its line
  [/\b(authorization|(?:set-)?cookie)(["']?\s{0,8}[:=]\s{0,8}["']?)[^\r\n"']{1,8192}/gi, `$1$2${redacted}`],
  [
    new RegExp(`(?<![a-z0-9])(${secretNames})(${assignment})(?:${quotedTwice}|${quoted}|${bare})`, 'gi'),
    `$1$2${redacted}`,
  ],
  // Plaid's tokens: access-sandbox-…, link-production-…
  [/[a-z]{1,24}-(?:sandbox|development|production)-[A-Za-z0-9-]{8,256}/g, redacted],
  // Plaid's API secrets: 30 hexadecimal digits
  [/(?<![0-9a-f])[0-9a-f]{30}(?![0-9a-f])/g, redacted],
  // API keys of this service
  [/wn_(?:live|test)_[A-Za-z0-9]{9,256}/g, redacted],
  [/AGE-SECRET-KEY-[A-Z0-9]{1,128}/gi, redacted],
  [/[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g, redacted],
]

/** Tokens, JWTs, envelopes and keys of 32 bytes and more are runs of these. */
const longRun = /[A-Za-z0-9_+/=.~%-]{20,}/g
const jwtStart = /eyJ[A-Za-z0-9_-]{6}/
const hexKey = /[0-9a-fA-F]{64}/
/** Base64 of 32 bytes is 43 long; Plaid's ids (37) and UUIDs (36) stay. */
const base64UrlKey = /[A-Za-z0-9_+=-]{43,}/
const base64Key = /[A-Za-z0-9_+/=-]{43,}/

/** Keys mix cases; error codes and route names do not. Text with slashes may be a file's path, which has few digits. */
function isKeyLike(run: string): boolean {
  const plain = base64UrlKey.exec(run)?.[0]
  if (plain !== undefined && /[a-z]/.test(plain) && /[A-Z]/.test(plain)) return true
  const slashed = base64Key.exec(run)?.[0] ?? ''
  return /[a-z]/.test(slashed) && /[A-Z]/.test(slashed) && /\d\D*\d/.test(slashed)
}

function redactRun(run: string): string {
  const decoded = run.replaceAll(/%[0-9A-Fa-f]{2}/g, '/')
  return jwtStart.test(run) || hexKey.test(run) || isKeyLike(decoded) ? redacted : run
}

/** The text up to the limit, without a word that the limit cuts in two: half of a secret might not be recognized. */
function bound(text: string): string {
  if (text.length <= maxTextLength) return text
  const kept = text.slice(0, maxTextLength)
  const lastSpace = Math.max(kept.lastIndexOf(' '), kept.lastIndexOf('\n'))
  return `${kept.slice(0, Math.max(lastSpace, 0))} [cut]`
}

/**
 * A redactor that also removes these exact values: the configured secrets, which may match no pattern. Finds them
 * unchanged, percent-encoded and in JSON. Ignores values under 8 characters.
 */
export function createRedactor(knownSecrets: readonly string[] = []): Redact {
  const spellings = knownSecrets
    .filter((value) => value.length >= minKnownSecretLength)
    .flatMap((value) => [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)])
  const known = [...new Set(spellings)].sort((left, right) => right.length - left.length)
  return (text) => {
    let clean = bound(text)
    for (const value of known) clean = clean.replaceAll(value, redacted)
    for (const [pattern, replacement] of patterns) clean = clean.replace(pattern, replacement)
    return clean.replace(longRun, redactRun)
  }
}

/** Removes everything that looks like a secret. */
export const redact: Redact = createRedactor()

/**
 * A copy of any value with every string redacted and every member with a secret's name replaced. Cuts cycles, depths
 * over 8 and more than 2,000 nodes. Reads only members of plain data, so it runs no getter twice and no `toJSON`.
 */
export function redactValue(value: unknown, redactText: Redact = redact): unknown {
  let nodes = 0
  const seen = new Set<object>()

  function visit(node: unknown, depth: number): unknown {
    nodes += 1
    if (typeof node === 'string') return redactText(node)
    if (typeof node === 'bigint') return node.toString()
    if (typeof node === 'function' || typeof node === 'symbol') return undefined
    if (typeof node !== 'object' || node === null) return node
    if (depth >= maxDepth || nodes > maxNodes || seen.has(node)) return '[cut]'
    seen.add(node)
    return Array.isArray(node) ? visitElements(node, depth) : visitMembers(node, depth)
  }

  function visitElements(elements: readonly unknown[], depth: number): unknown[] {
    const copy: unknown[] = []
    for (const element of elements) {
      copy.push(visit(element, depth + 1))
      if (nodes > maxNodes) break
    }
    return copy
  }

  function visitMembers(node: object, depth: number): Record<string, unknown> {
    const copy: Record<string, unknown> = {}
    for (const [name, member] of Object.entries(node)) {
      copy[redactText(name)] = secretName.test(name) && member !== null ? redacted : visit(member, depth + 1)
      if (nodes > maxNodes) break
    }
    return copy
  }

  return visit(value, 0)
}
