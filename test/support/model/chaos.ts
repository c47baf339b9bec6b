// The world of the model-based test: the real use cases, a real database and the simulator, banks in which each
// transaction has a unique name and amount, and isolates that die. Keeps what must be true in the end;
// expect-consistent.ts checks it.
import * as z from 'zod'
import { listChanges } from '../../../src/db/read/changes.ts'
import { editTransaction, type Transaction } from '../../../src/db/records/transactions.ts'
import { AppError } from '../../../src/errors.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { createLinkToken } from '../../../src/link/create-link-token.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import type { Services } from '../../../src/context.ts'
import { fullResync } from '../../../src/sync/full-resync.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { markStaleProducts, sweep } from '../../../src/sync/sweep.ts'
import { everyTransaction } from '../equality.ts'
import { rotate } from '../item-lifecycle.ts'
import { failAt } from '../fault-injection.ts'
import { followAll } from '../whole-feed.ts'
import type { World } from '../world.ts'
import { bankPassword, connectControl, noteKey, type TrueItem } from './banks.ts'
import { createMail } from './mail.ts'
import { portfolioChange } from './portfolio.ts'
import { watchRestarts } from './restarts.ts'
import { stalled } from './stalled.ts'
import type { Chaos, Death, Happened } from './types.ts'
import { isIdle, letModelTimePass } from './time.ts'

/** The most rounds of sweeps until no work is left. */
const mostRounds = 6

/**
 * Whether a failure of the database or of Plaid may end with this error. The reconciler combines the errors of its
 * steps.
 */
function isExpected(error: unknown): boolean {
  return error instanceof AppError || (error instanceof AggregateError && error.errors.every(isExpected))
}

export async function createChaos(world: World, happened: Happened): Promise<Chaos> {
  const count = (what: string): void => void happened.set(what, (happened.get(what) ?? 0) + 1)
  const control = connectControl(world.simulator)
  const subjects = ['anna', 'bert']
  const followers = new Map(subjects.map((subject) => [subject, { since: 0, seen: new Map<string, Transaction>() }]))
  const copies = new Map(subjects.map((subject) => [subject, followAll(world, subject)]))
  const notes = new Map<string, Set<string | null>>()
  const doomedTokens = new Set<string>()
  const neverShared = new Set<string>()
  /** The names of transactions in revoked accounts, by Plaid's id of the item. */
  const revoked = new Map<string, string[]>()
  const mail = createMail(world)
  const restarts = await watchRestarts(world)
  let made = 0

  const servicesFor = (death: Death): { services: Services; isDead: () => boolean } => {
    if (death === null) return { services: world.services, isDead: () => false }
    return failAt(world.services, { call: death.at, fault: `dies ${death.moment}` })
  }
  /** Awaits two requests of one client, sent at the same time; true when either succeeds. */
  const both = async (first: Promise<boolean>, second: Promise<boolean>): Promise<boolean> => {
    const done = await Promise.all([first, second])
    count('left')
    return done.includes(true)
  }
  /**
   * Runs `act` in an isolate and returns whether it finished. An error that a client may get and the isolate's death
   * are not rejections.
   */
  const inIsolate = async (death: Death, act: (services: Services) => Promise<unknown>): Promise<boolean> => {
    const { services, isDead } = servicesFor(death)
    try {
      await act(services)
    } catch (error) {
      if (!isDead() && !isExpected(error)) throw error
      count(isDead() ? 'died' : 'refused')
      return false
    }
    if (isDead()) count('died')
    return !isDead()
  }
  const as = (subject: string, services: Services) => ({ ...world.user(subject), services })

  /** Items that Plaid holds and that were exchanged, oldest first. */
  const living = async (): Promise<TrueItem[]> =>
    (await control.items()).filter(({ status }) => status === 'good' || status === 'login_required')
  const chosen = async (nth: number): Promise<TrueItem | undefined> => {
    const items = await living()
    return items.length === 0 ? undefined : items[nth % items.length]
  }
  /** The stored id and user of an item, by Plaid's id; null when it is not stored or hidden. */
  const ours = async (plaidItemId: string): Promise<{ id: string; subject: string } | null> => {
    const [row] = await world.sql(
      'select i.id, u.subject from items i join users u on u.id = i.user_id where i.plaid_item_id = $1 and i.removed_at is null',
      [plaidItemId],
    )
    return row === undefined ? null : { id: String(row['id']), subject: String(row['subject']) }
  }
  /** Completes the histories that Plaid has not finished yet. */
  const tellHistory = async (): Promise<void> => {
    for (const { item_id: id } of await living()) await world.bank.change(id, { history: 'historical' })
  }
  const userId = async (subject: string): Promise<string> =>
    z.string().parse((await world.sql('select id from users where subject = $1', [subject]))[0]?.['id'])

  /** The keys of the notes that a user's transactions could have. */
  const namesHere = async (subject: string): Promise<ReadonlySet<string>> => {
    const rows = await world.sql(
      'select t.name from transactions t join users u on u.id = t.user_id where u.subject = $1 and t.removed_at is null',
      [subject],
    )
    return new Set(rows.map(({ name }) => noteKey(subject, String(name))))
  }

  const read = async (subject: string): Promise<void> => {
    const follower = followers.get(subject)
    if (follower === undefined) return
    for (;;) {
      const { identity } = world.user(subject).actor
      const { changes, hasMore } = await listChanges(world.services.api, identity, follower.since, 3)
      for (const { seq, transactionId, transaction } of changes) {
        if (transaction === null) follower.seen.delete(transactionId)
        else follower.seen.set(transactionId, transaction)
        follower.since = seq
      }
      if (!hasMore) return
    }
  }

  const poll = async (subject: string): Promise<void> => {
    await inIsolate(null, async () => {
      await read(subject)
      await copies.get(subject)?.catchUp(7)
    })
  }

  const chaos: Chaos = {
    world,
    control,
    subjects,
    followers,
    copies,
    notes,
    doomedTokens,
    neverShared,
    poll,
    pass: () => letModelTimePass(world),
    async settleIn() {
      const news = {
        add: 0,
        pending: 2,
        modify: 0,
        remove: 0,
        post: 0,
        silent: true,
        login: null,
        trade: null,
        pays: false,
      }
      for (const [nth, subject] of subjects.entries()) {
        await chaos.link({ subject, username: `${subject}_${nth === 0 ? 'one' : 'two'}` }, null, false, false)
        await chaos.bank(nth, news)
        await chaos.drain(null, false)
        await chaos.edit(subject, 1, 'first')
        await chaos.edit(subject, 4, 'second')
        await chaos.edit(subject, 0, 'third', true)
      }
    },
    async link({ subject, username }, death, retry, leaves) {
      let linkToken = ''
      const asked = await inIsolate(null, async (services) => {
        const input = {
          itemId: null,
          redirectUri: null,
          products: null,
          hosted: false,
          accountSelection: false,
          language: null,
          countryCodes: null,
        }
        ;({ linkToken } = await createLinkToken(as(subject, services), input))
      })
      if (!asked) return
      const password = bankPassword(username)
      const { publicToken } = await control.finishLink({
        link_token: linkToken,
        username: 'user_custom',
        password,
      })
      const exchange = (services: Services) =>
        exchangePublicToken(as(subject, services), { publicToken, linkToken, institution: null })
      const done = await (leaves
        ? both(inIsolate(death, exchange), inIsolate(null, exchange))
        : inIsolate(death, exchange))
      const doneAgain = !done && retry && (await inIsolate(null, exchange))
      if (done || doneAgain) count('linked')
      await tellHistory()
    },
    async revokeAccount(nth, which) {
      const item = await chosen(nth)
      const account = item?.accounts[which % item.accounts.length]
      if (item === undefined || account === undefined || item.accounts.length < 2) return
      await world.bank.change(item.item_id, { revoke_account: account.account_id })
      if ((await ours(item.item_id)) === null) neverShared.add(`${item.item_id} ${account.name}`)
      const inAccount = item.transactions.filter((row) => row.account_id === account.account_id)
      revoked.set(item.item_id, [...(revoked.get(item.item_id) ?? []), ...inAccount.map(({ name }) => name)])
      await mail.expectRevocation(account.account_id)
      count('account revoked')
    },
    async remove(nth, purge, death, leaves) {
      const item = await chosen(nth)
      const row = item === undefined ? null : await ours(item.item_id)
      if (item === undefined || row === null) return
      const removal = (services: Services) => removeItem(as(row.subject, services), row.id, { purge })
      const done = await (leaves
        ? both(inIsolate(death, removal), inIsolate(null, removal))
        : inIsolate(death, removal))
      if (done) count(purge ? 'purged' : 'removed')
      if (!purge) return
      const names = await namesHere(row.subject)
      // Notes of purged transactions are deleted with them. After a death the outcome is unknown. A second link of the
      // same bank that no id connects with the first has the same names, with separate notes.
      for (const name of [...item.transactions.map((one) => one.name), ...(revoked.get(item.item_id) ?? [])]) {
        const key = noteKey(row.subject, name)
        const allowed = notes.get(key)
        if (allowed === undefined) continue
        notes.set(key, done && !names.has(key) ? new Set([null]) : new Set([...allowed, null]))
      }
    },
    async rotate(nth, death, retry) {
      const item = await chosen(nth)
      const row = item === undefined ? null : await ours(item.item_id)
      if (item === undefined || row === null) return
      const rotation = (services: Services) => rotate(world, as(row.subject, services), row.id)
      const done = await inIsolate(death, rotation)
      count(done ? 'rotated' : 'rotation cut short')
      if (done) return
      doomedTokens.add(item.item_id)
      if (!retry) return
      await letModelTimePass(world)
      await inIsolate(null, rotation)
    },
    async bank(nth, step) {
      const item = await chosen(nth)
      const account = item?.accounts.find(({ type }) => type !== 'investment')
      if (item === undefined || account === undefined) return
      const addition = (pending: boolean) => {
        made += 1
        return { account_id: account.account_id, name: `made ${made}`, amount: 100 + made, pending }
      }
      const posted = item.transactions.filter(({ pending }) => !pending)
      const pending = item.transactions.filter((row) => row.pending)
      const ids = (rows: TrueItem['transactions'], most: number) => rows.slice(0, most).map((row) => row.transaction_id)
      const portfolio = portfolioChange(item, step, 100 + (made += 1))
      for (const what of Object.keys(portfolio)) count(what)
      await world.bank.change(item.item_id, {
        silent: step.silent,
        add: [
          ...Array.from({ length: step.add }, () => addition(false)),
          ...Array.from({ length: step.pending }, () => addition(true)),
        ],
        modify: ids(posted, step.modify).map((id) => ({ transaction_id: id, amount: 100 + (made += 1) })),
        remove: ids(posted.toReversed(), step.remove),
        ...(step.post === 0 || pending.length === 0
          ? {}
          : { post_pending: { transaction_ids: ids(pending, step.post), link: true } }),
        ...portfolio,
        ...(step.login === 'required' && item.status === 'good' ? { login_required: true } : {}),
        ...(step.login === 'repaired' && item.status === 'login_required' ? { login_repaired: true } : {}),
      })
    },
    async deliver(nth, how, death) {
      const delivery = await mail.take(nth)
      if (delivery === undefined) return
      if (how.lost) {
        mail.lose(delivery)
        return
      }
      if (how.forged) {
        const forged = { ...delivery, body: `${delivery.body} ` }
        const taken = await inIsolate(null, (services) => world.deliver(forged, services))
        if (taken) throw new Error('a forged webhook was taken')
        count('forged')
      }
      const done = await inIsolate(death, (services) => world.deliver(delivery, services))
      if (done) count('delivered')
      // Plaid repeats a webhook without a response, and some that had one.
      if (!done || how.twice) mail.putBack(delivery)
    },
    async drain(death, lose) {
      const messages = [...world.queue]
      const done = await inIsolate(death, (services) => world.drain(services))
      // A message whose holder died is delivered again.
      if (!done && !lose) world.queue.push(...messages)
      if (!done && lose) world.queue.length = 0
    },
    async drainTwice() {
      const messages = world.queue.splice(0)
      await Promise.all([
        world.consume(messages),
        world.consume(messages.toReversed()),
        ...subjects.map((subject) => chaos.edit(subject, 0, 'meanwhile', true)),
      ])
      if (messages.length > 0) count('two engines')
    },
    async stall(nth, afterCalls) {
      const item = await chosen(nth)
      const row = item === undefined ? null : await ours(item.item_id)
      if (row === null) return
      await world.sql(
        'update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where item_id = $1',
        [row.id],
      )
      const [product] = await world.sql(
        "select id from item_products where item_id = $1 and product = 'transactions'",
        [row.id],
      )
      const message = { item_product_id: String(product?.['id']), reason: 'user' as const }
      const gate = Promise.withResolvers<void>()
      const slow = stalled(world.services, afterCalls, gate.promise)
      const first = world.consume([message], slow.services)
      await Promise.race([slow.reached, first])
      await letModelTimePass(world)
      await world.consume([message])
      gate.resolve()
      await first
      count('stalled')
    },
    async meanwhile(nth, { calls, moment }, change, restart) {
      const item = await chosen(nth)
      const row = item === undefined ? null : await ours(item.item_id)
      if (row === null) return
      const marks = async () => {
        const [product] = await world.sql(
          "select id, dirty_seq, synced_seq, cursor from item_products where item_id = $1 and product = 'transactions'",
          [row.id],
        )
        return product
      }
      const fromStart = (services: Services) => fullResync(world.job(services), row.id)
      const onward = (services: Services) => requestSync(as(row.subject, services), row.id)
      await inIsolate(null, restart ? onward : fromStart)
      const before = await marks()
      const message = { item_product_id: String(before?.['id']), reason: 'user' as const }
      const gate = Promise.withResolvers<void>()
      const slow = stalled(world.services, calls, gate.promise, moment)
      const run = world.consume([message], slow.services)
      await Promise.race([slow.reached, run])
      await chaos.bank(nth, change)
      const isAsked = await inIsolate(null, restart ? fromStart : onward)
      gate.resolve()
      await run
      const after = await marks()
      if (Number(after?.['synced_seq']) > Number(before?.['dirty_seq']))
        throw new Error('what was asked for while a run went on counts as done by it')
      if (restart && isAsked && after?.['cursor'] !== null) throw new Error('a restart was forgotten')
      count('changed meanwhile')
    },
    async edit(subject, nth, note, pending = false) {
      let rows: Transaction[] = []
      await inIsolate(null, async () => {
        rows = await everyTransaction(world, subject)
      })
      const preferred = pending && rows.some((row) => row.pending) ? rows.filter((row) => row.pending) : rows
      const row = preferred.toSorted((a, b) => (a.name < b.name ? -1 : 1))[nth % preferred.length]
      if (row === undefined) return
      const key = noteKey(subject, row.name)
      const { api } = world.services
      let edited = null
      const done = await inIsolate(null, async () => {
        edited = await editTransaction(api, world.user(subject).actor.identity, row.id, { note })
      })
      if (edited !== null) count('edited')
      // A second link of the same bank has transactions of the same names, with separate notes.
      const isOnly = rows.filter(({ name }) => noteKey(subject, name) === key).length === 1
      if (done && edited !== null && isOnly) notes.set(key, new Set([note]))
      else if (!done || edited !== null) notes.set(key, new Set([...(notes.get(key) ?? [null]), note]))
    },
    async cron(death) {
      await inIsolate(death, (services) => reconcile(world.job(services)))
      await inIsolate(death, (services) => sweep(world.job(services)))
    },
    async resync(nth) {
      const item = await chosen(nth)
      const row = item === undefined ? null : await ours(item.item_id)
      if (row !== null) await inIsolate(null, (services) => fullResync(world.job(services), row.id))
    },
    async restart(afterCalls) {
      await restarts.expect()
      await world.stack.addFault(world.database.name, { kind: 'restart', after: afterCalls })
    },
    async heal() {
      await world.stack.clearFaults(world.database.name)
      if (await restarts.hasHappened()) count('database restarted')
      await world.bank.clearFaults()
      await world.bank.clearAlterations()
      await tellHistory()
      await mail.finish()
      for (let round = 1; round <= mostRounds; round += 1) {
        await letModelTimePass(world)
        await reconcile(world.job())
        if (round === 1) await markStaleProducts(world.job())
        await letModelTimePass(world)
        await sweep(world.job())
        await world.drain()
        await tellHistory()
        if (round > 1 && (await isIdle(world))) break
      }
      for (const subject of subjects) {
        const [known] = await world.sql('select 1 from users where subject = $1', [subject])
        if (known !== undefined && (await userId(subject)) !== '') await poll(subject)
      }
    },
  }
  return chaos
}
