-- As before (0085), but counts before it joins: the planner takes the changes of one commit for one row, and would read "items"
-- once for each of them.
CREATE OR REPLACE FUNCTION app.emit_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_item record;
BEGIN
  IF NOT app.has_listener(NEW.id) THEN
    RETURN NULL;
  END IF;
  FOR v_item IN
    SELECT c.item_id, coalesce(sum(c.n) FILTER (WHERE c.is_shown), 0)::bigint AS upserted,
      coalesce(sum(c.n) FILTER (WHERE NOT c.is_shown), 0)::bigint AS removed
    FROM (
      SELECT g.item_id, g.n, g.is_live AND i.removed_at IS NULL AS is_shown
      FROM (
        SELECT t.item_id, t.removed_at IS NULL AS is_live, count(*) AS n FROM public.transactions t
        WHERE t.user_id = NEW.id AND t.change_seq > OLD.change_seq AND t.change_seq <= NEW.change_seq
        GROUP BY 1, 2 OFFSET 0
      ) g JOIN public.items i ON i.id = g.item_id
      UNION ALL
      SELECT NULL, count(*), false FROM public.transaction_tombstones s
      WHERE s.user_id = NEW.id AND s.change_seq > OLD.change_seq AND s.change_seq <= NEW.change_seq HAVING count(*) > 0
    ) c GROUP BY c.item_id
  LOOP
    PERFORM app.emit_event(NEW.id, v_item.item_id, 'transactions.changed', jsonb_build_object('since', OLD.change_seq,
      'next_since', NEW.change_seq, 'upserted', v_item.upserted, 'removed', v_item.removed));
  END LOOP;
  RETURN NULL;
END
$$;
