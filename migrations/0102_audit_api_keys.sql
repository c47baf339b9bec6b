ALTER TABLE "audit_people" ADD COLUMN "api_key" text;
--> statement-breakpoint
-- As before, and notes the API key of the actor, by its first characters, beside the actor and in the owner's trail.
CREATE OR REPLACE FUNCTION app.record_audit(p_row jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_id uuid := (p_row ->> 'id')::uuid;
  v_at timestamptz := (p_row ->> 'at')::timestamptz;
  v_actor jsonb := nullif(p_row -> 'actor', 'null');
  v_owner jsonb := nullif(p_row -> 'owner', 'null');
  v_key text := v_actor ->> 'apiKey';
BEGIN
  INSERT INTO public.audit_log (id, at, actor_kind, actor_hash, action, target_kind, target_id, request_id,
    correlation_id, network, key_id, mac)
  VALUES (v_id, v_at, p_row ->> 'actorKind', decode(p_row ->> 'actorHash', 'hex'), p_row ->> 'action',
    p_row ->> 'targetKind', p_row ->> 'targetId', p_row ->> 'requestId', p_row ->> 'correlationId', p_row ->> 'network',
    p_row ->> 'keyId', decode(p_row ->> 'mac', 'hex'))
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  INSERT INTO public.audit_unchained (audit_id, at) VALUES (v_id, v_at);
  IF v_actor IS NOT NULL THEN
    INSERT INTO public.audit_people (audit_id, part, person, salt, at, api_key)
    VALUES (v_id, 'actor', app.person_of(v_actor ->> 'issuer', v_actor ->> 'subject'), decode(v_actor ->> 'salt', 'hex'), v_at,
      v_key);
  END IF;
  INSERT INTO public.audit_people (audit_id, part, person, at, api_key)
  SELECT v_id, 'owner', app.person_of(v_owner ->> 'issuer', v_owner ->> 'subject'), v_at, v_key
  WHERE v_owner ->> 'issuer' IS NOT NULL
  UNION ALL
  SELECT v_id, 'owner', app.person_of(u.issuer, u.subject), v_at, v_key
  FROM public.users u WHERE u.id = (v_owner ->> 'userId')::uuid
  UNION ALL
  SELECT v_id, 'owner', app.person_of(u.issuer, u.subject), v_at, v_key
  FROM public.items i JOIN public.users u ON u.id = i.user_id WHERE i.id = (v_owner ->> 'itemId')::uuid
  UNION ALL
  SELECT v_id, 'owner', app.person_of('wealthnavigator-edge', a.id::text), v_at, v_key
  FROM identity.accounts a WHERE a.email = v_owner ->> 'email';
END
$$;
--> statement-breakpoint
-- app.use_api_key with the first characters of the key, for the audit trail.
CREATE FUNCTION app.use_named_api_key(p_digest bytea, p_id uuid, p_address inet,
  OUT id uuid, OUT application_id uuid, OUT issuer text, OUT subject text, OUT scopes text[], OUT created_at timestamptz,
  OUT state text, OUT prefix text) RETURNS SETOF record
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT k.id, k.application_id, k.issuer, k.subject, k.scopes, k.created_at, k.state, a.prefix
  FROM app.use_api_key(p_digest, p_id, p_address) k JOIN public.api_keys a ON a.id = k.id
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.use_named_api_key(bytea, uuid, inet) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.use_named_api_key(bytea, uuid, inet) TO wn_api;
