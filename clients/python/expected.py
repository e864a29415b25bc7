"""Prints the customer that the clients ask for, read from the shop's SQLite file without Callgate.

Usage: expected.py DATABASE. The file is opened read-only; the middle customer by id is taken, so that an answer which
ignores the id is noticed.
"""

import json
import sqlite3
import sys

COLUMNS = ("id", "name", "email", "tier", "status", "country", "created_at")
database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
(count,) = database.execute("SELECT count(*) FROM customers").fetchone()
row = database.execute(f"SELECT {', '.join(COLUMNS)} FROM customers ORDER BY id LIMIT 1 OFFSET ?", (count // 2,)).fetchone()
print(json.dumps(dict(zip(COLUMNS, row, strict=True))))
