"""The listening socket, bound before anything else is loaded: a taken port is said at once, and port 0 becomes a real
one that public URLs can name.
"""

import errno
import socket
from ipaddress import ip_address

import click


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to an address, not listening yet. Raises ClickException that says what to do."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise click.ClickException(f"host: {host!r} is no address of this machine") from None
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as problem:
        listener.close()
        raise click.ClickException(_why(problem, host, port)) from None
    return listener


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a listener on `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _why(problem: OSError, host: str, port: int) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken. Stop what listens there, or choose another with --port (0: any)."
    if problem.errno == errno.EACCES:
        return f"This user may not listen on port {port}. Choose one above 1023 with --port."
    if problem.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine. Choose one with --host."
    return f"Cannot listen on {host}, port {port}: {problem.strerror}."
