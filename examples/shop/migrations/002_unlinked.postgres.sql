-- PostgreSQL checks a reference row by row, which would take most of the time of writing the sample data. 004 puts the references back
-- and checks all rows at once. SQLite checks them as it goes, fast enough.

ALTER TABLE inventory DROP CONSTRAINT inventory_product_id_fkey;
ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey;
ALTER TABLE order_items DROP CONSTRAINT order_items_order_id_fkey;
ALTER TABLE order_items DROP CONSTRAINT order_items_product_id_fkey;
ALTER TABLE payments DROP CONSTRAINT payments_order_id_fkey;
ALTER TABLE tickets DROP CONSTRAINT tickets_customer_id_fkey;
ALTER TABLE tickets DROP CONSTRAINT tickets_order_id_fkey;
ALTER TABLE product_usage DROP CONSTRAINT product_usage_customer_id_fkey;
ALTER TABLE product_usage DROP CONSTRAINT product_usage_product_id_fkey;
