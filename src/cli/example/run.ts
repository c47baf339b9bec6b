// Runs examples one after the other on one stack.
import type { ExampleName } from './names.ts'
import { playCopy } from './play-copy.ts'
import { playEvents } from './play-events.ts'
import { playServer } from './play-server.ts'
import { openStage, type Stage } from './stage.ts'

interface RunOptions {
  readonly pagePort: string
  readonly signal: AbortSignal
}

/** Serves the page until Ctrl-C. */
async function servePage(stage: Stage, { pagePort, signal }: RunOptions): Promise<void> {
  const variables = { PORT: pagePort, PLAID_SIMULATOR_URL: stage.urls.plaid, WN_USER: 'page-user' }
  const page = stage.start('page/serve.ts', variables)
  const [, port = ''] = await page.line(/"port":(\d+)/)
  stage.say(`PAGE http://127.0.0.1:${port}`)
  const stopped = new Promise<'stopped'>((resolve) => {
    if (signal.aborted) resolve('stopped')
    signal.addEventListener('abort', () => resolve('stopped'))
  })
  if ((await Promise.race([stopped, page.exited])) !== 'stopped') throw new Error('The server of the page has ended.')
}

const plays: Readonly<Record<ExampleName, (stage: Stage, options: RunOptions) => Promise<void>>> = {
  server: playServer,
  page: servePage,
  events: playEvents,
  copy: playCopy,
}

export async function runExamples(wanted: readonly ExampleName[], options: RunOptions): Promise<void> {
  process.stdout.write('Starting the stack…\n')
  const stage = await openStage(options.signal)
  try {
    for (const name of wanted) {
      stage.say(`== ${name}`)
      await plays[name](stage, options)
      if (name !== 'page') stage.say(`== ${name}: done`)
    }
  } finally {
    await stage.stop()
  }
}
