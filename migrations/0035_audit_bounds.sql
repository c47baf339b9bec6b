-- Ends the session of a refresh token, and returns whose it was; no row for a token without a session.
CREATE FUNCTION identity.end_session_of(p_selector_hash bytea, OUT account_id uuid) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ DELETE FROM identity.sessions s WHERE s.selector_hash = p_selector_hash RETURNING s.account_id $$;
--> statement-breakpoint
-- Deletes the checkpoints up to a number, and leaves in their place the signature of the last of them, under the id of no
-- chain. Only checkpoints older than a year and than every row of the trail, and never the newest. Then deletes at most
-- p_limit chains that have lost every row since before the oldest checkpoint, which therefore names none of them.
CREATE FUNCTION app.prune_checkpoints(p_number bigint, p_head bytea, p_at timestamptz, p_key_id text, p_mac bytea,
  p_limit integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  c_none CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  v_from timestamptz;
  v_count bigint;
BEGIN
  SELECT least(now() - interval '365 days', min(at) - interval '1 day') INTO v_from FROM public.audit_log;
  IF EXISTS (SELECT FROM public.audit_checkpoints WHERE number <= p_number AND at >= v_from)
    OR NOT EXISTS (SELECT FROM public.audit_checkpoints WHERE number > p_number) THEN
    RAISE EXCEPTION 'the audit trail keeps its checkpoints' USING ERRCODE = 'WN009';
  END IF;
  INSERT INTO public.audit_prunings (chain, number, head, at, key_id, mac)
  VALUES (c_none, p_number, p_head, p_at, p_key_id, p_mac)
  ON CONFLICT (chain) DO UPDATE SET number = excluded.number, head = excluded.head, at = excluded.at,
    key_id = excluded.key_id, mac = excluded.mac
  WHERE audit_prunings.number < excluded.number;
  PERFORM set_config('app.pruning_audit', 'on', true);
  DELETE FROM public.audit_checkpoints WHERE number <= p_number;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  PERFORM set_config('app.pruning_audit', '', true);
  WITH empty AS (
    DELETE FROM public.audit_chains c WHERE c.id = ANY(ARRAY(
      SELECT e.id FROM public.audit_chains e JOIN public.audit_prunings p ON p.chain = e.id
      WHERE p.number = e.number AND p.at < (SELECT s.at FROM public.audit_checkpoints s ORDER BY s.number LIMIT 1)
      LIMIT p_limit FOR UPDATE OF e SKIP LOCKED)) RETURNING c.id
  ) DELETE FROM public.audit_prunings p USING empty WHERE p.chain = empty.id;
  RETURN v_count;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION identity.end_session_of(bytea),
  app.prune_checkpoints(bigint, bytea, timestamptz, text, bytea, integer) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION identity.end_session_of(bytea) TO wn_identity;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.prune_checkpoints(bigint, bytea, timestamptz, text, bytea, integer) TO wn_jobs;
