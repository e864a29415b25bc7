-- Two years of business up to the end of October 2026: 12,000 customers, 102,000 orders. The same rows on every run and on either
-- engine: what looks like chance is arithmetic on the number of a row. Leave this file out to start with an empty shop.

-- Names and words to draw from. All tables called `sample_…` are dropped at the end.
CREATE TABLE sample_first (n INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO sample_first (n, name) VALUES
    (0, 'Ada'), (1, 'Aiko'), (2, 'Alice'), (3, 'Amara'), (4, 'Amir'), (5, 'Ana'), (6, 'Anders'), (7, 'Anna'), (8, 'Arjun'), (9, 'Astrid'),
    (10, 'Ayse'), (11, 'Beatriz'), (12, 'Ben'), (13, 'Boris'), (14, 'Camille'), (15, 'Carlos'), (16, 'Chen'), (17, 'Clara'), (18, 'Daniel'), (19, 'David'),
    (20, 'Diego'), (21, 'Dina'), (22, 'Elena'), (23, 'Elif'), (24, 'Emil'), (25, 'Emma'), (26, 'Erik'), (27, 'Eva'), (28, 'Farah'), (29, 'Felix'),
    (30, 'Fatima'), (31, 'Finn'), (32, 'Frida'), (33, 'Gabriel'), (34, 'Giulia'), (35, 'Grace'), (36, 'Hana'), (37, 'Hannah'), (38, 'Hassan'), (39, 'Hugo'),
    (40, 'Ines'), (41, 'Ingrid'), (42, 'Isla'), (43, 'Ivan'), (44, 'Jack'), (45, 'James'), (46, 'Jana'), (47, 'Jin'), (48, 'Joao'), (49, 'Jonas'),
    (50, 'Julia'), (51, 'Kai'), (52, 'Karin'), (53, 'Kenji'), (54, 'Kofi'), (55, 'Lara'), (56, 'Lars'), (57, 'Laura'), (58, 'Leila'), (59, 'Leo'),
    (60, 'Lina'), (61, 'Lucas'), (62, 'Lucia'), (63, 'Luis'), (64, 'Maja'), (65, 'Maria'), (66, 'Marco'), (67, 'Marta'), (68, 'Mateo'), (69, 'Maya'),
    (70, 'Mei'), (71, 'Mia'), (72, 'Milan'), (73, 'Mina'), (74, 'Nadia'), (75, 'Nina'), (76, 'Noah'), (77, 'Nora'), (78, 'Olga'), (79, 'Oliver'),
    (80, 'Omar'), (81, 'Oscar'), (82, 'Paula'), (83, 'Pavel'), (84, 'Petra'), (85, 'Priya'), (86, 'Rafael'), (87, 'Rania'), (88, 'Ravi'), (89, 'Rosa'),
    (90, 'Sam'), (91, 'Sara'), (92, 'Selin'), (93, 'Sofia'), (94, 'Sven'), (95, 'Tara'), (96, 'Theo'), (97, 'Tomas'), (98, 'Yuki'), (99, 'Zoe');

CREATE TABLE sample_last (n INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO sample_last (n, name) VALUES
    (0, 'Abbas'), (1, 'Adeyemi'), (2, 'Ahmed'), (3, 'Almeida'), (4, 'Andersson'), (5, 'Baker'), (6, 'Bauer'), (7, 'Becker'), (8, 'Bergman'), (9, 'Bianchi'),
    (10, 'Brown'), (11, 'Carter'), (12, 'Castro'), (13, 'Chen'), (14, 'Clark'), (15, 'Cohen'), (16, 'Conti'), (17, 'Cooper'), (18, 'Costa'), (19, 'Dahl'),
    (20, 'Davies'), (21, 'Delgado'), (22, 'Demir'), (23, 'Diallo'), (24, 'Dubois'), (25, 'Dvorak'), (26, 'Edwards'), (27, 'Eriksen'), (28, 'Esposito'), (29, 'Evans'),
    (30, 'Fernandez'), (31, 'Ferrari'), (32, 'Fischer'), (33, 'Fontaine'), (34, 'Foster'), (35, 'Garcia'), (36, 'Gomez'), (37, 'Gruber'), (38, 'Gupta'), (39, 'Haas'),
    (40, 'Haddad'), (41, 'Hansen'), (42, 'Harris'), (43, 'Hoffmann'), (44, 'Horvat'), (45, 'Hughes'), (46, 'Ibrahim'), (47, 'Ito'), (48, 'Ivanova'), (49, 'Jackson'),
    (50, 'Jansen'), (51, 'Jensen'), (52, 'Johnson'), (53, 'Jones'), (54, 'Kaya'), (55, 'Keller'), (56, 'Khan'), (57, 'Kim'), (58, 'King'), (59, 'Klein'),
    (60, 'Kovacs'), (61, 'Kowalski'), (62, 'Kumar'), (63, 'Lambert'), (64, 'Larsen'), (65, 'Laurent'), (66, 'Lee'), (67, 'Lehmann'), (68, 'Leroy'), (69, 'Lewis'),
    (70, 'Li'), (71, 'Lindberg'), (72, 'Lopez'), (73, 'Mancini'), (74, 'Martin'), (75, 'Mbeki'), (76, 'Mehta'), (77, 'Meyer'), (78, 'Miller'), (79, 'Moreau'),
    (80, 'Moretti'), (81, 'Morris'), (82, 'Murphy'), (83, 'Nakamura'), (84, 'Nguyen'), (85, 'Nielsen'), (86, 'Novak'), (87, 'Okafor'), (88, 'Olsen'), (89, 'Ortiz'),
    (90, 'Osman'), (91, 'Park'), (92, 'Patel'), (93, 'Pereira'), (94, 'Petrov'), (95, 'Popescu'), (96, 'Reyes'), (97, 'Ricci'), (98, 'Roberts'), (99, 'Romano'),
    (100, 'Rossi'), (101, 'Roux'), (102, 'Sanchez'), (103, 'Santos'), (104, 'Sato'), (105, 'Schmidt'), (106, 'Silva'), (107, 'Singh'), (108, 'Smith'), (109, 'Suzuki'),
    (110, 'Tanaka'), (111, 'Taylor'), (112, 'Thomas'), (113, 'Torres'), (114, 'Virtanen'), (115, 'Wagner'), (116, 'Walker'), (117, 'Wang'), (118, 'Weber'), (119, 'Yilmaz');

CREATE TABLE sample_subjects (n INTEGER PRIMARY KEY, subject TEXT NOT NULL, priority TEXT NOT NULL);
INSERT INTO sample_subjects (n, subject, priority) VALUES
    (0, 'Where is my order?', 'normal'), (1, 'Parcel arrived damaged', 'high'), (2, 'Wrong item delivered', 'high'), (3, 'Invoice with our VAT number, please', 'low'),
    (4, 'Cannot sign in after the update', 'high'), (5, 'Export of reports is very slow', 'normal'), (6, 'How do I add a colleague to the team plan?', 'low'),
    (7, 'Charged twice for the same order', 'urgent'), (8, 'Cancel our subscription', 'high'), (9, 'Question about the price of the team plan', 'normal'),
    (10, 'Scanner stops after a few minutes', 'high'), (11, 'Licence key is not accepted', 'high'), (12, 'Request for a refund', 'normal'), (13, 'Change of delivery address', 'normal'),
    (14, 'Data missing since this morning', 'urgent'), (15, 'Import from a spreadsheet fails', 'normal'), (16, 'Battery does not charge', 'normal'), (17, 'Feature request: dark mode', 'low'),
    (18, 'We are comparing you with another supplier', 'high'), (19, 'Thank you, and one small question', 'low');

INSERT INTO products (id, sku, name, category, price_cents, status, description) VALUES
    ('prod_0planboardsolo000000', 'SW-100', 'Planboard Solo', 'software', 900, 'on_sale', 'Planning for one person, per month.'),
    ('prod_0planboardteam000000', 'SW-110', 'Planboard Team', 'software', 4900, 'on_sale', 'Planning for up to ten people, per month.'),
    ('prod_0planboardcorp000000', 'SW-120', 'Planboard Business', 'software', 19900, 'on_sale', 'Planning without limits, with single sign-on, per month.'),
    ('prod_0stockpilot000000000', 'SW-200', 'Stockpilot', 'software', 7900, 'on_sale', 'Stock keeping for a shop with one store, per month.'),
    ('prod_0stockpilotplus00000', 'SW-210', 'Stockpilot Plus', 'software', 15900, 'on_sale', 'Stock keeping for many stores, per month.'),
    ('prod_0ledgerline000000000', 'SW-300', 'Ledgerline', 'software', 5900, 'on_sale', 'Book-keeping with bank import, per month.'),
    ('prod_0ledgerlinepro000000', 'SW-310', 'Ledgerline Pro', 'software', 12900, 'on_sale', 'Book-keeping with budgets and approvals, per month.'),
    ('prod_0deskline00000000000', 'SW-400', 'Deskline', 'software', 2900, 'on_sale', 'A shared inbox for support, per agent and month.'),
    ('prod_0formsmith0000000000', 'SW-500', 'Formsmith', 'software', 1900, 'on_sale', 'Forms and surveys, per month.'),
    ('prod_0chartroom0000000000', 'SW-600', 'Chartroom', 'software', 8900, 'withdrawn', 'Reports and dashboards; replaced by Planboard Business.'),
    ('prod_0scannerhand00000000', 'DV-100', 'Handheld scanner', 'devices', 18900, 'on_sale', 'Reads bar codes and QR codes, wireless.'),
    ('prod_0scannerring00000000', 'DV-110', 'Ring scanner', 'devices', 24900, 'on_sale', 'Worn on a finger, for picking.'),
    ('prod_0scannerdesk00000000', 'DV-120', 'Counter scanner', 'devices', 12900, 'on_sale', 'Stands at the till, hands-free.'),
    ('prod_0labelprinter0000000', 'DV-200', 'Label printer', 'devices', 21900, 'on_sale', 'Thermal, 108 mm, USB and network.'),
    ('prod_0labelprintermob0000', 'DV-210', 'Mobile label printer', 'devices', 32900, 'on_sale', 'Thermal, 72 mm, for the belt.'),
    ('prod_0receiptprinter00000', 'DV-220', 'Receipt printer', 'devices', 17900, 'on_sale', 'Thermal, 80 mm, with cutter.'),
    ('prod_0cardterminal0000000', 'DV-300', 'Card terminal', 'devices', 14900, 'on_sale', 'Chip, contactless and PIN.'),
    ('prod_0cardterminalmob0000', 'DV-310', 'Mobile card terminal', 'devices', 22900, 'on_sale', 'With its own SIM card.'),
    ('prod_0tillscreen000000000', 'DV-400', 'Till screen 15 inch', 'devices', 39900, 'on_sale', 'Touch screen on a stand.'),
    ('prod_0tablet1000000000000', 'DV-410', 'Warehouse tablet 10 inch', 'devices', 45900, 'on_sale', 'Shock-proof, works with gloves.'),
    ('prod_0tablet0800000000000', 'DV-420', 'Warehouse tablet 8 inch', 'devices', 36900, 'on_sale', 'Shock-proof, works with gloves.'),
    ('prod_0scaleshop0000000000', 'DV-500', 'Counter scale', 'devices', 27900, 'on_sale', 'Up to 15 kg, calibrated.'),
    ('prod_0scaleparcel00000000', 'DV-510', 'Parcel scale', 'devices', 11900, 'on_sale', 'Up to 60 kg, USB.'),
    ('prod_0pager00000000000000', 'DV-900', 'Guest pager', 'devices', 6900, 'withdrawn', 'No longer made.'),
    ('prod_0cradle0000000000000', 'AC-100', 'Charging cradle', 'accessories', 4900, 'on_sale', 'For one handheld scanner.'),
    ('prod_0cradlefour000000000', 'AC-110', 'Charging cradle, four bays', 'accessories', 14900, 'on_sale', 'For four handheld scanners.'),
    ('prod_0batteryscan00000000', 'AC-120', 'Spare battery for scanners', 'accessories', 3900, 'on_sale', 'Lasts a shift.'),
    ('prod_0labelroll0000000000', 'AC-200', 'Label rolls, box of 12', 'accessories', 5400, 'on_sale', '102 by 152 mm, 475 labels each.'),
    ('prod_0labelrollsmall00000', 'AC-210', 'Small label rolls, box of 24', 'accessories', 4600, 'on_sale', '57 by 32 mm, 2,000 labels each.'),
    ('prod_0receiptroll00000000', 'AC-220', 'Receipt rolls, box of 50', 'accessories', 3200, 'on_sale', '80 mm, without bisphenol.'),
    ('prod_0caddy00000000000000', 'AC-300', 'Belt holster', 'accessories', 2400, 'on_sale', 'For handheld scanners and mobile printers.'),
    ('prod_0tabletcase000000000', 'AC-310', 'Tablet case with strap', 'accessories', 5900, 'on_sale', 'For both warehouse tablets.'),
    ('prod_0cablekit00000000000', 'AC-400', 'Cable kit', 'accessories', 1900, 'on_sale', 'USB and network, 2 m each.'),
    ('prod_0cashdrawer000000000', 'AC-500', 'Cash drawer', 'accessories', 8900, 'on_sale', 'Opens by the receipt printer.'),
    ('prod_0polemount0000000000', 'AC-510', 'Pole mount', 'accessories', 3400, 'on_sale', 'For till screens and card terminals.'),
    ('prod_0cleaningkit00000000', 'AC-600', 'Cleaning kit', 'accessories', 1400, 'on_sale', 'Cards and wipes for print heads.'),
    ('prod_0setupday00000000000', 'SV-100', 'Set-up day', 'services', 98000, 'on_sale', 'One of our people at your place for a day.'),
    ('prod_0training00000000000', 'SV-200', 'Online training', 'services', 19000, 'on_sale', 'Two hours for up to eight people.'),
    ('prod_0support00000000000p', 'SV-300', 'Priority support', 'services', 29000, 'on_sale', 'An answer within an hour, for three months.'),
    ('prod_0migration0000000000', 'SV-400', 'Move of your data', 'services', 150000, 'on_sale', 'From another system, up to 100,000 records.');

-- What can be drawn when an order is made up: products on sale, the cheap ones more often.
CREATE TABLE sample_products (n INTEGER PRIMARY KEY, id TEXT NOT NULL, category TEXT NOT NULL, price_cents INTEGER NOT NULL);
INSERT INTO sample_products (n, id, category, price_cents)
SELECT ROW_NUMBER() OVER (ORDER BY price_cents, id) - 1, id, category, price_cents FROM products WHERE status = 'on_sale';

INSERT INTO inventory (product_id, on_hand, reorder_at, updated_at)
SELECT id,
    CASE WHEN category IN ('software', 'services') THEN 100000 ELSE (n * n * 37 + n * 11) % 181 + CASE WHEN n % 9 = 4 THEN 0 ELSE 12 END END,
    CASE WHEN category IN ('software', 'services') THEN 0 ELSE 40 END,
    '2026-10-31T18:00:00Z'
FROM sample_products;
INSERT INTO inventory (product_id, on_hand, reorder_at, updated_at)
SELECT id, 0, 0, '2026-06-30T18:00:00Z' FROM products WHERE status = 'withdrawn';

-- The 730 days of business, from 1 November 2024 to 31 October 2026.
CREATE TABLE sample_days (n INTEGER PRIMARY KEY, day TEXT NOT NULL);
INSERT INTO sample_days (n, day)
SELECT ROW_NUMBER() OVER (ORDER BY day) - 1, day FROM calendar WHERE day >= '2024-11-01' AND day < '2026-11-01';

-- The middle part of an id is the number of its row in another order, base 36, so that no two are alike; the rest only looks like chance.
-- `a` and `b` are numbers from 0 to 2147483646 without a visible pattern: a square modulo a prime forgets where it came from.
CREATE TABLE sample_customers (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, joined INTEGER NOT NULL, ended INTEGER NOT NULL,
    tier TEXT NOT NULL, status TEXT NOT NULL, country TEXT NOT NULL, a BIGINT NOT NULL, b BIGINT NOT NULL
);
INSERT INTO sample_customers (n, id, first, last, joined, ended, tier, status, country, a, b)
WITH RECURSIVE numbers (n) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < 11999),
seeds (n, s) AS (SELECT n, (n * 48271 + 1013904223) % 2147483647 FROM numbers),
squares (n, a) AS (SELECT n, (s * s + n * 7) % 2147483647 FROM seeds),
drawn (n, a, b) AS (SELECT n, a, ((a + 12345) * (a + 12345)) % 2147483647 FROM squares),
lives (n, a, b, joined, status) AS (
    SELECT n, a, b, (a / 4096) % 640, CASE WHEN b % 100 < 88 THEN 'active' WHEN b % 100 < 97 THEN 'inactive' ELSE 'suspended' END FROM drawn
)
SELECT n, 'cust_'
    || SUBSTR('k3v9xq0mzr7tbn2wfh5cjd8ylg4ps6a1ue', CAST(1 + a % 31 AS INTEGER), 4)
    || SUBSTR('0123456789abcdefghijklmnopqrstuvwxyz', CAST(1 + (n * 7919 + 5) / 46656 % 36 AS INTEGER), 1)
    || SUBSTR('q7wz2xs5ce8drf3vtg6byh9nuj1mik4olp0a', CAST(1 + (n * 7919 + 5) / 1296 % 36 AS INTEGER), 1)
    || SUBSTR('m5np8qr1st4uv7wx0yz3ab6cd9ef2ghijklo', CAST(1 + (n * 7919 + 5) / 36 % 36 AS INTEGER), 1)
    || SUBSTR('a9b8c7d6e5f4g3h2i1j0klmnopqrstuvwxyz', CAST(1 + (n * 7919 + 5) % 36 AS INTEGER), 1)
    || SUBSTR('w6t0hr3zk8yq5bxn1vm7cjf2dpg9sl4aeu', CAST(1 + a / 31 % 31 AS INTEGER), 4)
    || SUBSTR('z1q8m4xk7vt3nc9wr5bh0yd6jf2lgps', CAST(1 + b % 28 AS INTEGER), 4)
    || SUBSTR('h8n2x5d0w7c4r9k1z6t3v8b5m0q7jyfgplsu', CAST(1 + b / 28 % 33 AS INTEGER), 4),
    n * 7919 % 12000 / 120, n * 7919 % 120, joined,
    CASE WHEN status = 'active' THEN 729 ELSE joined + (729 - joined) / 2 END,
    CASE WHEN b / 100 % 100 < 68 THEN 'free' WHEN b / 100 % 100 < 91 THEN 'pro' ELSE 'enterprise' END,
    status,
    CASE a % 8 WHEN 0 THEN 'DE' WHEN 1 THEN 'FR' WHEN 2 THEN 'GB' WHEN 3 THEN 'US' WHEN 4 THEN 'ES' WHEN 5 THEN 'IT' WHEN 6 THEN 'SE' ELSE 'NL' END,
    a, b
FROM lives;

INSERT INTO customers (id, name, email, tier, status, country, created_at)
SELECT c.id, f.name || ' ' || l.name,
    LOWER(f.name || '.' || l.name) || CASE WHEN c.tier = 'enterprise' THEN '@company.example' WHEN c.a % 3 = 0 THEN '@example.org' ELSE '@example.com' END,
    c.tier, c.status, c.country,
    d.day || 'T' || SUBSTR(CAST(108 + c.b % 12 AS TEXT), 2) || ':' || SUBSTR(CAST(100 + c.a % 60 AS TEXT), 2) || ':' || SUBSTR(CAST(100 + c.b % 60 AS TEXT), 2) || 'Z'
FROM sample_customers AS c
JOIN sample_first AS f ON f.n = c.first
JOIN sample_last AS l ON l.n = c.last
JOIN sample_days AS d ON d.n = c.joined;

-- Orders with up to three lines; `p` is a product and `q` a quantity. The product of two chances makes few customers large and many small.
CREATE TABLE sample_orders (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL, customer INTEGER NOT NULL, day INTEGER NOT NULL, lines INTEGER NOT NULL,
    p1 INTEGER NOT NULL, q1 INTEGER NOT NULL, p2 INTEGER NOT NULL, q2 INTEGER NOT NULL, p3 INTEGER NOT NULL, q3 INTEGER NOT NULL,
    status TEXT NOT NULL, moment TEXT NOT NULL, a BIGINT NOT NULL, b BIGINT NOT NULL
);
INSERT INTO sample_orders (n, id, customer, day, lines, p1, q1, p2, q2, p3, q3, status, moment, a, b)
WITH RECURSIVE numbers (n) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < 101999),
seeds (n, s) AS (SELECT n, (n * 69621 + 362436069) % 2147483647 FROM numbers),
squares (n, a) AS (SELECT n, (s * s + n * 13) % 2147483647 FROM seeds),
drawn (n, a, b) AS (SELECT n, a, ((a + 54321) * (a + 54321)) % 2147483647 FROM squares),
dated (n, a, b, customer, at) AS (
    SELECT drawn.n, drawn.a, drawn.b, c.n, c.joined + drawn.b / 7 % (c.ended - c.joined + 1)
    FROM drawn JOIN sample_customers AS c ON c.n = (drawn.a % 12000) * (drawn.b % 12000) / 12000
)
SELECT dated.n, 'ord_'
    || SUBSTR('k3v9xq0mzr7tbn2wfh5cjd8ylg4ps6a1ue', CAST(1 + a % 31 AS INTEGER), 4)
    || SUBSTR('0123456789abcdefghijklmnopqrstuvwxyz', CAST(1 + (dated.n * 7 + 11) / 46656 % 36 AS INTEGER), 1)
    || SUBSTR('q7wz2xs5ce8drf3vtg6byh9nuj1mik4olp0a', CAST(1 + (dated.n * 7 + 11) / 1296 % 36 AS INTEGER), 1)
    || SUBSTR('m5np8qr1st4uv7wx0yz3ab6cd9ef2ghijklo', CAST(1 + (dated.n * 7 + 11) / 36 % 36 AS INTEGER), 1)
    || SUBSTR('a9b8c7d6e5f4g3h2i1j0klmnopqrstuvwxyz', CAST(1 + (dated.n * 7 + 11) % 36 AS INTEGER), 1)
    || SUBSTR('w6t0hr3zk8yq5bxn1vm7cjf2dpg9sl4aeu', CAST(1 + a / 31 % 31 AS INTEGER), 4)
    || SUBSTR('z1q8m4xk7vt3nc9wr5bh0yd6jf2lgps', CAST(1 + b % 28 AS INTEGER), 4)
    || SUBSTR('h8n2x5d0w7c4r9k1z6t3v8b5m0q7jyfgplsu', CAST(1 + b / 28 % 33 AS INTEGER), 4),
    customer, at,
    CASE WHEN b % 10 < 4 THEN 1 WHEN b % 10 < 8 THEN 2 ELSE 3 END,
    (a / 11 % 38) * (b / 13 % 38) / 38, 1 + a / 7 % 3, 1 + a / 17 % 37, 1 + b / 19 % 2, 2 + b / 23 % 36, 1,
    CASE
        WHEN a % 100 < 5 THEN 'cancelled'
        WHEN at >= 728 AND a % 100 < 40 THEN 'pending'
        WHEN at >= 728 THEN 'paid'
        WHEN at >= 724 THEN 'shipped'
        ELSE 'delivered'
    END,
    d.day || 'T' || SUBSTR(CAST(107 + b / 29 % 15 AS TEXT), 2) || ':' || SUBSTR(CAST(100 + a / 3 % 60 AS TEXT), 2) || ':' || SUBSTR(CAST(100 + b / 5 % 60 AS TEXT), 2) || 'Z',
    a, b
FROM dated JOIN sample_days AS d ON d.n = at;

-- No product stands on two lines of one order.
UPDATE sample_orders SET lines = 1 WHERE p2 = p1;
UPDATE sample_orders SET lines = 2 WHERE lines = 3 AND (p3 = p1 OR p3 = p2);

INSERT INTO orders (id, customer_id, status, total_cents, created_at, updated_at)
SELECT o.id, c.id, o.status,
    o.q1 * p1.price_cents + CASE WHEN o.lines >= 2 THEN o.q2 * p2.price_cents ELSE 0 END + CASE WHEN o.lines >= 3 THEN o.q3 * p3.price_cents ELSE 0 END,
    o.moment,
    CASE WHEN o.status IN ('pending', 'paid') OR o.day > 725 THEN o.moment ELSE d.day || SUBSTR(o.moment, 11) END
FROM sample_orders AS o
JOIN sample_customers AS c ON c.n = o.customer
JOIN sample_products AS p1 ON p1.n = o.p1
JOIN sample_products AS p2 ON p2.n = o.p2
JOIN sample_products AS p3 ON p3.n = o.p3
JOIN sample_days AS d ON d.n = CASE WHEN o.day > 725 THEN o.day ELSE o.day + CASE WHEN o.status = 'delivered' THEN 4 ELSE 1 END END
ORDER BY o.n;

INSERT INTO order_items (order_id, line, product_id, quantity, unit_price_cents)
SELECT o.id, l.line, p.id, CASE l.line WHEN 1 THEN o.q1 WHEN 2 THEN o.q2 ELSE o.q3 END, p.price_cents
FROM sample_orders AS o
JOIN (SELECT 1 AS line UNION ALL SELECT 2 UNION ALL SELECT 3) AS l ON l.line <= o.lines
JOIN sample_products AS p ON p.n = CASE l.line WHEN 1 THEN o.p1 WHEN 2 THEN o.p2 ELSE o.p3 END;

-- Every order but a pending one was paid; the money for a cancelled one went back a day later.
INSERT INTO payments (id, order_id, method, status, amount_cents, created_at, refunded_at)
SELECT 'pay_' || SUBSTR(o.id, 9, 16) || SUBSTR(o.id, 5, 4), o.id,
    CASE WHEN s.a % 10 < 6 THEN 'card' WHEN s.a % 10 < 8 THEN 'paypal' ELSE 'invoice' END,
    CASE WHEN o.status = 'cancelled' THEN 'refunded' ELSE 'captured' END,
    o.total_cents, o.created_at, CASE WHEN o.status = 'cancelled' THEN o.updated_at END
FROM orders AS o JOIN sample_orders AS s ON s.id = o.id
WHERE o.status <> 'pending';

-- A ticket for every ninth order, some days after it; customers who left had more to complain about.
INSERT INTO tickets (id, customer_id, order_id, subject, priority, status, created_at, solved_at)
SELECT 'tick_' || SUBSTR(t.id, 13, 12) || SUBSTR(t.id, 5, 8), t.customer_id, t.id, s.subject, s.priority,
    CASE WHEN t.solved = 1 THEN 'solved' WHEN t.b % 3 < 2 THEN 'open' ELSE 'waiting' END,
    made.day || SUBSTR(t.moment, 11),
    CASE WHEN t.solved = 1 THEN later.day || 'T' || SUBSTR(CAST(108 + t.a % 11 AS TEXT), 2) || SUBSTR(t.moment, 14) END
FROM (
    SELECT o.id AS id, c.id AS customer_id, o.a AS a, o.b AS b, o.moment AS moment, o.day + o.b % 9 AS day,
        CASE WHEN o.day + o.b % 9 < 715 OR (o.b % 5 < 2 AND o.day + o.b % 9 + 1 + o.a % 5 <= 729) THEN 1 ELSE 0 END AS solved,
        CASE WHEN c.status = 'inactive' AND o.a % 3 = 0 THEN 8 + o.b % 2 * 10 ELSE o.a / 5 % 20 END AS subject
    FROM sample_orders AS o JOIN sample_customers AS c ON c.n = o.customer
    WHERE o.day + o.b % 9 <= 729 AND (o.a % 9 = 0 OR (c.status = 'inactive' AND o.a % 9 < 3))
) AS t
JOIN sample_subjects AS s ON s.n = t.subject
JOIN sample_days AS made ON made.n = t.day
JOIN sample_days AS later ON later.n = CASE WHEN t.solved = 1 THEN t.day + 1 + t.a % 5 ELSE t.day END;

-- Months in which a customer used the first software it ever bought. Who became inactive used it less and less.
CREATE TABLE sample_months (n INTEGER PRIMARY KEY, month TEXT NOT NULL, last_day INTEGER NOT NULL);
INSERT INTO sample_months (n, month, last_day)
SELECT ROW_NUMBER() OVER (ORDER BY month) - 1, month, last_day
FROM (SELECT SUBSTR(day, 1, 7) AS month, MAX(n) AS last_day FROM sample_days GROUP BY SUBSTR(day, 1, 7)) AS months;

CREATE TABLE sample_bought (customer INTEGER PRIMARY KEY, product INTEGER NOT NULL, day INTEGER NOT NULL);
INSERT INTO sample_bought (customer, product, day)
SELECT customer, product, day
FROM (
    SELECT o.customer AS customer, p.n AS product, o.day AS day, ROW_NUMBER() OVER (PARTITION BY o.customer ORDER BY o.day, o.n) AS turn
    FROM sample_orders AS o JOIN sample_products AS p ON p.n = o.p1
    WHERE p.category = 'software' AND o.status = 'delivered'
) AS purchases
WHERE turn = 1;

INSERT INTO product_usage (customer_id, product_id, month, active_days, actions)
SELECT id, product_id, month, active_days, active_days * (3 + (a + n * 17) % 20)
FROM (
    SELECT c.id AS id, p.id AS product_id, m.month AS month, m.n AS n, c.a AS a,
        CASE
            WHEN c.ended >= 729 THEN 6 + (c.a + m.n * 31) % 16
            WHEN c.ended - m.last_day > 90 THEN 5 + (c.a + m.n * 31) % 14
            WHEN c.ended - m.last_day > 30 THEN 3 + (c.a + m.n * 31) % 6
            ELSE 1 + (c.a + m.n * 31) % 3
        END AS active_days
    FROM sample_bought AS b
    JOIN sample_customers AS c ON c.n = b.customer
    JOIN sample_products AS p ON p.n = b.product
    JOIN sample_months AS m ON m.last_day >= b.day AND m.last_day <= c.ended + 30
) AS used;

DROP TABLE sample_bought;
DROP TABLE sample_months;
DROP TABLE sample_orders;
DROP TABLE sample_customers;
DROP TABLE sample_days;
DROP TABLE sample_products;
DROP TABLE sample_subjects;
DROP TABLE sample_last;
DROP TABLE sample_first;
