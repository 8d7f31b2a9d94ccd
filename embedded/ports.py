"""Whether a port of this machine is free, and who has it. Looks, never takes."""

import socket

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a port is "taken" for a minute after its last use
        try:
            attempt.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def refusal(port: int, what: str, variable: str) -> str:
    """What to say when `port` is taken: by whom, as far as this user may see, and the command that avoids it."""
    free = next((other for other in range(port + 10, min(port + 500, 65_536), 10) if is_free(other)), None)
    remedy = f"make run {variable}={free if free else 'another port'}"
    return f"port {port}, meant for {what}, is in use{_holder(port)}; stop that program, or take another port: {remedy}"


def _holder(port: int) -> str:
    import psutil  # type: ignore[import-untyped]

    try:
        pids = [
            c.pid for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port and c.status == "LISTEN" and c.pid
        ]
        return f" by {psutil.Process(pids[0]).name()} (pid {pids[0]})" if pids else ""
    except psutil.Error:  # another user's, or gone by now
        return ""
