"""Ports that several processes choose at once."""

from __future__ import annotations

import subprocess
import sys

from stack.ports import free_ports


def test_a_port_is_chosen_once_by_whoever_asks() -> None:
    command = [sys.executable, "-c", "from stack.ports import free_ports; print(*free_ports(40))"]
    others = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    chosen = [int(port) for other in others for port in other.communicate(timeout=30)[0].split()]
    chosen += free_ports(40)
    assert len(set(chosen)) == len(chosen) == 160
