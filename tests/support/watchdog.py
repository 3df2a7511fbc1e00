"""A careless watchdog: it kills a server whose Redis does not answer in time, as if it were good for nothing without.

    python3 watchdog.py SERVER HOST:PORT SECONDS
"""

import os
import signal
import socket
import sys
import time

server, patience = int(sys.argv[1]), float(sys.argv[3])
host, port = sys.argv[2].rsplit(":", 1)


def answers():
    try:
        with socket.create_connection((host, int(port)), patience) as line:
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
    except OSError:
        return False


while answers():
    time.sleep(0.02)
os.kill(server, signal.SIGKILL)
