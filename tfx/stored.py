"""A response as it stands in a cassette file: its body as a node, its bytes made when somebody asks for them. Pure."""

from dataclasses import dataclass

from tfx import bodies
from tfx.bodies import Node
from tfx.exchange import Exchange, Headers, Response


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Stored:
    """Makes the response when called.

    `is_plain`: the node is `{"json": ...}` over an array or object that the quick reader has read or the rules have made of such a one,
    and that is written compactly. Then it is the very node the bytes would give, and nobody has to make them to know what they hold.
    """

    status: int
    reason: str
    headers: Headers
    node: Node
    is_plain: bool = False

    def __call__(self) -> Response:
        """The response, with the length of its body where one is told."""
        wire = bodies.body_bytes(self.headers, self.node)
        return Response(status=self.status, reason=self.reason, headers=self.headers.measured(str(len(wire))), body=wire)

    def __repr__(self) -> str:
        return f"Stored({self.status}, {len(self.headers)} headers)"


def plain(exchange: Exchange) -> Stored | None:
    """What an exchange's response is made of, if it has not been made yet and is plain."""
    made = exchange.unmade
    return made if isinstance(made, Stored) and made.is_plain else None
