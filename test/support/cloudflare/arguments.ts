// The arguments of the fake wrangler: only the commands that this project runs, with the flags that wrangler 4.156 has
// for them.
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'

/** An error that wrangler prints, with exit code 1. */
export class WranglerError extends Error {}

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

const globals = { config: { ...text, short: 'c' }, env: { ...text, short: 'e' } }
const upload = {
  name: text,
  tag: text,
  message: text,
  'no-bundle': flag,
  outdir: text,
  assets: text,
  minify: flag,
  'dry-run': flag,
  'secrets-file': text,
  'keep-vars': flag,
  strict: flag,
}
const yes = { ...flag, short: 'y' } as const

export const commands: Readonly<
  Record<string, { readonly positionals: number; readonly options: ParseArgsOptionsConfig }>
> = {
  whoami: { positionals: 0, options: { json: flag, account: text } },
  deploy: { positionals: 1, options: upload },
  rollback: { positionals: 1, options: { name: text, message: { ...text, short: 'm' }, yes } },
  'versions upload': { positionals: 1, options: { ...upload, 'preview-alias': text } },
  'versions deploy': {
    positionals: Number.POSITIVE_INFINITY,
    options: { name: text, message: text, yes, 'dry-run': flag },
  },
  'versions list': { positionals: 0, options: { name: text, json: flag } },
  'versions view': { positionals: 1, options: { name: text, json: flag } },
  'deployments status': { positionals: 0, options: { name: text, json: flag } },
  'triggers deploy': {
    positionals: 0,
    options: { name: text, triggers: { type: 'string', multiple: true }, 'dry-run': flag },
  },
  'secret list': { positionals: 0, options: { name: text, format: text } },
  'secret bulk': { positionals: 1, options: { name: text } },
  'queues info': { positionals: 1, options: {} },
  'queues create': {
    positionals: 1,
    options: { 'delivery-delay-secs': text, 'message-retention-period-secs': text, jurisdiction: text },
  },
  'r2 bucket list': { positionals: 0, options: { jurisdiction: { ...text, short: 'J' } } },
  'r2 bucket create': { positionals: 1, options: { location: text, jurisdiction: { ...text, short: 'J' } } },
  'r2 bucket lock list': { positionals: 1, options: { jurisdiction: { ...text, short: 'J' } } },
  'r2 bucket lock add': { positionals: 3, options: { 'retention-days': text, 'retention-indefinite': flag } },
}

export interface Call {
  readonly command: string
  readonly positionals: readonly string[]
  readonly values: Readonly<Record<string, unknown>>
  readonly environment: string
  readonly config: string
}

/**
 * @throws WranglerError for what wrangler refuses, and for what it accepts but must not be run: a command without
 *   `--env` goes to the Worker of the top level
 */
export function parseCall(args: readonly string[]): Call {
  const words = [4, 3, 2, 1].map((count) => args.slice(0, count).join(' '))
  const command = words.find((name) => Object.hasOwn(commands, name))
  const known = command === undefined ? undefined : commands[command]
  if (command === undefined || known === undefined) throw new WranglerError(`Unknown argument: ${args.join(' ')}`)
  const rest = args.slice(command.split(' ').length)
  const { values, positionals } = parse([...rest], { ...globals, ...known.options })
  if (positionals.length > known.positionals)
    throw new WranglerError(`Unknown argument: ${positionals.slice(known.positionals).join(', ')}`)
  const { env, config } = values
  if (typeof env !== 'string' || env === '')
    throw new WranglerError('Missing entry-point to Worker script: no target environment was specified')
  if (typeof config !== 'string') throw new WranglerError('Required Worker name missing.')
  return { command, positionals, values, environment: env, config }
}

function parse(args: string[], options: ParseArgsOptionsConfig) {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw new WranglerError(`Unknown arguments: ${error instanceof Error ? error.message : ''}`)
  }
}
