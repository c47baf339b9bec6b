// Every function of src/db that writes to the database puts a row of the audit trail into its statement or batch, or is
// in this list with its reason.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'

const partOf = (whole: string) => `Part of the batch of ${whole}, which has the row.`
const ofSync = 'What a sync stores. The run is a row of sync_runs, and the use of the access token is one of the trail.'
const ofWork = 'Who does which work and when: leases, claims, retries. It changes no data of a person.'
const ofRemoval = 'Carries out a removal, a revocation or a loss, which has its row.'
const ofSignIn = 'Counts an attempt, or only reads. The step after it has the row, also where it refuses.'
const ofRetention = 'Deletes what is past its time. Each run of the retention has a row at its start and at its end.'
const ofErasure = 'Carries out an erasure, whose beginning has its row. Its certificate lists what was deleted.'
const ofRotation = 'Withdraws or prepares a rotation, whose request and success have their rows.'
const ofExchange = 'Begins, ends or retries an exchange. The access token that it stores, and its outcome, have rows.'
const ofRepetitions = 'Keeps a response for repetitions of its request, which has its row.'
const ofTrail = 'The audit trail itself.'
const reading = 'Reads by a function of the database.'
const counting = 'Counts about no person.'

/** File → function → reason. */
const exceptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'applications/idempotency.ts': {
    beginRequest: ofRepetitions,
    storeResponse: ofRepetitions,
    forgetRequest: ofRepetitions,
  },
  'applications/use-key.ts': { useKey: 'Notes the last use of a key.', useKeyOfToken: 'Notes the last use of a key.' },
  'audit/prunings.ts': { pruneCheckpoints: ofTrail },
  'commit.ts': { begin: ofSync, insertRun: ofSync, trimRuns: ofSync, commitRun: ofSync },
  'core/record.ts': { upsert: ofSync },
  'core/statement-name.ts': { writes: 'A pattern that finds the names of statements.' },
  'core/turns.ts': { idsInTurns: ofWork },
  'events/disabling.ts': { failOfDisabled: ofWork },
  'events/work.ts': { claimEndpoint: ofWork, claimDueEndpoints: ofWork, releaseEndpoints: ofWork },
  'identity/passwords.ts': {
    beginReauthentication: ofSignIn,
    beginRegistration: ofSignIn,
    beginVerification: ofSignIn,
    findReset: ofSignIn,
  },
  'identity/retention.ts': { countExpiredLogins: reading, purgeExpiredLogins: ofRetention },
  'identity/sessions.ts': { beginSignIn: ofSignIn, listSessions: reading, sessionLives: reading },
  'identity/totp.ts': {
    countTotpKeys: reading,
    enrolledTotp: reading,
    listTotpKeyIds: reading,
    listTotpSecrets: reading,
    replaceTotpSecrets: 'Seals the same secret under another key. The rotation of the keys has its row.',
  },
  'items/duplicates.ts': { statementOf: partOf('decideDuplicate') },
  'items/item-update.ts': { markProductsDirty: ofSync },
  'items/items.ts': { markProductsDirty: partOf('repairItem and requestSync') },
  'items/plaid-removals.ts': {
    claim: ofWork,
    confirmRemoval: ofRemoval,
    noteRemovalFailure: ofWork,
    queueLostItems: ofRemoval,
    queueRevokedItems: ofRemoval,
    releaseRemovals: ofWork,
  },
  'items/purge.ts': { purgeOne: ofRemoval, purgeRevokedAccounts: ofRemoval },
  'items/removal.ts': { publishPortion: ofRemoval },
  'items/rotations.ts': {
    cancelRotation: ofRotation,
    claimRotation: ofRotation,
    markStuckRotations: ofWork,
    withdrawRotation: ofRotation,
  },
  'link/caps.ts': { trimLinks: ofRetention },
  'link/exchanges.ts': {
    beginExchange: ofExchange,
    claimExchanges: ofWork,
    endUnexchanged: ofExchange,
    loseExchange: ofExchange,
    noteExchangeFailure: ofWork,
    releaseExchanges: ofWork,
  },
  'link/linked-item.ts': {
    applyEarlyRevocations: partOf('storeNewItem and storeRelink'),
    begin: partOf('storeNewItem and storeRelink'),
    end: partOf('storeNewItem and storeRelink'),
    stored: partOf('storeNewItem and storeRelink'),
  },
  'link/orphans.ts': {
    claimOrphans: ofWork,
    findOrphans: 'Notes items at Plaid that are no item here. The log has an error for each.',
  },
  'link/sessions.ts': { claimLinkSessions: ofWork, concludeLinkSession: ofExchange },
  'link/user-checks.ts': { claimUsersToCheck: ofWork, recheckUsers: ofWork },
  'operations/backups.ts': { beginBackup: 'Notes that a backup runs. Its end has a row.' },
  'operations/dead-letters.ts': { recordDeadLetter: ofWork },
  'operations/live.ts': {
    allowWatching: 'Says until when commits notify the sockets of a user, who loses nothing by it.',
  },
  'operations/safety-switches.ts': { tripLosses: 'The breaker against losses, by itself. The log has an error.' },
  'operations/usage.ts': { recordUsage: counting },
  'operations/webhook-keys.ts': { deleteKey: 'Public keys of Plaid.', saveKey: 'Public keys of Plaid.' },
  'privacy/absence.ts': {
    noteUnusedAccounts:
      'Notes the last sign-in of accounts that were never used. The erasure that follows has its row.',
    noteNotified: 'Notes that a notice was sent. The erasure that follows has its row.',
    addressOf: reading,
  },
  'privacy/erasure-copies.ts': { noteCopied: ofErasure },
  'privacy/erasures.ts': {
    addCounts: ofErasure,
    claimErasures: ofErasure,
    eraseAccount: ofErasure,
    eraseRows: ofErasure,
    finishErasure: ofErasure,
    giveUpRemovals: ofErasure,
    notePlaidUserRemoved: ofErasure,
  },
  'privacy/export.ts': { exportLogin: 'A part of the export, which has its row.' },
  'read/audit.ts': { ofUser: reading },
  'records/accounts-merge.ts': {
    markDuplicates: ofSync,
    mergeAccounts: ofSync,
    moveAccounts: ofSync,
    renameAccounts: ofSync,
    showSharedAgain: ofSync,
    rereadAsRelinked: ofSync,
    rereadByAccounts: ofSync,
  },
  'records/holding-days.ts': { keepHoldingDay: ofSync },
  'records/investments-merge.ts': {
    addSecurities: ofSync,
    mergeHoldings: ofSync,
    mergeInvestmentTransactions: ofSync,
  },
  'records/liabilities.ts': { mergeLiabilities: ofSync },
  'records/recurring.ts': { markFirstRecurringDirty: ofSync, mergeRecurring: ofSync },
  'records/relink.ts': {
    dropUnmatched: ofSync,
    rebindInvestmentTransactions: ofSync,
    rebindTransactions: ofSync,
    settleDuplicates: ofSync,
  },
  'records/retention.ts': {
    countExpired: reading,
    purgeHistory: ofRetention,
    purgeFeed: ofRetention,
    purgeRows: ofRetention,
  },
  'records/rules.ts': { numbered: partOf('insertRule, replaceRule, deleteRule and orderRules') },
  'records/tombstones.ts': { insertTombstones: ofRemoval, trimTombstones: ofRemoval },
  'records/transactions-merge.ts': { mergeTransactions: ofSync },
  'records/transactions-staging.ts': { clearStaging: ofSync, dropStaged: ofSync, stageRows: ofSync },
  'records/accounts.ts': { editAccount: 'A user’s own names and choices, which only the user reads.' },
  'records/transactions.ts': { editTransaction: 'A user’s own notes and categories, which only the user reads.' },
  'sync/due.ts': { claimDue: ofWork, markStale: ofWork, releaseDue: ofWork },
  'sync/message-claims.ts': { claimMessages: ofWork, releaseMessages: ofWork },
  'sync/set-aside.ts': { insertSetAside: ofSync, forgetSetAside: ofSync, settleSetAside: ofSync },
  'sync/work.ts': {
    // Reads whether the use of the token has its row.
    acquireLease: ofWork,
    renewal: ofWork,
  },
}

const writes = [
  /\binsert into\b/i,
  /\bdelete from\b/i,
  /\bupdate (?!of\b)[a-z_.]+ /i,
  // Functions of the database may write.
  /\b(?:select|from) (?:[a-z.]+ from )?(?:app|identity)\.[a-z_]+\(/i,
]
const comments = /\/\*\*[\s\S]*?\*\/|^\s*\/\/.*$/gm

/** The functions of a file that write, and whether each takes the row of the trail into its batch. */
function writersIn(source: string): { readonly name: string; readonly hasRow: boolean }[] {
  return source.split(/^(?=(?:export )?(?:async )?(?:function|const) )/m).flatMap((part) => {
    const name = /^(?:export )?(?:async )?(?:function|const) (\w+)/.exec(part)?.[1]
    const code = part.replaceAll(comments, '')
    if (name === undefined || !writes.some((pattern) => pattern.test(code))) return []
    return [{ name, hasRow: /\b(?:recorded|recordedFor|recordAudit|record_audit|audit_links)\b/.test(code) }]
  })
}

const found = new Map<string, ReturnType<typeof writersIn>>()
beforeAll(async () => {
  const folder = join(projectFolder, 'src/db')
  for (const file of await readdir(folder, { recursive: true }))
    if (file.endsWith('.ts')) found.set(file, writersIn(await readFile(join(folder, file), 'utf8')))
})

describe('a function that writes to the database', () => {
  it('leaves a row in the audit trail, or is an exception with a reason', () => {
    const without = [...found].flatMap(([file, writers]) =>
      writers
        .filter(({ name, hasRow }) => !hasRow && exceptions[file]?.[name] === undefined)
        .map(({ name }) => `${file} ${name}`),
    )
    expect(without).toEqual([])
  })

  it('is no exception without need', () => {
    const needless = Object.entries(exceptions).flatMap(([file, names]) =>
      Object.keys(names)
        .filter((name) => found.get(file)?.some((writer) => writer.name === name && !writer.hasRow) !== true)
        .map((name) => `${file} ${name}`),
    )
    expect(needless).toEqual([])
  })

  it('is found by the scan: a statement, and a function of the database', () => {
    const source =
      'export async function one() { sql`update items set x = 1 ` }\nconst two = () => sql`select app.erase()`\nfunction three() { recordAudit(row); sql`delete from items` }\nfunction four() { sql`select 1` }'
    expect(writersIn(source)).toEqual([
      { name: 'one', hasRow: false },
      { name: 'two', hasRow: false },
      { name: 'three', hasRow: true },
    ])
  })
})
