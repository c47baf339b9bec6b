// `npm run console`: builds the console for a deployment by hand. `npm run deploy` does it by itself.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildConsole } from '../dev/lib/console-build.ts'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { runCommand } from '../dev/lib/run-command.ts'

const help = `npm run console

Builds the console's pages for a deployment into dist/console, for \`wrangler deploy --assets dist/console\`. \`npm run deploy\` and
\`npm run dev\` build them by themselves.`

if (import.meta.main)
  await runCommand(help, async (args) => {
    parseArgs({ args, options: {} })
    const { firstLoadBytes } = await buildConsole(join(projectFolder, 'dist', 'console'), { strict: true })
    const size = `${(firstLoadBytes / 1000).toFixed(1)} kB gzip`
    process.stdout.write(`dist/console is built; its first page loads ${size} of scripts.\n`)
  })
