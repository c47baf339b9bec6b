// Everything that the documentation names exists: linked files and headings, paths, commands, variables.
import { existsSync, readdirSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { environmentSchema } from '../../src/config/variables.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { missingTests } from '../support/cited-tests.ts'

const inFolder = async (folder: string): Promise<string[]> =>
  (await readdir(join(projectFolder, folder))).filter((name) => name.endsWith('.md')).map((name) => join(folder, name))

const folders = [
  '.',
  'docs',
  'src/client',
  'src/react',
  ...['server', 'page', 'events', 'copy'].map((name) => `src/examples/${name}`),
  'src/dev/neon-local',
  'src/dev/plaid-simulator',
]
const names = (await Promise.all(folders.map(inFolder))).flat()
const documents = new Map(
  await Promise.all(names.map(async (name) => [name, await readFile(join(projectFolder, name), 'utf8')] as const)),
)
const packageJson: unknown = JSON.parse(await readFile(join(projectFolder, 'package.json'), 'utf8'))
const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(packageJson)

const exists = (path: string): boolean => existsSync(join(projectFolder, path))

/** A path may end in `*`, which stands for the rest of a name. */
function hasPath(path: string): boolean {
  if (!path.includes('*')) return exists(path)
  const folder = join(projectFolder, dirname(path))
  const [start = ''] = path.slice(dirname(path).length + 1).split('*')
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith(start))
}

/** The anchor of a heading on GitHub. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

const anchorsIn = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))

/** The broken links of a document. Links to other sites are not checked. */
function brokenLinks(name: string, text: string, all: ReadonlyMap<string, string>): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false
    const [file = '', anchor] = target.split('#')
    const path = file === '' ? name : join(dirname(name), file)
    return !exists(path) || (anchor !== undefined && !anchorsIn(all.get(path) ?? '').includes(anchor))
  })
}

/** The paths in code spans that do not exist. */
function missingPaths(text: string): string[] {
  const spans = [...text.matchAll(/`((?:src|test|docs|migrations|drizzle|\.ci|\.github)\/[\w./*-]+)/g)]
  return spans.map(([, path = '']) => path.replace(/\/$/, '')).filter((path) => !hasPath(path))
}

/** The npm commands that are not scripts of the project. */
const missingScripts = (text: string): string[] =>
  [...text.matchAll(/npm run (?:-s )?([a-z](?:[\w:]|-(?!-))*)/g)]
    .map(([, script = '']) => script)
    .filter((script) => !(script in scripts))

const columnOf = (text: string, header: string): string[] =>
  text
    .split('\n\n')
    .filter((table) => table.startsWith(`| ${header} |`))
    .flatMap((table) => table.split('\n').slice(2))
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([\w:]+(?:-\w+)*)[^`]*`/g)].map(([, name = '']) => name))

/** The cells of the tables, without their heads. */
const rowsIn = (text: string): string[][] =>
  text.split('\n').flatMap((line, index, lines) => {
    const isHead = lines[index + 1]?.startsWith('|---') === true || line.startsWith('|---')
    return line.startsWith('| ') && !isHead ? [line.slice(2, -2).split(' | ')] : []
  })

const spansIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span)

/** The variables in code spans that the configuration does not have. Bindings and error codes have no such form. */
const unknownVariables = (text: string, known: ReadonlySet<string>): string[] =>
  spansIn(text)
    .flatMap((span) => span.match(/^[A-Z]+(?:_[A-Z]+)+(?=$|=)/)?.[0] ?? [])
    .filter((name) => !known.has(name))

/** The commands and pages in a cell that are called future work and exist. */
const builtAlready = (cell: string): string[] =>
  spansIn(cell.split('**Not yet.**')[1] ?? '').filter((name) => name in scripts || exists(join('docs', name)))

describe.each([...documents])('the document %s', (name, text) => {
  it('links to files and headings that exist', () => {
    expect(brokenLinks(name, text, documents)).toEqual([])
  })

  it('names paths that exist', () => {
    expect(missingPaths(text)).toEqual([])
  })

  it('names commands that exist', () => {
    expect(missingScripts(text)).toEqual([])
  })

  it('cites tests that exist', async () => {
    expect(await missingTests(text)).toEqual([])
  })
})

describe('the check of documents', () => {
  it('finds a missing file, a missing heading, a missing path, a missing command and a missing test', async () => {
    const text =
      '# Title\n[a](b.md) [c](#title) [d](#none) `src/none.ts` `src/worker.ts` `npm run none` `npm run -s dev`'
    const cited = ['test/none.test.ts › a title', 'test/unit/timeout.test.ts › no such title']
    expect(await missingTests(cited.map((each) => `\`${each}\``).join(' '))).toEqual(cited)
    expect(brokenLinks('made-up.md', text, new Map([['made-up.md', text]]))).toEqual(['b.md', '#title', '#none'])
    expect(missingPaths(text)).toEqual(['src/none.ts'])
    expect(missingScripts(text)).toEqual(['none'])
  })

  it('finds an unknown variable, and future work that exists', () => {
    expect(unknownVariables('`PLAID_ENV` `PLAID_ENV=x` `PLAID_NONE`', new Set(['PLAID_ENV']))).toEqual(['PLAID_NONE'])
    expect(builtAlready('`dev`. **Not yet.** `none`, `bench`, `none.md` and `security.md`')).toEqual([
      'bench',
      'security.md',
    ])
  })
})

it('docs/commands.md lists every command', () => {
  const listed = columnOf(documents.get('docs/commands.md') ?? '', 'command')
  expect([...new Set(listed)].toSorted()).toEqual(Object.keys(scripts).toSorted())
})

it('docs/configuration.md lists every variable', () => {
  const listed = columnOf(documents.get('docs/configuration.md') ?? '', 'name')
  expect(listed.toSorted()).toEqual(Object.keys(environmentSchema.shape).toSorted())
})

describe('docs/compliance.md', () => {
  const rows = (documents.get('docs/compliance.md') ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (?:control \||-)/.test(line))
    .map((line) => line.slice(2, -2).split(' | '))
  const isEvidence = (text: string): boolean => /`(?:(?:src|test|docs|\.github)\/|npm run |[A-Z]+\.md`)/.test(text)

  it('says of every control how far it is met, and what shows it', () => {
    expect(rows.length).toBeGreaterThan(30)
    const unclear = rows.filter(
      ([, how = '', evidence = '', yours]) =>
        yours === undefined ||
        !(/^\*\*(?:Met|In part|Not met)\b/.test(how) || how.startsWith('See ')) ||
        !isEvidence(evidence),
    )
    expect(unclear).toEqual([])
  })

  it.each(['PCI DSS', 'SOC 2', 'GLBA', 'The Safeguards Rule, 16 CFR 314.4'])('has a section for %s', (heading) => {
    expect(anchorsIn(documents.get('docs/compliance.md') ?? '')).toContain(anchorOf(heading))
  })

  it('has every paragraph of the Safeguards Rule', () => {
    const paragraphs = rows.flatMap(([control = '']) => /^\(([a-j])\)/.exec(control)?.[1] ?? [])
    expect([...new Set(paragraphs)].join('')).toBe('abcdefghij')
  })
})

describe('docs/from-the-brief.md', () => {
  const text = documents.get('docs/from-the-brief.md') ?? ''
  const [, ...topics] = text.split('\n## ')
  const rows = topics.flatMap(rowsIn)
  const keys = rows.map(([key = '']) => key)
  const outside = ['RATE_LIMITER', 'PLAID_QUOTA', 'STAGING_URL']
  const known = new Set([...Object.keys(environmentSchema.shape), ...outside])

  it.each([
    'DATABASE_URL',
    'SECRET_KEY',
    'DEBUG',
    'PLAID_CLIENT_ID',
    'PLAID_SECRET',
    'PLAID_ENV',
    'ENCRYPTION_KEY',
    'PLAID_WEBHOOK_VERIFICATION_KEY',
    'SENTRY_DSN',
    'RATE_LIMIT_ENABLED',
    'RATE_LIMIT_STORAGE',
    'CORS_ORIGINS',
    'production_deploy.sh',
    'test_plaid_connection.py',
    'gunicorn',
    'pytest',
    'safety',
    'bandit',
    'semgrep',
    'locust',
    'backup_database.py backup',
    'backup_database.py restore',
    'backup_database.py cleanup',
    '0 2 * * *',
    '0 3 * * 0',
    'X-Content-Type-Options',
    'X-Frame-Options',
    'X-XSS-Protection',
    'Strict-Transport-Security',
    'Content-Security-Policy',
    'Referrer-Policy',
    'Permissions-Policy',
    '100/minute',
    '1000/hour',
    '5/minute',
    '10/minute',
    '20/minute',
    '3/minute',
    'PBKDF2',
    '100,000',
    'Fernet',
    '5-minute',
    'days=2555',
    'ssl_protocols',
    'ssl_ciphers',
    'proxy_pass',
    'X-Forwarded-For',
    'RotatingFileHandler',
    'traces_sample_rate',
    '99.9%',
    '< 2 second',
    'PCI DSS',
    'SOC 2',
    'GLBA',
  ])('has a line for %s', (name) => {
    expect(keys.filter((key) => key.includes(name))).not.toEqual([])
  })

  it('says of each line what it is here, or its state', () => {
    expect(rows.length).toBeGreaterThan(200)
    const unclear = rows.filter(
      ([, here = '', more]) => here === '' || more !== undefined || here.split('**Not yet.**').length > 2,
    )
    expect(unclear).toEqual([])
  })

  it('names variables that exist', () => {
    expect(rows.flatMap(([, here = '']) => unknownVariables(here, known))).toEqual([])
  })

  it('calls nothing future work that exists', () => {
    expect(rows.flatMap(([, here = '']) => builtAlready(here))).toEqual([])
  })
})
