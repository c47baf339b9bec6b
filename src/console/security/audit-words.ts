// What the actions of the audit trail mean, in words.
import { categoryWords } from '../format/words.ts'

const actions: Readonly<Record<string, string>> = {
  registration_requested: 'An account was requested',
  account_created: 'The account was created',
  signed_in: 'Signed in',
  sign_in_refused: 'A sign-in was refused',
  session_ended: 'A session was ended',
  sessions_ended: 'All sessions were ended',
  signed_out: 'Signed out',
  session_reused: 'A used-up session was tried again, and ended',
  password_changed: 'The password was changed',
  password_reset_requested: 'A new password was requested by e-mail',
  password_reset: 'The password was set by e-mail',
  totp_enrolled: 'A second factor was prepared',
  totp_enabled: 'The second factor was turned on',
  totp_disabled: 'The second factor was turned off',
  link_token_created: 'Connecting a bank was begun',
  access_token_obtained: 'The key to a bank was stored',
  item_linked: 'A bank was connected',
  item_relinked: 'A bank was connected again',
  accounts_taken_over: 'Accounts were continued by another connection',
  link_refused: 'A connection was refused',
  item_repaired: 'A connection was repaired',
  item_lost: 'A connection ended at Plaid',
  item_revoked: 'The permission for a bank was withdrawn',
  account_revoked: 'The permission for an account was withdrawn',
  item_end_announced: 'The end of a connection was announced',
  data_exported: 'All data were downloaded',
  consents_changed: 'Privacy choices were changed',
  erasure_begun: 'The erasure was begun',
  item_removed: 'A bank was removed',
  item_purged: 'A bank was removed, with its data',
  token_used: 'The key to a bank was used to read its data',
  token_rotation_requested: 'A new key to a bank was requested',
  token_rotated: 'The key to a bank was replaced',
  duplicate_resolved: 'A duplicate account was settled',
  sync_requested: 'New data were requested',
  item_resynced: 'A bank was read again from the start',
  item_rechecked: 'A bank was checked at Plaid',
  api_key_created: 'An API key was created',
  api_key_revoked: 'An API key was revoked',
  client_token_issued: 'An application got access',
  admin_read: 'An administrator read your data',
  admin_granted: 'The account became an administrator',
  admin_revoked: 'The account stopped being an administrator',
}

const actors: Readonly<Record<string, string>> = {
  user: 'You',
  admin: 'An administrator',
  anonymous: 'A person who is not signed in',
  webhook: 'Plaid',
  cron: 'This server, by schedule',
  queue: 'This server',
  command: 'The operator, on the command line',
}

/** Other actions are shown by their name. */
export const actionWords = (action: string): string => actions[action] ?? categoryWords(action.toUpperCase())
export const actorWords = (actor: string): string => actors[actor] ?? actor
