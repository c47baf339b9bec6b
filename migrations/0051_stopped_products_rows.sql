-- A migration of its own, so that the table is not locked for the new column while its rows are written.
UPDATE item_products p SET is_stopped = true FROM items i WHERE i.id = p.item_id AND app.is_stopped(i.status, p.product);
