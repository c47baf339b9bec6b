// The commands of the operator's pages are ones that the commands take: no unknown option, and none that is missing.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { commandsIn, misuseOf, type Usage, usageOf, type WrittenCommand } from '../support/command-usage.ts'
import { sampled } from '../support/sampled.ts'

const run = promisify(execFile)
const read = async (name: string): Promise<string> => await readFile(join(projectFolder, name), 'utf8')
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(await read('package.json')))

/** The file of a command of the project; null for scripts that run other programs. */
const fileOf = (script: string): string | null =>
  /^(?:exec )?node (?:--\S+ )*(src\/\S+\.ts)/.exec(scripts[script] ?? '')?.[1] ?? null

const helps = new Map<string, Promise<string>>()
const helpOf = (file: string): Promise<string> => {
  const help =
    helps.get(file) ?? run(process.execPath, [join(projectFolder, file), '--help']).then(({ stdout }) => stdout)
  helps.set(file, help)
  return help
}

/** Without --url, such a command sends the operator's token to a local stack. */
function misuseOfToken(args: readonly string[], help: string, { options }: Usage): string | null {
  const isSent = args.includes('--record') || (/^ADMIN_TOKEN is /m.test(help) && args[0] !== 'generate')
  return isSent && options.has('--url') && !args.includes('--url') ? 'sends ADMIN_TOKEN to a local stack' : null
}

/** What a command reads from the environment, so that other processes do not see it; by the option that needs it. */
const tokens: readonly { readonly script: string; readonly option: string; readonly variable: string }[] = [
  { script: 'smoke', option: '--after-deploy', variable: 'SMOKE_TOKEN' },
  { script: 'load', option: '--url', variable: 'LOAD_TOKEN' },
  { script: 'test:security', option: '--url', variable: 'SCAN_TOKEN' },
]

function misuseOfVariables({ script, args, variables }: WrittenCommand): string | null {
  if (args.includes('--token')) return 'shows a token in the list of processes'
  const missing = tokens.find((each) => each.script === script && args.includes(each.option))?.variable
  return missing === undefined || variables.includes(missing) ? null : `lacks ${missing}`
}

/** What is wrong with the commands of a page for operators of a deployment. */
async function misusesIn(text: string): Promise<string[]> {
  const found: string[] = []
  for (const command of commandsIn(text)) {
    const file = fileOf(command.script)
    if (file === null) continue
    const help = await helpOf(file)
    const usage = usageOf(help)
    const remote = misuseOfToken(command.args, help, usage)
    const misuse = misuseOf(command, usage) ?? remote ?? misuseOfVariables(command)
    if (misuse !== null) found.push(`${command.script} ${command.args.join(' ')}: ${misuse}`)
  }
  return found
}

const pages = [
  'deployment',
  'upgrading',
  'go-live',
  'runbook',
  'observability',
  'metrics',
  'load',
  'scaling',
  'incident-response',
  'disaster-recovery',
  'items',
  'privacy',
  'conformance',
]

/** Each command is started once, for its help. */
const timeout = 120_000

describe('the commands of a page', { timeout }, () => {
  it.each(sampled(pages, 3))('docs/%s.md are accepted as they are written', async (page) => {
    const text = await read(join('docs', `${page}.md`))
    expect(commandsIn(text)).not.toEqual([])
    expect(await misusesIn(text)).toEqual([])
    expect(text).not.toMatch(/curl[^\n`]* -H ["']?Authorization/)
  })

  it.each([
    ['an unknown option', '`npm run keys -- status --url https://HOST --all`', 'has no option --all'],
    ['a missing option', '`npm run backup -- list`', 'lacks --to'],
    ['a missing choice', '`npm run backup -- fetch --to /backups`', 'lacks --bucket or --local'],
    ['a missing argument', '`npm run backup -- verify --identity FILE --url URL`', 'has no form'],
    ['another action', '`npm run freeze -- thaw`', 'has no form'],
    ['a record at the local stack', '`npm run backup -- verify B --identity F --record`', 'sends ADMIN_TOKEN'],
    ['the local stack', '`npm run retention -- plan`', 'sends ADMIN_TOKEN to a local stack'],
    ['a missing variable', '`npm run test:security -- --url https://HOST`', 'lacks SCAN_TOKEN'],
    ['a variable of another line', '`SMOKE_TOKEN=… x` `npm run smoke -- --url https://HOST --after-deploy`', 'lacks'],
    ['a token that others see', '`npm run load -- --url https://HOST --token T`', 'shows a token'],
    ['a missing time', '```sh\nnpm run access-tokens -- status --url https://HOST | cat\n```\n', 'lacks --before'],
  ])('are refused with %s', async (_what, text, misuse) => {
    expect(await misusesIn(text)).toEqual([expect.stringContaining(misuse)])
  })

  it.each([
    '`npm run backup -- fetch --local FOLDER --to /backups`',
    '`npm run keys -- generate`',
    '`npm run access-tokens -- rotate --url https://HOST`',
    '```\nA=1 npm run -s erasure -- list > erased.jsonl # after each one\n```\n',
  ])('are accepted as in %j', async (text) => {
    expect(await misusesIn(text)).toEqual([])
  })
})
