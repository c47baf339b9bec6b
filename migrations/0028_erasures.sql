CREATE TABLE "erasures" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid,
	"subject_hash" text NOT NULL,
	"requested_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"deleted" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"plaid_user_removed" boolean DEFAULT false NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"completed_at" timestamp (3) with time zone,
	"certificate" text,
	CONSTRAINT "erasures_user" UNIQUE("user_id")
);
--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "tokens_valid_from" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "erasures" ADD CONSTRAINT "erasures_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "erasures_subject" ON "erasures" USING btree ("subject_hash","requested_at");--> statement-breakpoint
CREATE INDEX "erasures_due" ON "erasures" USING btree ("next_attempt_at") WHERE completed_at is null;
--> statement-breakpoint
ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY all_rows ON erasures TO wn_jobs USING (true);
--> statement-breakpoint
GRANT SELECT, UPDATE (deleted, plaid_user_removed, attempts, next_attempt_at) ON erasures TO wn_jobs;
--> statement-breakpoint
-- Under which an erased person is recognized. The length separates the two names.
CREATE FUNCTION app.subject_hash(p_issuer text, p_subject text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT encode(sha256(convert_to(format('erased %s %s %s', octet_length(p_issuer), p_issuer, p_subject), 'UTF8')), 'hex') $$;
--> statement-breakpoint
-- As before, and refuses a token that was issued before its person was erased, or while they are: WN011. A clock may be a
-- minute fast. Jobs act for a user without a token.
CREATE FUNCTION app.enter(p_issuer text, p_subject text, p_create boolean, p_issued_at timestamptz) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_user uuid;
  v_from timestamptz;
BEGIN
  SELECT id, tokens_valid_from INTO v_user, v_from FROM public.users WHERE issuer = p_issuer AND subject = p_subject;
  IF v_user IS NULL THEN
    SELECT max(e.requested_at) INTO v_from FROM public.erasures e
    WHERE e.subject_hash = app.subject_hash(p_issuer, p_subject);
  END IF;
  IF p_issued_at <= v_from + interval '1 minute' THEN
    RAISE EXCEPTION 'the person was erased' USING ERRCODE = 'WN011';
  END IF;
  IF v_user IS NULL AND p_create THEN
    INSERT INTO public.users (issuer, subject, tokens_valid_from) VALUES (p_issuer, p_subject, v_from)
    ON CONFLICT (issuer, subject) DO NOTHING;
    SELECT id INTO STRICT v_user FROM public.users WHERE issuer = p_issuer AND subject = p_subject;
  END IF;
  PERFORM set_config('app.user_id', coalesce(v_user::text, ''), true),
    set_config('app.person', app.person_of(p_issuer, p_subject), true);
  RETURN v_user;
END
$$;
--> statement-breakpoint
-- Begins the erasure of a user, or finds the one that has begun.
CREATE FUNCTION app.begin_erasure(p_user uuid, p_id uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_erasure uuid;
BEGIN
  UPDATE public.users SET tokens_valid_from = 'infinity' WHERE id = p_user;
  INSERT INTO public.erasures (id, user_id, subject_hash, next_attempt_at)
  SELECT p_id, id, app.subject_hash(issuer, subject), now() + interval '1 minute' FROM public.users WHERE id = p_user
  ON CONFLICT (user_id) DO NOTHING;
  SELECT id INTO v_erasure FROM public.erasures WHERE user_id = p_user;
  RETURN v_erasure;
END
$$;
--> statement-breakpoint
-- Deletes at most p_limit rows of a table that concern a user who is erased, and counts them. Returns how many.
CREATE FUNCTION app.erase_rows(p_erasure uuid, p_table text, p_limit integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_user uuid;
  v_which text;
  v_count bigint;
BEGIN
  SELECT user_id INTO v_user FROM public.erasures WHERE id = p_erasure AND completed_at IS NULL FOR NO KEY UPDATE;
  IF v_user IS NULL THEN
    RETURN 0;
  END IF;
  v_which := CASE
    WHEN p_table = 'dead_letters' THEN 'item_product_id IN (SELECT p.id FROM public.item_products p WHERE p.user_id = $1)
      OR payload->>''rotate_item_id'' IN (SELECT i.id::text FROM public.items i WHERE i.user_id = $1)
      OR payload->>''link_session_id'' IN (SELECT s.id::text FROM public.link_sessions s WHERE s.user_id = $1)'
    WHEN p_table = 'webhook_events' THEN 'user_id = $1
      OR plaid_item_id IN (SELECT i.plaid_item_id FROM public.items i WHERE i.user_id = $1)
      OR plaid_item_id IN (SELECT x.plaid_item_id FROM public.link_exchanges x WHERE x.user_id = $1)
      OR plaid_item_id IN (SELECT r.plaid_item_id FROM public.plaid_removals r WHERE r.user_id = $1)'
    WHEN p_table = 'investment_transactions' THEN 'account_id IN (SELECT a.id FROM public.accounts a WHERE a.user_id = $1)'
    WHEN p_table = 'link_exchanges' THEN 'user_id = $1 AND state NOT IN (''started'', ''exchanged'')'
    -- Its row says which item it was until Plaid has confirmed the removal.
    WHEN p_table = 'items' THEN 'user_id = $1 AND NOT EXISTS
      (SELECT FROM public.plaid_removals r WHERE r.plaid_item_id = items.plaid_item_id)'
    WHEN p_table IN ('sync_staging', 'investment_staging', 'transactions', 'account_balances', 'holding_days', 'holdings',
      'liabilities', 'recurring_streams', 'set_aside_rows', 'transaction_tombstones', 'securities', 'sync_runs',
      'link_sessions', 'accounts', 'consents') THEN 'user_id = $1'
  END;
  IF v_which IS NULL THEN
    RAISE EXCEPTION 'no table of users' USING ERRCODE = '22023';
  END IF;
  EXECUTE format('DELETE FROM public.%1$I WHERE ctid = ANY (ARRAY(SELECT ctid FROM public.%1$I WHERE %2$s LIMIT $2))',
    p_table, v_which) USING v_user, p_limit;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  IF v_count > 0 THEN
    UPDATE public.erasures SET deleted = jsonb_set(deleted, ARRAY[p_table],
      to_jsonb(coalesce((deleted->>p_table)::bigint, 0) + v_count)) WHERE id = p_erasure;
  END IF;
  RETURN v_count;
END
$$;
--> statement-breakpoint
-- Removals that cannot be carried out: neither a token nor Plaid's id of the user is known, or the token cannot be opened.
-- Ends them, and returns how many.
CREATE FUNCTION app.give_up_removals(p_erasure uuid) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  WITH hopeless AS (
    DELETE FROM public.plaid_removals r USING public.erasures e WHERE e.id = p_erasure AND e.completed_at IS NULL
      AND r.user_id = e.user_id AND r.last_error IN ('TOKEN_AND_USER_UNKNOWN', 'token_undecryptable') RETURNING 1
  ) SELECT count(*) FROM hopeless
$$;
--> statement-breakpoint
-- Deletes the user and completes the erasure: false where rows were deleted meanwhile that the certificate does not count, or
-- rows are left. A table with a foreign key refuses by itself.
CREATE FUNCTION app.finish_erasure(p_erasure uuid, p_deleted jsonb, p_certificate text, p_completed_at timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_erasure public.erasures%ROWTYPE;
BEGIN
  SELECT * INTO v_erasure FROM public.erasures WHERE id = p_erasure FOR UPDATE;
  IF v_erasure.completed_at IS NOT NULL THEN
    RETURN true;
  END IF;
  IF v_erasure.deleted <> p_deleted OR EXISTS (SELECT FROM public.sync_staging WHERE user_id = v_erasure.user_id)
    OR EXISTS (SELECT FROM public.investment_staging WHERE user_id = v_erasure.user_id) THEN
    RETURN false;
  END IF;
  UPDATE public.erasures SET user_id = NULL, completed_at = p_completed_at, certificate = p_certificate WHERE id = p_erasure;
  -- The trail keeps its rows, which no longer identify a person.
  PERFORM app.forget_in_audit(u.issuer, u.subject) FROM public.users u WHERE u.id = v_erasure.user_id;
  DELETE FROM public.users WHERE id = v_erasure.user_id;
  RETURN true;
END
$$;
--> statement-breakpoint
-- Deletes a built-in account with all that belongs to it, and returns its address and how many rows there were.
CREATE FUNCTION identity.erase_account(p_account uuid, OUT email text, OUT deleted jsonb) RETURNS SETOF record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_sessions bigint;
  v_codes bigint;
  v_registrations bigint;
  v_resets bigint;
BEGIN
  SELECT a.email INTO email FROM identity.accounts a WHERE a.id = p_account FOR UPDATE;
  IF email IS NULL THEN
    RETURN;
  END IF;
  DELETE FROM identity.sessions s WHERE s.account_id = p_account;
  GET DIAGNOSTICS v_sessions = ROW_COUNT;
  DELETE FROM identity.recovery_codes c WHERE c.account_id = p_account;
  GET DIAGNOSTICS v_codes = ROW_COUNT;
  DELETE FROM identity.registrations r WHERE r.email = erase_account.email;
  GET DIAGNOSTICS v_registrations = ROW_COUNT;
  DELETE FROM identity.password_resets p WHERE p.email = erase_account.email;
  GET DIAGNOSTICS v_resets = ROW_COUNT;
  DELETE FROM identity.accounts a WHERE a.id = p_account;
  deleted := jsonb_build_object('login', 1, 'login_sessions', v_sessions, 'login_recovery_codes', v_codes,
    'login_registrations', v_registrations, 'login_password_resets', v_resets);
  RETURN NEXT;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.subject_hash(text, text), app.enter(text, text, boolean, timestamptz), app.begin_erasure(uuid, uuid),
  app.erase_rows(uuid, text, integer), app.give_up_removals(uuid), app.finish_erasure(uuid, jsonb, text, timestamptz),
  identity.erase_account(uuid) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.enter(text, text, boolean, timestamptz) TO wn_api;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.subject_hash(text, text), app.begin_erasure(uuid, uuid), app.erase_rows(uuid, text, integer),
  app.give_up_removals(uuid), app.finish_erasure(uuid, jsonb, text, timestamptz) TO wn_jobs;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION identity.erase_account(uuid) TO wn_identity;
