"""Choose Content-Encoding for a client as the service would. Pure.

A recording made with gzip is replayed to a client that does not ask for it (`urllib.request` asks for identity): the service would have
sent it plain.
"""

from replayer.matching.keys import Question
from replayer.matching.ledger import with_body
from tfx import codec
from tfx.exchange import Headers, Response

__tracebackhide__ = True  # pytest --showlocals would print the live request


def negotiated(question: Question, recorded: Headers | None, response: Response) -> Response:
    """The response in a coding this client asked for; as recorded if it asks as the recorded request did."""
    codings = codec.codings(response.headers) if "content-encoding" in response.headers else ()
    accept_encoding = question.headers.get("accept-encoding")
    if (
        not codings
        or (recorded is not None and recorded.get("accept-encoding") == accept_encoding)
        or codec.accepts(accept_encoding, codings)
    ):
        return response
    plain = with_body(response, codec.decoded(response.headers, response.body))
    return Response(status=plain.status, reason=plain.reason, headers=plain.headers.without("Content-Encoding"), body=plain.body)
