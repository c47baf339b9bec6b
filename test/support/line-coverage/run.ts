// `npm run test:coverage`: runs every test and reports which lines of src/ ran, in Node, in workerd and in the built
// bundle together. Exit code 1 where a test failed.
import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { runCommand } from '../../../src/dev/lib/run-command.ts'
import { addReport, summarise, toLcov } from './lines.ts'
import type { LineHits } from './lines.ts'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'

const folder = join(projectFolder, 'coverage')
const bundleFolder = join(folder, 'bundle')

const help = `npm run test:coverage [-- --project unit …]

Runs the tests and prints the covered lines by folder; coverage/lcov.info has them by file.`

async function runTests(args: readonly string[]): Promise<number> {
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
  const projects = args.length > 0 ? args : ['unit', 'worker', 'e2e'].flatMap((name) => ['--project', name])
  const child = spawn(
    process.execPath,
    [vitest, 'run', '--config', 'test/vitest.config.ts', '--coverage', ...projects],
    { cwd: projectFolder, stdio: 'inherit', env: { ...process.env, BUNDLE_COVERAGE_FOLDER: bundleFolder } },
  )
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

async function main(args: string[]): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(bundleFolder, { recursive: true })
  const code = await runTests(args)
  const hits: LineHits = new Map()
  const bundles = (await readdir(bundleFolder)).map((name) => join(bundleFolder, name))
  for (const path of [join(folder, 'tests', 'coverage-final.json'), ...bundles]) {
    addReport(hits, JSON.parse(await readFile(path, 'utf8')))
  }
  await writeFile(join(folder, 'lcov.info'), toLcov(hits, projectFolder))
  for (const { name, covered, total } of summarise(hits, projectFolder)) {
    const share = total === 0 ? 100 : (100 * covered) / total
    process.stdout.write(`${name.padEnd(20)} ${share.toFixed(1).padStart(5)} %  ${covered} of ${total} lines\n`)
  }
  if (code !== 0) throw new Error('Tests failed; the numbers above are of what ran.')
}

if (import.meta.main) await runCommand(help, main)
