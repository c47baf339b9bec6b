-- Takes the places of a registration's mail, before its password is hashed. Returns the limit that withholds the mail, or null.
CREATE FUNCTION identity.begin_registration(p_buckets jsonb) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT a.spent FROM identity.admit(p_buckets) a $$;
--> statement-breakpoint
-- The address of the account whose password a mailed token may set, or null. Uses nothing up.
CREATE FUNCTION identity.find_reset(p_token_hash bytea) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT a.email FROM identity.password_resets r JOIN identity.accounts a ON a.email = r.email
  WHERE r.token_hash = p_token_hash AND r.expires_at > now()
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION identity.begin_registration(jsonb), identity.find_reset(bytea) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION identity.begin_registration(jsonb), identity.find_reset(bytea) TO wn_identity;
--> statement-breakpoint
-- Replaces a refresh token's verifier, and answers the one before like the first time for `p_grace_s` seconds, if its
-- successor is still the newest. Any other verifier of a known selector was used before: the family ends. Counts in
-- `p_buckets` once the verifier is known to be right. 'done', 'unknown', 'expired', 'reused', 'limited'. As before, but also tells whose session was reused.
CREATE OR REPLACE FUNCTION identity.refresh(p_selector_hash bytea, p_verifier_hash bytea, p_new_verifier_hash bytea, p_idle_s int,
  p_grace_s int, p_buckets jsonb,
  OUT outcome text, OUT account_id uuid, OUT session_id uuid, OUT scope text, OUT role text, OUT retry_after int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_session identity.sessions%ROWTYPE;
  v_is_repeat boolean;
BEGIN
  SELECT * INTO v_session FROM identity.sessions s WHERE s.selector_hash = p_selector_hash FOR UPDATE;
  v_is_repeat := coalesce(v_session.previous_verifier_hash = p_verifier_hash
    AND v_session.verifier_hash = p_new_verifier_hash
    AND v_session.rotated_at > clock_timestamp() - make_interval(secs => p_grace_s), false);
  outcome := CASE
    WHEN v_session.id IS NULL THEN 'unknown'
    WHEN v_session.verifier_hash <> p_verifier_hash AND NOT v_is_repeat THEN 'reused'
    WHEN v_session.idle_expires_at <= now() THEN 'expired'
    ELSE 'done' END;
  IF outcome = 'reused' THEN
    account_id := v_session.account_id;
  END IF;
  IF outcome IN ('reused', 'expired') THEN
    DELETE FROM identity.sessions s WHERE s.id = v_session.id;
  END IF;
  IF outcome <> 'done' THEN
    RETURN;
  END IF;
  SELECT a.retry_after INTO retry_after FROM identity.admit(p_buckets) a;
  IF retry_after > 0 THEN
    outcome := 'limited';
    RETURN;
  END IF;
  IF NOT v_is_repeat THEN
    UPDATE identity.sessions s SET verifier_hash = p_new_verifier_hash, previous_verifier_hash = p_verifier_hash,
      rotated_at = clock_timestamp(), last_used_at = now(),
      idle_expires_at = least(s.expires_at, now() + make_interval(secs => p_idle_s)) WHERE s.id = v_session.id;
  END IF;
  SELECT v_session.account_id, v_session.id, v_session.scope, a.role
  INTO STRICT account_id, session_id, scope, role FROM identity.accounts a WHERE a.id = v_session.account_id;
END
$$;
