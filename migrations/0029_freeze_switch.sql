ALTER TABLE "safety_switches" DROP CONSTRAINT "safety_switches_state";--> statement-breakpoint
ALTER TABLE "safety_switches" ADD CONSTRAINT "safety_switches_state" CHECK (name = 'orphan_removal' and state in ('off', 'report', 'end') or name = 'item_loss' and state in ('armed', 'tripped', 'off') or name = 'freeze' and state in ('off', 'recovery', 'frozen', 'locked'));--> statement-breakpoint
INSERT INTO safety_switches (name, state) VALUES ('freeze', 'off');
--> statement-breakpoint
-- Refuses writes with WN012 while the switch `freeze` is not `off`. A batch that records what Plaid has done already, or
-- seals the same secrets again, sets app.freeze_pass. The owner of the tables is not refused, so that migrations run. A
-- missing switch counts as frozen. The Worker's logins can set app.freeze_pass themselves: the freeze stops the Worker, not
-- an attacker who has one of its logins.
CREATE FUNCTION app.refuse_while_frozen() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_state text;
BEGIN
  SELECT s.state INTO v_state FROM public.safety_switches s WHERE s.name = 'freeze';
  IF v_state = 'off' OR session_user = current_user THEN
    RETURN NULL;
  END IF;
  CASE current_setting('app.freeze_pass', true)
    WHEN 'always' THEN RETURN NULL;
    WHEN 'recovery' THEN
      IF v_state = 'recovery' THEN
        RETURN NULL;
      END IF;
    ELSE NULL;
  END CASE;
  RAISE EXCEPTION 'the deployment is frozen' USING ERRCODE = 'WN012';
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.refuse_while_frozen() FROM PUBLIC;
--> statement-breakpoint
-- Every table with users' data. Not refused: what an incident is handled and looked into with (switches, dead letters, usage).
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['account_balances', 'accounts', 'consents', 'erasures', 'holding_days', 'holdings', 'investment_staging',
    'investment_transactions', 'item_products', 'items', 'liabilities', 'link_exchanges', 'link_sessions', 'plaid_removals',
    'recurring_streams', 'securities', 'set_aside_rows', 'sync_runs', 'sync_staging', 'transaction_tombstones', 'transactions',
    'unmatched_webhooks', 'users', 'webhook_events', 'webhook_keys'] LOOP
    EXECUTE format('CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON public.%I
      FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_while_frozen()', t);
  END LOOP;
END
$$;
--> statement-breakpoint
-- Of built-in accounts: no new account, password, address or second factor. Users sign in and out, because reads go on.
CREATE TRIGGER frozen BEFORE INSERT ON identity.registrations
  FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_while_frozen();
--> statement-breakpoint
CREATE TRIGGER frozen BEFORE INSERT ON identity.password_resets
  FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_while_frozen();
--> statement-breakpoint
CREATE TRIGGER frozen BEFORE INSERT ON identity.recovery_codes
  FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_while_frozen();
--> statement-breakpoint
CREATE TRIGGER frozen BEFORE INSERT OR DELETE
  OR UPDATE OF email, role, password_changed_at, totp_secret_sealed, totp_confirmed_at ON identity.accounts
  FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_while_frozen();
--> statement-breakpoint
-- As before, also during a freeze: the rotation of the encryption keys changes no secret.
CREATE OR REPLACE FUNCTION identity.replace_totp(p_accounts uuid[], p_old text[], p_new text[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT set_config('app.freeze_pass', 'always', true);
  WITH replaced AS (
    UPDATE identity.accounts a SET totp_secret_sealed = r.new_value
    FROM unnest(p_accounts, p_old, p_new) AS r (account_id, old_value, new_value)
    WHERE a.id = r.account_id AND a.totp_secret_sealed = r.old_value RETURNING 1
  ) SELECT count(*) FROM replaced
$$;
