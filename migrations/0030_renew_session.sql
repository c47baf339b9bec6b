-- Renews a session as identity.refresh does, which the version of the Worker before this migration calls, and during a rotation
-- of SECRET_KEY also answers the verifier before whose successor is `p_other_verifier_hash`: `is_other`.
CREATE FUNCTION identity.renew_session(p_selector_hash bytea, p_verifier_hash bytea, p_new_verifier_hash bytea,
  p_other_verifier_hash bytea, p_idle_s int, p_grace_s int, p_buckets jsonb,
  OUT outcome text, OUT account_id uuid, OUT session_id uuid, OUT scope text, OUT role text, OUT retry_after int,
  OUT is_other boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_session identity.sessions%ROWTYPE;
  v_is_repeat boolean;
BEGIN
  SELECT * INTO v_session FROM identity.sessions s WHERE s.selector_hash = p_selector_hash FOR UPDATE;
  v_is_repeat := coalesce(v_session.previous_verifier_hash = p_verifier_hash
    AND v_session.verifier_hash IN (p_new_verifier_hash, p_other_verifier_hash)
    AND v_session.rotated_at > clock_timestamp() - make_interval(secs => p_grace_s), false);
  is_other := v_is_repeat AND v_session.verifier_hash IS DISTINCT FROM p_new_verifier_hash;
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
--> statement-breakpoint
REVOKE ALL ON FUNCTION identity.renew_session(bytea, bytea, bytea, bytea, int, int, jsonb) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION identity.renew_session(bytea, bytea, bytea, bytea, int, int, jsonb) TO wn_identity;
