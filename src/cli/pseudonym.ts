// `npm run pseudonym`: prints the pseudonym of an account, a network or a user in log lines. Needs only SECRET_KEY.
import { parseArgs } from 'node:util'
import { LOCAL_ISSUER } from '../auth/access-token.ts'
import { utf8 } from '../crypto/encoding.ts'
import { readLocalVariables } from '../dev/lib/local-variables.ts'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { createPseudonyms, type Pseudonyms } from '../monitoring/pseudonyms.ts'
import { clientOf, isUnknown, networkOf } from '../ratelimit/address.ts'

const help = `npm run -s pseudonym -- account EMAIL                      the field account of log lines
npm run -s pseudonym -- network ADDRESS [--day YYYY-MM-DD]  the field network, on that day (UTC; today)
npm run -s pseudonym -- user SUBJECT [--issuer ISSUER]      the field user

Computes the value from SECRET_KEY (from the environment, else .dev.vars, else .dev.vars.example), which must be the key of the
deployment at the time of the lines.
  ADDRESS   an IPv4 or IPv6 address; its /24 or /48 is what lines name
  SUBJECT   the id of a built-in account, or the sub of the issuer's tokens
  ISSUER    their iss, where an OIDC issuer signs them`

function networkName(pseudonyms: Pseudonyms, address: string, day: string | undefined): Promise<string> {
  const client = clientOf(address, null)
  if (isUnknown(client)) throw misuse('ADDRESS must be an IPv4 or IPv6 address.')
  const at = day === undefined ? new Date() : new Date(`${day}T00:00:00Z`)
  if (Number.isNaN(at.getTime()) || (day !== undefined && at.toISOString().slice(0, 10) !== day))
    throw misuse('--day must be a day such as 2026-01-31.')
  return pseudonyms.network(networkOf(client), at)
}

type Variables = Readonly<Record<string, string | undefined>>

/** Another key gives another pseudonym, which no line of the deployment has. */
export function secretKeyOf(
  { chosen, examples }: { readonly chosen: Variables; readonly examples: Variables },
  warn: (line: string) => void,
): string {
  const [own, example] = [chosen['SECRET_KEY'], examples['SECRET_KEY']]
  if (own) return own
  if (!example) throw new Error('SECRET_KEY is not set: put it into .dev.vars or the environment.')
  warn('SECRET_KEY is not set: this is the pseudonym of the local stack, and of no deployment.')
  return example
}

const kinds = ['account', 'network', 'user'] as const

async function main(args: string[]): Promise<void> {
  const options = { day: { type: 'string' }, issuer: { type: 'string' } } as const
  const { positionals, values } = parseArgs({ args, options, allowPositionals: true })
  const [first, of = '', ...more] = positionals
  const kind = kinds.find((one) => one === first)
  if (kind === undefined || of === '' || more.length > 0)
    throw misuse('Say account EMAIL, network ADDRESS or user SUBJECT.')
  if (kind === 'account' && !of.includes('@')) throw misuse('EMAIL must be an e-mail address.')
  if (values.day !== undefined && kind !== 'network') throw misuse('--day goes with network.')
  if (values.issuer !== undefined && kind !== 'user') throw misuse('--issuer goes with user.')
  const variables = await readLocalVariables(projectFolder, process.env)
  const secret = secretKeyOf(variables, (line) => void process.stderr.write(`${line}\n`))
  const pseudonyms = createPseudonyms(utf8(secret))
  const name = {
    account: () => pseudonyms.account(of.toLowerCase()),
    network: () => networkName(pseudonyms, of, values.day),
    user: () => pseudonyms.user({ issuer: values.issuer ?? LOCAL_ISSUER, subject: of }),
  }
  process.stdout.write(`${await name[kind]()}\n`)
}

if (import.meta.main) await runCommand(help, main)
