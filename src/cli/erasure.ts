// `npm run erasure`: verifies the certificate of an erasure, and lists who was erased.
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { utf8 } from '../crypto/encoding.ts'
import { ownerUrl } from '../dev/lib/owner-url.ts'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { keyIdOf, verifyCertificate } from '../privacy/certificate.ts'
import { listErased, listHead } from './backup/erased.ts'
import { withConnection } from './lib/owner-connection.ts'

const help = `npm run -s erasure -- verify FILE [--url URL] [--key-id ID]
npm run -s erasure -- list

Verifies a certificate: its signature, and that the key is the deployment's. FILE holds the certificate, or the whole
response of POST /api/v1/privacy/erase or GET /api/v1/privacy/erasures/{id}. The key is confirmed by one of these:
  --url URL    the deployment still returns the same certificate; works after SECRET_KEY has changed
  --key-id ID  the id of the key, as the operator published it
  SECRET_KEY   the deployment's secret, current or former, in the environment

list prints its time and the number of erasures, then every erasure of MIGRATE_DATABASE_URL's database, each as a line
of JSON. Keep it outside of the database and of its backups: a restoration needs it (docs/disaster-recovery.md). It has
no names.`

const answerSchema = z.object({ certificate: z.string() })

/** The certificate in a file: alone, or as a member of a response. */
function certificateIn(text: string): string {
  const trimmed = text.trim()
  if (!trimmed.startsWith('{')) return trimmed
  const parsed = answerSchema.safeParse(JSON.parse(trimmed))
  if (!parsed.success) throw new Error('The file has no certificate: the erasure is not complete yet.')
  return parsed.data.certificate
}

async function isReturnedBy(url: string, id: string, certificate: string): Promise<boolean> {
  if (!URL.canParse(url)) throw misuse('--url must be the URL of the deployment.')
  const response = await fetch(new URL(`/api/v1/privacy/erasures/${id}`, url))
  if (response.status === 404) return false
  if (!response.ok) throw new Error(`${url} answered ${response.status}. Try again.`)
  return answerSchema.parse(await response.json()).certificate === certificate
}

interface Choices {
  readonly url?: string | undefined
  readonly 'key-id'?: string | undefined
}

async function verify(file: string, { url, 'key-id': wanted }: Choices): Promise<void> {
  const text = certificateIn(await readFile(file, 'utf8'))
  const { certificate, keyId } = await verifyCertificate(text)
  const secret = process.env['SECRET_KEY']
  const isConfirmed =
    (url !== undefined && (await isReturnedBy(url, certificate.id, text))) ||
    wanted === keyId ||
    (secret !== undefined && secret !== '' && (await keyIdOf(utf8(secret))) === keyId)
  process.stdout.write(`${JSON.stringify({ key_id: keyId, ...certificate }, null, 2)}\n`)
  if (!isConfirmed)
    throw new Error(
      `The signature is right, but nothing confirms that key ${keyId} is the deployment's: give --url, --key-id or SECRET_KEY.`,
    )
}

async function list(): Promise<void> {
  // Before the list is read: who is erased meanwhile may be missing.
  const now = new Date()
  const erasures = await withConnection(ownerUrl(), 'erasure', listErased)
  process.stdout.write(`${listHead(now, erasures.length)}\n`)
  for (const erased of erasures) process.stdout.write(`${JSON.stringify(erased)}\n`)
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    options: { url: { type: 'string' }, 'key-id': { type: 'string' } },
    allowPositionals: true,
  })
  const [action, file, ...more] = positionals
  if (action === 'list' && file === undefined) return list()
  if (action !== 'verify' || file === undefined || more.length > 0) throw misuse('Say `verify FILE` or `list`.')
  await verify(file, values)
}

if (import.meta.main) await runCommand(help, main)
