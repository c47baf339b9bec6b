CREATE TABLE "user_visits" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"seen_on" date NOT NULL,
	"noticed_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "user_visits" ADD CONSTRAINT "user_visits_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "user_visits_seen" ON "user_visits" USING btree ("seen_on");--> statement-breakpoint
ALTER TABLE user_visits ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY all_rows ON user_visits TO wn_jobs USING (true);
--> statement-breakpoint
CREATE POLICY own_rows ON user_visits TO wn_api USING (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
--> statement-breakpoint
GRANT SELECT ON user_visits TO wn_api;
--> statement-breakpoint
GRANT SELECT, UPDATE (noticed_at) ON user_visits TO wn_jobs;
--> statement-breakpoint
-- Users of today count as seen today: their two years begin now.
INSERT INTO user_visits (user_id, seen_on) SELECT id, (now() AT TIME ZONE 'UTC')::date FROM users;
--> statement-breakpoint
-- As before, and notes the first visit of a UTC day. A job that acts for a user has no token, and is no visit.
CREATE OR REPLACE FUNCTION app.enter(p_issuer text, p_subject text, p_create boolean, p_issued_at timestamptz) RETURNS uuid
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
  IF p_issued_at IS NOT NULL AND v_user IS NOT NULL AND NOT EXISTS (SELECT FROM public.user_visits v
    WHERE v.user_id = v_user AND v.seen_on >= (now() AT TIME ZONE 'UTC')::date AND v.noticed_at IS NULL) THEN
    INSERT INTO public.user_visits (user_id, seen_on) VALUES (v_user, (now() AT TIME ZONE 'UTC')::date)
    ON CONFLICT (user_id) DO UPDATE SET seen_on = greatest(user_visits.seen_on, excluded.seen_on), noticed_at = NULL;
  END IF;
  PERFORM set_config('app.user_id', coalesce(v_user::text, ''), true),
    set_config('app.person', app.person_of(p_issuer, p_subject), true);
  RETURN v_user;
END
$$;
--> statement-breakpoint
-- Begins the erasure of a user who has not come for two years and was notified thirty days ago. Null for anyone else, also
-- for a user who comes at this moment: the row waits for their visit.
CREATE FUNCTION app.erase_absent(p_user uuid, p_id uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
BEGIN
  PERFORM FROM public.user_visits v WHERE v.user_id = p_user AND v.seen_on < current_date - 730
    AND v.noticed_at < now() - interval '30 days' FOR UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  RETURN app.begin_erasure(p_user, p_id);
END
$$;
--> statement-breakpoint
-- The address of a built-in account, for a notice to its owner.
CREATE FUNCTION identity.address_of(p_account uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT a.email FROM identity.accounts a WHERE a.id = p_account $$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.erase_absent(uuid, uuid), identity.address_of(uuid) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.erase_absent(uuid, uuid) TO wn_jobs;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION identity.address_of(uuid) TO wn_identity;
--> statement-breakpoint
SELECT app.let_backup_read();
