-- One index for each way in which a tool finds or orders its rows. They come after the sample data, which is so written faster.

CREATE INDEX customers_by_name ON customers (name, id);
CREATE INDEX orders_by_customer ON orders (customer_id, created_at DESC, id);
CREATE INDEX orders_by_moment ON orders (created_at);
CREATE INDEX payments_by_order ON payments (order_id, created_at, id);
CREATE INDEX tickets_by_customer ON tickets (customer_id, created_at DESC, id);
CREATE INDEX tickets_by_moment ON tickets (created_at DESC, id);
CREATE INDEX calendar_by_week ON calendar (week);
