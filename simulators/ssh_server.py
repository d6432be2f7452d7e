"""A simulated host's SSH server: whoever has the key and runs a command shuts it down.

`asyncssh` (EPL-2.0) comes with the extra `demo`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulators.keys import HOST, private_key, private_text
from simulators.powerplan import Account, Address

if TYPE_CHECKING:
    import asyncssh


class SshServer:
    """Like a server whose key is bound to its shutdown: `stop` is called for any command."""

    def __init__(
        self, host: str, address: Address, account: Account, stop: Callable[[], None]
    ) -> None:
        self.name = f"{host}: ssh on {address[0]}:{address[1]}"
        self._address = address
        self._account = account
        self._stop = stop
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()

    async def open(self) -> None:
        """Listen, with the key that is in the host's key file now.

        Raises: OSError, ImportError, ValueError (a key file that holds none).
        """
        import asyncssh

        logging.getLogger("asyncssh").setLevel(logging.WARNING)
        own = private_text(private_key(self._account.seed, HOST), openssh=True)
        let_in = None
        if self._account.key_file is not None:
            client_key = asyncssh.read_private_key(self._account.key_file)
            let_in = client_key.convert_to_public().public_data
        self._acceptor = await asyncssh.create_server(
            _login(self._account.ssh_user, let_in, self._connections),
            *self._address,
            server_host_keys=[asyncssh.import_private_key(own)],
            process_factory=self._run,
            allow_pty=False,
            agent_forwarding=False,
        )

    def close(self) -> None:
        if self._acceptor is not None:
            self._acceptor.close()
            self._acceptor = None
        for connection in list(self._connections):
            connection.abort()

    def _run(self, process: asyncssh.SSHServerProcess[str]) -> None:
        self._stop()
        process.stdout.write("shutting down\n")
        process.exit(0)


def _login(
    user: str, let_in: bytes | None, connections: set[asyncssh.SSHServerConnection]
) -> Callable[[], asyncssh.SSHServer]:
    """Return what asyncssh makes of each connection: it lets in `user` with one key only."""
    import asyncssh

    class Login(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            self._connection = conn
            connections.add(conn)

        def connection_lost(self, exc: Exception | None) -> None:
            connections.discard(self._connection)

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: Any) -> bool:
            return username == user and key.public_data == let_in

    return Login
