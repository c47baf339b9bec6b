// Users, their accounts here, their decisions and their erasure.
import type { Purposes } from './purposes.ts'

export const people: Purposes = {
  'identity.accounts': {
    email: 'signing in, and e-mails about security',
    password_hash: 'verifies the password',
    role: 'whether the account is an administrator',
    totp_secret_sealed: 'verifies codes of the authenticator app',
    totp_confirmed_at: 'since when the second factor is required',
    totp_last_step: 'prevents that a code works twice',
    password_changed_at: 'ends codes and devices from before',
    devices_valid_from: 'ends the trust in devices from before',
  },
  'identity.password_resets': {
    token_hash: 'verifies the code in the e-mail',
    email: 'whose password it resets',
  },
  'identity.recovery_codes': { account_id: 'whose code it is', code_hash: 'verifies the code' },
  'identity.registrations': {
    token_hash: 'verifies the code in the e-mail',
    email: 'the address to confirm',
    password_hash: 'the password of the future account',
  },
  'identity.sessions': {
    account_id: 'whose session it is',
    selector_hash: 'finds the session of a refresh token',
    verifier_hash: 'verifies the refresh token',
    previous_verifier_hash: 'detects that a refresh token is used twice',
    rotated_at: 'when the refresh token was replaced',
    scope: 'what the session may do',
    last_used_at: 'shows the session to its user',
    idle_expires_at: 'when it ends without use',
  },
  'identity.throttles': {
    key: 'a hash of an address or network, under which attempts are counted',
    taken_at: 'the times of the attempts',
  },
  'public.consents': {
    version: 'the number of the decision',
    linking_and_sync: 'the decision',
    insights: 'the decision',
    product_emails: 'the decision',
    diagnostics: 'the decision',
    decided_at: 'when it was made',
  },
  'public.erasures': {
    user_id: 'the user, until the erasure is complete',
    subject_hash: 'recognizes old tokens and restored backups of the person',
    requested_at: 'tokens from before are refused',
    deleted: 'how many rows of each table were deleted, for the certificate',
    plaid_user_removed: 'whether Plaid has removed the user',
    completed_at: 'when everything was deleted',
    certificate: 'the signed certificate, which the person can get again',
  },
  'public.user_visits': {
    seen_on: 'the last day on which the user came; starts the erasure after two years',
    noticed_at: 'when the user was notified',
    paid_calls: 'how many billed calls the user caused on that day',
    paid_calls_on: 'the day of these calls, for the limit of a day',
    live_until: 'until when a client of the user may listen for changes',
  },
  'public.users': {
    issuer: 'the issuer of the person’s tokens',
    subject: 'the issuer’s id of the person',
    change_seq: 'the end of the change feed',
    changes_from: 'its beginning, of transactions',
    feed_from: 'its beginning, of everything',
    feed_epoch: 'which database its numbers belong to',
    plaid_items_checked_at: 'when Plaid’s list of the user’s items was last compared',
    tokens_valid_from: 'refuses tokens from before an erasure',
    not_allowed: 'the purposes that the user does not allow',
  },
}
