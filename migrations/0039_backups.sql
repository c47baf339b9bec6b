CREATE TABLE "backups" (
	"id" text PRIMARY KEY NOT NULL,
	"place" text NOT NULL,
	"state" text NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"finished_at" timestamp (3) with time zone,
	"rows" bigint,
	"bytes" bigint,
	"problem" text,
	"verified_at" timestamp (3) with time zone,
	CONSTRAINT "backups_place" CHECK (place in ('bucket', 'command')),
	CONSTRAINT "backups_state" CHECK (state in ('running', 'complete', 'failed'))
);
--> statement-breakpoint
CREATE INDEX "backups_started" ON "backups" USING btree ("started_at");--> statement-breakpoint
ALTER TABLE backups ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY all_rows ON backups TO wn_jobs USING (true);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON backups TO wn_jobs;
--> statement-breakpoint
-- The login of backups: reads every row of every table, changes none, and calls no function.
DO $$
BEGIN
  CREATE ROLE wn_backup NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL; -- another database of this server made it
END
$$;
--> statement-breakpoint
ALTER ROLE wn_backup SET default_transaction_read_only = on;
--> statement-breakpoint
-- Of one page of rows. The first page of a table may wait for a sort.
ALTER ROLE wn_backup SET statement_timeout = '5min';
--> statement-breakpoint
ALTER ROLE wn_backup SET lock_timeout = '10s';
--> statement-breakpoint
-- Longer than the upload of a part. An abandoned snapshot keeps dead rows from being vacuumed.
ALTER ROLE wn_backup SET idle_in_transaction_session_timeout = '2min';
--> statement-breakpoint
ALTER ROLE wn_backup SET jit = off;
--> statement-breakpoint
-- Lets wn_backup read every table and sequence that it cannot read yet. Each migration that adds one calls it; a backup
-- fails, and so does a test, where one was forgotten.
CREATE FUNCTION app.let_backup_read() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema text;
  v_table record;
BEGIN
  FOREACH v_schema IN ARRAY ARRAY['public', 'identity', 'drizzle'] LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO wn_backup', v_schema);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO wn_backup', v_schema);
    EXECUTE format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA %I TO wn_backup', v_schema);
  END LOOP;
  FOR v_table IN
    SELECT c.oid::regclass AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('public', 'identity') AND c.relkind IN ('r', 'p') AND c.relrowsecurity
      AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'backup_reads')
  LOOP
    EXECUTE format('CREATE POLICY backup_reads ON %s FOR SELECT TO wn_backup USING (true)', v_table.name);
  END LOOP;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.let_backup_read() FROM PUBLIC;
--> statement-breakpoint
SELECT app.let_backup_read();
