"""A connection to an SFTP server that has shown its key, and let mroute log in.

Knows whom to trust and how to log in. Does not know what is sent.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh

from mroute.api import TargetDownError, raise_exhaustion
from mroute_storage.sftp.remote import Remote
from mroute_storage.sftp.target import SftpTarget

_FAREWELL = 5.0
"""Seconds for the server to hear that a connection ends."""


# It complains of each packet for a connection that is gone, which the error says once. A program
# that has handlers of its own still gets that.
logging.getLogger("asyncio").addHandler(logging.NullHandler())


@asynccontextmanager
async def connected(target: SftpTarget) -> AsyncIterator[Remote]:
    """The files of a server, as long as the block lasts; `TargetDownError` where there are none.

    Raises `OSError` where this machine is short of something.
    """
    connection, client = await _opened(target)
    try:
        yield Remote(client, target.address, target.timeout.total_seconds())
        client.exit()
        connection.close()
    except BaseException:
        connection.abort()
        raise
    finally:
        try:
            async with asyncio.timeout(_FAREWELL):
                await connection.wait_closed()
        except TimeoutError:
            connection.abort()


class _Client(asyncssh.SSHClient):
    """Keeps the key that a server shows and that nothing vouches for."""

    shown: asyncssh.SSHKey | None = None

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        self.shown = key
        return False


async def _opened(
    target: SftpTarget,
) -> tuple[asyncssh.SSHClientConnection, asyncssh.SFTPClient]:
    where = target.address
    known, key = _known_hosts(target), _key(target)
    password = None if target.password is None else target.password.read()
    owner = _Client()
    try:
        async with asyncio.timeout(target.connect_timeout.total_seconds()):
            connection = await asyncssh.connect(
                target.host,
                target.port,
                client_factory=lambda: owner,
                known_hosts=known,
                username=target.user,
                client_keys=None if key is None else [key],
                password=password,
                # The kinds of keys that are known, then others: what the server shows is told.
                server_host_key_algs="+ssh-ed25519,ecdsa-sha2-*,rsa-sha2-*",
                # Nothing of the user whom mroute runs as: its settings, agent and tickets.
                config=None,
                agent_path=None,
                gss_host=None,
                x509_trusted_certs=None,
            )
            try:
                client = await connection.start_sftp_client(path_errors="surrogateescape")
            except BaseException:
                connection.abort()
                await connection.wait_closed()
                raise
    except asyncssh.HostKeyNotVerifiable as error:
        raise TargetDownError(_stranger(target, known, owner.shown)) from error
    except asyncssh.PermissionDenied as error:
        raise TargetDownError(f"{where} refused the login of '{target.user}'") from error
    except TimeoutError as error:
        seconds = f"{target.connect_timeout.total_seconds():g} s"
        raise TargetDownError(f"{where}: no connection within {seconds}") from error
    except (asyncssh.Error, ValueError) as error:
        raise TargetDownError(f"{where}: no connection: {error}") from error
    except OSError as error:
        raise_exhaustion(error)
        why = error.strerror if isinstance(error, socket.gaierror) else _words(error)
        raise TargetDownError(f"{where} cannot be reached: {why}") from error
    return connection, client


def _known_hosts(target: SftpTarget) -> asyncssh.SSHKnownHosts:
    if target.host_key is not None:
        return asyncssh.import_known_hosts(f"* {target.host_key}")
    path = target.hosts_file()
    try:
        return asyncssh.import_known_hosts(path.read_text("utf-8"))
    except OSError as error:
        raise TargetDownError(
            f"'{path}', which should have the key of the server, cannot be read: {error.strerror}"
        ) from error
    except ValueError as error:
        raise TargetDownError(f"'{path}' is no file of known hosts") from error


def _key(target: SftpTarget) -> asyncssh.SSHKey | None:
    if target.key is None:
        return None
    try:
        password = None if target.key_password is None else target.key_password.read()
        return asyncssh.read_private_key(target.key, password)
    except OSError as error:
        raise TargetDownError(f"the key '{target.key}' cannot be read: {error.strerror}") from error
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise TargetDownError(
            f"the key '{target.key}' cannot be used; expected a private key as ssh-keygen makes "
            "it, and its password where it has one"
        ) from error


def _stranger(
    target: SftpTarget, known: asyncssh.SSHKnownHosts, shown: asyncssh.SSHKey | None
) -> str:
    """Why the key of a server does not do."""
    key = "the host key" if shown is None else f"the host key {shown.get_fingerprint()}"
    if target.host_key is not None:
        return (
            f"{key} of {target.address} is not the one in 'host_key'; if the server was changed on "
            "purpose, write the new one there"
        )
    path = target.hosts_file()
    port = None if target.port == asyncssh.DEFAULT_PORT else target.port
    if any(known.match(target.host, "", port)):
        return (
            f"{key} of {target.address} is not the one in '{path}'; if the server was changed on "
            "purpose, replace its line"
        )
    return (
        f"{key} of {target.address} is not known; ask whoever runs the server whether it is the "
        f"right one, and add its line to '{path}'"
    )


def _words(error: OSError) -> str:
    """Why, where asyncio has put its own words around that of the system."""
    return os.strerror(error.errno) if error.errno else str(error)
