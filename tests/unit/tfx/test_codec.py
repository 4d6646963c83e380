"""Content codings: what is decoded exactly, and what is refused rather than guessed."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfx import codec
from tfx.errors import RefusedError
from tfx.exchange import Headers


def coded(*names: str) -> Headers:
    return Headers([("Content-Encoding", ", ".join(names))])


@given(st.binary(), st.lists(st.sampled_from(["gzip", "deflate", "identity", "x-gzip"]), max_size=2))
def test_decoding_undoes_encoding(body: bytes, names: list[str]) -> None:
    assert codec.decoded(coded(*names), codec.encoded(coded(*names), body)) == body


def test_encoding_is_the_same_every_time() -> None:
    assert codec.encoded(coded("gzip"), b"abc" * 99) == codec.encoded(coded("gzip"), b"abc" * 99)


def test_raw_deflate_is_understood_as_clients_do() -> None:
    squeezer = zlib.compressobj(wbits=-15)
    assert codec.decoded(coded("deflate"), squeezer.compress(b"plain") + squeezer.flush()) == b"plain"


@pytest.mark.parametrize(
    ("names", "body", "why"),
    [
        (("zstd",), b"x", "a coding that cannot be undone cannot be searched"),
        (("br",), b"x", "nor can this one"),
        (("gzip", "gzip", "gzip"), gzip.compress(b"x", mtime=0), "three layers hide more than they carry"),
        (("gzip",), gzip.compress(b"x", mtime=0)[:-3], "cut short"),
        (("gzip",), gzip.compress(b"x", mtime=0) + b"secret", "bytes after the end belong to nothing"),
        (("gzip",), b"not gzip at all", "the label lies"),
        (("deflate",), b"\xff\xff\xff", "the label lies"),
    ],
)
def test_what_is_not_understood_is_refused(names: tuple[str, ...], body: bytes, why: str) -> None:
    with pytest.raises(RefusedError) as caught:
        codec.decoded(coded(*names), body)
    assert "secret" not in str(caught.value), why


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "LARGEST_BODY", 1000)
    with pytest.raises(RefusedError, match="bomb"):
        codec.decoded(coded("gzip"), gzip.compress(b"0" * 100_000))


def test_an_empty_body_has_no_coding_and_a_refused_one_is_named_if_it_is_registered() -> None:
    for coding, shown in (
        ("br", "the content coding br,"),
        ("zstd", "the content coding zstd,"),
        ("marisol", "coding of no registered name,"),
    ):
        headers = Headers([("Content-Encoding", coding)])
        assert codec.decoded(headers, b"") == b"", "answers of 304 name the coding of the body they do not have"
        with pytest.raises(RefusedError, match=shown):
            codec.decoded(headers, b"x")
