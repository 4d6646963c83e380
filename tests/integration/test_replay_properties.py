"""What a program may look at is the same live and replayed, on every stack; `make expected` writes the table anew."""

import properties


def test_the_table_of_properties_is_what_is_found() -> None:
    found = properties.table()
    differing = {(stack, name) for stack, rows in found.items() for name, steps in rows.items() if steps}
    assert differing == set(properties.REASONS)
    assert properties.PAGE.read_text(encoding="utf-8") == properties.page(found)
