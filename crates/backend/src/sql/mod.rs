//! Kind `sql`: tools, resources and completions over SQLite and PostgreSQL.
