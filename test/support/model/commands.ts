// The commands of the model, for fast-check. No command has a precondition that would need the database: a command that
// is not possible at the moment does nothing, so every shrunk sequence can run too.
import * as fc from 'fast-check'
import type { Chaos, Death } from './types.ts'

type Step = fc.AsyncCommand<object, Chaos>

const step = (name: string, run: (chaos: Chaos) => Promise<unknown>): Step => ({
  check: () => true,
  run: async (_model, chaos) => {
    await run(chaos)
  },
  toString: () => name,
})

/** Commands with arguments, which their text shows. */
function of<Arguments>(
  name: string,
  values: fc.Arbitrary<Arguments>,
  run: (chaos: Chaos, values: Arguments) => Promise<unknown>,
): fc.Arbitrary<Step> {
  return values.map((given) => step(`${name} ${JSON.stringify(given)}`, (chaos) => run(chaos, given)))
}

const nth = fc.nat({ max: 7 })
const subject = fc.constantFrom('anna', 'bert')
const moment = fc.constantFrom('before' as const, 'after' as const)
const deathWithin = (calls: number): fc.Arbitrary<Death> =>
  fc.option(fc.record({ at: fc.integer({ min: 1, max: calls }), moment }), { freq: 2 })
const death = deathWithin(16)
const seldom = fc.nat({ max: 3 }).map((value) => value === 0)
const few = fc.integer({ min: 0, max: 3 })

const bankStep = fc.record({
  add: few,
  pending: fc.nat({ max: 2 }),
  modify: few,
  remove: fc.nat({ max: 2 }),
  post: fc.nat({ max: 2 }),
  silent: fc.boolean(),
  login: fc.option(fc.constantFrom('required' as const, 'repaired' as const), { freq: 8 }),
  trade: fc.option(fc.constantFrom('buy' as const, 'sell' as const, 'sell all' as const, 'cancel' as const)),
  pays: fc.boolean(),
})
const carriage = fc.record({
  twice: fc.boolean(),
  forged: fc.boolean(),
  lost: fc.integer({ min: 0, max: 4 }).map((value) => value === 0),
})
const plaidFault = fc.oneof(
  fc.record({
    endpoint: fc.constantFrom('/transactions/sync', '/item/get', '/accounts/get', '/item/remove', '/user/items/get'),
    error: fc.constantFrom('INTERNAL_SERVER_ERROR', 'RATE_LIMIT', 'PRODUCT_NOT_READY', 'INSTITUTION_DOWN'),
    times: fc.integer({ min: 1, max: 3 }),
    after: fc.nat({ max: 2 }),
  }),
  fc.record({
    endpoint: fc.constantFrom(
      '/transactions/sync',
      '/item/get',
      '/accounts/get',
      '/item/public_token/exchange',
      '/item/remove',
    ),
    drop: fc.constantFrom('before', 'after'),
    times: fc.integer({ min: 1, max: 2 }),
  }),
  fc.record({
    endpoint: fc.constant('/transactions/sync'),
    mutate_during_pagination: fc.constant(true),
    times: fc.integer({ min: 1, max: 2 }),
    after: fc.nat({ max: 2 }),
  }),
)
/** An odd value in the next one or two responses of Plaid. It costs at most the field, or a row that comes again. */
const oddAnswer = fc.record({
  where: fc.constantFrom(
    ['/transactions/sync', 'added[*].merchant_name'],
    ['/transactions/sync', 'added[*].authorized_date'],
    ['/transactions/sync', 'added[0].personal_finance_category'],
    ['/transactions/sync', 'added[-1].payment_channel'],
    ['/transactions/sync', 'accounts[*].official_name'],
    ['/transactions/sync', 'accounts[0].account_id'],
    ['/item/get', 'item.institution_name'],
    ['/item/get', 'item.consent_expiration_time'],
    ['/item/get', 'status'],
    ['/accounts/get', 'accounts[*].name'],
    ['/accounts/get', 'accounts[0].balances.limit'],
    ['/accounts/get', 'accounts[0].account_id'],
    ['/accounts/get', 'accounts[-1]'],
    ['/investments/holdings/get', 'holdings[0].cost_basis'],
    ['/investments/holdings/get', 'holdings[0].quantity'],
    ['/investments/holdings/get', 'securities[*].name'],
    ['/investments/transactions/get', 'investment_transactions[0].fees'],
    ['/liabilities/get', 'liabilities.credit[0].account_id'],
    ['/transactions/recurring/get', 'outflow_streams[0].predicted_next_date'],
  ),
  value: fc.constantFrom(null, '', '   ', 'odd', '2026-02-30', true, 7, [], {}),
  times: fc.integer({ min: 1, max: 2 }),
  after: fc.nat({ max: 2 }),
})
const databaseFault = fc.record({
  kind: fc.constantFrom(
    'fail-before' as const,
    'lose-answer' as const,
    'cut-before' as const,
    'cut-after' as const,
    'restart' as const,
  ),
  matching: fc.constantFrom(
    'app.enter',
    'set lease_owner',
    'begin_commit',
    'begin_link',
    'update link_exchanges set state',
    'insert into plaid_removals',
    'delete from plaid_removals',
    'insert into webhook_events',
  ),
  after: fc.nat({ max: 2 }),
})

const link = of(
  'link',
  fc.record({ subject, bank: fc.constantFrom('one', 'two'), death, retry: fc.boolean(), leaves: seldom }),
  (chaos, { subject: whose, bank: which, death: end, retry, leaves }) =>
    chaos.link({ subject: whose, username: `${whose}_${which}` }, end, retry, leaves),
)
const drain = of('drain', fc.record({ death, lose: fc.boolean() }), (chaos, given) =>
  chaos.drain(given.death, given.lose),
)
const bank = of('bank', fc.record({ nth, bankStep }), (chaos, given) => chaos.bank(given.nth, given.bankStep))
const deliver = of('deliver', fc.record({ nth, carriage, death }), (chaos, given) =>
  chaos.deliver(given.nth, given.carriage, given.death),
)
const edit = of(
  'edit',
  fc.record({
    subject,
    nth: fc.nat({ max: 30 }),
    note: fc.option(fc.string({ maxLength: 5 })),
    pending: fc.boolean(),
  }),
  (chaos, { subject: whose, nth: which, note, pending }) =>
    chaos.edit(whose, which, note === null ? null : note.replaceAll('\0', '').toWellFormed(), pending),
)

const remove = of(
  'remove',
  fc.record({ nth, purge: fc.boolean(), refused: fc.boolean(), death, leaves: seldom }),
  async (chaos, given) => {
    if (given.refused)
      await chaos.world.bank.fault({ endpoint: '/item/remove', error: 'INTERNAL_SERVER_ERROR', times: 2 })
    await chaos.remove(given.nth, given.purge, given.death, given.leaves)
  },
)

/** Commands that create or change something are more frequent than those that end something. */
export const commands: fc.Arbitrary<Step>[] = [
  link,
  link,
  link,
  drain,
  drain,
  drain,
  bank,
  bank,
  bank,
  deliver,
  deliver,
  deliver,
  edit,
  edit,
  edit,
  remove,
  remove,
  of('rotate', fc.record({ nth, death: deathWithin(6), retry: fc.boolean() }), (chaos, given) =>
    chaos.rotate(given.nth, given.death, given.retry),
  ),
  of('revoke account', fc.record({ nth, which: fc.nat({ max: 2 }) }), (chaos, given) =>
    chaos.revokeAccount(given.nth, given.which),
  ),
  of('stall', fc.record({ nth, calls: fc.integer({ min: 1, max: 4 }) }), (chaos, given) =>
    chaos.stall(given.nth, given.calls),
  ),
  of(
    'meanwhile',
    fc.record({
      nth,
      wait: fc.record({ calls: fc.integer({ min: 1, max: 6 }), moment }),
      bankStep,
      restart: fc.boolean(),
    }),
    (chaos, given) => chaos.meanwhile(given.nth, given.wait, given.bankStep, given.restart),
  ),
  of('fault of Plaid', plaidFault, (chaos, given) => chaos.world.bank.fault(given)),
  of('odd answer', oddAnswer, (chaos, { where: [endpoint, path], ...given }) =>
    chaos.world.bank.alter({ endpoint, path, ...given }),
  ),
  of('fault of the database', databaseFault, ({ world }, given) => world.stack.addFault(world.database.name, given)),
  of('restart of the database', fc.nat({ max: 6 }), (chaos, after) => chaos.restart(after)),
  of('cron', death, (chaos, given) => chaos.cron(given)),
  of('poll', subject, (chaos, given) => chaos.poll(given)),
  of('resync', nth, (chaos, given) => chaos.resync(given)),
  fc.constant(step('two engines', (chaos) => chaos.drainTwice())),
  fc.constant(step('time passes', (chaos) => chaos.pass())),
]
