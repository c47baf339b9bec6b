// Replays a journal: the same events at the same times make the same world. Sends no webhooks, because they were sent
// before.
import { HTTPException } from 'hono/http-exception'
import { advanceClock } from './control/advance-clock.ts'
import { changeBank } from './control/change-bank.ts'
import { changeClient } from './control/change-client.ts'
import { finishLink } from './control/finish-link.ts'
import { bankChange, clientRequest, clockRequest, linkRequest, parsedBody } from './control/requests.ts'
import { endpoints } from './endpoints/all.ts'
import { reachStep, scheduleHistory } from './items/history.ts'
import { extractInvestments, finishExtraction } from './items/investments.ts'
import { mutateMidPagination } from './items/mutation.ts'
import { isRecord, parseExact } from './lib/exact-json.ts'
import { PlaidFailure } from './lib/failure.ts'
import type { JournalEvent, JournalLine } from './state/journal.ts'
import type { World } from './state/world.ts'

/** Replays the lines into a new world, then lets time run. History that was still due arrives now. */
export async function replay(world: World, lines: readonly JournalLine[]): Promise<void> {
  world.replaying = true
  for (const { at, event } of lines) {
    world.clock.pin(at)
    await again(world, event)
  }
  world.clock.pin(null)
  world.replaying = false
  for (const item of world.items.values()) {
    const { step } = item.transactions ?? { step: 'HISTORICAL_UPDATE_COMPLETE' }
    if (step !== 'HISTORICAL_UPDATE_COMPLETE') scheduleHistory(world, item)
    if (item.investments?.step === 'extracting') extractInvestments(world, item)
  }
}

/** Ignores the failures of requests: they failed the first time, too. */
async function again(world: World, event: JournalEvent): Promise<void> {
  try {
    await live(world, event)
  } catch (error) {
    if (!(error instanceof PlaidFailure) && !(error instanceof HTTPException)) throw error
  }
}

async function live(world: World, event: JournalEvent): Promise<void> {
  if (event.op === 'endpoint') {
    const body = parseExact(event.body)
    const endpoint = endpoints.find(({ path }) => path === event.path)
    if (isRecord(body)) await endpoint?.run(world, body)
    return
  }
  if (event.op === 'link') return void finishLink(world, parsedBody(linkRequest, event.body))
  if (event.op === 'clock') return void advanceClock(world, parsedBody(clockRequest, event.body).advance_ms)
  if (event.op === 'client') return void changeClient(world, parsedBody(clientRequest, event.body))
  const item = world.items.get(event.item_id)
  if (item === undefined) return
  if (event.op === 'bank') changeBank(world, item, parsedBody(bankChange, event.body))
  else if (event.op === 'mutation') mutateMidPagination(world, item.itemId)
  else if (event.step === 'investments') finishExtraction(world, item)
  else reachStep(world, item, event.step === 'initial' ? 'INITIAL_UPDATE_COMPLETE' : 'HISTORICAL_UPDATE_COMPLETE')
}
