// `npm run token`: prints a JWT that the local Worker accepts, signed with the local SECRET_KEY.
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { readLocalVariables, usesOidc } from '../dev/lib/local-variables.ts'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { signToken } from '../dev/lib/sign-token.ts'

const help = `npm run token -- --sub NAME [--role admin] [--scope read|metrics] [--ttl 3600]

Prints a JWT for the user NAME, signed with SECRET_KEY (from the environment, else .dev.vars, else .dev.vars.example).
  --sub NAME    whom it is for
  --role admin  also opens the admin routes
  --scope read  can look and change nothing
  --scope metrics
                with --role admin: can read the metrics and nothing else
  --ttl N       seconds until it expires, 1 to 31536000 (3600)`

const scopes: readonly string[] = ['read', 'metrics']

const ttlSchema = z.coerce.number().int().min(1).max(31_536_000)

async function main(args: string[]): Promise<void> {
  const options = {
    sub: { type: 'string' },
    role: { type: 'string' },
    scope: { type: 'string' },
    ttl: { type: 'string' },
  } as const
  const { values } = parseArgs({ args, options })
  if (!values.sub) throw misuse('--sub NAME is missing.')
  if (values.role !== undefined && values.role !== 'admin') throw misuse('--role can only be admin.')
  if (values.scope !== undefined && !scopes.includes(values.scope)) throw misuse('--scope can only be read or metrics.')
  const ttl = ttlSchema.safeParse(values.ttl ?? 3600)
  if (!ttl.success) throw misuse('--ttl must be a number of seconds from 1 to 31536000.')
  const { chosen, examples } = await readLocalVariables(projectFolder, process.env)
  if (usesOidc({ ...examples, ...chosen }))
    throw new Error('AUTH_MODE is oidc: the Worker takes the tokens of AUTH_ISSUER alone. Ask your identity provider.')
  const secret = chosen['SECRET_KEY'] || examples['SECRET_KEY']
  if (!secret) throw new Error('SECRET_KEY is not set: put it into .dev.vars or the environment.')
  const role = values.role === undefined ? {} : { role: values.role }
  const scope = values.scope === undefined ? {} : { scope: values.scope }
  process.stdout.write(`${await signToken({ secret, subject: values.sub, ttlSeconds: ttl.data, ...role, ...scope })}\n`)
}

if (import.meta.main) await runCommand(help, main)
