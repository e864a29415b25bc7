-- The tables of the shop. The same text runs on SQLite and on PostgreSQL: amounts are whole cents, moments are ISO 8601 texts in UTC.

CREATE TABLE customers (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    tier TEXT NOT NULL CHECK (tier IN ('free', 'pro', 'enterprise')),
    status TEXT NOT NULL CHECK (status IN ('active', 'inactive', 'suspended')),
    country TEXT NOT NULL,
    created_at TEXT NOT NULL
);

CREATE TABLE products (
    id TEXT PRIMARY KEY NOT NULL,
    sku TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    category TEXT NOT NULL CHECK (category IN ('software', 'devices', 'accessories', 'services')),
    price_cents INTEGER NOT NULL CHECK (price_cents >= 0),
    status TEXT NOT NULL CHECK (status IN ('on_sale', 'withdrawn')),
    description TEXT NOT NULL
);

-- `on_hand` has no CHECK against negative numbers: create_order lowers it first, which locks the row, and then refuses the order if
-- it fell below zero. The refusal can so name the product, and two orders at once cannot both have the last piece.
CREATE TABLE inventory (
    product_id TEXT PRIMARY KEY NOT NULL REFERENCES products (id),
    on_hand INTEGER NOT NULL,
    reorder_at INTEGER NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE orders (
    id TEXT PRIMARY KEY NOT NULL,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    status TEXT NOT NULL CHECK (status IN ('pending', 'paid', 'shipped', 'delivered', 'cancelled')),
    total_cents INTEGER NOT NULL CHECK (total_cents >= 0),
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE order_items (
    order_id TEXT NOT NULL REFERENCES orders (id),
    line INTEGER NOT NULL,
    product_id TEXT NOT NULL REFERENCES products (id),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unit_price_cents INTEGER NOT NULL CHECK (unit_price_cents >= 0),
    PRIMARY KEY (order_id, line)
);

CREATE TABLE payments (
    id TEXT PRIMARY KEY NOT NULL,
    order_id TEXT NOT NULL REFERENCES orders (id),
    method TEXT NOT NULL CHECK (method IN ('card', 'paypal', 'invoice')),
    status TEXT NOT NULL CHECK (status IN ('captured', 'refunded')),
    amount_cents INTEGER NOT NULL CHECK (amount_cents >= 0),
    created_at TEXT NOT NULL,
    refunded_at TEXT
);

CREATE TABLE tickets (
    id TEXT PRIMARY KEY NOT NULL,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    order_id TEXT REFERENCES orders (id),
    subject TEXT NOT NULL,
    priority TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    status TEXT NOT NULL CHECK (status IN ('open', 'waiting', 'solved')),
    created_at TEXT NOT NULL,
    solved_at TEXT
);

-- How much a customer used a product of the category `software`, by month (`2026-10`).
CREATE TABLE product_usage (
    customer_id TEXT NOT NULL REFERENCES customers (id),
    product_id TEXT NOT NULL REFERENCES products (id),
    month TEXT NOT NULL,
    active_days INTEGER NOT NULL,
    actions INTEGER NOT NULL,
    PRIMARY KEY (customer_id, month, product_id)
);

-- Every day of ten years with its week (the Monday) and month. SQLite and PostgreSQL reckon with dates in different words; a table
-- of days has the same words for both.
CREATE TABLE calendar (
    day TEXT PRIMARY KEY NOT NULL,
    week TEXT NOT NULL,
    month TEXT NOT NULL
);

INSERT INTO calendar (day, week, month)
WITH RECURSIVE lengths (of_month, usual, leap) AS (
    VALUES (1, 31, 31), (2, 28, 29), (3, 31, 31), (4, 30, 30), (5, 31, 31), (6, 30, 30),
        (7, 31, 31), (8, 31, 31), (9, 30, 30), (10, 31, 31), (11, 30, 30), (12, 31, 31)
),
days (n, y, m, d) AS (
    SELECT 0, 2024, 1, 1
    UNION ALL
    SELECT n + 1,
        CASE WHEN m = 12 AND d = 31 THEN y + 1 ELSE y END,
        CASE WHEN d < CASE WHEN y % 4 = 0 THEN leap ELSE usual END THEN m WHEN m = 12 THEN 1 ELSE m + 1 END,
        CASE WHEN d < CASE WHEN y % 4 = 0 THEN leap ELSE usual END THEN d + 1 ELSE 1 END
    FROM days JOIN lengths ON of_month = m
    WHERE n < 3652
),
written (n, day) AS (
    SELECT n, CAST(y AS TEXT) || '-' || SUBSTR(CAST(100 + m AS TEXT), 2) || '-' || SUBSTR(CAST(100 + d AS TEXT), 2) FROM days
)
-- 1 January 2024 was a Monday.
SELECT written.day, monday.day, SUBSTR(written.day, 1, 7)
FROM written JOIN written AS monday ON monday.n = written.n - written.n % 7;
