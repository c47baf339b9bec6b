// Writes the frozen vectors: `node test/vectors/make.ts`. README.md describes them. All keys are plainly fake.
import { createHmac, createPrivateKey, createPublicKey, scryptSync, sign } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Field, lengthPrefixed, mac, type Place, seal, sha256 } from './primitives.ts'

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const userId = '00000000-0000-4000-8000-00000000000a'
const ownerId = '00000000-0000-4000-8000-00000000000b'

function makeSealed() {
  const keys = ['v1', 'v2'].map((id) => ({ id, secret: `a fake encryption key of the vectors, ${id}` }))
  const token = (text: string) => ({ table: 'items', column: 'access_token_sealed', plaintext: text })
  const webhookSecret = (text: string) => ({
    table: 'webhook_endpoints',
    column: 'secret_sealed',
    plaintext: text,
  })
  const places = {
    items: token('a fake access token'),
    link_exchanges: token('a fake access token of an exchange'),
    plaid_removals: token('a fake access token of a removal'),
    link_sessions: { table: 'link_sessions', column: 'token_sealed', plaintext: 'a fake link token' },
    totp_secrets: {
      table: 'identity.accounts',
      column: 'totp_secret_sealed',
      plaintext: hex(Buffer.from('a fake TOTP secret 0')),
    },
    webhook_secrets: webhookSecret('whsec_a fake secret of an endpoint'),
    // A rotated secret keeps the seal that it was made with.
    previous_webhook_secrets: webhookSecret('whsec_a fake secret before a rotation'),
  }
  const values = Object.entries(places).flatMap(([place, { table, column, plaintext }], index) =>
    keys.map((key, at) => {
      const binding: Place = { table, column, userId: place === 'totp_secrets' ? ownerId : userId, itemId: ownerId }
      const fill = index * keys.length + at + 1
      return { place, keyId: key.id, ...binding, plaintext, fill, sealed: seal(key, plaintext, binding, fill) }
    }),
  )
  return { keys, currentKeyId: 'v2', values }
}

/** Access tokens outside of their item's row, bound to the table in which they lie. */
function makeSealedByTable() {
  const keys = ['v1', 'v2'].map((id) => ({ id, secret: `a fake encryption key of the vectors, ${id}` }))
  const values = ['link_exchanges', 'plaid_removals'].flatMap((table, index) =>
    keys.map((key, at) => {
      const binding: Place = { table, column: 'access_token_sealed', userId, itemId: ownerId }
      const [plaintext, fill] = [`a fake access token of ${table}`, 32 + index * keys.length + at]
      const sealed = seal(key, plaintext, binding, fill, 'wn2')
      return { place: table, keyId: key.id, version: 'wn2', ...binding, plaintext, fill, sealed }
    }),
  )
  return { keys, currentKeyId: 'v2', values }
}

function makeAudit() {
  const keys = ['a1', 'a2'].map((id) => ({ id, secret: `a fake audit key of these vectors, ${id}` }))
  const [time, previous, rowMac] = ['2026-01-02T03:04:05.678Z', Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  const chain = '00000000-0000-4000-8000-00000000000c'
  const row = {
    id: '00000000-0000-4000-8000-00000000000d',
    at: time,
    actorKind: 'user',
    actorHash: hex(Buffer.alloc(32, 3)),
    action: 'item_removed',
    targetKind: 'item',
    targetId: ownerId,
    requestId: '00000000-0000-4000-8000-00000000000e',
    correlationId: null,
    network: 'a fake network',
  }
  const link = { chain, number: 2, previous: hex(previous), auditId: row.id, rowMac: hex(rowMac), checkpoint: 3 }
  const heads = `${chain} 2 ${hex(previous)}`
  const checkpoint = { number: 3, at: time, previous: hex(previous), heads }
  const pruning = { chain, number: 2, mac: hex(previous), at: time }
  const erasure = { id: chain, subject_hash: '0'.repeat(64), requested_at: time }
  const manifest = '{"format": 1, "product": "wealthnavigator-edge"}\n'
  const fields: Readonly<Record<string, readonly (Field | null)[]>> = {
    row: [
      '1',
      row.id,
      time,
      row.actorKind,
      Buffer.from(row.actorHash, 'hex'),
      row.action,
      row.targetKind,
      row.targetId,
      row.requestId,
      row.correlationId,
      row.network,
    ],
    link: ['1', chain, '2', previous, row.id, rowMac, '3'],
    checkpoint: ['1', '3', time, previous, heads],
    pruning: ['1', chain, '2', previous, time],
    backup: [manifest],
    erasure: [erasure.id, erasure.subject_hash, erasure.requested_at],
  }
  const macs = Object.entries(fields).flatMap(([purpose, given]) =>
    keys.map(({ id, secret }) => {
      const marked = given.flatMap((field) => (field === null ? ['-'] : ['+', field]))
      const bytes = mac(secret, `audit-${purpose}`, [purpose, id, ...marked])
      return { purpose, keyId: id, mac: hex(bytes) }
    }),
  )
  const last = macs.findLast(({ purpose }) => purpose === 'checkpoint')?.mac ?? ''
  // As an operator keeps it, outside of the database.
  const anchor = { text: `3:${last.slice(0, 32)}`, mac: last }
  return { keys, currentKeyId: 'a2', signed: { row, link, checkpoint, pruning, manifest, erasure }, macs, anchor }
}

/** Ed25519 of a seed that is derived from SECRET_KEY (RFC 8410 for the encoding of the key). */
function makeCertificate(secret: string) {
  const seed = mac(secret, 'erasure-certificate', ['ed25519 seed'])
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  const keyId = hex(sha256(`ed25519 ${x}`)).slice(0, 16)
  const document = {
    format: 'wealthnavigator-erasure',
    format_version: 1,
    id: '00000000-0000-4000-8000-00000000000f',
    subject_hash: '0'.repeat(64),
    requested_at: '2026-01-02T03:04:05.678Z',
    completed_at: '2026-01-02T03:04:06.789Z',
    deleted: { transactions: 7, users: 1 },
    plaid: { items: 'removed', user: 'removed' },
    kept: [{ what: 'A hash', why: 'A reason.' }],
  }
  const jwk = { kty: 'OKP', crv: 'Ed25519', x }
  const header = base64(Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'erasure-certificate', kid: keyId, jwk })))
  const payload = base64(Buffer.from(JSON.stringify(document)))
  const signature = base64(sign(null, Buffer.from(`${header}.${payload}`), privateKey))
  return { document, keyId, header, payload, signature }
}

function makeSecretKey() {
  const secret = 'a fake SECRET_KEY of the vectors, nowhere in use'
  const pseudonym = (...fields: string[]) => base64(mac(secret, 'log-pseudonym', fields).subarray(0, 12))
  const [issuer, subject, email] = ['https://issuer.example', 'a subject', 'person@example.com']
  const [selector, verifier] = [Buffer.alloc(16, 4), Buffer.alloc(32, 5)]
  const token = Buffer.concat([selector, verifier])
  const nextVerifier = mac(secret, 'next-refresh-token', [token])
  const issuedAt = Date.parse('2026-01-02T03:04:05.678Z')
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(BigInt(issuedAt))
  const device = Buffer.concat([Buffer.alloc(16, 6), time.subarray(2)])
  return {
    secret,
    pseudonyms: {
      user: { issuer, subject, pseudonym: pseudonym('user', issuer, subject) },
      account: { email, pseudonym: pseudonym('account', email) },
      network: {
        network: '192.0.2.0/24',
        at: '2026-01-02T03:04:05.678Z',
        pseudonym: pseudonym('network', '2026-01-02', '192.0.2.0/24'),
      },
    },
    refreshToken: {
      token: base64(token),
      selectorHash: hex(sha256(selector)),
      verifierHash: hex(sha256(verifier)),
      next: base64(Buffer.concat([selector, nextVerifier])),
      nextVerifierHash: hex(sha256(nextVerifier)),
    },
    deviceToken: {
      email,
      id: hex(device.subarray(0, 16)),
      issuedAt: new Date(issuedAt).toISOString(),
      token: base64(Buffer.concat([device, mac(secret, 'device-token', [email, device])])),
    },
    certificate: makeCertificate(secret),
  }
}

function makePassword(password: string, logN: number, r: number, p: number) {
  const salt = Buffer.alloc(16, logN)
  const hash = scryptSync(password.normalize('NFC'), salt, 32, { N: 2 ** logN, r, p, maxmem: 2 ** 26 })
  return { password, stored: `$scrypt$ln=${logN},r=${r},p=${p}$${base64(salt)}$${base64(hash)}` }
}

/** A webhook in Plaid's format. Its private key was thrown away: a signature with ECDSA is another one each time. */
const plaidWebhook = {
  kid: '00000000-0000-4000-8000-000000000010',
  x: 'PDVtlNdOFBxLHJ1LBw4tjW_TXiKLracaTeMizPi5rlI',
  y: 'ngBsUFDLCpLIk0LHqp49DEHaIIO9u2IUDgZNZ9Zu5KM',
  body: '{"webhook_type": "TRANSACTIONS"}',
  seconds: 1_767_323_045,
  signature: '9dmCLEi-JZTHCHmwIXmwVVSYpj0KwNfOl8MgvSjCz4Xv88noqMmmlf03V80_VbMxo0MbTX4gVmeNRMmn-laa7A',
}

function makePlaidWebhook() {
  const { kid, body, seconds, signature } = plaidWebhook
  const claims = { iat: seconds, request_body_sha256: hex(sha256(body)) }
  const fields = ['jwt', kid, String(seconds), sha256(body), Buffer.from(signature, 'base64url').subarray(0, 32)]
  return {
    ...plaidWebhook,
    header: base64(Buffer.from(JSON.stringify({ alg: 'ES256', kid, typ: 'JWT' }))),
    claims: base64(Buffer.from(JSON.stringify(claims))),
    replayKey: base64(sha256(lengthPrefixed(fields))),
  }
}

function makeDigests() {
  const [issuer, subject, salt] = ['https://issuer.example/ü', 'a subject', Buffer.alloc(32, 8)]
  const code = (purpose: string, text: string) => ({
    purpose,
    text,
    hash: hex(sha256(lengthPrefixed([purpose, text.replaceAll('-', '')]))),
  })
  const [relaySecret, body, seconds] = ['a fake key of a relay, of 32 bytes', '{"a": 1}', 1_767_323_045]
  return {
    linkToken: { token: 'a fake link token', digest: hex(sha256('a fake link token')) },
    codes: [
      code('verify-email', 'ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23-4567'),
      code('reset-password', 'ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23-4567'),
      code('recovery', 'ABCD-EFGH-IJKL-MNOP-QRST-UVWX'),
    ],
    passwords: [
      makePassword('a fake pässword of the vectors', 15, 8, 3),
      makePassword('a fake pa\u0308ssword of the vectors', 14, 8, 1),
    ],
    actor: { salt: hex(salt), issuer, subject, hash: hex(sha256(lengthPrefixed([salt, issuer, subject]))) },
    person: { issuer, subject, person: `${Array.from(issuer).length}:${issuer}${subject}` },
    erased: {
      issuer,
      subject,
      hash: hex(sha256(`erased ${Buffer.byteLength(issuer)} ${issuer} ${subject}`)),
    },
    relayedWebhook: {
      secret: relaySecret,
      body,
      seconds,
      signature: createHmac('sha256', relaySecret).update(`${seconds}.${body}`).digest('hex'),
      replayKey: base64(sha256(lengthPrefixed(['hmac', String(seconds), sha256(body)]))),
    },
    plaidWebhook: makePlaidWebhook(),
  }
}

/** The text of each file but `envelopes.json` and `sealed-before.json`, which other programs wrote. */
export const makeVectors = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries({
      'sealed.json': makeSealed(),
      'sealed-wn2.json': makeSealedByTable(),
      'audit.json': makeAudit(),
      'secret-key.json': makeSecretKey(),
      'digests.json': makeDigests(),
    }).map(([name, content]) => [name, `${JSON.stringify(content, null, 2)}\n`]),
  )

if (import.meta.main)
  for (const [name, text] of Object.entries(makeVectors())) await writeFile(join(import.meta.dirname, name), text)
