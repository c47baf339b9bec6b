-- Built-in accounts get a login of their own: wn_identity alone calls the functions of schema `identity`, and reads no
-- table. wn_api loses them, so that SQL that somebody smuggles into a query of it reaches no account.
DO $$
BEGIN
  CREATE ROLE wn_identity NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL; -- another database of this server made it
END
$$;
--> statement-breakpoint
-- As of wn_api (0006).
ALTER ROLE wn_identity SET statement_timeout = '10s';
--> statement-breakpoint
ALTER ROLE wn_identity SET lock_timeout = '3s';
--> statement-breakpoint
ALTER ROLE wn_identity SET idle_in_transaction_session_timeout = '15s';
--> statement-breakpoint
ALTER ROLE wn_identity SET jit = off;
--> statement-breakpoint
-- Overloads that no Worker calls since 0016, with what they alone used.
DROP FUNCTION identity.register(text, text, bytea, int, int, int);
--> statement-breakpoint
DROP FUNCTION identity.begin_verification(bytea, int, int);
--> statement-breakpoint
DROP FUNCTION identity.begin_sign_in(text, int, int);
--> statement-breakpoint
DROP FUNCTION identity.finish_sign_in(uuid, text, text, text, bigint, bytea, int, int, uuid, bytea, bytea, text, int, int, int);
--> statement-breakpoint
DROP FUNCTION identity.refresh(bytea, bytea, bytea, int);
--> statement-breakpoint
DROP FUNCTION identity.log_out_everywhere(uuid);
--> statement-breakpoint
DROP FUNCTION identity.begin_reauthentication(uuid, uuid, int, int);
--> statement-breakpoint
DROP FUNCTION identity.forgot_password(text, bytea, int, int, int);
--> statement-breakpoint
DROP FUNCTION identity.disable_totp(uuid, uuid, text, text, bigint, bytea, int, int);
--> statement-breakpoint
DROP FUNCTION identity.use_second_factor(uuid, text, bigint, bytea, int, int);
--> statement-breakpoint
DROP FUNCTION identity.take(text, text, int, int);
--> statement-breakpoint
-- The work of these four moves into the functions that called them.
DROP FUNCTION identity.change_password(uuid, uuid, text, text);
--> statement-breakpoint
DROP FUNCTION identity.reset_password(bytea, text);
--> statement-breakpoint
DROP FUNCTION identity.enroll_totp(uuid, uuid, text, text);
--> statement-breakpoint
DROP FUNCTION identity.confirm_totp(uuid, uuid, text, bigint, bytea[]);
--> statement-breakpoint
-- Sets the password and ends every session but this one.
CREATE OR REPLACE FUNCTION identity.change_password(p_account uuid, p_session uuid, p_password_hash text,
  p_new_password_hash text, p_admitted jsonb) RETURNS boolean
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
  PERFORM identity.absolve(p_admitted);
  RETURN true;
END
$$;
--> statement-breakpoint
-- Sets the password by a mailed token, which works once, and ends every session. Returns the account's address, or null.
-- Whoever has the mail is the owner: the failures of strangers no longer count, so that the next sign-in is not refused.
CREATE OR REPLACE FUNCTION identity.set_password_by_mail(p_token_hash bytea, p_new_password_hash text) RETURNS text
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
    RETURN NULL;
  END IF;
  UPDATE identity.accounts SET password_hash = p_new_password_hash, password_changed_at = now() WHERE id = v_account;
  DELETE FROM identity.sessions WHERE account_id = v_account;
  DELETE FROM identity.password_resets WHERE email = v_email;
  PERFORM identity.give_back('sign_in_failures', v_email);
  RETURN v_email;
END
$$;
--> statement-breakpoint
-- Keeps a secret that counts for nothing yet. 'done', 'enabled' (there is a confirmed one), 'changed'.
CREATE OR REPLACE FUNCTION identity.enroll_totp(p_account uuid, p_session uuid, p_password_hash text, p_sealed text,
  p_admitted jsonb) RETURNS text
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
  PERFORM identity.absolve(p_admitted);
  IF v_account.totp_confirmed_at IS NOT NULL THEN
    RETURN 'enabled';
  END IF;
  UPDATE identity.accounts SET totp_secret_sealed = p_sealed, totp_last_step = NULL WHERE id = p_account;
  RETURN 'done';
END
$$;
--> statement-breakpoint
-- Turns the enrolled second factor on and ends every other session. Returns the account's address, or null where the
-- secret is no longer the enrolled one or the session is over.
CREATE OR REPLACE FUNCTION identity.enable_totp(p_account uuid, p_session uuid, p_sealed text, p_step bigint,
  p_recovery_hashes bytea[]) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_email text;
BEGIN
  UPDATE identity.accounts SET totp_confirmed_at = now(), totp_last_step = p_step
  WHERE id = p_account AND totp_secret_sealed = p_sealed AND totp_confirmed_at IS NULL
    AND identity.is_alive(p_account, p_session)
  RETURNING email INTO v_email;
  IF v_email IS NULL THEN
    RETURN NULL;
  END IF;
  DELETE FROM identity.recovery_codes WHERE account_id = p_account;
  INSERT INTO identity.recovery_codes (account_id, code_hash) SELECT p_account, unnest(p_recovery_hashes);
  DELETE FROM identity.sessions WHERE account_id = p_account AND id <> p_session;
  RETURN v_email;
END
$$;
--> statement-breakpoint
-- Makes the account of a registration whose token and password were both shown, and its first session. Every other
-- registration of the address dies with it: whoever made them never showed that the address is theirs.
CREATE OR REPLACE FUNCTION identity.finish_verification(p_token_hash bytea, p_password_hash text, p_account uuid,
  p_session uuid, p_selector_hash bytea, p_verifier_hash bytea, p_scope text, p_idle_s int, p_absolute_s int, p_most int)
RETURNS boolean
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
  PERFORM identity.add_session(p_account, p_session, p_selector_hash, p_verifier_hash, p_scope, p_idle_s, p_absolute_s, p_most);
  RETURN true;
END
$$;
--> statement-breakpoint
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA identity FROM PUBLIC, wn_api;
--> statement-breakpoint
REVOKE ALL ON SCHEMA identity FROM wn_api;
--> statement-breakpoint
GRANT USAGE ON SCHEMA app, identity TO wn_identity;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.applied_migrations() TO wn_identity;
--> statement-breakpoint
-- The Worker that runs while this is applied signs people in by wn_api: where there are accounts, its logins of today
-- keep the functions. `db:bootstrap` takes them away when it renews or retires these logins.
DO $$
DECLARE
  f regprocedure;
  login text;
BEGIN
  FOR login IN SELECT 'wn_identity' UNION ALL SELECT rolname FROM pg_roles
    WHERE rolname IN ('wn_api_a', 'wn_api_b') AND rolcanlogin AND EXISTS (SELECT FROM identity.accounts)
  LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA identity TO %I', login);
    FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'identity'::regnamespace AND prosecdef LOOP
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', f, login);
    END LOOP;
  END LOOP;
END
$$;
