"""Ends the servers we started when this program dies, however it dies.

A signal at the parent's death (``prctl(PR_SET_PDEATHSIG)``) exists on Linux only, fires when the
*thread* that forked ends, and must be set between fork and exec, where Python code is unsafe once
there are threads. A pipe has none of these faults: one ``sh`` in a session of its own reads from
us; the kernel closes our end of the pipe whenever and however we die, and the shell, which learnt
of every process group through that pipe, then ends those that are left: TERM, then KILL.
"""

from __future__ import annotations

import atexit
import contextlib
import subprocess
import threading

_SCRIPT = """
groups=" "
while read -r verb group; do
  case $verb in
    watch) groups="$groups$group " ;;
    forget) groups="${groups%% $group *} ${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s TERM -- "-$group" 2>/dev/null; done
[ "$groups" = " " ] || sleep 3
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
"""


class Guard:
    """One watching shell for all process groups of this program; started with the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shell: subprocess.Popen[str] | None = None
        self._groups: set[int] = set()

    def watch(self, group: int) -> None:
        """End this process group when our program has died."""
        with self._lock:
            self._groups.add(group)
            self._tell("watch", group)

    def forget(self, group: int) -> None:
        """This process group has ended; its number may belong to others from now on."""
        with self._lock:
            self._groups.discard(group)
            self._tell("forget", group)

    def close(self) -> None:
        """End what is still watched, as at our death, and the guard with it."""
        with self._lock:
            if self._shell is not None and self._shell.stdin is not None:
                with contextlib.suppress(OSError):
                    self._shell.stdin.close()
                self._shell.wait()
                self._shell = None

    def _tell(self, verb: str, group: int) -> None:
        if self._shell is not None and self._shell.poll() is None:
            self._write(f"{verb} {group}\n")
            return
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT], stdin=subprocess.PIPE, start_new_session=True, text=True
        )
        self._write("".join(f"watch {watched}\n" for watched in self._groups))

    def _write(self, lines: str) -> None:
        if self._shell is not None and self._shell.stdin is not None:
            self._shell.stdin.write(lines)
            self._shell.stdin.flush()


guard = Guard()
atexit.register(guard.close)
