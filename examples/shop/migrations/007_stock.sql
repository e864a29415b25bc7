-- Every change of stock is written here, and a trigger (008) brings it to `inventory`. Rows are written in the order of the products, so
-- that two orders for the same goods wait for each other and never both for the other.

CREATE TABLE stock_moves (
    order_id TEXT NOT NULL,
    product_id TEXT NOT NULL REFERENCES products (id),
    reason TEXT NOT NULL CHECK (reason IN ('sold', 'returned')),
    pieces INTEGER NOT NULL,
    moved_at TEXT NOT NULL,
    PRIMARY KEY (order_id, product_id, reason)
);
