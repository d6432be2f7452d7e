"""One HTTP or HTTPS exchange, bounded in time and size."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from functools import cache
from urllib.parse import quote

import msgspec

from controller.core.parts import BadReply, DeviceError, DeviceUnreachable
from drivers.hosts.address import Address
from drivers.hosts.files import read_file
from drivers.hosts.line import TimedLine, connect, left_s, told

_BODY_BYTES = 256 * 1024  # a Redfish system of a large server has some 30 KB
_URL_MARKS = "/?#[]@!$&'()*+,;=:%~"
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class Reply(msgspec.Struct, frozen=True):
    """An HTTP reply; `location` is where it sends us."""

    status: int
    location: str | None
    body: bytes


def exchange(
    address: Address,
    path: str,
    until_s: float,
    *,
    tls: bool,
    ca: str | None = None,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    read_body: bool = True,
) -> Reply:
    """Send one request on a connection of its own and return the reply.

    `ca`: a file with the certificate that the server must prove itself by; see `_secure`.
    Raises: DeviceTimeout, DeviceUnreachable, BadReply, DeviceError (`ca` cannot be read).
    """
    sent = {"Host": address.netloc, "Connection": "close", **(headers or {})}
    try:
        with _connected(address, ca, until_s, tls) as line:
            http_line = http.client.HTTPConnection(address.host, address.port)
            http_line.sock = TimedLine(line, until_s)
            http_line.request(method, quote(path, safe=_URL_MARKS), body, sent)
            with http_line.getresponse() as response:
                content = response.read(_BODY_BYTES + 1) if read_body else b""
                location = response.getheader("Location")
    except DeviceError:
        raise
    except OSError as error:
        raise told(address.url, error) from error
    except http.client.HTTPException as error:
        raise BadReply(f"{address.url}: {type(error).__name__} in place of HTTP") from error
    if len(content) > _BODY_BYTES:
        raise BadReply(f"{address.url}: a reply of more than {_BODY_BYTES} bytes")
    return Reply(response.status, location, content)


@contextlib.contextmanager
def _connected(
    address: Address, ca: str | None, until_s: float, tls: bool
) -> Iterator[socket.socket]:
    if tls:
        line: socket.socket = _secure(address, ca, until_s)
    else:
        line = connect(address.host, address.port, until_s)
    with line:
        yield line


def _secure(address: Address, ca: str | None, until_s: float) -> ssl.SSLSocket:
    """Connect, and return once the server has proved itself.

    With `ca`, it shows the very certificate of that file (then neither its name nor its dates
    matter: a management controller is reached by number, and its certificate says anything), or
    one signed by it for the server's name. Without, one of the system's authorities.
    Nothing of ours is sent before.
    """
    if ca is None:
        return _handshake(address, _system_trust(), until_s)
    pinned, authority = _read_ca(ca)
    anyone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anyone.check_hostname = False
    anyone.verify_mode = ssl.CERT_NONE
    # Whoever it is has proved that it holds the key of the certificate that it shows.
    line = _handshake(address, anyone, until_s)
    if line.getpeercert(binary_form=True) in pinned:
        return line
    line.close()
    return _handshake(address, authority, until_s)


@cache
def _system_trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _read_ca(ca: str) -> tuple[list[bytes], ssl.SSLContext]:
    """Return the certificates of a file, and what trusts those that they signed."""
    text = read_file("ca", ca)
    try:
        pinned = [ssl.PEM_cert_to_DER_cert(found) for found in _CERTIFICATE.findall(text)]
        authority = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        raise DeviceError(f"ca: {ca}: not a certificate") from error
    return pinned, authority


def _handshake(address: Address, context: ssl.SSLContext, until_s: float) -> ssl.SSLSocket:
    line = connect(address.host, address.port, until_s)
    try:
        line.settimeout(left_s(until_s))
        return context.wrap_socket(line, server_hostname=address.host)
    except ssl.SSLCertVerificationError as error:
        line.close()
        raise DeviceUnreachable(
            f"{address.url}: its certificate is not trusted: {error.verify_message}"
        ) from error
    except BaseException:
        line.close()
        raise
