"""Mounts that containers and volumes leave behind."""

from __future__ import annotations

from pathlib import Path

from tenfold_local.shell import run


def _mount_points() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4] for line in lines]


def below(*folders: Path) -> list[str]:
    """Return the mount points below the folders, in the order in which they were mounted."""
    prefixes = tuple(f"{folder}/" for folder in folders)
    return [point for point in _mount_points() if point.startswith(prefixes)]


def unmount_below(*folders: Path) -> None:
    """Unmount everything below the folders, the newest first."""
    for point in reversed(below(*folders)):
        run(["umount", "--lazy", point])


def unmount(path: Path) -> None:
    """Unmount one path as often as it is mounted."""
    for point in _mount_points():
        if point == str(path):
            run(["umount", "--lazy", path])
