"""How this program is put to kills, failing disks and damaged bytes: the harness, and the tests that use it.

steps       one call into the operating system fails, or is the last thing a process does
disks       a disk that is full, cuts a file, or fails under SQLite's own writes
damage      bytes that are not those that were written
forked      a child process that tells what it did until it ends or is killed
operations  what a home has done to it; the table that kills and faults go through
checks      what must hold of a home afterwards
crash       ``kill -9`` at random moments; ``scripts/crash_test.py`` runs it by the thousand
"""

from faults.steps import Killed, Step, failing

__all__ = ["Killed", "Step", "failing"]
