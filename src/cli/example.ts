// `npm run example`: runs examples of src/examples on a throwaway stack, and plays what happens around them.
import { parseArgs } from 'node:util'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { isExample, names } from './example/names.ts'

const help = `npm run example -- NAME...

Starts the offline stack on throwaway data, creates an API key, runs the examples (${names.join(', ')}) as their README says, and
plays the user in Link and the bank. Exit code 0 only if each did its work; page runs until Ctrl-C.
  --port PORT  the port of the page (3000); 0 takes a free one`

async function main(args: string[]): Promise<void> {
  const options = { port: { type: 'string', default: '3000' } } as const
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  const wanted = positionals.filter(isExample)
  if (wanted.length === 0 || wanted.length < positionals.length)
    throw misuse(`Name one or more of ${names.join(', ')}.`)
  if (!/^\d{1,5}$/.test(values.port)) throw misuse('--port must be a number.')
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stopping.abort())
  // Imported only now, so that a signal during the second of loading is handled.
  const { runExamples } = await import('./example/run.ts')
  await runExamples(wanted, { pagePort: values.port, signal: stopping.signal })
}

if (import.meta.main) await runCommand(help, main)
