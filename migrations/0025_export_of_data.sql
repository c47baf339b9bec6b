-- What the export of a user's data reads beside the tables that the user's requests read: own rows, and no sealed token.
GRANT SELECT (id, user_id, item_id, product, kind, row_key, plaid_account_id, problems, payload, run_id, first_seen_at,
  last_seen_at) ON set_aside_rows TO wn_api;
--> statement-breakpoint
GRANT SELECT (id, user_id, scheme, webhook_type, webhook_code, plaid_item_id, item_id, payload, received_at)
  ON webhook_events TO wn_api;
--> statement-breakpoint
GRANT SELECT (id, user_id, plaid_item_id, item_id, reason, created_at, attempts, next_attempt_at, last_error)
  ON plaid_removals TO wn_api;
--> statement-breakpoint
-- A time as RFC 3339 writes it, in UTC.
CREATE FUNCTION identity.instant(p_at timestamptz) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;
--> statement-breakpoint
-- What is stored of a built-in account, without hashes and the sealed secret: JSON objects by the name of the data set. As
-- seen from one of its sessions: nothing when that one is over.
CREATE FUNCTION identity.export_account(p_account uuid, p_session uuid, OUT name text, OUT line text) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  WITH account AS (SELECT a.* FROM identity.accounts a WHERE a.id = p_account AND identity.is_alive(p_account, p_session))
  SELECT 'login', json_build_object('id', a.id, 'email', a.email, 'role', a.role, 'created_at', identity.instant(a.created_at),
    'password_changed_at', identity.instant(a.password_changed_at), 'totp_confirmed_at', identity.instant(a.totp_confirmed_at),
    'devices_valid_from', identity.instant(a.devices_valid_from),
    'unused_recovery_codes', (SELECT count(*) FROM identity.recovery_codes c WHERE c.account_id = a.id))::text
  FROM account a
  UNION ALL
  SELECT 'login_sessions', json_build_object('id', s.id, 'scope', s.scope, 'created_at', identity.instant(s.created_at),
    'last_used_at', identity.instant(s.last_used_at), 'rotated_at', identity.instant(s.rotated_at),
    'idle_expires_at', identity.instant(s.idle_expires_at), 'expires_at', identity.instant(s.expires_at))::text
  FROM account a JOIN identity.sessions s ON s.account_id = a.id
  UNION ALL
  SELECT 'login_registrations', json_build_object('email', r.email, 'expires_at', identity.instant(r.expires_at))::text
  FROM account a JOIN identity.registrations r ON r.email = a.email
  UNION ALL
  SELECT 'login_password_resets', json_build_object('email', r.email, 'expires_at', identity.instant(r.expires_at))::text
  FROM account a JOIN identity.password_resets r ON r.email = a.email
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION identity.export_account(uuid, uuid), identity.instant(timestamptz) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION identity.export_account(uuid, uuid) TO wn_identity;
