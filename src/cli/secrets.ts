// `npm run secrets`: searches the tracked files, or everything that was ever committed, for secrets. Prints the place
// and never the value.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs, promisify } from 'node:util'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { runCommand } from '../dev/lib/run-command.ts'
import { nullIfMissing } from '../dev/lib/missing.ts'

const run = promisify(execFile)

const help = `npm run secrets [-- --history]

Fails where a tracked file holds something that looks like a key, a token, a password in a URL or a long random value.
A value that is plainly fake goes into the list in src/cli/secrets.ts, with its reason.
  --history   look at every line that any commit of any branch added, instead`

export interface Finding {
  readonly file: string
  readonly line: number
  readonly what: string
}

const patterns: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a private key', /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/g],
  ['an age secret key', /AGE-SECRET-KEY-1[0-9A-Z]{58}/g],
  ['an AWS access key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g],
  ['a GitHub token', /\bgh[pousr]_[A-Za-z0-9]{36,}\b/g],
  ['a Cloudflare token', /\bCLOUDFLARE_API_TOKEN\s*[=:]\s*['"]?[\w-]{40}\b/g],
  ['a Slack token', /\bxox[abprs]-[\w-]{20,}/g],
  ['a JSON Web Token', /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/g],
  ['a Plaid access token', /\b(?:access|link|public)-(?:production|development)-[0-9a-f]{8}-[0-9a-f-]{27}\b/g],
  ['a Plaid secret', /\b(?:PLAID_SECRET|PLAID_CLIENT_ID)\s*[=:]\s*['"]?[0-9a-f]{24,30}\b/g],
  ['a database URL with a password', /\bpostgres(?:ql)?:\/\/[^\s:/@'"`$]+:[^\s@'"`$]+@[^\s'"`]+/g],
]

/** Long runs of one alphabet, like keys. */
const longRun = /\b[A-Fa-f0-9]{40,}\b|[A-Za-z0-9+/_-]{40,}={0,2}/g
/**
 * Runs with less entropy (bits a character) are words. Random base64 of 40 characters has about 4.9 and hardly ever less
 * than 4.4, random hex 3.7.
 */
const leastEntropy = { hex: 3, base64: 4.3 }

/** Values that are not secrets. */
const fakes: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/fake|example|local-only|test-|tests|dev-only|:(?:password|secret|pass)@/i, 'says that it is fake'],
  [/ZXhhbXBsZ/, 'says in base64 that it is an example'],
  [/0000-4000-8000-000000000000/, 'is a placeholder of a UUID'],
  [/:(?:…|\w{1,3})@/, 'has no password worth the name'],
  [/@(?:127\.0\.0\.1|localhost|db|host|[\w.-]+\.test|db\.localtest\.me)\b/, 'names a host that no one owns'],
]

/** Long runs that are not random values. */
const words: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^(?:(?:[A-Z]?[a-z]+|[A-Z]+|\d+)(?:[-_/]|$))+$/, 'is words or a path'],
  [/^(?:[A-Z]?[a-z]+)+$/, 'is a name in camel case'],
  [/abcdefgh|0123456789/i, 'is an alphabet'],
]
/** What comes four times or more in a row. Random hex has such a run as well, but not many of them. */
const repeats = /(.{1,8})\1{3,}/g

/** Files with digests of packages, pictures, and the invented secrets of the redaction's test. */
const unread = /^package-lock\.json$|^migrations\/meta\/|^test\/unit\/monitoring\/secrets\.ts$|\.(?:png|ico|woff2?)$/
/** Files with published test vectors and invented values. */
const vectors = /^test\/|^src\/dev\/plaid-simulator\//

/** The commit of a workflow's action is public. */
const pinnedAction = /(\buses: [\w./-]+@)[0-9a-f]{40}\b/

/** Shannon entropy, in bits a character. */
export function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0)
}

const isFake = (value: string): boolean => fakes.some(([pattern]) => pattern.test(value))
const isWords = (value: string): boolean => words.some(([pattern]) => pattern.test(value))
const repeatsItself = (value: string): boolean => value.replaceAll(repeats, '').length < value.length / 2

function looksRandom(value: string): boolean {
  const isHex = /^[A-Fa-f0-9]+$/.test(value)
  const mixes = isHex || (/[a-z]/.test(value) && /[A-Z]/.test(value) && /\d/.test(value))
  return mixes && entropy(value) >= (isHex ? leastEntropy.hex : leastEntropy.base64)
}

/** The possible secrets in a file's text. In tests, whose vectors look random, only values of a known format. */
export function findSecrets(file: string, text: string): Finding[] {
  if (unread.test(file)) return []
  return text.split('\n').flatMap((content, index) => {
    const shaped = patterns.filter(([, pattern]) => (content.match(pattern) ?? []).some((value) => !isFake(value)))
    const random = vectors.test(file)
      ? []
      : (content.replace(pinnedAction, '$1').match(longRun) ?? []).filter(
          (one) => looksRandom(one) && !isFake(one) && !isWords(one) && !repeatsItself(one),
        )
    const kinds = [...shaped.map(([what]) => what), ...(random.length > 0 ? ['a long random value'] : [])]
    return kinds.map((what) => ({ file, line: index + 1, what }))
  })
}

/** The findings of all tracked files. */
export async function findTrackedSecrets(): Promise<Finding[]> {
  const { stdout } = await run('git', ['ls-files', '-z'], { cwd: projectFolder, maxBuffer: 16 * 1024 * 1024 })
  const files = stdout.split('\0').filter((name) => name !== '')
  const found = await Promise.all(
    files.map(async (file) => {
      // A file that was deleted and is not committed yet counts as empty.
      const text = await readFile(join(projectFolder, file), 'utf8').catch(nullIfMissing)
      return findSecrets(file, text ?? '')
    }),
  )
  return found.flat()
}

/**
 * The findings of every line that a commit of any branch added.
 * @returns the files as `<commit>:<path>`, with line 0, because line numbers of a patch change later
 * @throws Error if git fails
 */
export async function findCommittedSecrets(folder = projectFolder): Promise<Finding[]> {
  const args = [
    'log',
    '--all',
    '--patch',
    '--unified=0',
    '--no-color',
    '--no-ext-diff',
    '--no-textconv',
    '--no-renames',
  ]
  const git = spawn('git', [...args, '--diff-merges=first-parent', '--format=commit %h'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(git, 'close')
  const found: Finding[] = []
  let [commit, file] = ['', '']
  for await (const line of createInterface({ input: git.stdout })) {
    if (line.startsWith('commit ')) commit = line.slice('commit '.length)
    else if (line.startsWith('+++ b/')) file = line.slice('+++ b/'.length)
    else if (line.startsWith('+'))
      found.push(...findSecrets(file, line.slice(1)).map((one) => ({ ...one, file: `${commit}:${file}`, line: 0 })))
  }
  const [code] = await ended
  if (code !== 0) throw new Error('git could not list what was committed.')
  return found
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { history: { type: 'boolean', default: false } } })
  const found = values.history ? await findCommittedSecrets() : await findTrackedSecrets()
  const looked = values.history ? 'What was ever committed holds' : 'The tracked files hold'
  if (found.length === 0) return void process.stdout.write(`${looked} nothing that looks like a secret.\n`)
  const places = found.map(({ file, line, what }) => `${file}${line > 0 ? `:${line}` : ''} looks like ${what}`)
  throw new Error(
    `${places.join('\n')}\nTake it out and replace it where it counts, or list it as fake with its reason.`,
  )
}

if (import.meta.main) await runCommand(help, main)
