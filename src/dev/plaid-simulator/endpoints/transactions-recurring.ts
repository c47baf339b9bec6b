// /transactions/recurring/get: the recurring streams of the history.
import * as z from 'zod'
import { categoryVersionFor, inVersion } from '../items/categories.ts'
import { initialiseTransactions } from '../items/history.ts'
import { streamsIn, watchStreams } from '../items/streams.ts'
import { failure } from '../lib/failure.ts'
import { chosenAccounts } from '../state/item.ts'
import { accessToken, endpoint, readableItem, useProduct } from './endpoint.ts'

const fields = {
  access_token: accessToken,
  account_ids: z.array(z.string()).optional(),
  options: z
    .strictObject({
      include_personal_finance_category: z.boolean().optional(),
      personal_finance_category_version: z.enum(['v1', 'v2']).optional(),
    })
    .optional(),
}

export const transactionsRecurring = endpoint('/transactions/recurring/get', fields, (world, body) => {
  const item = readableItem(world, body.access_token)
  useProduct(item, 'transactions')
  const state = initialiseTransactions(world, item, item.daysRequested)
  const wanted = new Set(chosenAccounts(item, body.account_ids).map(({ account_id }) => account_id))
  watchStreams(world, item, state)
  if (state.step !== 'HISTORICAL_UPDATE_COMPLETE') throw failure('PRODUCT_NOT_READY')
  const history = state.changeLog.all().filter(({ account_id }) => wanted.has(account_id))
  const version = categoryVersionFor(world, body.options?.personal_finance_category_version)
  const { inflow_streams, outflow_streams } = streamsIn(world, item, history)
  return {
    inflow_streams: inflow_streams.map((stream) => inVersion(stream, version)),
    outflow_streams: outflow_streams.map((stream) => inVersion(stream, version)),
    updated_datetime: state.lastSuccessfulUpdate ?? world.clock.timestamp(),
    personal_finance_category_version: version,
  }
})
