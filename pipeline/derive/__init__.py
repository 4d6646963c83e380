"""From stored events to every other table: instants, derived tables, and all of them again."""
