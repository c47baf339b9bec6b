ALTER TABLE "items" ADD COLUMN "paid_calls_on" date;--> statement-breakpoint
ALTER TABLE "items" ADD COLUMN "paid_calls" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "user_visits" ADD COLUMN "paid_calls_on" date;--> statement-breakpoint
ALTER TABLE "user_visits" ADD COLUMN "paid_calls" integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
-- Counts calls that Plaid bills, for an item of the user, for the user and for the deployment: all of them, or none. The row
-- of the deployment is one of `plaid_usage`, and its lock orders all requests. The user's count does not end with an item.
-- Returns `item`, `user` or `day` where that limit refuses.
CREATE FUNCTION app.take_paid_calls(p_item uuid, p_calls integer, p_per_item integer, p_per_user integer, p_per_day integer)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
  v_used integer;
  v_user integer;
  v_all bigint;
BEGIN
  SELECT CASE WHEN i.paid_calls_on = current_date THEN i.paid_calls ELSE 0 END INTO v_used FROM public.items i
  WHERE i.id = p_item AND i.user_id = app.user_id() AND i.removed_at IS NULL FOR NO KEY UPDATE;
  IF v_used IS NULL THEN
    RETURN 'gone';
  ELSIF p_calls < 1 OR v_used + p_calls > p_per_item THEN
    RETURN 'item';
  END IF;
  INSERT INTO public.user_visits AS v (user_id, seen_on) VALUES (app.user_id(), current_date)
  ON CONFLICT (user_id) DO UPDATE SET paid_calls = v.paid_calls
  RETURNING CASE WHEN v.paid_calls_on = current_date THEN v.paid_calls ELSE 0 END INTO v_user;
  IF v_user + p_calls > p_per_user THEN
    RETURN 'user';
  END IF;
  INSERT INTO public.plaid_usage AS u (day, endpoint, outcome, slot, calls)
  VALUES (current_date, '/transactions/refresh', 'reserved', 0, 0)
  ON CONFLICT (day, endpoint, outcome, slot) DO UPDATE SET calls = u.calls RETURNING u.calls INTO v_all;
  IF v_all + p_calls > p_per_day THEN
    RETURN 'day';
  END IF;
  UPDATE public.plaid_usage SET calls = calls + p_calls
  WHERE day = current_date AND endpoint = '/transactions/refresh' AND outcome = 'reserved' AND slot = 0;
  UPDATE public.user_visits SET paid_calls_on = current_date, paid_calls = v_user + p_calls WHERE user_id = app.user_id();
  UPDATE public.items SET paid_calls_on = current_date, paid_calls = v_used + p_calls WHERE id = p_item;
  RETURN 'taken';
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app.take_paid_calls(uuid, integer, integer, integer, integer) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app.take_paid_calls(uuid, integer, integer, integer, integer) TO wn_api;
