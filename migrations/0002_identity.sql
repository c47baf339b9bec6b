CREATE SCHEMA "identity";
--> statement-breakpoint
CREATE TABLE "identity"."accounts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"password_hash" text NOT NULL,
	"role" text DEFAULT 'user' NOT NULL,
	"totp_secret_sealed" text,
	"totp_confirmed_at" timestamp (3) with time zone,
	"totp_last_step" bigint,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"password_changed_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "accounts_email" UNIQUE("email"),
	CONSTRAINT "accounts_email_lower" CHECK ("identity"."accounts"."email" = lower("identity"."accounts"."email")),
	CONSTRAINT "accounts_role" CHECK ("identity"."accounts"."role" in ('user', 'admin'))
);
--> statement-breakpoint
CREATE TABLE "identity"."password_resets" (
	"token_hash" "bytea" PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "identity"."recovery_codes" (
	"account_id" uuid NOT NULL,
	"code_hash" "bytea" NOT NULL,
	CONSTRAINT "recovery_codes_key" PRIMARY KEY("account_id","code_hash")
);
--> statement-breakpoint
CREATE TABLE "identity"."registrations" (
	"token_hash" "bytea" PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"password_hash" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "identity"."sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"account_id" uuid NOT NULL,
	"selector_hash" "bytea" NOT NULL,
	"verifier_hash" "bytea" NOT NULL,
	"scope" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"last_used_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"idle_expires_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "sessions_selector_hash" UNIQUE("selector_hash")
);
--> statement-breakpoint
CREATE TABLE "identity"."throttles" (
	"key" "bytea" PRIMARY KEY NOT NULL,
	"taken_at" timestamp with time zone[] NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "identity"."recovery_codes" ADD CONSTRAINT "recovery_codes_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "identity"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "identity"."sessions" ADD CONSTRAINT "sessions_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "identity"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "password_resets_email" ON "identity"."password_resets" USING btree ("email");--> statement-breakpoint
CREATE INDEX "password_resets_expires_at" ON "identity"."password_resets" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "registrations_email" ON "identity"."registrations" USING btree ("email");--> statement-breakpoint
CREATE INDEX "registrations_expires_at" ON "identity"."registrations" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "sessions_account" ON "identity"."sessions" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "sessions_idle_expires_at" ON "identity"."sessions" USING btree ("idle_expires_at");--> statement-breakpoint
CREATE INDEX "throttles_expires_at" ON "identity"."throttles" USING btree ("expires_at");
--> statement-breakpoint
-- What may be done with built-in accounts. wn_api has no right on these tables: each flow is one of the functions
-- below, which runs as the owner and does the whole of its writing in one statement. They hold no password and no token,
-- only what those were hashed to; a function that is told a password hash takes it as the proof that the caller
-- compared the password with it, and does nothing when the account has another one by now.
REVOKE ALL ON SCHEMA identity FROM PUBLIC;
--> statement-breakpoint
-- Takes one of p_limit places that become free again after p_window_s seconds. Answers 0, or after how many seconds
-- to come again. The row's lock makes the count exact however many ask at once.
CREATE FUNCTION identity.take(p_kind text, p_email text, p_limit int, p_window_s int) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_key bytea := sha256(convert_to(p_kind || ':' || p_email, 'UTF8'));
  v_window interval := make_interval(secs => p_window_s);
  v_taken timestamptz[];
  v_now timestamptz;
BEGIN
  INSERT INTO identity.throttles AS t (key, taken_at, expires_at) VALUES (v_key, '{}', now() + v_window)
  ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING t.taken_at INTO v_taken;
  v_now := clock_timestamp();
  v_taken := ARRAY(SELECT t FROM unnest(v_taken) t WHERE t > v_now - v_window ORDER BY t);
  IF cardinality(v_taken) >= p_limit THEN
    RETURN greatest(1, ceil(extract(epoch FROM v_taken[cardinality(v_taken) - p_limit + 1] + v_window - v_now)));
  END IF;
  UPDATE identity.throttles SET taken_at = v_taken || v_now, expires_at = v_now + v_window WHERE key = v_key;
  RETURN 0;
END
$$;
--> statement-breakpoint
CREATE FUNCTION identity.give_back(p_kind text, p_email text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$ DELETE FROM identity.throttles WHERE key = sha256(convert_to(p_kind || ':' || p_email, 'UTF8')) $$;
--> statement-breakpoint
-- Deletes a few rows whose time is over. Whoever adds rows calls it, so that they cannot pile up without a job; after
-- its own rows, since who waits for nothing cannot be part of a deadlock.
CREATE FUNCTION identity.sweep() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
  DELETE FROM identity.registrations WHERE token_hash IN (SELECT token_hash FROM identity.registrations
    WHERE expires_at < now() ORDER BY expires_at LIMIT 20 FOR UPDATE SKIP LOCKED);
  DELETE FROM identity.password_resets WHERE token_hash IN (SELECT token_hash FROM identity.password_resets
    WHERE expires_at < now() ORDER BY expires_at LIMIT 20 FOR UPDATE SKIP LOCKED);
  DELETE FROM identity.throttles WHERE key IN (SELECT key FROM identity.throttles
    WHERE expires_at < now() ORDER BY expires_at LIMIT 20 FOR UPDATE SKIP LOCKED);
  DELETE FROM identity.sessions WHERE id IN (SELECT id FROM identity.sessions
    WHERE idle_expires_at < now() ORDER BY idle_expires_at LIMIT 20 FOR UPDATE SKIP LOCKED);
$$;
--> statement-breakpoint
-- idle_expires_at is never after expires_at, so it alone says whether a session is over.
CREATE FUNCTION identity.add_session(p_account uuid, p_session uuid, p_selector_hash bytea, p_verifier_hash bytea,
  p_scope text, p_idle_s int, p_absolute_s int, p_most int) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO identity.sessions (id, account_id, selector_hash, verifier_hash, scope, idle_expires_at, expires_at)
  VALUES (p_session, p_account, p_selector_hash, p_verifier_hash, p_scope,
    now() + make_interval(secs => least(p_idle_s, p_absolute_s)), now() + make_interval(secs => p_absolute_s));
  DELETE FROM identity.sessions WHERE id IN (SELECT id FROM identity.sessions
    WHERE account_id = p_account AND id <> p_session ORDER BY last_used_at DESC, id OFFSET p_most - 1);
END
$$;
--> statement-breakpoint
CREATE FUNCTION identity.is_alive(p_account uuid, p_session uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT EXISTS (SELECT FROM identity.sessions
  WHERE id = p_session AND account_id = p_account AND idle_expires_at > now()) $$;
--> statement-breakpoint
-- Uses a code up: a time step once and none before it, a recovery code once. Neither given means that the code was
-- wrong, which takes a place as well. 'done', 'refused' or 'limited'.
CREATE FUNCTION identity.use_second_factor(p_account uuid, p_email text, p_step bigint, p_recovery_hash bytea,
  p_limit int, p_window_s int) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF identity.take('second_factor', p_email, p_limit, p_window_s) > 0 THEN
    RETURN 'limited';
  END IF;
  IF p_step IS NOT NULL THEN
    UPDATE identity.accounts SET totp_last_step = p_step
    WHERE id = p_account AND (totp_last_step IS NULL OR totp_last_step < p_step);
  ELSE
    DELETE FROM identity.recovery_codes WHERE account_id = p_account AND code_hash = p_recovery_hash;
  END IF;
  IF NOT FOUND THEN
    RETURN 'refused';
  END IF;
  PERFORM identity.give_back('second_factor', p_email);
  RETURN 'done';
END
$$;
--> statement-breakpoint
-- A wish to have an account. It is kept whether or not there is one: the work is the same, and the token of a
-- registration for an address that has an account is in no mail.
CREATE FUNCTION identity.register(p_email text, p_password_hash text, p_token_hash bytea, p_ttl_s int,
  p_limit int, p_window_s int, OUT retry_after int, OUT has_account boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  retry_after := identity.take('register', p_email, p_limit, p_window_s);
  has_account := EXISTS (SELECT FROM identity.accounts WHERE email = p_email);
  IF retry_after = 0 THEN
    PERFORM identity.sweep();
    INSERT INTO identity.registrations (token_hash, email, password_hash, expires_at)
    VALUES (p_token_hash, p_email, p_password_hash, now() + make_interval(secs => p_ttl_s));
  END IF;
END
$$;
--> statement-breakpoint
-- The password that goes with a registration's token; takes a place of the address's password checks.
CREATE FUNCTION identity.begin_verification(p_token_hash bytea, p_limit int, p_window_s int,
  OUT retry_after int, OUT password_hash text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_email text;
BEGIN
  SELECT r.email, r.password_hash INTO v_email, password_hash FROM identity.registrations r
  WHERE r.token_hash = p_token_hash AND r.expires_at > now();
  retry_after := CASE WHEN v_email IS NULL THEN 0 ELSE identity.take('password', v_email, p_limit, p_window_s) END;
END
$$;
--> statement-breakpoint
-- Makes the account of a registration whose token and password were both shown, and its first session. Every other
-- registration of the address dies with it: whoever made them never showed that the address is theirs.
CREATE FUNCTION identity.finish_verification(p_token_hash bytea, p_password_hash text, p_account uuid, p_session uuid,
  p_selector_hash bytea, p_verifier_hash bytea, p_scope text, p_idle_s int, p_absolute_s int, p_most int) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_email text;
BEGIN
  -- All of the address, in one order: of two that verify it at once, the second finds nothing left.
  PERFORM FROM identity.registrations r
  WHERE r.email = (SELECT o.email FROM identity.registrations o WHERE o.token_hash = p_token_hash)
  ORDER BY r.token_hash FOR UPDATE;
  DELETE FROM identity.registrations r
  WHERE r.token_hash = p_token_hash AND r.password_hash = p_password_hash AND r.expires_at > now()
  RETURNING r.email INTO v_email;
  IF v_email IS NULL THEN
    RETURN false;
  END IF;
  INSERT INTO identity.accounts (id, email, password_hash) VALUES (p_account, v_email, p_password_hash)
  ON CONFLICT (email) DO NOTHING;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  DELETE FROM identity.registrations WHERE email = v_email;
  DELETE FROM identity.password_resets WHERE email = v_email;
  PERFORM identity.give_back('password', v_email);
  PERFORM identity.add_session(p_account, p_session, p_selector_hash, p_verifier_hash, p_scope, p_idle_s, p_absolute_s, p_most);
  RETURN true;
END
$$;
--> statement-breakpoint
-- Takes a place of the address's password checks, whether or not it has an account.
CREATE FUNCTION identity.begin_sign_in(p_email text, p_limit int, p_window_s int,
  OUT retry_after int, OUT account_id uuid, OUT password_hash text, OUT totp_secret_sealed text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  retry_after := identity.take('password', p_email, p_limit, p_window_s);
  PERFORM identity.sweep();
  SELECT a.id, a.password_hash, CASE WHEN a.totp_confirmed_at IS NOT NULL THEN a.totp_secret_sealed END
  INTO account_id, password_hash, totp_secret_sealed FROM identity.accounts a WHERE a.email = p_email;
END
$$;
--> statement-breakpoint
-- 'done', 'refused' (second factor), 'limited' (second factor) or 'changed' (the account, since the sign-in began).
CREATE FUNCTION identity.finish_sign_in(p_account uuid, p_password_hash text, p_new_password_hash text,
  p_totp_secret_sealed text, p_step bigint, p_recovery_hash bytea, p_limit int, p_window_s int, p_session uuid,
  p_selector_hash bytea, p_verifier_hash bytea, p_scope text, p_idle_s int, p_absolute_s int, p_most int,
  OUT outcome text, OUT role text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_account identity.accounts%ROWTYPE;
BEGIN
  SELECT * INTO v_account FROM identity.accounts WHERE id = p_account FOR NO KEY UPDATE;
  IF v_account.password_hash IS DISTINCT FROM p_password_hash OR p_totp_secret_sealed IS DISTINCT FROM
    (CASE WHEN v_account.totp_confirmed_at IS NOT NULL THEN v_account.totp_secret_sealed END) THEN
    outcome := 'changed';
    RETURN;
  END IF;
  outcome := 'done';
  role := v_account.role;
  IF p_totp_secret_sealed IS NOT NULL THEN
    outcome := identity.use_second_factor(p_account, v_account.email, p_step, p_recovery_hash, p_limit, p_window_s);
  END IF;
  IF outcome <> 'done' THEN
    RETURN;
  END IF;
  UPDATE identity.accounts SET password_hash = p_new_password_hash
  WHERE id = p_account AND p_new_password_hash IS NOT NULL;
  PERFORM identity.give_back('password', v_account.email);
  PERFORM identity.add_session(p_account, p_session, p_selector_hash, p_verifier_hash, p_scope, p_idle_s, p_absolute_s, p_most);
END
$$;
--> statement-breakpoint
-- Replaces a refresh token's verifier. The selector is known only to holders of the family's tokens, so a known
-- selector with another verifier is a token that was used before: the family ends. 'done', 'unknown', 'expired', 'reused'.
CREATE FUNCTION identity.refresh(p_selector_hash bytea, p_verifier_hash bytea, p_new_verifier_hash bytea, p_idle_s int,
  OUT outcome text, OUT account_id uuid, OUT session_id uuid, OUT scope text, OUT role text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_session identity.sessions%ROWTYPE;
BEGIN
  SELECT * INTO v_session FROM identity.sessions s WHERE s.selector_hash = p_selector_hash FOR UPDATE;
  outcome := CASE
    WHEN v_session.id IS NULL THEN 'unknown'
    WHEN v_session.verifier_hash <> p_verifier_hash THEN 'reused'
    WHEN v_session.idle_expires_at <= now() THEN 'expired'
    ELSE 'done' END;
  IF outcome IN ('reused', 'expired') THEN
    DELETE FROM identity.sessions s WHERE s.id = v_session.id;
  END IF;
  IF outcome <> 'done' THEN
    RETURN;
  END IF;
  UPDATE identity.sessions s SET verifier_hash = p_new_verifier_hash, last_used_at = now(),
    idle_expires_at = least(s.expires_at, now() + make_interval(secs => p_idle_s)) WHERE s.id = v_session.id;
  SELECT v_session.account_id, v_session.id, v_session.scope, a.role
  INTO STRICT account_id, session_id, scope, role FROM identity.accounts a WHERE a.id = v_session.account_id;
END
$$;
--> statement-breakpoint
CREATE FUNCTION identity.log_out(p_selector_hash bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ DELETE FROM identity.sessions WHERE selector_hash = p_selector_hash $$;
--> statement-breakpoint
-- Like all that touch more than one row of an account: the account's first, and then sessions, codes, throttles.
CREATE FUNCTION identity.log_out_everywhere(p_account uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT FROM identity.accounts WHERE id = p_account FOR NO KEY UPDATE;
  DELETE FROM identity.sessions WHERE account_id = p_account;
$$;
--> statement-breakpoint
-- Before something that needs the password once more. No row when the session is over.
CREATE FUNCTION identity.begin_reauthentication(p_account uuid, p_session uuid, p_limit int, p_window_s int)
RETURNS TABLE (retry_after int, email text, password_hash text, totp_secret_sealed text, totp_confirmed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF identity.is_alive(p_account, p_session) THEN
    RETURN QUERY SELECT identity.take('password', a.email, p_limit, p_window_s), a.email, a.password_hash,
      a.totp_secret_sealed, a.totp_confirmed_at IS NOT NULL FROM identity.accounts a WHERE a.id = p_account;
  END IF;
END
$$;
--> statement-breakpoint
-- Sets the password and ends every session but this one.
CREATE FUNCTION identity.change_password(p_account uuid, p_session uuid, p_password_hash text, p_new_password_hash text)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_email text;
BEGIN
  UPDATE identity.accounts SET password_hash = p_new_password_hash, password_changed_at = now()
  WHERE id = p_account AND password_hash = p_password_hash AND identity.is_alive(p_account, p_session)
  RETURNING email INTO v_email;
  IF v_email IS NULL THEN
    RETURN false;
  END IF;
  DELETE FROM identity.sessions WHERE account_id = p_account AND id <> p_session;
  DELETE FROM identity.password_resets WHERE email = v_email;
  PERFORM identity.give_back('password', v_email);
  RETURN true;
END
$$;
--> statement-breakpoint
CREATE FUNCTION identity.forgot_password(p_email text, p_token_hash bytea, p_ttl_s int, p_limit int, p_window_s int,
  OUT retry_after int, OUT has_account boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  retry_after := identity.take('forgot', p_email, p_limit, p_window_s);
  has_account := EXISTS (SELECT FROM identity.accounts WHERE email = p_email);
  IF retry_after = 0 THEN
    PERFORM identity.sweep();
    INSERT INTO identity.password_resets (token_hash, email, expires_at)
    VALUES (p_token_hash, p_email, now() + make_interval(secs => p_ttl_s));
  END IF;
END
$$;
--> statement-breakpoint
-- Sets the password by a mailed token, which works once, and ends every session.
CREATE FUNCTION identity.reset_password(p_token_hash bytea, p_new_password_hash text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_email text;
  v_account uuid;
BEGIN
  SELECT a.id, a.email INTO v_account, v_email FROM identity.accounts a WHERE a.email =
    (SELECT r.email FROM identity.password_resets r WHERE r.token_hash = p_token_hash) FOR NO KEY UPDATE;
  DELETE FROM identity.password_resets
  WHERE token_hash = p_token_hash AND email = v_email AND expires_at > now();
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE identity.accounts SET password_hash = p_new_password_hash, password_changed_at = now() WHERE id = v_account;
  DELETE FROM identity.sessions WHERE account_id = v_account;
  DELETE FROM identity.password_resets WHERE email = v_email;
  PERFORM identity.give_back('password', v_email);
  RETURN true;
END
$$;
--> statement-breakpoint
-- Keeps a secret that counts for nothing yet. 'done', 'enabled' (there is a confirmed one), 'changed'.
CREATE FUNCTION identity.enroll_totp(p_account uuid, p_session uuid, p_password_hash text, p_sealed text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_account identity.accounts%ROWTYPE;
BEGIN
  SELECT * INTO v_account FROM identity.accounts WHERE id = p_account AND password_hash = p_password_hash
    AND identity.is_alive(p_account, p_session) FOR NO KEY UPDATE;
  IF v_account.id IS NULL THEN
    RETURN 'changed';
  END IF;
  PERFORM identity.give_back('password', v_account.email);
  IF v_account.totp_confirmed_at IS NOT NULL THEN
    RETURN 'enabled';
  END IF;
  UPDATE identity.accounts SET totp_secret_sealed = p_sealed, totp_last_step = NULL WHERE id = p_account;
  RETURN 'done';
END
$$;
--> statement-breakpoint
-- The secret that waits for its first code. No row when the session is over.
CREATE FUNCTION identity.enrolled_totp(p_account uuid, p_session uuid)
RETURNS TABLE (totp_secret_sealed text, totp_confirmed boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT a.totp_secret_sealed, a.totp_confirmed_at IS NOT NULL FROM identity.accounts a
  WHERE a.id = p_account AND identity.is_alive(p_account, p_session) $$;
--> statement-breakpoint
CREATE FUNCTION identity.confirm_totp(p_account uuid, p_session uuid, p_sealed text, p_step bigint,
  p_recovery_hashes bytea[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE identity.accounts SET totp_confirmed_at = now(), totp_last_step = p_step
  WHERE id = p_account AND totp_secret_sealed = p_sealed AND totp_confirmed_at IS NULL
    AND identity.is_alive(p_account, p_session);
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  DELETE FROM identity.recovery_codes WHERE account_id = p_account;
  INSERT INTO identity.recovery_codes (account_id, code_hash) SELECT p_account, unnest(p_recovery_hashes);
  RETURN true;
END
$$;
--> statement-breakpoint
-- 'done', 'refused' (second factor), 'limited' (second factor), 'changed'.
CREATE FUNCTION identity.disable_totp(p_account uuid, p_session uuid, p_password_hash text, p_sealed text,
  p_step bigint, p_recovery_hash bytea, p_limit int, p_window_s int) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_email text;
  v_outcome text;
BEGIN
  SELECT email INTO v_email FROM identity.accounts
  WHERE id = p_account AND password_hash = p_password_hash AND totp_secret_sealed = p_sealed
    AND totp_confirmed_at IS NOT NULL AND identity.is_alive(p_account, p_session) FOR NO KEY UPDATE;
  IF v_email IS NULL THEN
    RETURN 'changed';
  END IF;
  v_outcome := identity.use_second_factor(p_account, v_email, p_step, p_recovery_hash, p_limit, p_window_s);
  IF v_outcome = 'done' THEN
    UPDATE identity.accounts SET totp_secret_sealed = NULL, totp_confirmed_at = NULL, totp_last_step = NULL
    WHERE id = p_account;
    DELETE FROM identity.recovery_codes WHERE account_id = p_account;
    PERFORM identity.give_back('password', v_email);
  END IF;
  RETURN v_outcome;
END
$$;
--> statement-breakpoint
-- An account's sessions, as seen from one of them: no row when that one is over.
CREATE FUNCTION identity.list_sessions(p_account uuid, p_session uuid)
RETURNS TABLE (id uuid, scope text, created_at timestamptz, last_used_at timestamptz, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT s.id, s.scope, s.created_at, s.last_used_at, s.idle_expires_at FROM identity.sessions s
  WHERE s.account_id = p_account AND s.idle_expires_at > now() AND identity.is_alive(p_account, p_session)
  ORDER BY s.created_at, s.id $$;
--> statement-breakpoint
-- 'done', 'unknown' (no such session of the account), 'over' (the caller's own session).
CREATE FUNCTION identity.end_session(p_account uuid, p_session uuid, p_target uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT identity.is_alive(p_account, p_session) THEN
    RETURN 'over';
  END IF;
  DELETE FROM identity.sessions WHERE id = p_target AND account_id = p_account;
  RETURN CASE WHEN FOUND THEN 'done' ELSE 'unknown' END;
END
$$;
--> statement-breakpoint
DO $$
DECLARE
  t text;
BEGIN
  -- Without a policy: a right that somebody grants by mistake shows no row.
  FOREACH t IN ARRAY ARRAY['accounts', 'recovery_codes', 'registrations', 'password_resets', 'sessions', 'throttles'] LOOP
    EXECUTE format('ALTER TABLE identity.%I ENABLE ROW LEVEL SECURITY', t);
  END LOOP;
END
$$;
--> statement-breakpoint
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA identity FROM PUBLIC;
--> statement-breakpoint
GRANT USAGE ON SCHEMA identity TO wn_api;
--> statement-breakpoint
-- By name: what is not listed here is for the functions above alone.
DO $$
DECLARE
  f text;
BEGIN
  FOREACH f IN ARRAY ARRAY['register', 'begin_verification', 'finish_verification', 'begin_sign_in', 'finish_sign_in',
    'refresh', 'log_out', 'log_out_everywhere', 'begin_reauthentication', 'change_password', 'forgot_password',
    'reset_password', 'enroll_totp', 'enrolled_totp', 'confirm_totp', 'disable_totp', 'list_sessions', 'end_session'] LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION identity.%I TO wn_api', f);
  END LOOP;
END
$$;
