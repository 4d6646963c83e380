"""How events become rows: one module per table, named after it; `tables` says which codes each table takes."""
