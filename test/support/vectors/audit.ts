// The frozen signatures of the audit keys: test/vectors/audit.json.
import * as z from 'zod'
import { type AuditField, auditPurposes, createAuditKeys } from '../../../src/audit/keys.ts'
import {
  anchorMac,
  checkpointFields,
  decodeHeads,
  encodeHeads,
  linkFields,
  pruningFields,
} from '../../../src/audit/signed-chain.ts'
import { actorKinds, fieldsOf } from '../../../src/audit/signed-row.ts'
import { parseAnchor } from '../../../src/audit/verify.ts'
import { macOf, verifyMac } from '../../../src/backup/format.ts'
import { openTombstone, tombstoneKey, tombstoneSchema, tombstoneText } from '../../../src/backup/tombstones.ts'
import { decodeHex, encodeBase64, encodeHex, utf8 } from '../../../src/crypto/encoding.ts'
import auditFile from '../../vectors/audit.json' with { type: 'json' }
import type { FrozenVector } from './frozen-vector.ts'

const hexBytes = z.string().transform((text) => {
  const bytes = decodeHex(text)
  if (bytes === null) throw new Error(`${text} is not hexadecimal`)
  return bytes
})
const purpose = z.enum(auditPurposes)

const file = z
  .object({
    keys: z.array(z.object({ id: z.string(), secret: z.string() })),
    currentKeyId: z.string(),
    signed: z.object({
      row: z.object({
        id: z.string(),
        at: z.coerce.date(),
        actorKind: z.enum(actorKinds),
        actorHash: hexBytes,
        action: z.string(),
        targetKind: z.string(),
        targetId: z.string(),
        requestId: z.string(),
        correlationId: z.null(),
        network: z.string(),
      }),
      link: z.object({
        chain: z.string(),
        number: z.int(),
        previous: hexBytes,
        auditId: z.string(),
        rowMac: hexBytes,
        checkpoint: z.int(),
      }),
      checkpoint: z.object({ number: z.int(), at: z.coerce.date(), previous: hexBytes, heads: z.string() }),
      pruning: z.object({ chain: z.string(), number: z.int(), mac: hexBytes, at: z.coerce.date() }),
      manifest: z.string(),
      erasure: tombstoneSchema,
    }),
    macs: z.array(z.object({ purpose, keyId: z.string(), mac: hexBytes })),
    anchor: z.object({ text: z.string(), mac: hexBytes }),
  })
  .parse(auditFile)

const { signed } = file
const fields: Readonly<Record<z.output<typeof purpose>, readonly AuditField[]>> = {
  row: fieldsOf(signed.row),
  link: linkFields(signed.link),
  checkpoint: checkpointFields(signed.checkpoint),
  pruning: pruningFields(signed.pruning),
  backup: [signed.manifest],
  erasure: [signed.erasure.id, signed.erasure.subject_hash, signed.erasure.requested_at],
}

function keysWith(currentId: string) {
  const keys = file.keys.map(({ id, secret }) => ({ id, secret: utf8(secret) }))
  const current = keys.find(({ id }) => id === currentId)
  if (current === undefined) throw new Error(`no key ${currentId} in the vectors`)
  return createAuditKeys({ current, previous: keys.filter(({ id }) => id !== currentId) })
}

const macVectors = file.macs.flatMap((given): FrozenVector[] => [
  {
    name: `the MAC of a ${given.purpose} with the key ${given.keyId}`,
    read: () => keysWith(file.currentKeyId).verify(given.purpose, fields[given.purpose], given),
    expected: 'valid',
  },
  {
    name: `the format in which a ${given.purpose} is signed by the key ${given.keyId}`,
    read: () => keysWith(given.keyId).sign(given.purpose, fields[given.purpose]),
    expected: { keyId: given.keyId, mac: given.mac },
  },
])

const manifestVectors = file.macs
  .filter((given) => given.purpose === 'backup')
  .flatMap(({ keyId, mac }): FrozenVector[] => {
    const text = `${keyId} ${encodeBase64(mac)}\n`
    return [
      {
        name: `the file manifest.mac with the key ${keyId}`,
        read: () => verifyMac(keysWith(file.currentKeyId), signed.manifest, text),
        expected: 'valid',
      },
      {
        name: `the format of manifest.mac with the key ${keyId}`,
        read: () => macOf(keysWith(keyId), signed.manifest),
        expected: text,
      },
    ]
  })

const tombstoneVectors = file.macs
  .filter((given) => given.purpose === 'erasure')
  .flatMap(({ keyId, mac }): FrozenVector[] => {
    const text = `${JSON.stringify({ ...signed.erasure, key_id: keyId, mac: encodeBase64(mac) })}\n`
    return [
      {
        name: `the tombstone of an erasure with the key ${keyId}`,
        read: () => openTombstone(keysWith(file.currentKeyId), tombstoneKey(signed.erasure), text),
        expected: signed.erasure,
      },
      {
        name: `the format of a tombstone with the key ${keyId}`,
        read: () => tombstoneText(keysWith(keyId), signed.erasure),
        expected: text,
      },
    ]
  })

const headVector: FrozenVector = {
  name: 'the heads of a checkpoint',
  read: () => {
    const heads = decodeHeads(signed.checkpoint.heads) ?? []
    return {
      heads: heads.map((head) => ({ ...head, mac: encodeHex(head.mac) })),
      again: encodeHeads(heads),
    }
  },
  expected: {
    heads: [{ chain: signed.link.chain, number: 2, mac: encodeHex(signed.checkpoint.previous) }],
    again: signed.checkpoint.heads,
  },
}

const anchorVector: FrozenVector = {
  name: 'a checkpoint that an operator has kept',
  read: () => parseAnchor(file.anchor.text),
  expected: { number: signed.checkpoint.number, mac: anchorMac(file.anchor.mac) },
}

/** The purposes for which there is a vector. */
export const signedPurposes: readonly string[] = file.macs.map((given) => given.purpose)
export const auditVectors: readonly FrozenVector[] = [
  ...macVectors,
  ...manifestVectors,
  ...tombstoneVectors,
  headVector,
  anchorVector,
]
