// The demo's steps in order. Each step runs for all banks before the next begins.
import type { Customer, Demo, Finding, Linked } from './context.ts'
import { changeBank } from './steps/changes.ts'
import { crash } from './steps/crash.ts'
import { firstSync, linkBank } from './steps/link.ts'
import { missWebhook } from './steps/missed-webhook.ts'
import { askForBalances, closeAccount, dayPasses } from './steps/other-products.ts'
import { postPending } from './steps/posting.ts'
import { removeItem } from './steps/remove.ts'
import { secondUser } from './steps/second-user.ts'
import { bySpendable, unchanged } from './steps/spendable.ts'

export interface Step {
  readonly title: string
  readonly run: () => Promise<void>
}

type ForAll = (demo: Demo, items: readonly Linked[]) => Promise<void>

const each =
  (step: (demo: Demo, linked: Linked) => Promise<Finding>): ForAll =>
  async (demo, items) => {
    await Promise.all(items.map(async (linked) => demo.found(await step(demo, linked))))
  }

/** A step for all items together, because there is only one Worker to kill. */
const together =
  (step: (demo: Demo, items: readonly Linked[]) => Promise<Finding[]>): ForAll =>
  async (demo, items) => {
    if (items.length > 0) for (const finding of await step(demo, items)) demo.found(finding)
  }

const inTurn =
  (...steps: readonly ForAll[]): ForAll =>
  async (demo, items) => {
    for (const step of steps) await step(demo, items)
  }

/** For banks with transactions. At the others nothing happens, and nothing may change. */
const spending =
  (step: ForAll): ForAll =>
  async (demo, items) => {
    const split = await bySpendable(demo, items)
    await step(demo, split.with)
    await each(unchanged)(demo, split.without)
  }

/** The first customer's bank goes through all eight steps, the others through five. */
export function stepsFor(demo: Demo, customers: readonly Customer[]): Step[] {
  const items: Linked[] = []
  const link = async () => {
    for (const customer of customers) items.push(await linkBank(demo, customer))
    await each(firstSync)(demo, items)
  }
  const forAll = (step: ForAll) => () => step(demo, items)
  const forFirst = (step: ForAll) => () => step(demo, items.slice(0, 1))
  const otherProducts = inTurn(each(dayPasses), each(askForBalances), each(closeAccount))
  return [
    { title: 'Link a bank', run: link },
    { title: 'Changes at the bank', run: forAll(spending(each(changeBank))) },
    { title: 'Pending becomes posted', run: forAll(spending(each(postPending))) },
    { title: 'The Worker is killed', run: forAll(spending(together(crash))) },
    { title: 'A missed webhook', run: forAll(spending(together(missWebhook))) },
    { title: 'Balances, investments, liabilities', run: forFirst(otherProducts) },
    { title: 'A second user', run: forFirst(each(secondUser)) },
    { title: 'Remove the bank', run: forFirst(each(removeItem)) },
  ]
}
