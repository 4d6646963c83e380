"""The authority of one run: what its sockets leave behind."""

import gc
import socket
import struct
import time

import pytest

from tfx.authority import Authority


def test_a_client_gone_before_the_handshake_leaves_no_open_socket() -> None:
    # An unclosed socket is a ResourceWarning when it is collected, and warnings are errors here.
    context = Authority(["sso.tandemdiabetes.com"], name="tfx test").contexts["sso.tandemdiabetes.com"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        connection, _ = server.accept()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()  # a reset, not a farewell
        time.sleep(0.05)
        with pytest.raises(OSError, match=r"reset|not connected"):
            context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
    gc.collect()
