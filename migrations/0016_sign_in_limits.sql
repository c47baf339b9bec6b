ALTER TABLE "identity"."accounts" ADD COLUMN "devices_valid_from" timestamp (3) with time zone;--> statement-breakpoint
-- The functions below are overloads beside those of before, which a Worker of the last version still calls. They take
-- buckets: [{"name", "key", "most", "seconds", "shared"}], of which each admits `most` attempts in any `seconds`.
--
-- Takes a place in every bucket, or in none. `retry_after` is 0, or the seconds to wait; `spent` names the bucket that
-- refused. The rows' locks make the counts exact; they are taken in the order of the keys, so that no two calls deadlock.
CREATE FUNCTION identity.admit(p_buckets jsonb, OUT retry_after int, OUT spent text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_bucket record;
  v_taken timestamptz[];
  v_now timestamptz;
  v_wait int;
BEGIN
  retry_after := 0;
  FOR v_bucket IN SELECT b.name, sha256(convert_to(b.key, 'UTF8')) AS key, b.most, make_interval(secs => b.seconds) AS span
    FROM jsonb_to_recordset(p_buckets) AS b(name text, key text, most int, seconds int) ORDER BY 2
  LOOP
    INSERT INTO identity.throttles AS t (key, taken_at, expires_at) VALUES (v_bucket.key, '{}', now() + v_bucket.span)
    ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING t.taken_at INTO v_taken;
    v_now := clock_timestamp();
    v_taken := ARRAY(SELECT t FROM unnest(v_taken) t WHERE t > v_now - v_bucket.span ORDER BY t);
    IF cardinality(v_taken) >= v_bucket.most THEN
      v_wait := greatest(1, ceil(extract(epoch FROM
        v_taken[cardinality(v_taken) - v_bucket.most + 1] + v_bucket.span - v_now)));
      IF v_wait > retry_after THEN
        retry_after := v_wait;
        spent := v_bucket.name;
      END IF;
    END IF;
  END LOOP;
  IF retry_after > 0 THEN
    RETURN;
  END IF;
  UPDATE identity.throttles t
  SET taken_at = ARRAY(SELECT s FROM unnest(t.taken_at) s WHERE s > v_now - b.span ORDER BY s) || v_now,
    expires_at = v_now + b.span
  FROM (SELECT sha256(convert_to(c.key, 'UTF8')) AS key, make_interval(secs => c.seconds) AS span
    FROM jsonb_to_recordset(p_buckets) AS c(key text, seconds int)) b
  WHERE t.key = b.key;
END
$$;
--> statement-breakpoint
-- After a success: empties the caller's own buckets and gives back the one place that it took in shared ones, which
-- therefore count failures.
CREATE FUNCTION identity.absolve(p_buckets jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_bucket record;
BEGIN
  FOR v_bucket IN SELECT sha256(convert_to(b.key, 'UTF8')) AS key, b.shared
    FROM jsonb_to_recordset(p_buckets) AS b(key text, shared boolean) ORDER BY 1
  LOOP
    IF v_bucket.shared THEN
      UPDATE identity.throttles t SET taken_at = t.taken_at[:cardinality(t.taken_at) - 1] WHERE t.key = v_bucket.key;
    ELSE
      DELETE FROM identity.throttles t WHERE t.key = v_bucket.key;
    END IF;
  END LOOP;
END
$$;
--> statement-breakpoint
-- As before, within buckets. Over a limit nothing is stored.
CREATE FUNCTION identity.register(p_email text, p_password_hash text, p_token_hash bytea, p_ttl_s int, p_buckets jsonb,
  OUT has_account boolean, OUT spent text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT a.spent INTO spent FROM identity.admit(p_buckets) a;
  has_account := EXISTS (SELECT FROM identity.accounts WHERE email = p_email);
  IF spent IS NULL THEN
    PERFORM identity.sweep();
    INSERT INTO identity.registrations (token_hash, email, password_hash, expires_at)
    VALUES (p_token_hash, p_email, p_password_hash, now() + make_interval(secs => p_ttl_s));
  END IF;
END
$$;
--> statement-breakpoint
-- `p_unknown`: buckets that also count where the address has no account.
CREATE FUNCTION identity.forgot_password(p_email text, p_token_hash bytea, p_ttl_s int, p_buckets jsonb, p_unknown jsonb,
  OUT has_account boolean, OUT spent text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  has_account := EXISTS (SELECT FROM identity.accounts WHERE email = p_email);
  SELECT a.spent INTO spent FROM identity.admit(CASE WHEN has_account THEN p_buckets ELSE p_buckets || p_unknown END) a;
  IF spent IS NULL THEN
    PERFORM identity.sweep();
    INSERT INTO identity.password_resets (token_hash, email, expires_at)
    VALUES (p_token_hash, p_email, now() + make_interval(secs => p_ttl_s));
  END IF;
END
$$;
--> statement-breakpoint
-- The address and the password that go with a registration's token. Takes places only for a token that exists.
CREATE FUNCTION identity.begin_verification(p_token_hash bytea, p_buckets jsonb,
  OUT retry_after int, OUT email text, OUT password_hash text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT r.email, r.password_hash INTO email, password_hash FROM identity.registrations r
  WHERE r.token_hash = p_token_hash AND r.expires_at > now();
  retry_after := CASE WHEN email IS NULL THEN 0 ELSE (SELECT a.retry_after FROM identity.admit(p_buckets) a) END;
END
$$;
--> statement-breakpoint
-- Counts a device that signed in to the account before, by the time its token was issued at, in `p_known`; everybody
-- else, also for an address without an account, in `p_strangers`.
CREATE FUNCTION identity.begin_sign_in(p_email text, p_device_issued_at timestamptz, p_known jsonb, p_strangers jsonb,
  OUT retry_after int, OUT account_id uuid, OUT password_hash text, OUT totp_secret_sealed text, OUT known boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_valid_from timestamptz;
BEGIN
  SELECT a.id, a.password_hash, CASE WHEN a.totp_confirmed_at IS NOT NULL THEN a.totp_secret_sealed END,
    a.devices_valid_from
  INTO account_id, password_hash, totp_secret_sealed, v_valid_from FROM identity.accounts a WHERE a.email = p_email;
  known := account_id IS NOT NULL AND p_device_issued_at IS NOT NULL
    AND p_device_issued_at > coalesce(v_valid_from, '-infinity');
  SELECT a.retry_after INTO retry_after FROM identity.admit(CASE WHEN known THEN p_known ELSE p_strangers END) a;
  PERFORM identity.sweep();
END
$$;
--> statement-breakpoint
CREATE FUNCTION identity.use_second_factor(p_account uuid, p_step bigint, p_recovery_hash bytea, p_buckets jsonb,
  OUT outcome text, OUT retry_after int)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT a.retry_after INTO retry_after FROM identity.admit(p_buckets) a;
  IF retry_after > 0 THEN
    outcome := 'limited';
    RETURN;
  END IF;
  IF p_step IS NOT NULL THEN
    UPDATE identity.accounts SET totp_last_step = p_step
    WHERE id = p_account AND (totp_last_step IS NULL OR totp_last_step < p_step);
  ELSE
    DELETE FROM identity.recovery_codes WHERE account_id = p_account AND code_hash = p_recovery_hash;
  END IF;
  outcome := CASE WHEN FOUND THEN 'done' ELSE 'refused' END;
  IF outcome = 'done' THEN
    PERFORM identity.absolve(p_buckets);
  END IF;
END
$$;
--> statement-breakpoint
-- `p_admitted`: the buckets that the sign-in was counted in; `p_factor`: those of the second factor.
CREATE FUNCTION identity.finish_sign_in(p_account uuid, p_password_hash text, p_new_password_hash text,
  p_totp_secret_sealed text, p_step bigint, p_recovery_hash bytea, p_admitted jsonb, p_factor jsonb, p_session uuid,
  p_selector_hash bytea, p_verifier_hash bytea, p_scope text, p_idle_s int, p_absolute_s int, p_most int,
  OUT outcome text, OUT retry_after int, OUT role text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_account identity.accounts%ROWTYPE;
BEGIN
  SELECT * INTO v_account FROM identity.accounts WHERE id = p_account FOR NO KEY UPDATE;
  retry_after := 0;
  IF v_account.password_hash IS DISTINCT FROM p_password_hash OR p_totp_secret_sealed IS DISTINCT FROM
    (CASE WHEN v_account.totp_confirmed_at IS NOT NULL THEN v_account.totp_secret_sealed END) THEN
    outcome := 'changed';
    RETURN;
  END IF;
  outcome := 'done';
  role := v_account.role;
  IF p_totp_secret_sealed IS NOT NULL THEN
    SELECT f.outcome, f.retry_after INTO outcome, retry_after
    FROM identity.use_second_factor(p_account, p_step, p_recovery_hash, p_factor) f;
  END IF;
  IF outcome <> 'done' THEN
    RETURN;
  END IF;
  UPDATE identity.accounts SET password_hash = p_new_password_hash
  WHERE id = p_account AND p_new_password_hash IS NOT NULL;
  PERFORM identity.absolve(p_admitted);
  PERFORM identity.add_session(p_account, p_session, p_selector_hash, p_verifier_hash, p_scope, p_idle_s, p_absolute_s, p_most);
END
$$;
--> statement-breakpoint
-- Counts by the session alone: failures elsewhere never refuse it. No row when the session is over.
CREATE FUNCTION identity.begin_reauthentication(p_account uuid, p_session uuid, p_buckets jsonb)
RETURNS TABLE (retry_after int, email text, password_hash text, totp_secret_sealed text, totp_confirmed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF identity.is_alive(p_account, p_session) THEN
    RETURN QUERY SELECT (SELECT t.retry_after FROM identity.admit(p_buckets) t), a.email, a.password_hash,
      a.totp_secret_sealed, a.totp_confirmed_at IS NOT NULL FROM identity.accounts a WHERE a.id = p_account;
  END IF;
END
$$;
--> statement-breakpoint
CREATE FUNCTION identity.change_password(p_account uuid, p_session uuid, p_password_hash text, p_new_password_hash text,
  p_admitted jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT identity.change_password(p_account, p_session, p_password_hash, p_new_password_hash) THEN
    RETURN false;
  END IF;
  PERFORM identity.absolve(p_admitted);
  RETURN true;
END
$$;
--> statement-breakpoint
-- Sets the password by a mailed token, which works once, and ends every session. Returns the account's address, or null.
-- Whoever has the mail is the owner: the failures of strangers no longer count, so that the next sign-in is not refused.
CREATE FUNCTION identity.set_password_by_mail(p_token_hash bytea, p_new_password_hash text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_email text := (SELECT r.email FROM identity.password_resets r WHERE r.token_hash = p_token_hash);
BEGIN
  IF NOT identity.reset_password(p_token_hash, p_new_password_hash) THEN
    RETURN NULL;
  END IF;
  PERFORM identity.give_back('sign_in_failures', v_email);
  RETURN v_email;
END
$$;
--> statement-breakpoint
CREATE FUNCTION identity.enroll_totp(p_account uuid, p_session uuid, p_password_hash text, p_sealed text,
  p_admitted jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_outcome text := identity.enroll_totp(p_account, p_session, p_password_hash, p_sealed);
BEGIN
  IF v_outcome <> 'changed' THEN
    PERFORM identity.absolve(p_admitted);
  END IF;
  RETURN v_outcome;
END
$$;
--> statement-breakpoint
-- Turns the enrolled second factor on and ends every other session. Returns the account's address, or null where the
-- secret is no longer the enrolled one or the session is over.
CREATE FUNCTION identity.enable_totp(p_account uuid, p_session uuid, p_sealed text, p_step bigint,
  p_recovery_hashes bytea[]) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT identity.confirm_totp(p_account, p_session, p_sealed, p_step, p_recovery_hashes) THEN
    RETURN NULL;
  END IF;
  DELETE FROM identity.sessions WHERE account_id = p_account AND id <> p_session;
  RETURN (SELECT a.email FROM identity.accounts a WHERE a.id = p_account);
END
$$;
--> statement-breakpoint
-- 'done', 'refused' (second factor), 'limited' (second factor), 'changed'.
CREATE FUNCTION identity.disable_totp(p_account uuid, p_session uuid, p_password_hash text, p_sealed text,
  p_step bigint, p_recovery_hash bytea, p_admitted jsonb, p_factor jsonb, OUT outcome text, OUT retry_after int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  retry_after := 0;
  PERFORM FROM identity.accounts
  WHERE id = p_account AND password_hash = p_password_hash AND totp_secret_sealed = p_sealed
    AND totp_confirmed_at IS NOT NULL AND identity.is_alive(p_account, p_session) FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    outcome := 'changed';
    RETURN;
  END IF;
  SELECT f.outcome, f.retry_after INTO outcome, retry_after
  FROM identity.use_second_factor(p_account, p_step, p_recovery_hash, p_factor) f;
  IF outcome = 'done' THEN
    UPDATE identity.accounts SET totp_secret_sealed = NULL, totp_confirmed_at = NULL, totp_last_step = NULL
    WHERE id = p_account;
    DELETE FROM identity.recovery_codes WHERE account_id = p_account;
    PERFORM identity.absolve(p_admitted);
  END IF;
END
$$;
--> statement-breakpoint
-- Ends every session of the account and forgets its devices; false when the caller's session is over.
CREATE FUNCTION identity.log_out_everywhere(p_account uuid, p_session uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM FROM identity.accounts WHERE id = p_account FOR NO KEY UPDATE;
  IF NOT identity.is_alive(p_account, p_session) THEN
    RETURN false;
  END IF;
  UPDATE identity.accounts SET devices_valid_from = now() WHERE id = p_account;
  DELETE FROM identity.sessions WHERE account_id = p_account;
  RETURN true;
END
$$;
--> statement-breakpoint
-- Whether a session still is, for what must not wait until its access token expires.
CREATE FUNCTION identity.session_lives(p_account uuid, p_session uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT identity.is_alive(p_account, p_session) $$;
--> statement-breakpoint
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA identity FROM PUBLIC;
--> statement-breakpoint
-- What takes buckets, and the new names; but not what works inside of others.
DO $$
DECLARE
  f regprocedure;
BEGIN
  FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'identity'::regnamespace AND prosecdef LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO wn_api', f);
  END LOOP;
END
$$;
