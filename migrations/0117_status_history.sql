ALTER TABLE "items" ADD COLUMN "status_history" jsonb DEFAULT '[]' NOT NULL;
--> statement-breakpoint
-- The last 50 changes of an item's status and its reason, whichever statement makes them. `app.status_cause` is what the
-- transaction says about the cause (src/db/operations/status-history.ts).
CREATE FUNCTION app.keep_status() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  NEW.status_history := jsonb_build_array(jsonb_build_object(
    'id', gen_random_uuid(),
    'at', to_char(clock_timestamp() AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'from', OLD.status, 'from_reason', OLD.status_reason, 'to', NEW.status, 'reason', NEW.status_reason,
    'cause', nullif(current_setting('app.status_cause', true), '')::jsonb
  )) || jsonb_path_query_array(OLD.status_history, '$[0 to 48]');
  RETURN NEW;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.keep_status() FROM PUBLIC;
--> statement-breakpoint
CREATE TRIGGER items_keep_status BEFORE UPDATE ON items FOR EACH ROW
WHEN ((OLD.status, OLD.status_reason) IS DISTINCT FROM (NEW.status, NEW.status_reason)) EXECUTE FUNCTION app.keep_status();
