-- One index for each way in which a tool finds its rows. They come after the sample data, which is so written faster.

CREATE INDEX customers_by_status ON customers (status, tier, name);
CREATE INDEX products_by_category ON products (category, name);
CREATE INDEX orders_by_customer ON orders (customer_id, created_at);
CREATE INDEX orders_by_moment ON orders (created_at);
CREATE INDEX items_by_product ON order_items (product_id);
CREATE INDEX payments_by_order ON payments (order_id);
CREATE INDEX tickets_by_customer ON tickets (customer_id, created_at);
CREATE INDEX tickets_by_status ON tickets (status, created_at);
CREATE INDEX calendar_by_week ON calendar (week);
