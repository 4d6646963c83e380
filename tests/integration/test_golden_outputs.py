"""What the pipeline makes of each committed cassette is what a reviewer once agreed to (`make expected` writes it anew)."""

import pytest
from golden import EXPECTED, NAMES, outputs, written


@pytest.mark.parametrize("name", NAMES)
def test_a_cassette_gives_the_agreed_tables(name: str) -> None:
    found = {file: written(content) for file, content in outputs(name).items()}
    agreed = {path.name: path.read_text(encoding="utf-8") for path in (EXPECTED / name).iterdir()}
    assert found == agreed


def test_every_golden_folder_belongs_to_a_cassette() -> None:
    assert tuple(sorted(path.name for path in EXPECTED.iterdir())) == NAMES
