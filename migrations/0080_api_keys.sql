CREATE TABLE "api_keys" (
	"id" uuid PRIMARY KEY NOT NULL,
	"application_id" uuid,
	"user_id" uuid,
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"digest" "bytea" NOT NULL,
	"scopes" text[] NOT NULL,
	"networks" text[] DEFAULT '{}' NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"last_used_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	"request_digest" "bytea",
	CONSTRAINT "api_keys_digest" UNIQUE("digest"),
	CONSTRAINT "api_keys_request" UNIQUE("request_digest"),
	CONSTRAINT "api_keys_owner" CHECK (num_nonnulls(application_id, user_id) = 1)
);
--> statement-breakpoint
CREATE TABLE "applications" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"issuer" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "idempotent_requests" (
	"user_id" uuid NOT NULL,
	"route" text NOT NULL,
	"key_digest" "bytea" NOT NULL,
	"request_digest" "bytea" NOT NULL,
	"run_id" uuid NOT NULL,
	"started_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"status" integer,
	"body" jsonb,
	CONSTRAINT "idempotent_requests_key" PRIMARY KEY("user_id","route","key_digest")
);
--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "public"."applications"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "idempotent_requests" ADD CONSTRAINT "idempotent_requests_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "api_keys_application" ON "api_keys" USING btree ("application_id");--> statement-breakpoint
CREATE INDEX "api_keys_user" ON "api_keys" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "api_keys_created" ON "api_keys" USING btree ("created_at" NULLS FIRST,"id");--> statement-breakpoint
CREATE INDEX "api_keys_ended" ON "api_keys" USING btree (least(revoked_at, expires_at));--> statement-breakpoint
CREATE INDEX "idempotent_requests_started" ON "idempotent_requests" USING btree ("started_at");
--> statement-breakpoint
ALTER TABLE applications ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE idempotent_requests ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY all_rows ON applications TO wn_jobs USING (true);
--> statement-breakpoint
CREATE POLICY all_rows ON api_keys TO wn_jobs USING (true);
--> statement-breakpoint
CREATE POLICY own_rows ON api_keys TO wn_api USING (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
--> statement-breakpoint
CREATE POLICY all_rows ON idempotent_requests TO wn_jobs USING (true);
--> statement-breakpoint
CREATE POLICY own_rows ON idempotent_requests TO wn_api USING (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
--> statement-breakpoint
GRANT SELECT, INSERT ON applications TO wn_jobs;
--> statement-breakpoint
-- No login reads a digest: app.use_api_key compares it.
GRANT SELECT (id, application_id, user_id, name, prefix, scopes, networks, created_at, expires_at, last_used_at, revoked_at,
  request_digest), INSERT, UPDATE (revoked_at) ON api_keys TO wn_api, wn_jobs;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE (request_digest, run_id, started_at, status, body), DELETE ON idempotent_requests TO wn_api;
--> statement-breakpoint
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON applications
  FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_while_frozen();
--> statement-breakpoint
-- A key can be revoked during a freeze, and its last use is noted.
CREATE TRIGGER frozen BEFORE INSERT OR DELETE
  OR UPDATE OF id, application_id, user_id, name, prefix, digest, scopes, networks, expires_at ON api_keys
  FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_while_frozen();
--> statement-breakpoint
CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON idempotent_requests
  FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_while_frozen();
--> statement-breakpoint
-- Finds a key by its digest, or by its id for a token that was issued with it, and notes a use of a live key once a minute.
-- A key with networks is used from an address in one of them; without an address it is in none. `state` says why a key is
-- refused. `subject` is null for a key of an application, which has no user of its own.
CREATE FUNCTION app.use_api_key(p_digest bytea, p_id uuid, p_address inet,
  OUT id uuid, OUT application_id uuid, OUT issuer text, OUT subject text, OUT scopes text[], OUT created_at timestamptz,
  OUT state text) RETURNS SETOF record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_key public.api_keys%ROWTYPE;
BEGIN
  IF p_digest IS NOT NULL THEN
    SELECT * INTO v_key FROM public.api_keys k WHERE k.digest = p_digest;
  ELSE
    SELECT * INTO v_key FROM public.api_keys k WHERE k.id = p_id;
  END IF;
  IF v_key.id IS NULL THEN
    RETURN;
  END IF;
  id := v_key.id;
  application_id := v_key.application_id;
  scopes := v_key.scopes;
  created_at := v_key.created_at;
  IF application_id IS NOT NULL THEN
    SELECT a.issuer INTO STRICT issuer FROM public.applications a WHERE a.id = v_key.application_id;
  ELSE
    SELECT u.issuer, u.subject INTO STRICT issuer, subject FROM public.users u WHERE u.id = v_key.user_id;
  END IF;
  state := CASE
    WHEN v_key.revoked_at IS NOT NULL THEN 'revoked'
    WHEN v_key.expires_at <= now() THEN 'expired'
    -- The token of a client is used where the client is.
    WHEN p_digest IS NOT NULL AND cardinality(v_key.networks) > 0
      AND coalesce(p_address <<= ANY (v_key.networks::cidr[]), false) IS FALSE THEN 'network'
    ELSE 'live' END;
  IF state = 'live' AND coalesce(v_key.last_used_at < now() - interval '1 minute', true) THEN
    PERFORM FROM public.api_keys k WHERE k.id = v_key.id FOR NO KEY UPDATE SKIP LOCKED;
    IF FOUND THEN
      UPDATE public.api_keys k SET last_used_at = now() WHERE k.id = v_key.id;
    END IF;
  END IF;
  RETURN NEXT;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.use_api_key(bytea, uuid, inet) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.use_api_key(bytea, uuid, inet) TO wn_api;
--> statement-breakpoint
-- Adds the keys and requests of a user to the tables of app.erase_rows, and both tables to the classes of
-- app.retention_rule. The lists of other tables stay as they are.
DO $$
DECLARE
  v_added record;
  v_before text;
  v_after text;
BEGIN
  FOR v_added IN SELECT * FROM (VALUES
    ('app.erase_rows(uuid, text, integer)', 'p_table IN (''sync_staging'',',
      'p_table IN (''api_keys'', ''idempotent_requests'', ''sync_staging'','),
    ('app.retention_rule(text)', '(''sync_runs'', ''rows'',',
      $rule$('api_keys', 'rows', 'public.api_keys', 'least(r.revoked_at, r.expires_at) < $1', 30),
    ('idempotent_requests', 'rows', 'public.idempotent_requests', 'r.started_at < $1', 1),
    ('sync_runs', 'rows',$rule$)
  ) AS a (function, place, text) LOOP
    v_before := pg_get_functiondef(v_added.function::regprocedure);
    v_after := replace(v_before, v_added.place, v_added.text);
    IF v_after = v_before THEN
      RAISE EXCEPTION '% has no list to extend', v_added.function;
    END IF;
    EXECUTE v_after;
  END LOOP;
END
$$;
--> statement-breakpoint
SELECT app.let_backup_read();
