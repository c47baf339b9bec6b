// The security events (OWASP ASVS 5.0, 16.3): a closed list, in the field `security_event` of a request's log line,
// whose `status`, `code` and `reason` show the outcome.

/** Events of a route. */
export type RouteEvent =
  | 'admin_change'
  | 'admin_read'
  | 'api_key_creation'
  | 'api_key_revocation'
  | 'client_token'
  | 'consent_change'
  | 'data_export'
  | 'erasure'
  | 'email_verification'
  | 'item_purge'
  | 'item_removal'
  | 'password_change'
  | 'password_reset'
  | 'password_reset_request'
  | 'registration'
  | 'second_factor_activation'
  | 'second_factor_enrollment'
  | 'second_factor_removal'
  | 'session_end'
  | 'session_refresh'
  | 'sign_in'
  | 'sign_out'
  | 'token_rotation'

/** Findings of a check on any route. */
type Finding =
  | 'authentication_refused'
  | 'authorization_refused'
  | 'rate_limit_refused'
  | 'second_factor_refused'
  | 'session_reuse'
  | 'webhook_refused'

export type SecurityEvent = RouteEvent | Finding
