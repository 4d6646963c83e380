"""From events to tables: one module a table, named after it; `tables` says which codes each takes."""
