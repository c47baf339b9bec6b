// The routes for administrators about the audit trail, keys, the freeze, retention and backups.
import { auditExample } from './privacy.ts'
import { type OperationTexts, page, paged, sample } from './text.ts'

const keysExample = {
  current_key_id: 'k2',
  keys: [
    { id: 'k1', readable: true, values: { items: 120, link_sessions: 3 } },
    { id: 'k2', readable: true, values: { items: 4880, totp_secrets: 310 } },
  ],
  remaining: 123,
}

const tokensExample = { before: sample.time, total: 5000, remaining: 1234 }

const backupExample = {
  id: sample.backup,
  place: 'bucket',
  state: 'complete',
  problem: null,
  started_at: sample.time,
  finished_at: sample.time,
  rows: 1048576,
  bytes: 96468992,
  verified_at: null,
}

const freezeExample = { state: 'frozen', changed_at: sample.time }

export const adminProtectionTexts: OperationTexts = {
  adminListAudit: {
    description: `Returns the audit trail of all users and of the system, newest first. Reading it is recorded too. ${paged}`,
    parameters: {
      actor: 'Only rows of this kind of actor.',
      action: 'Only rows of this action.',
      target_id: 'Only rows about this target.',
      user_id: 'Only rows in the trail of this user.',
    },
    responses: { 200: 'A page of the audit trail.' },
    example: {
      response: page({
        ...auditExample,
        client_request_id: null,
        network: 'q3l8x0v2aJm4T1bR',
        acted_by: { issuer: 'wealthnavigator-edge', subject: sample.user },
        user: { issuer: 'wealthnavigator-edge', subject: sample.user },
      }),
    },
  },
  adminGetAuditVerification: {
    description:
      'Returns the result of the last `npm run audit -- verify`, which is itself a signed row of the trail, ' +
      'and how many rows wait for their place in a chain. Until a row has its place, its deletion leaves no ' +
      'trace; the chaining job runs each minute.',
    responses: { 200: 'The state of the audit trail.' },
    example: {
      response: {
        last: {
          verified_at: sample.time,
          valid: true,
          rows: 120_431,
          chains: 312,
          waiting: 3,
          checkpoint: '8912:0f0e0d0c0b0a09080706050403020100',
          fault: null,
        },
        waiting: 2,
        waiting_since: sample.time,
      },
    },
  },
  adminListKeys: {
    description:
      'Returns the encryption keys that are configured or that sealed a stored secret, and how many secrets ' +
      'of each place each key sealed. Reads every sealed secret.',
    responses: { 200: 'The keys.' },
    example: { response: keysExample },
  },
  adminRotateKeys: {
    description:
      'Starts a background job that seals every stored secret again under the current key, at most 500 a ' +
      'second. Call `GET /api/v1/admin/keys` to follow it. Starting it again is safe: secrets of the current ' +
      'key are left out.',
    responses: { 202: 'The job is queued.' },
    example: { response: keysExample },
  },
  adminGetFreeze: {
    description:
      'Returns whether the deployment is frozen. `off`: it is not. `frozen`: no data is written and Plaid is ' +
      'not called. `recovery`: the same, except that access tokens are rotated. `locked`: as `frozen`, and ' +
      'only `npm run freeze` can change it.',
    responses: { 200: 'The state.' },
    example: { response: freezeExample },
  },
  adminFreeze: {
    description:
      'Stops all writes at once, and all calls of Plaid within two seconds. Reads, sign-in and sign-out ' +
      'continue. Other changes return 503 `frozen`, webhooks too: Plaid sends them again for 24 hours. ' +
      '`recovery` lets access tokens be rotated. Returns 409 while the freeze is locked.',
    body: 'The state: `frozen` unless given.',
    responses: { 200: 'The deployment is frozen.' },
    example: { request: { state: 'frozen' }, response: freezeExample },
  },
  adminUnfreeze: {
    description:
      'Ends the freeze. The next sweep enqueues the syncs that waited. Returns 409 while the freeze is locked.',
    responses: { 200: 'The deployment is not frozen.' },
    example: { response: { ...freezeExample, state: 'off' } },
  },
  adminGetAccessTokens: {
    description:
      'Returns how many items have an access token, and how many of them have one that is older than ' +
      '`before`: the progress of a rotation of all access tokens. Items that only a new link can restore are ' +
      'left out.',
    parameters: { before: 'A time; now unless given.' },
    responses: { 200: 'The counts.' },
    example: { response: tokensExample },
  },
  adminRotateAccessTokens: {
    description:
      'Starts a background job that replaces the access token of every item by a new one at Plaid, at most ' +
      'two a second, with lower priority than calls that a user waits for. Pass the `before` of an earlier ' +
      'response to continue its rotation: tokens that are newer are left alone. Call `GET ' +
      '/api/v1/admin/access_tokens` with the same `before` to follow it. Works in the state `recovery` of a ' +
      'freeze.',
    body: 'Replaces tokens that are older than `before`: now unless given.',
    responses: { 202: 'The job is queued.' },
    example: { request: { before: sample.time }, response: tokensExample },
  },
  adminPlanRetention: {
    description:
      'Returns the classes of data that are deleted after a time, and how many rows of each are past it. A ' +
      'daily job deletes them; `POST /api/v1/admin/retention/run` deletes them now.',
    responses: { 200: 'The classes.' },
    example: {
      response: {
        data: [
          {
            name: 'sync_runs',
            tables: ['public.sync_runs'],
            days: 90,
            before: '2025-12-03T00:00:00.000Z',
            due: 1412,
          },
        ],
      },
    },
  },
  adminRunRetention: {
    description:
      'Deletes rows that are past their retention, as the daily job does, for at most 15 seconds. Safe to ' +
      'interrupt and to repeat; rows that a running sync holds stay for the next run.',
    responses: { 200: 'What was deleted.' },
    example: { response: { purged: { sync_runs: 1412 }, done: true } },
  },
  adminListBackups: {
    description:
      'Returns the last complete backup, the backup that was last restored for a test, and the newest ones. ' +
      'Backups that `npm run backup -- create` makes are included.',
    responses: { 200: 'The backups.' },
    example: {
      response: {
        enabled: true,
        overdue: false,
        last_backup: backupExample,
        last_verified: { ...backupExample, verified_at: sample.time },
        data: [backupExample],
      },
    },
  },
  adminRecordVerifiedBackup: {
    description:
      'Records that the backup was restored into a temporary database and compared row by row. `npm run ' +
      'backup -- verify --record` does both.',
    parameters: { id: 'The id of the backup.' },
    responses: { 200: 'It is recorded.' },
    example: { response: { id: sample.backup, verified: true } },
  },
}
